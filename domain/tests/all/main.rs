//! The crate's public face: properties over all values.

#![cfg(test)]

mod properties;
