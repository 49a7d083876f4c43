//! What ran: in an environment at a moment, or a digest wherever and whenever.

use super::{AskError, intervals_of};
use crate::app::App;
use crate::seam::{Question, Record, RecordError, all, environment_state};
use crate::settings::Settings;
use ::record::claim::Kind;
use ::record::{Answer, Facet, Gap, Interval};
use domain::{CommitId, Digest, EnvironmentName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// One interval, and the commit that its bytes were built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanRow {
    /// The interval.
    pub interval: Interval,
    /// The newest recorded build's commit.
    pub commit: Option<CommitId>,
}

/// What an environment was meant to run at a moment.
///
/// # Errors
/// Nobody knows the environment, or the record cannot be read.
pub async fn ran_at(
    app: &App,
    environment: &EnvironmentName,
    at: Timestamp,
) -> Result<Answer<RanRow>, AskError> {
    let record = app.record_to_read().await?;
    super::check_environment(app, record, environment).await?;
    let state = environment_state(record, environment).await?;
    let now = app.surroundings().now();
    if at > now {
        // What will run is nobody's to say, whatever is intended today.
        let why = format!("{at} has not come yet");
        let gap = Gap { from: Some(now), until: None, why };
        return Ok(Answer::intended(Vec::new()).with_gap(gap));
    }
    let settings = app.loaded().map(|loaded| &loaded.settings);
    let is_ours = |settings: &&Settings| settings.environment(environment).is_some();
    let expected = settings.filter(is_ours).map(|settings| settings.images.keys().cloned());
    let answer = ::record::ran_at(&state, &expected.into_iter().flatten().collect(), at);
    with_commits(record, answer).await
}

/// Where and when a digest was meant to run.
///
/// # Errors
/// The record cannot be read.
pub async fn ran_digest(app: &App, digest: &Digest) -> Result<Answer<RanRow>, AskError> {
    let record = app.record_to_read().await?;
    let deploys = all(record, &Question::of([Kind::Deploy]).about(Facet::Digest, digest)).await?;
    let mut intervals = intervals_of(record, &deploys, |one| one.digest == *digest).await?;
    intervals.sort_by_key(|interval| interval.from);
    let mut answer = Answer::intended(intervals);
    answer.basis = super::weakest(answer.items.iter().map(|interval| interval.basis));
    with_commits(record, answer).await
}

async fn with_commits(
    record: &dyn Record,
    answer: Answer<Interval>,
) -> Result<Answer<RanRow>, AskError> {
    let digests = answer.items.iter().map(|interval| interval.digest).collect();
    let commits = commits_of(record, &digests).await?;
    let row =
        |interval: Interval| RanRow { commit: commits.get(&interval.digest).cloned(), interval };
    Ok(Answer {
        basis: answer.basis,
        precision: answer.precision,
        gaps: answer.gaps,
        items: answer.items.into_iter().map(row).collect(),
    })
}

/// The commit of the newest build of each digest.
///
/// # Errors
/// The record cannot be read.
pub async fn commits_of(
    record: &dyn Record,
    digests: &BTreeSet<Digest>,
) -> Result<BTreeMap<Digest, CommitId>, RecordError> {
    let mut commits = BTreeMap::new();
    for digest in digests {
        let builds = all(record, &Question::of([Kind::Build]).about(Facet::Digest, digest)).await?;
        let builds = builds.iter().rev().filter_map(|event| event.event.claim.as_build());
        let mut own = builds.filter(|build| build.digest == *digest);
        let commit = own.find_map(|build| Some(build.source.as_ref()?.commit.clone()));
        commit.into_iter().for_each(|commit| drop(commits.insert(*digest, commit)));
    }
    Ok(commits)
}
