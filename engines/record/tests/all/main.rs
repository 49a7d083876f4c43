//! The crate's public face: every claim is recorded and read back.

#![cfg(test)]

mod events;
