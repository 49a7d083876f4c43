//! Why a build is for no environment: the rule, and what to do.

use super::Decision;
use domain::{EnvironmentName, Tag};

/// Why a build gets no environment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentRefused {
    /// `--env` names none of the settings.
    #[error("the settings have no environment `{told}`: known are {}", names(known))]
    NoSuchEnvironment {
        /// What `--env` said.
        told: EnvironmentName,
        /// The environments that there are.
        known: Vec<EnvironmentName>,
    },
    /// `--env` and the branch say two things.
    #[error("--env says `{told}`, but this run builds for `{environment}`: {why}; leave --env out, or change the branches of `{told}`",
        environment = decision.environment, why = decision.why)]
    ToldAnother {
        /// What `--env` said.
        told: EnvironmentName,
        /// What the rules say.
        decision: Box<Decision>,
    },
    /// A pull request.
    #[error("a pull request never gets an environment's tag, whatever its branch is called: merge it, or publish it as {}", suggested(instead.as_ref()))]
    PullRequest {
        /// A tag for it, where its number and head are known.
        instead: Option<Tag>,
    },
    /// A merge that is only tried.
    #[error(
        "a merge queue tries what is not merged yet, so it never gets an environment's tag: build the push that follows the merge"
    )]
    MergeQueue,
    /// A git tag.
    #[error(
        "a git tag decides no environment, also when it is called like one: use a scheme without an environment, such as `semver`, and `promote` the build"
    )]
    GitTag,
    /// An event that is neither a push nor one that settings can allow.
    #[error(
        "the event `{event}` does not say who started it on which branch: compute the tag in the run of the push and hand it on", event = event.escape_debug()
    )]
    OtherEvent {
        /// The CI's own word.
        event: String,
    },
    /// A manual or scheduled run that the environment does not name.
    #[error(
        "branch `{branch}` belongs to `{environment}`, which takes pushes only: add `{event}` to `environments.{environment}.events` to allow such runs"
    )]
    EventNotAllowed {
        /// The environment that the branch belongs to.
        environment: EnvironmentName,
        /// The branch.
        branch: String,
        /// The word for `events`.
        event: &'static str,
    },
    /// No environment names the branch.
    #[error(
        "no environment names branch `{branch}`: add it to `branches` of one, or use a scheme without an environment"
    )]
    NoRule {
        /// The branch.
        branch: String,
    },
    /// The CI names no branch.
    #[error("the CI names no branch that was pushed, and nothing else decides an environment")]
    NoBranch,
    /// A checkout outside of a CI.
    #[error("outside of a CI a branch decides nothing, for nobody pushed it: say `--env`")]
    Laptop,
    /// A checkout outside of a CI and on no branch.
    #[error("HEAD is detached and there is no CI, so no environment is known: say `--env`")]
    DetachedHead,
    /// A CI whose variables are not read.
    #[error(
        "`CI` is set, but this CI's variables are not known here, so no environment is known: say `--env`"
    )]
    UnknownCi,
}

fn names(known: &[EnvironmentName]) -> String {
    if known.is_empty() {
        return "none".to_owned();
    }
    let known: Vec<&str> = known.iter().map(EnvironmentName::as_str).collect();
    known.join(", ")
}

fn suggested(instead: Option<&Tag>) -> String {
    match instead {
        Some(tag) => format!("`{tag}`"),
        None => "`pr-NUMBER-gCOMMIT`".to_owned(),
    }
}
