//! The store's public face: laws on tags, the record, bytes on disk, and what survives a crash.

mod blobs;
mod crash;
mod folder;
mod full_disk;
mod poison;
mod race;
mod record;
mod registry;
mod shop;
mod tags;
