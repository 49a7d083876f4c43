//! Questions: what happened, what ran, where did it come from, what lacks a fix.
//!
//! ```text
//! history prod · ran prod --at 14:05 · trace sha256:9f… · exposure --missing-commit 1a2b3c
//! ```
//! Every answer carries its basis, its precision and its gaps.

mod between;
mod commits;
mod coverage;
mod diff;
mod exposure;
mod history;
mod meaning;
mod observed;
mod ran;
mod status;
mod steady;
mod tags;
mod told;
mod trace;
mod watched;
mod wherever;

pub use between::{Decided, RUNS_SUMMED_MAX, SeenRow};
pub use commits::{Builds, BuiltFrom, builds_of};
pub use coverage::{Coverage, Covered};
pub use diff::{Changed, Diff, RanOther, diff};
pub use exposure::{ExposureAnswer, exposure};
pub use history::{History, HistoryRequest, HistoryRow, history};
pub use meaning::{
    EVENTS_LOOKED_THROUGH_MAX, SAME_BEGINNING_MAX, SHORT_DIGEST_LEN_MIN, find_digest,
};
pub use observed::ContainerRow;
pub(crate) use observed::running_in;
pub use ran::{Ran, RanRow, ran_at, ran_digest};
pub use status::{EnvironmentStatus, ImageStatus, SeenBy, status};
pub use steady::STEADY_MS;
pub(crate) use steady::steadily_ran;
pub use tags::{HISTORY_PAGES_MAX, HISTORY_ROWS_MAX, TagHistory, TagHistoryRow, tag_history};
pub use trace::{REPOSITORIES_ASKED_MAX, TRACED_MAX, TraceAnswer, Traced, trace};
pub use watched::{WatchedAnswer, watched};
pub use wherever::{RUNS_OF_DIGEST_MAX, SeenWhere};

use crate::app::{App, OpenError};
use crate::registries::RegistryError;
use crate::seam::{Question, Record, RecordError, all, environment_state};
use crate::verdict::{Explain, Verdict};
use ::record::claim::Kind;
use ::record::{Basis, Facet, Interval, Sequenced, intended_intervals};
use domain::EnvironmentName;
use git::GitError;
use std::collections::BTreeSet;

/// The intervals that fit, of every environment that the deploys went to, in the order of their names.
async fn intervals_of(
    record: &dyn Record,
    deploys: &[Sequenced],
    fits: impl Fn(&Interval) -> bool,
) -> Result<Vec<Interval>, RecordError> {
    let environments: BTreeSet<&EnvironmentName> = deploys
        .iter()
        .filter_map(|event| Some(&event.event.claim.as_deploy()?.environment))
        .collect();
    let mut intervals = Vec::new();
    for environment in environments {
        let state = environment_state(record, environment).await?;
        intervals.extend(intended_intervals(&state).into_iter().filter(&fits));
    }
    Ok(intervals)
}

/// What brings the past that a shallow checkout lacks.
const UNSHALLOW: &str = "git fetch --unshallow";

/// The weakest basis of what is said; of nothing it is what was decided.
fn weakest(bases: impl Iterator<Item = Basis>) -> Basis {
    bases.max().unwrap_or(Basis::Intended)
}

/// Refuses a name that nobody has ever used: an empty answer about it would read as "nothing ran".
async fn check_environment(
    app: &App,
    record: &dyn Record,
    name: &EnvironmentName,
) -> Result<(), AskError> {
    let settings = app.loaded().map(|loaded| &loaded.settings);
    if settings.is_some_and(|settings| settings.environment(name).is_some()) {
        return Ok(());
    }
    let about = Question::default().about(Facet::Environment, name);
    if !record.events(&about, None).await?.is_empty() {
        return Ok(());
    }
    let deploys = all(record, &Question::of([Kind::Deploy])).await?;
    let recorded = deploys.iter().filter_map(|event| event.event.claim.as_deploy());
    let mut known: BTreeSet<String> =
        recorded.map(|deploy| deploy.environment.to_string()).collect();
    known.extend(
        settings.iter().flat_map(|settings| &settings.environments).map(|one| one.name.to_string()),
    );
    let known: Vec<String> = known.into_iter().collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(AskError::NoEnvironment { name: name.clone(), known })
}

