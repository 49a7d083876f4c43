//! What happened to an environment, newest first: what was decided, what was seen to run, what was found.

use super::AskError;
use super::between::{SeenRow, between, images_run_by, is_of};
use super::commits::{BuiltFrom, builds_of};
use super::coverage::Coverage;
use crate::app::App;
use crate::seam::{Question, Record, all, environment_state};
use ::record::claim::{DeployKind, Grade, Kind, Outcome};
use ::record::{
    Answer, Basis, Claim, DeployFact, EnvironmentState, Facet, FindingState, Gap, ImportedFact,
    Span, Stamp, findings, unknown_bytes,
};
use domain::{Digest, EnvironmentName, ImageName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked about.
#[derive(Clone, Debug)]
pub struct HistoryRequest {
    /// The environment.
    pub environment: EnvironmentName,
    /// Only what has to do with this workload.
    pub workload: Option<String>,
    /// When.
    pub span: Span,
}

/// One deploy, with what later events say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The deploy; where it was recorded that it began and how it ended, its end.
    pub deploy: DeployFact,
    /// When it was recorded to begin, where that is an event of its own.
    pub began: Option<Timestamp>,
    /// Who let the build into the environment by name, where somebody did before.
    pub allowed: Option<(Stamp, String)>,
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
    /// What was seen to run, the newest begin first.
    pub seen: Vec<SeenRow>,
    /// What watchers found, the newest first.
    pub findings: Vec<FindingState>,
    /// How many deploys to the environment are recorded at all; of none, nothing is known.
    pub recorded: usize,
    /// What of that time was watched; none: nobody ever watched the environment.
    pub coverage: Option<Coverage>,
}

impl History {
    /// Whether it could be found out: something is recorded, and all of the time was watched where anybody watches.
    #[must_use]
    pub fn is_known(&self) -> bool {
        match &self.coverage {
            Some(coverage) if !coverage.is_whole => false,
            // Nothing recorded is not "nothing happened"; nothing in a part of what is recorded is an answer.
            Some(_) | None => self.recorded > 0 || !self.seen.is_empty(),
        }
    }
}

/// What happened to an environment in a span, newest first.
///
/// # Errors
/// Nobody knows the environment or the workload, or the record cannot be read.
pub async fn history(app: &App, request: &HistoryRequest) -> Result<History, AskError> {
    let HistoryRequest { environment, workload, span } = request;
    let record = app.record_to_read().await?;
    super::check_environment(app, record, environment).await?;
    let state = environment_state(record, environment).await?;
    let seen = between(app, record, &state, span).await?;
    let (mut seen, gaps, coverage) = match seen {
        Some(seen) => (seen.rows, seen.gaps, Some(seen.coverage)),
        None => (Vec::new(), Vec::new(), None),
    };
    let mut found = found(record, environment, span).await?;
    let mut rows = rows(record, &state, span).await?;
    if let Some(workload) = workload {
        let mut images = images_run_by(app, environment, workload);
        seen.retain(|row| is_of(row, workload));
        images.extend(seen.iter().filter_map(|row| row.image.clone()));
        if images.is_empty() && seen.is_empty() {
            let (name, environment) = (workload.clone(), environment.clone());
            return Err(AskError::NoWorkload { name, environment });
        }
        let is_its = |row: &HistoryRow| images.contains(&row.deploy.claim.image);
        rows.retain(is_its);
        found.retain(|one| one.workload.as_ref().is_some_and(|of| is_named(of.as_str(), workload)));
    }
    seen.reverse();
    found.reverse();
    let mut answer = answer(record, &state, rows, (coverage.is_some(), gaps));
    let in_span = |gap: &Gap| gap.from.is_none_or(|from| span.touches(from, gap.until));
    answer.gaps.extend(unknown_bytes(&state).into_iter().filter(in_span));
    let recorded = state.deploys().len() + state.imported().len();
    Ok(History { answer, seen, findings: found, recorded, coverage })
}

fn is_named(own: &str, workload: &str) -> bool {
    own == workload || own.split_once('/').is_some_and(|(_, name)| name == workload)
}

