//! The tracker against a model of a cluster, and against each situation of research/deploy.md §2.4.

#![cfg(test)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its own cluster has failed")]

mod cluster;
mod model;
mod situations;
