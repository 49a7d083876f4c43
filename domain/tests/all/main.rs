//! The crate's public face: properties over all values.

mod properties;
