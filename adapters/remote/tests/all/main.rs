//! The public face of `remote`: places that are read and written, against scripted and real peers.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed; the lint knows test functions, not their helpers"
)]

mod archives;
mod auth;
mod crowds;
mod daemon;
mod distribution;
mod egress;
mod helpers_of_docker;
mod images;
mod layouts;
mod proxies;
mod reads;
mod script;
mod secrets;
mod silence;
mod tags;
mod uploads;
