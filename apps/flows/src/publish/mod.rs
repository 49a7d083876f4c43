//! A build gets its names: bytes, create-only tags, aliases, and its place in the record.
//!
//! ```text
//! publish oci:build/api --to registry.example.com/shop/api --alias uat
//!   -> sha256:9f…  20260317-143958-uat  uat (moved from sha256:77…)
//! ```
//! Everything is decided first, and shown by `--dry-run`. Then: names reserved, bytes by digest, tags create-only,
//! aliases by compare-and-move, record. A re-run finds its own work.

mod aliases;
mod basis;
mod error;
mod names;
mod past;
mod plan;
mod recording;
mod run;

pub use aliases::{AliasDone, Moved};
pub use error::PublishError;
pub use names::{Keep, Naming, TagRequest, compute_tags};
pub(crate) use recording::{image_claim, tag_changes};
pub use run::{Dirty, PublishRequest, Published, TagDone, preview, publish};

use domain::Digest;
use remote::Source;

/// Where the bytes are.
#[derive(Clone, Debug)]
pub enum Bytes {
    /// In a place that we copy from.
    From(Source),
    /// In the repository already, pushed by another tool.
    Pushed(Digest),
}
