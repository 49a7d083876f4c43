//! The public face of the registry protocol: tables from the specifications, and properties.

mod fuzz;
mod manifests;
mod routes;
