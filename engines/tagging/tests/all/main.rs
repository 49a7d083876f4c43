//! The crate's public face: the tables of schemes, of CI variables and of environments, and properties.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test by its panic")]

mod ci;
mod ci_errors;
mod environments;
mod fixture;
mod outputs;
mod properties;
mod schemes;
mod settings;
