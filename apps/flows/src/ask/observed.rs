//! What was seen to run: the containers that a watcher recorded, and the gaps in which nobody watched.
//!
//! ```text
//! prod = prod-eu, namespace shop  ->  containers of shop at 14:05, basis observed      gap: prod-us was never watched
//! ```
//! Where an environment says neither clusters nor a namespace, or nobody ever watched them, nothing is observed.

use super::AskError;
use super::commits::{BuiltFrom, builds_of};
use super::coverage::{Covered, live, never as never_watched, told};
use crate::app::App;
use crate::seam::{Question, Record, RecordError, all, each_run};
use crate::settings::EnvironmentSettings;
use crate::watch::stretches;
use ::record::claim::{ClusterId, Kind, Reported};
use ::record::trace::images_of;
use ::record::{
    Facet, Gap, Precision, Reach, Run, RunQuestion, RunState, Span, Watched, covered_by, gaps_of,
};
use domain::{Digest, EnvironmentName, ImageName, ImageRef, Timestamp};
use release::observed::Owner;
use std::collections::{BTreeMap, BTreeSet};

/// One container run, and what the record knows about its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRow {
    /// The environment that it belongs to, by the settings.
    pub environment: Option<EnvironmentName>,
    /// The image of the settings whose repository it was started from.
    pub image: Option<ImageName>,
    /// What whoever watches calls the cluster.
    pub cluster: Reported,
    /// The run.
    pub run: Run,
    /// The image that its imageID is, or is a part of; none: no imageID was reported.
    pub digest: Option<Digest>,
    /// What the bytes were built from.
    pub commit: Option<BuiltFrom>,
    /// How sure it is: at the moment that was asked about, else of its ends.
    pub precision: Precision,
}

/// What was seen of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Containers, the earliest begin first.
    pub containers: Vec<ContainerRow>,
    /// Where nobody watched.
    pub gaps: Vec<Gap>,
    /// Around the moment that was asked about, what was watched.
    pub known: Vec<Covered>,
    /// Whether the moment that was asked about was watched everywhere.
    pub is_complete: bool,
}

/// A cluster's part of an environment.
pub(super) struct Place<'a> {
    pub(super) cluster: ClusterId,
    pub(super) name: Reported,
    pub(super) namespace: Option<&'a str>,
    pub(super) stretches: Vec<&'a Watched>,
}

/// What ran in an environment at a moment, as it was seen; none: nobody ever watched it.
pub(super) async fn seen_at(
    app: &App,
    record: &dyn Record,
    environment: &EnvironmentName,
    at: Timestamp,
) -> Result<Option<Seen>, AskError> {
    let Some(settings) = own_settings(app, environment) else { return Ok(None) };
    let all = stretches(record, None).await?;
    let Some((places, never)) = places(settings, &all) else { return Ok(None) };
    let now = app.surroundings().now();
    let mut seen = Seen { is_complete: never.is_empty(), ..Seen::default() };
    seen.gaps.extend(never);
    for place in &places {
        // Where the next sign of life is not due yet, the answer is as of the last one.
        let as_of = live(&place.stretches, now).filter(|last| *last <= at);
        if !place.stretches.iter().any(|one| one.holds(at)) {
            seen.is_complete &= as_of.is_some();
            seen.gaps.push(gap_around(place, at, now));
        }
        seen.known.extend(watched_around(place, as_of.unwrap_or(at), now));
        let reach = Reach::of(place.stretches.iter().copied(), now);
        let runs = runs_of(record, place, Span::moment(at)).await?;
        let held = runs.into_iter().filter_map(|run| Some((reach.at(&run, at)?, run)));
        let own = held.filter(|(_, run)| is_own(settings, run));
        let own_name = || Some(environment.clone());
        let rows = own.map(|(precision, run)| row_of(app, own_name(), &place.name, run, precision));
        seen.containers.extend(rows);
    }
    with_builds(record, &mut seen.containers).await?;
    Ok(Some(seen))
}

/// A job that has not run for so long is not taken for one that comes again: longer than a year.
const COMES_AGAIN_WITHIN_MS: i64 = 400 * 86_400_000;

