//! What happened to an environment, newest first.

use super::AskError;
use super::ran::commits_of;
use crate::app::App;
use crate::seam::environment_state;
use ::record::claim::{DeployKind, Outcome};
use ::record::{Answer, Basis, DeployFact};
use domain::{CommitId, EnvironmentName, Timestamp};

/// One deploy, with what later events say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The deploy.
    pub deploy: DeployFact,
    /// The commit that the build came from.
    pub commit: Option<CommitId>,
    /// Whether this build is what is intended now.
    pub is_current: bool,
    /// Whether a rollback left this build, and nobody has named it since.
    pub is_condemned: bool,
}

/// The deploys of an environment in `[from, until)`, newest first.
///
/// # Errors
/// The record cannot be read.
pub async fn history(
    app: &App,
    environment: &EnvironmentName,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Answer<HistoryRow>, AskError> {
    let record = app.record().await?;
    let state = environment_state(record, environment).await?;
    let digests = state.deploys().iter().map(|fact| fact.claim.to).collect();
    let commits = commits_of(record, &digests).await?;
    let is_inside = |fact: &&DeployFact| {
        from.is_none_or(|from| fact.at() >= from) && until.is_none_or(|until| fact.at() < until)
    };
    let rows = state.deploys().iter().rev().filter(is_inside).map(|fact| {
        let claim = &fact.claim;
        let current = state.current(&claim.image);
        HistoryRow {
            commit: commits.get(&claim.to).cloned(),
            is_current: current.is_some_and(|current| current.seq == fact.seq),
            is_condemned: claim.outcome == Outcome::Done
                && state.condemned(&claim.image, &claim.to).is_some(),
            deploy: fact.clone(),
        }
    });
    let mut answer = Answer::intended(rows.collect::<Vec<_>>());
    let is_imported = |row: &HistoryRow| row.deploy.claim.how == DeployKind::Imported;
    if answer.items.iter().any(is_imported) {
        answer.basis = Basis::Imported;
    }
    Ok(answer)
}
