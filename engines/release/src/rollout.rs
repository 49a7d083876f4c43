//! Rollouts: which workload, what it reports, and whether what was told to run does run.
//!
//! ```text
//! deployment/api, generation 7, 2 of 3 pods new  ->  waiting
//! every ready pod's imageID is the build's       ->  verified
//! ErrImagePull "not found" on a new pod          ->  failed, with pod and container
//! ```
//! Pure: what the cluster reports is handed in, time too.

mod workload;

pub use workload::{Workload, WorkloadError, WorkloadKind};
