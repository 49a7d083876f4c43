//! What ran: in an environment at a moment, or a digest wherever and whenever.

use super::commits::{BuiltFrom, builds_of};
use super::coverage::Coverage;
use super::observed::{ContainerRow, seen_at};
use super::wherever::seen_digest;
use super::{AskError, intervals_of};
use crate::app::App;
use crate::seam::{Question, Record, all, environment_state};
use crate::settings::Settings;
use ::record::claim::Kind;
use ::record::{Answer, Basis, Facet, Gap, Interval, Precision};
use domain::{Digest, EnvironmentName, Timestamp};

/// One interval, and the commit that its bytes were built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanRow {
    /// The interval.
    pub interval: Interval,
    /// What the bytes were built from, as the deploy's tag tells.
    pub commit: Option<BuiltFrom>,
}

/// What was meant to run, and what was seen to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What was decided; nothing where what ran was seen.
    pub answer: Answer<RanRow>,
    /// The containers that were seen, the earliest begin first.
    pub containers: Vec<ContainerRow>,
    /// Whether it could be found out: not where others were watched, and this moment was not.
    pub is_known: bool,
    /// What was watched of the time that was asked about; none: nobody ever watched.
    pub coverage: Option<Coverage>,
}

/// What an environment ran at a moment: the containers that were seen, and what was decided where nobody watched.
///
/// # Errors
/// Nobody knows the environment, or the record cannot be read.
pub async fn ran_at(
    app: &App,
    environment: &EnvironmentName,
    at: Timestamp,
) -> Result<Ran, AskError> {
    let intended = intended_at(app, environment, at).await?;
    let record = app.record_to_read().await?;
    if at > app.surroundings().now() {
        return Ok(Ran::intended(intended));
    }
    let Some(seen) = seen_at(app, record, environment, at).await? else {
        return Ok(Ran::intended(intended));
    };
    let coverage = Coverage { known: seen.known, is_whole: seen.is_complete };
    let seen = (seen.containers, seen.gaps, coverage);
    if seen.2.is_whole {
        // What runs is what the kubelets say, never the last deploy.
        return Ok(Ran::seen(Vec::new(), seen));
    }
    let mut ran = Ran::seen(intended.items, seen);
    // The first gap is that nothing observes; of an answer without anything decided that is not so.
    let untrue = usize::from(ran.answer.items.is_empty());
    ran.answer.gaps.splice(0..0, intended.gaps.into_iter().skip(untrue));
    Ok(ran)
}

impl Ran {
    fn intended(answer: Answer<RanRow>) -> Self {
        let is_known = !answer.items.is_empty();
        Self { answer, containers: Vec::new(), is_known, coverage: None }
    }

    /// Says the weakest basis and precision of both.
    fn seen(
        items: Vec<RanRow>,
        (containers, gaps, coverage): (Vec<ContainerRow>, Vec<Gap>, Coverage),
    ) -> Self {
        let intended = super::weakest(items.iter().map(|row| row.interval.basis));
        let basis = if items.is_empty() { Basis::Observed } else { intended.max(Basis::Observed) };
        let sharp = containers.iter().map(|row| row.precision);
        let precision = match items.is_empty() {
            true if coverage.is_whole => sharp.max().unwrap_or(Precision::Exact),
            true => sharp.max().unwrap_or(Precision::Unconfirmed),
            false => Precision::Unconfirmed,
        };
        let answer = Answer { basis, precision, gaps, items };
        Self { answer, containers, is_known: coverage.is_whole, coverage: Some(coverage) }
    }
}

pub(super) async fn intended_at(
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

/// Where and when a digest was seen to run, and where it was meant to.
///
/// # Errors
/// The record cannot be read.
pub async fn ran_digest(app: &App, digest: &Digest) -> Result<Ran, AskError> {
    let intended = intended_digest(app, digest).await?;
    let record = app.record_to_read().await?;
    let Some(seen) = seen_digest(app, record, digest).await? else {
        return Ok(Ran::intended(intended));
    };
    let mut ran = Ran::seen(intended.items, (seen.containers, seen.gaps, seen.coverage));
    if !ran.answer.items.is_empty() {
        // The first gap is that nothing observes, which is not so here.
        ran.answer.gaps.splice(0..0, intended.gaps.into_iter().skip(1));
    }
    Ok(ran)
}

async fn intended_digest(app: &App, digest: &Digest) -> Result<Answer<RanRow>, AskError> {
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
    let builds = builds_of(record, &digests).await?;
    let row = |interval: Interval| RanRow {
        commit: builds.built(&interval.digest, interval.tag.as_ref()),
        interval,
    };
    Ok(Answer {
        basis: answer.basis,
        precision: answer.precision,
        gaps: answer.gaps.into_iter().chain(record.left_out()).collect(),
        items: answer.items.into_iter().map(row).collect(),
    })
}
