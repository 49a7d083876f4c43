//! Questions: what happened, what ran, where did it come from, what lacks a fix.
//!
//! ```text
//! history prod · ran prod --at 14:05 · trace sha256:9f… · exposure --missing-commit 1a2b3c
//! ```
//! Every answer carries its basis, its precision and its gaps.

mod exposure;
mod history;
mod ran;
mod tags;
mod trace;

pub use exposure::{ExposureAnswer, exposure};
pub use history::{HistoryRow, history};
pub use ran::{RanRow, commits_of, ran_at, ran_digest};
pub use tags::{TagHistory, TagHistoryRow, tag_history};
pub use trace::{TraceAnswer, Traced, trace};

use crate::app::OpenError;
use crate::registries::RegistryError;
use crate::seam::{Record, RecordError, environment_state};
use crate::verdict::{Explain, Verdict};
use ::record::{Interval, Sequenced, intended_intervals};
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
    /// Nothing is known under that name.
    #[error("nothing is recorded about `{asked}`")]
    NothingKnown {
        /// What was asked about.
        asked: String,
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
            Self::Git(_)
            | Self::NothingKnown { .. }
            | Self::NotTraceable { .. }
            | Self::NoCheckout { .. } => None,
        }
    }
}
