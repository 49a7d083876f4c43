//! Rollouts: which workload, what it reports, and whether what was told to run does run.
//!
//! ```text
//! deployment/api, generation 7, 2 of 3 pods new  ->  waiting
//! every ready pod's imageID is the build's       ->  verified
//! ErrImagePull "not found" on a new pod          ->  failed, with pod and container
//! ```
//! Pure: what the cluster reports is handed in.

mod cause;
mod field_owner;
mod judge;
mod seen;
mod unstick;
mod workload;

pub use cause::{CRASHES_MAX, Cause, cause_of, pull_is_permanent, refusal_is_decided};
pub use field_owner::Manager;
pub use judge::{Doubt, Failure, Finished, Judged, Progress, Target, judge, to_look_into};
pub use seen::{
    Counts, Holder, PodState, RolloutPhase, Seen, SeenContainer, SeenPod, Slot, Template,
};
pub use unstick::in_the_way;
pub use workload::{Workload, WorkloadError, WorkloadKind};
