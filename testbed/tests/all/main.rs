//! The peers as other crates' tests use them: found, started, talking to each other, gone at the end.
#![cfg(test)]

mod clients;
mod cluster;
mod docker;
mod image;
