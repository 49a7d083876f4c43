//! Kubernetes, asked: which pods there are, and which bytes they report to run.
//!
//! ```text
//! Cluster::connect(kubeconfig, "prod-eu")  ->  pods(All)  ->  [release::observed::Pod { … }]
//! ```
//! Only what is needed of an object is kept, page by page: a cluster of thousands of pods is a few megabytes.
//! Judges nothing: `release::observed` does.

mod connect;
mod error;
mod pods;
mod wire;

pub use connect::{Cluster, ConnectTo};
pub use error::ClusterError;
pub use pods::{PodList, Scope};
