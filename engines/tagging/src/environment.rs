//! From a branch to an environment: law 7.
//!
//! ```text
//! push of refs/heads/shop-prod, rule prod: [prod, "*-prod"]   -> prod, because `*-prod` matches
//! push of refs/heads/feature/prod, rule uat: ["**"]           -> uat: `prod` is not its last segment
//! pull request from a branch called prod                      -> refused, whatever it says
//! ```
//! The first environment whose branches match decides; a later one never takes over what the first refuses,
//! or a manual run of `prod` would become `uat`. Decides what a build is *called*; what may be deployed where
//! is decided by the record, from verified claims.

mod refused;

use crate::ci::{CiFacts, Event, Provider, PullRequest};
use domain::{CommitId, EnvironmentName, Pattern, SourceRef, Tag};
use serde::{Deserialize, Serialize};

pub use refused::EnvironmentRefused;

/// An environment, as far as branches and events decide about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentRule {
    /// Its name.
    pub name: EnvironmentName,
    /// The branches that are built for it.
    pub branches: Vec<Pattern>,
    /// The runs that count like a push of such a branch.
    pub events: Vec<EventKind>,
}

/// A run that is not a push and that an environment may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// A person started it at the CI.
    Manual,
    /// A clock started it.
    Schedule,
}

impl EventKind {
    /// The word of the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
        }
    }
}

/// The environment, and the rule that named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The environment.
    pub environment: EnvironmentName,
    /// Why that one.
    pub why: Why,
}

/// Why a build is for an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A branch was pushed that the environment names.
    Pushed {
        /// The branch.
        branch: String,
        /// The pattern that matches it.
        pattern: Pattern,
    },
    /// A manual or scheduled run of such a branch, and the environment's `events` names it.
    Allowed {
        /// The branch.
        branch: String,
        /// The pattern that matches it.
        pattern: Pattern,
        /// The run.
        event: EventKind,
    },
    /// Somebody outside of a CI said so.
    Told,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pushed { branch, pattern } => {
                write!(f, "branch `{branch}` was pushed, and `{pattern}` matches it")
            }
            Self::Allowed { branch, pattern, event } => write!(
                f,
                "`{pattern}` matches branch `{branch}`, and events names `{}`",
                event.name()
            ),
            Self::Told => f.write_str("--env said so"),
        }
    }
}

/// Decides for which environment a run builds.
///
/// `told` is `--env`. Outside of a CI it decides alone; in a CI it may only repeat what the rules say, so that
/// a wrong line in a pipeline is an error and not a build for production.
///
/// # Errors
/// Refuses with the rule that refuses, and what to do.
pub fn environment_of(
    facts: &CiFacts,
    rules: &[EnvironmentRule],
    told: Option<&EnvironmentName>,
) -> Result<Decision, EnvironmentRefused> {
    if let Some(told) = told
        && !rules.iter().any(|rule| rule.name == *told)
    {
        return Err(EnvironmentRefused::NoSuchEnvironment {
            told: told.clone(),
            known: rules.iter().map(|rule| rule.name.clone()).collect(),
        });
    }
    let decision = match &facts.event {
        Event::None => return outside_of_ci(facts, told),
        Event::PullRequest(request) => {
            return Err(EnvironmentRefused::PullRequest {
                instead: instead_of(request, facts.commit.as_ref()),
            });
        }
        Event::MergeQueue => return Err(EnvironmentRefused::MergeQueue),
        Event::Tag => return Err(EnvironmentRefused::GitTag),
        Event::Other(event) => {
            return Err(EnvironmentRefused::OtherEvent { event: event.clone() });
        }
        Event::Push => by_branch(facts, rules, None)?,
        Event::Manual => by_branch(facts, rules, Some(EventKind::Manual))?,
        Event::Schedule => by_branch(facts, rules, Some(EventKind::Schedule))?,
    };
    match told {
        Some(told) if *told != decision.environment => Err(EnvironmentRefused::ToldAnother {
            told: told.clone(),
            decision: Box::new(decision),
        }),
        Some(_) | None => Ok(decision),
    }
}

fn outside_of_ci(
    facts: &CiFacts,
    told: Option<&EnvironmentName>,
) -> Result<Decision, EnvironmentRefused> {
    match (told, facts.provider, &facts.source_ref) {
        (Some(told), _, _) => Ok(Decision { environment: told.clone(), why: Why::Told }),
        (None, Provider::Checkout, None) => Err(EnvironmentRefused::DetachedHead),
        (None, Provider::Checkout, Some(_)) => Err(EnvironmentRefused::Laptop),
        (
            None,
            Provider::GitHub
            | Provider::Gitea
            | Provider::Forgejo
            | Provider::GitLab
            | Provider::Azure
            | Provider::Unknown,
            _,
        ) => Err(EnvironmentRefused::UnknownCi),
    }
}

fn by_branch(
    facts: &CiFacts,
    rules: &[EnvironmentRule],
    event: Option<EventKind>,
) -> Result<Decision, EnvironmentRefused> {
    let branch = match &facts.source_ref {
        Some(SourceRef::Branch(branch)) => branch.clone(),
        Some(SourceRef::Tag(_)) => return Err(EnvironmentRefused::GitTag),
        Some(SourceRef::Other(whole)) if is_request_ref(whole) => {
            return Err(EnvironmentRefused::PullRequest { instead: None });
        }
        Some(SourceRef::Other(_)) | None => return Err(EnvironmentRefused::NoBranch),
    };
    if branch.starts_with(crate::ci::MERGE_QUEUE_PREFIX) {
        return Err(EnvironmentRefused::MergeQueue);
    }
    let matching = |rule: &EnvironmentRule| {
        let pattern = rule.branches.iter().find(|p| p.matches(&branch))?;
        Some((rule.clone(), pattern.clone()))
    };
    let Some((rule, pattern)) = rules.iter().find_map(matching) else {
        return Err(EnvironmentRefused::NoRule { branch });
    };
    let why = match event {
        None => Why::Pushed { branch, pattern },
        Some(event) if rule.events.contains(&event) => Why::Allowed { branch, pattern, event },
        Some(event) => {
            return Err(EnvironmentRefused::EventNotAllowed {
                environment: rule.name,
                branch,
                event: event.name(),
            });
        }
    };
    Ok(Decision { environment: rule.name, why })
}

fn is_request_ref(whole: &str) -> bool {
    whole.starts_with("refs/pull/") || whole.starts_with("refs/merge-requests/")
}

fn instead_of(request: &PullRequest, commit: Option<&CommitId>) -> Option<Tag> {
    Some(pull_request_tag(request.number?, commit?))
}

/// Digits of a commit in a pull request's tag.
const PULL_REQUEST_SHA_DIGITS: usize = 12;

/// The tag for a pull request's build: `pr-7-g1a2b3c4d5e6f`, of its head commit.
#[must_use]
pub fn pull_request_tag(number: u64, head: &CommitId) -> Tag {
    format!("pr-{number}-g{}", head.short(PULL_REQUEST_SHA_DIGITS))
        .parse()
        .expect("letters, digits and hyphens, at most 37 of them")
}