/// What runs in an environment's clusters and namespace, whatever made it, and where nobody watches now. Each run that
/// is over, and was not so a year ago, is handed on.
pub(crate) async fn running_in(
    app: &App,
    record: &dyn Record,
    settings: &EnvironmentSettings,
    mut is_over: impl FnMut(Run),
) -> Result<(Vec<Run>, Vec<Gap>), RecordError> {
    let all = stretches(record, None).await?;
    let Some((places, mut gaps)) = places(settings, &all) else {
        let why = "nobody ever watched it".to_owned();
        return Ok((Vec::new(), vec![Gap { from: None, until: None, why }]));
    };
    let now = app.surroundings().now();
    let mut open = Vec::new();
    for place in &places {
        if live(&place.stretches, now).is_none() {
            gaps.push(gap_around(place, now, now));
        }
        let of_place = question_of(place, Span::ALL);
        let still = RunQuestion { state: RunState::Open, ..of_place.clone() };
        each_run(record, &still, |run| open.push(run)).await?;
        let since = now.plus_millis(-COMES_AGAIN_WITHIN_MS);
        let when = Span::between(Some(since), None).unwrap_or(Span::ALL);
        let late = RunQuestion { when, ..of_place };
        each_run(record, &late, |run| {
            if run.ended.is_some() {
                is_over(run);
            }
        })
        .await?;
    }
    Ok((open, gaps))
}

pub(super) fn own_settings<'a>(
    app: &'a App,
    name: &EnvironmentName,
) -> Option<&'a EnvironmentSettings> {
    let environment = app.loaded()?.settings.environment(name)?;
    let is_somewhere = !environment.clusters.is_empty() || environment.namespace.is_some();
    is_somewhere.then_some(environment)
}

/// The name of each watched cluster: what was said last.
pub(super) fn names(all: &[Watched]) -> BTreeMap<ClusterId, Reported> {
    all.iter().map(|one| (one.cluster.clone(), one.name.clone())).collect()
}

/// The clusters of an environment that were ever watched, and a gap for each that never was; none: no one was.
pub(super) fn places<'a>(
    settings: &'a EnvironmentSettings,
    all: &'a [Watched],
) -> Option<(Vec<Place<'a>>, Vec<Gap>)> {
    let namespace = settings.namespace.as_deref();
    let is_ours = |one: &&Watched| {
        let is_named = settings.clusters.iter().any(|name| name == one.name.as_str());
        (settings.clusters.is_empty() || is_named) && one.sees(namespace)
    };
    let mut places = BTreeMap::<&ClusterId, Place<'a>>::new();
    for one in all.iter().filter(is_ours) {
        let place = places.entry(&one.cluster).or_insert_with(|| Place {
            cluster: one.cluster.clone(),
            name: one.name.clone(),
            namespace,
            stretches: Vec::new(),
        });
        place.stretches.push(one);
    }
    if places.is_empty() {
        return None;
    }
    let has = |name: &&String| all.iter().filter(is_ours).any(|one| one.name.as_str() == **name);
    let never = settings.clusters.iter().filter(|name| !has(name));
    let never = never.map(|name| never_watched(name)).collect();
    Some((places.into_values().collect(), never))
}

/// The gap that a moment lies in.
fn gap_around(place: &Place<'_>, at: Timestamp, now: Timestamp) -> Gap {
    let gaps = gaps_of(&place.stretches, &Span::ALL, now);
    let holds = |gap: &&(Option<Timestamp>, Option<Timestamp>)| {
        gap.0.is_none_or(|from| from <= at) && gap.1.is_none_or(|until| at < until)
    };
    let gap = gaps.iter().find(holds).copied().unwrap_or((None, None));
    told(place.name.as_str(), gap, live(&place.stretches, now), now)
}

/// The time without a gap that a moment lies in.
fn watched_around(place: &Place<'_>, at: Timestamp, now: Timestamp) -> Option<Covered> {
    let covered = covered_by(&place.stretches, &Span::ALL, now).into_iter();
    let place = place.name.to_string();
    let mut around = covered.filter(|(from, until)| *from <= at && at <= *until);
    around.next().map(|(from, until)| Covered { place, from, until })
}

