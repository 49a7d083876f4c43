//! The crate's public face: every claim is recorded and read back.

mod events;