fn answer(
    record: &dyn Record,
    state: &EnvironmentState,
    rows: Vec<HistoryRow>,
    (is_watched, gaps): (bool, Vec<Gap>),
) -> Answer<HistoryRow> {
    let mut answer = Answer::intended(rows);
    let is_imported = |row: &HistoryRow| {
        row.deploy.claim.grade == Grade::Imported
            || row.deploy.claim.how == DeployKind::Imported
            || row.deploy.stamp.is_imported()
    };
    if answer.items.iter().any(is_imported) {
        answer.basis = Basis::Imported;
    }
    if is_watched {
        // Somebody observes: what is not covered is told cluster by cluster.
        answer.gaps = gaps;
    }
    if state.deploys().is_empty() && state.imported().is_empty() {
        let why = format!("no deploy to {} is recorded", state.name());
        answer = answer.with_gap(Gap { from: None, until: None, why });
    }
    answer.gaps.extend(record.left_out());
    answer
}

/// The deploys of a span, newest first.
async fn rows(
    record: &dyn Record,
    state: &EnvironmentState,
    span: &Span,
) -> Result<Vec<HistoryRow>, AskError> {
    // What others kept stands before it by its own time, where its bytes are known.
    let mut kept: Vec<_> = state.imported().iter().filter_map(ImportedFact::as_deploy).collect();
    kept.sort_by_key(|fact| (fact.at(), fact.seq));
    let digests = kept.iter().chain(state.deploys()).map(|fact| fact.claim.to).collect();
    let builds = builds_of(record, &digests).await?;
    let allowed = allowances(record, state.name()).await?;
    let mut all: Vec<_> = kept.iter().map(|fact| (fact, None)).collect();
    all.extend(ends(state));
    let inside = |(fact, _): &&(&DeployFact, Option<Timestamp>)| span.holds(fact.stamp.happened());
    let row = |(fact, began): &(&DeployFact, Option<Timestamp>)| {
        let claim = &fact.claim;
        let current = state.current(&claim.image);
        let own = allowed.get(&claim.to).into_iter().flatten();
        // By the record's clock: sequence numbers order the events of one question only.
        let mut before = own.filter(|(said, _)| said.happened() <= fact.stamp.happened());
        HistoryRow {
            began: *began,
            allowed: before.next_back().cloned(),
            commit: builds.built(&claim.to, claim.tag.as_ref()),
            is_current: current.is_some_and(|current| current.seq == fact.seq),
            is_condemned: claim.outcome == Outcome::Done
                && state.condemned(&claim.image, &claim.to).is_some(),
            deploy: (*fact).clone(),
        }
    };
    Ok(all.iter().rev().filter(inside).map(row).collect())
}

/// Each deploy once: where it was recorded that one began, and how it ended, the end with both times.
fn ends(state: &EnvironmentState) -> Vec<(&DeployFact, Option<Timestamp>)> {
    let mut open = BTreeMap::<&ImageName, (&DeployFact, Timestamp)>::new();
    let mut all: Vec<(&DeployFact, Option<Timestamp>)> = Vec::new();
    let mut ended = BTreeSet::new();
    for fact in state.deploys() {
        let began = open.remove(&fact.claim.image).and_then(|(begun, at)| {
            let is_its_end = begun.claim.to == fact.claim.to && begun.claim.how == fact.claim.how;
            is_its_end.then_some((begun.seq, at))
        });
        if let Some((seq, _)) = began {
            ended.insert(seq);
        }
        let at = began.map(|(_, at)| at);
        if matches!(fact.claim.outcome, Outcome::Open { .. }) && !fact.claim.is_asked() {
            open.insert(&fact.claim.image, (fact, at.unwrap_or(fact.stamp.happened())));
        }
        all.push((fact, at));
    }
    all.retain(|(fact, _)| !ended.contains(&fact.seq));
    all
}

type Allowances = BTreeMap<Digest, Vec<(Stamp, String)>>;

/// Who let which build into the environment by name, in the order of the record.
async fn allowances(
    record: &dyn Record,
    environment: &EnvironmentName,
) -> Result<Allowances, AskError> {
    let question = Question::of([Kind::Allow]).about(Facet::Environment, environment);
    let mut allowed = Allowances::new();
    for event in all(record, &question).await? {
        let Claim::Allow(claim) = event.event.claim else { continue };
        let said = (event.event.stamp, claim.reason.to_string());
        allowed.entry(claim.digest).or_default().push(said);
    }
    Ok(allowed)
}

/// What watchers found in the environment, as far as it touches the span; the first first.
async fn found(
    record: &dyn Record,
    environment: &EnvironmentName,
    span: &Span,
) -> Result<Vec<FindingState>, AskError> {
    let question = Question::of([Kind::Finding]).about(Facet::Environment, environment);
    let mut found = findings(&all(record, &question).await?);
    found.retain(|one| span.touches(one.from, one.closed.as_ref().map(|(at, _)| *at)));
    Ok(found)
}
