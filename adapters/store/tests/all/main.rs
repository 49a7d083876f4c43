//! The store's public face: laws on tags, the record, bytes on disk, and what survives a crash.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its own registry has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "a child that is killed is told its part by environment variables"
)]

mod blobs;
mod crash;
mod folder;
mod full_disk;
mod image;
mod poison;
mod race;
mod record;
mod registry;
mod runs;
mod shop;
mod tags;
