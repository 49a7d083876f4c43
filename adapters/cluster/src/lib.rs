//! Kubernetes, asked and told: which pods there are, and which bytes they report to run.
//!
//! ```text
//! Cluster::connect(kubeconfig, "prod-eu")  ->  pods(All)  ->  [release::observed::Pod { … }]
//! ```
//! Only what is needed of an object is kept, page by page: a cluster of thousands of pods is a few megabytes.
//! Judges nothing: `release::observed` does.

mod apply;
mod break_glass;
mod clock;
mod connect;
mod error;
mod helm;
mod history;
mod labelled;
mod owner;
mod pods;
mod remark;
mod rights;
mod rollout;
mod sync;
mod watch;
mod wire;
mod workload;

pub use apply::{ApplyError, FIELD_MANAGER, Rehearsal, TakeOver};
pub use break_glass::{SUSPENDED_ANNOTATION, SyncChange};
pub use connect::{Cluster, ConnectTo, ContextName, contexts};
pub use error::ClusterError;
pub use helm::{HelmError, HelmRelease, RELEASE_BYTES_MAX, RELEASE_RATIO_MAX, read_release};
pub use history::KeptThere;
pub use labelled::{DEMO_LABEL, Labelled, Occupant};
pub use owner::{FieldManager, Looked};
pub use pods::{PodList, Scope};
pub use remark::{Remark, Weight};
pub use rights::AskedRight;
pub use rollout::{Changes, Explained};
pub use sync::SyncMark;
pub use workload::WorkloadFacts;
