//! The public face of the registry protocol: tables from the specifications, and properties.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own table has failed")]

mod fuzz;
mod manifests;
mod routes;
