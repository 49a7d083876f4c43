//! The tracker against a model of a cluster, and against each situation of research/deploy.md §2.4; policies as text.

#![cfg(test)]

mod cluster;
mod model;
mod policy;
mod situations;