/// The first runs that answer a question, up to so many, and whether these are all.
pub(super) async fn runs_up_to(
    record: &dyn Record,
    question: &RunQuestion,
    most: usize,
) -> Result<(Vec<Run>, bool), RecordError> {
    let (mut runs, mut after) = (Vec::new(), None);
    loop {
        let page = record.runs(question, after).await?;
        runs.extend(page.runs);
        after = page.next;
        let is_over = after.is_none();
        if is_over || runs.len() > most {
            let is_all = is_over && runs.len() <= most;
            runs.truncate(most);
            runs.sort_by_key(|run| (run.from(), run.id));
            return Ok((runs, is_all));
        }
    }
}

pub(super) fn question_of(place: &Place<'_>, when: Span) -> RunQuestion {
    RunQuestion {
        cluster: Some(place.cluster.clone()),
        namespace: place.namespace.map(Reported::of),
        when,
        ..RunQuestion::default()
    }
}

async fn runs_of(
    record: &dyn Record,
    place: &Place<'_>,
    when: Span,
) -> Result<Vec<Run>, RecordError> {
    let question = question_of(place, when);
    let mut runs = Vec::new();
    each_run(record, &question, |run| runs.push(run)).await?;
    runs.sort_by_key(|run| (run.from(), run.id));
    Ok(runs)
}

/// Whether a run is of a workload of the environment; all of its namespace are where none is named.
pub(super) fn is_own(settings: &EnvironmentSettings, run: &Run) -> bool {
    is_workload_of(settings, run.began.workload.as_str())
}

fn is_workload_of(settings: &EnvironmentSettings, owner: &str) -> bool {
    Owner::read(owner).is_of_any(settings.workloads.values().flatten())
}

/// The environment of the settings in whose cluster and namespace a container ran.
pub(super) fn environment_at(
    app: &App,
    cluster: &Reported,
    namespace: &Reported,
    workload: &Reported,
) -> Option<EnvironmentName> {
    let environments = &app.loaded()?.settings.environments;
    let is_its = |one: &&EnvironmentSettings| {
        let names = &one.clusters;
        let is_somewhere = !names.is_empty() || one.namespace.is_some();
        let is_there = names.is_empty() || names.iter().any(|name| name == cluster.as_str());
        let own = one.namespace.as_deref();
        is_somewhere
            && is_there
            && own.is_none_or(|name| name == namespace.as_str())
            && is_workload_of(one, workload.as_str())
    };
    environments.iter().find(is_its).map(|one| one.name.clone())
}

pub(super) fn row_of(
    app: &App,
    environment: Option<EnvironmentName>,
    cluster: &Reported,
    run: Run,
    precision: Precision,
) -> ContainerRow {
    let reference = run.began.reference.as_str().parse::<ImageRef>().ok();
    let settings = app.loaded().map(|loaded| &loaded.settings);
    let image = settings.and_then(|all| all.image_of(reference.as_ref()?.repository()).cloned());
    let (cluster, digest) = (cluster.clone(), run.digest);
    ContainerRow { environment, image, cluster, run, digest, commit: None, precision }
}

/// From what the kubelets report to the images that are recorded, and their commits.
pub(super) async fn with_builds(
    record: &dyn Record,
    rows: &mut [ContainerRow],
) -> Result<(), RecordError> {
    let reported: BTreeSet<Digest> = rows.iter().filter_map(|row| row.digest).collect();
    let mut images = BTreeMap::new();
    for digest in reported {
        let about = Question::of([Kind::Image]).about(Facet::Digest, digest);
        let found = images_of(&all(record, &about).await?, &digest);
        images.insert(digest, found.first().copied().unwrap_or(digest));
    }
    let builds = builds_of(record, &images.values().copied().collect()).await?;
    for row in rows {
        row.digest = row.digest.and_then(|digest| images.get(&digest).copied());
        row.commit = row.digest.and_then(|digest| builds.built(&digest, None));
    }
    Ok(())
}

/// A digest, and those of its platforms and configurations, as far as they are recorded.
pub(super) async fn parts_of(
    record: &dyn Record,
    digest: &Digest,
) -> Result<BTreeSet<Digest>, RecordError> {
    let events = all(record, &Question::of([Kind::Image]).about(Facet::Digest, digest)).await?;
    let mut parts = BTreeSet::from([*digest]);
    for event in events {
        let ::record::Claim::Image(image) = event.event.claim else { continue };
        if image.digest == *digest {
            let of = image.platforms.iter().flat_map(|part| [Some(part.manifest), part.config]);
            parts.extend(of.flatten());
        }
    }
    Ok(parts)
}
