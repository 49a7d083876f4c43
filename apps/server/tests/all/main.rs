//! The server's public face: a real one over real sockets, asked by a client that can also misbehave.
#![expect(clippy::unwrap_used, reason = "a helper of a test that finds nothing fails the test")]

mod access;
mod api;
mod blobs;
mod client;
mod decisions;
mod discovery;
mod facts;
mod images;
mod laws;
mod limits;
mod manifests;
mod openapi;
mod record;
mod runs;
mod starting;
