//! Plans: decisions as data, made from facts that are handed in.
//!
//! ```text
//! state of prod + "api" -> Rollback { from: C, to: B, condemns: C }
//! state of prod + a build of uat -> Refused(NotEligible)
//! ```
//! A plan is shown, recorded and applied by others; making one changes nothing.
//! Pure: what git, the registry and the record say comes in as arguments.

pub mod alias;
pub mod deploy;
pub mod gitops;
pub mod imported;
pub mod imported_files;
pub mod merge;
pub mod observed;
pub mod policy;
pub mod promote;
pub mod rollback;
pub mod rollout;
pub mod standing;

pub use alias::{AliasRefused, AliasStep, Order, decide_alias};
pub use deploy::{DeployPlan, DeployRefused, DeployRequest, plan_deploy};
pub use merge::{MergeEvidence, Merged, VerifiedThere, judge_merge};
pub use promote::{PromotePlan, PromoteRefused, TagStep, plan_promote};
pub use rollback::{
    Against, Demands, Least, Pullable, RollbackPlan, RollbackRefused, Told, plan_rollback,
    rollback_candidates,
};
