//! What a build is called, where it may go, and what its CI says about it.
//!
//! ```text
//! timestamp-env + 2026-03-17T14:39:58Z + prod   -> 20260317-143958-prod
//! GITHUB_REF=refs/heads/feature/prod            -> no environment of pattern `prod`
//! digest, tags, reference                       -> the lines that GitHub, GitLab or Azure read
//! ```
//! Pure: the moment, the CI's variables, the text of its event file and the randomness of a delimiter
//! are arguments. Nothing here decides who may write: CI variables are the attacker's to set (law 7),
//! so the registry and the record ask for verified claims.

pub mod ci;
pub mod environment;
pub mod fuzz;
pub mod output;
pub mod release_time;
pub mod sanitise;
pub mod scheme;
pub mod version;

mod nearest;

pub use ci::{CiError, CiFacts, Event, Fork, Protected, Provider, PullRequest, RunId, detect};
pub use environment::{
    Decision, EnvironmentRefused, EnvironmentRule, EventKind, Why, environment_of, pull_request_tag,
};
pub use output::{Output, OutputError, OutputForm, Published};
pub use release_time::{
    RELEASE_TIME_VARIABLE, ReleaseTime, ReleaseTimeError, ReleaseTimeSource, release_time,
};
pub use sanitise::sanitise;
pub use scheme::{
    Facts, MissingFact, Scheme, SchemeError, SchemeTextError, Taken, is_of, literal, next_free,
    parse_timestamp_env, pattern_of, time_of,
};
pub use version::{Version, VersionError};
