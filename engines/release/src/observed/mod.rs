//! What clusters report, read: which bytes a container runs, and what is wrong about it.
//!
//! ```text
//! pod api-6d5f8-x2x4q  container api  shop/api:uat  imageID …/shop/api@sha256:9f…  ->  runs sha256:9f…
//! two pods of one workload, sha256:9f… and sha256:3c…                              ->  Finding::TwoBuilds
//! ```
//! What a container runs is its imageID, resolved; never the tag, and never `containerStatuses[].image`
//! (DESIGN §3, law 8). Reports come in as values: nothing is asked of a cluster from here.

mod differ;
mod findings;
mod image_id;
mod judge;
mod meant;
mod overview;
mod owner;
mod pod;
mod report;
mod resolve;
mod standing;
mod track;
mod words;

pub use differ::{Jurisdiction, differ};
pub use findings::{Finding, Findings, Place, Told, find};
pub use image_id::ImageId;
pub use judge::{
    Builds, BuiltAs, DEPLOY_LATE_MAX_MS, Elsewhere, Facts, Judged, Ours, ROLLOUT_GRACE_MS, Wrong,
    judge,
};
pub use meant::{Meant, meant};
pub use overview::{Bytes, Row, Wanted, rows, to_compare, wanted};
pub use owner::{Owner, TemplateHash};
pub use pod::{Container, ContainerState, Phase, Pod, Previous, Role};
pub use report::{Node, NodeState, Report};
pub use resolve::{Match, Presence, Registered, TagNow};
pub use standing::Standing;
pub use track::Tracker;