fn at_least(count: usize) -> String {
    match count < SAME_BEGINNING_MAX {
        true => count.to_string(),
        false => format!("{count} or more"),
    }
}

fn beside(untold: &[String]) -> String {
    match untold {
        [] => String::new(),
        silent => format!(", and {} told no history of its tags", silent.join(", ")),
    }
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Settings, record or git.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// An environment that is in neither.
    #[error("neither the settings nor the record know an environment `{name}`; they know {known}")]
    NoEnvironment {
        /// What was named.
        name: EnvironmentName,
        /// Those that there are.
        known: String,
    },
    /// A workload of which nothing is known.
    #[error("neither the settings nor what was seen know a workload `{name}` of {environment}", name = name.escape_debug())]
    NoWorkload {
        /// What was named.
        name: String,
        /// Where.
        environment: EnvironmentName,
    },
    /// A commit that may stand in the past that this checkout lacks.
    #[error("there is no commit `{asked}` in this checkout, and its past is cut off", asked = asked.escape_debug())]
    CutOff {
        /// What was named.
        asked: String,
    },
    /// A short commit id that several recorded commits begin with.
    #[error("`{asked}` begins {count} recorded commits: give more of its digits")]
    SeveralCommits {
        /// What was asked about.
        asked: String,
        /// How many.
        count: usize,
    },
    /// Some first digits that several recorded digests have.
    #[error("`{asked}` begins {} recorded digests: give more of its digits", at_least(*count))]
    SeveralDigests {
        /// What was asked about.
        asked: String,
        /// How many; [`SAME_BEGINNING_MAX`] or more.
        count: usize,
    },
    /// Some first digits, and more events than are looked through for them.
    #[error(
        "too much is recorded to find the one digest that begins with `{asked}`: give the whole digest"
    )]
    NotLookedThrough {
        /// What was asked about.
        asked: String,
    },
    /// The text is no digest, nor enough of one.
    #[error("`{asked}` is not a digest, nor the first {SHORT_DIGEST_LEN_MIN} or more of its hex digits", asked = asked.escape_debug())]
    NoDigest {
        /// What was asked about.
        asked: String,
    },
    /// Nothing is known under that name.
    #[error("nothing is recorded about `{asked}`{}", beside(untold))]
    NothingKnown {
        /// What was asked about.
        asked: String,
        /// Who could have known, and told nothing.
        untold: Vec<String>,
    },
    /// The text names nothing that can be traced.
    #[error("`{asked}` is not a digest, tag, commit or imageID", asked = asked.escape_debug())]
    NotTraceable {
        /// What was asked about.
        asked: String,
    },
    /// The question needs a checkout.
    #[error("{what} needs a git checkout of the source, and there is none here")]
    NoCheckout {
        /// The question.
        what: &'static str,
    },
}

impl Explain for AskError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Open(error) => error.verdict(),
            Self::Record(error) => error.verdict(),
            Self::Registry(error) => error.verdict(),
            // Not recorded is not "no": it could not be found out.
            Self::Git(_)
            | Self::NoEnvironment { .. }
            | Self::NoWorkload { .. }
            | Self::CutOff { .. }
            | Self::SeveralCommits { .. }
            | Self::SeveralDigests { .. }
            | Self::NotLookedThrough { .. }
            | Self::NoDigest { .. }
            | Self::NothingKnown { .. }
            | Self::NotTraceable { .. }
            | Self::NoCheckout { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::CutOff { .. } => Some(UNSHALLOW.to_owned()),
            Self::Git(_)
            | Self::NoEnvironment { .. }
            | Self::NoWorkload { .. }
            | Self::SeveralCommits { .. }
            | Self::SeveralDigests { .. }
            | Self::NotLookedThrough { .. }
            | Self::NoDigest { .. }
            | Self::NothingKnown { .. }
            | Self::NotTraceable { .. }
            | Self::NoCheckout { .. } => None,
        }
    }
}
