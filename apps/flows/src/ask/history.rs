//! What happened to an environment, newest first.

use super::AskError;
use super::commits::{BuiltFrom, builds_of};
use crate::app::App;
use crate::seam::environment_state;
use ::record::claim::{DeployKind, Grade, Outcome};
use ::record::{Answer, Basis, DeployFact, Gap, Span};
use domain::EnvironmentName;

/// One deploy, with what later events say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The deploy.
    pub deploy: DeployFact,
    /// What the bytes were built from, as the deploy's tag tells.
    pub commit: Option<BuiltFrom>,
    /// Whether this build is what is intended now.
    pub is_current: bool,
    /// Whether a rollback left this build, and nobody has named it since.
    pub is_condemned: bool,
}

/// The answer, and how much there was to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The deploys in the time that was asked about, newest first.
    pub answer: Answer<HistoryRow>,
    /// How many deploys to the environment are recorded at all; of none, nothing is known.
    pub recorded: usize,
}

/// The deploys of an environment in a span, newest first.
///
/// # Errors
/// Nobody knows the environment, or the record cannot be read.
pub async fn history(
    app: &App,
    environment: &EnvironmentName,
    span: &Span,
) -> Result<History, AskError> {
    let record = app.record_to_read().await?;
    super::check_environment(app, record, environment).await?;
    let state = environment_state(record, environment).await?;
    let digests = state.deploys().iter().map(|fact| fact.claim.to).collect();
    let builds = builds_of(record, &digests).await?;
    let inside = state.deploys().iter().rev().filter(|fact| span.holds(fact.at()));
    let rows = inside.map(|fact| {
        let claim = &fact.claim;
        let current = state.current(&claim.image);
        HistoryRow {
            commit: builds.built(&claim.to, claim.tag.as_ref()),
            is_current: current.is_some_and(|current| current.seq == fact.seq),
            is_condemned: claim.outcome == Outcome::Done
                && state.condemned(&claim.image, &claim.to).is_some(),
            deploy: fact.clone(),
        }
    });
    let mut answer = Answer::intended(rows.collect::<Vec<_>>());
    let is_imported = |row: &HistoryRow| {
        row.deploy.claim.grade == Grade::Imported
            || row.deploy.claim.how == DeployKind::Imported
            || row.deploy.stamp.is_imported()
    };
    if answer.items.iter().any(is_imported) {
        answer.basis = Basis::Imported;
    }
    let recorded = state.deploys().len();
    if recorded == 0 {
        let why = format!("no deploy to {environment} is recorded");
        answer = answer.with_gap(Gap { from: None, until: None, why });
    }
    answer.gaps.extend(record.left_out());
    Ok(History { answer, recorded })
}
