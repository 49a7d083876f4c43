//! What was seen to run in a span, summed up, and which of it nobody decided.
//!
//! ```text
//! deployment/api api: A 10:00 … 12:06 · B 12:02 …      B: no deploy named it  ->  a change from outside
//! ```
//! Whether a change came from outside is judged by the deploys of the environment; where the parts of a deployed
//! image are not recorded, a digest that is none of them cannot be told to be foreign.

use super::AskError;
use super::commits::{BuiltFrom, builds_of};
use super::coverage::{Counts, Coverage, Scope, cover, first, since};
use super::observed::{Place, is_own, own_settings, parts_of, places, question_of, runs_up_to};
use crate::app::App;
use crate::seam::{Question, Record, all};
use crate::watch::stretches;
use ::record::claim::{DeployKind, Kind, Outcome, Reported};
use ::record::trace::images_of;
use ::record::{DeployFact, EnvironmentState, Facet, Gap, Reach, Run, Sighting, Span, sightings};
use domain::{Digest, EnvironmentName, ImageName, ImageRef, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The most runs that one question sums up; of a time with more, the caller names a shorter one.
pub const RUNS_SUMMED_MAX: usize = 500_000;
/// How far the clocks of nodes and of the record may stand apart.
const CLOCKS_APART_MS: i64 = 5 * 60_000;

/// Containers that were seen on the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRow {
    /// What was seen; its digest is that of the image, where the record knows it.
    pub sighting: Sighting,
    /// What whoever watches calls the cluster.
    pub cluster: Reported,
    /// The image of the settings whose repository it was started from.
    pub image: Option<ImageName>,
    /// What the bytes were built from.
    pub commit: Option<BuiltFrom>,
    /// Whether somebody decided that it runs.
    pub decided: Decided,
}

/// Whether a deploy stands behind what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// A deploy brought it.
    ByDeploy,
    /// No deploy to the environment ever named it: it came from outside.
    Never,
    /// It came back while another build was decided, and had been seen: `kubectl rollout undo`, or somebody's hand.
    OtherThen,
    /// It is of no image of the settings.
    NotOurs,
    /// Its bytes are not reported, or the record does not know what the deployed images hold.
    CannotTell,
}

/// What was seen of an environment in a span, and the gaps in that.
pub(super) struct Between {
    pub(super) rows: Vec<SeenRow>,
    pub(super) gaps: Vec<Gap>,
    pub(super) coverage: Coverage,
}

/// Sums up what was seen to run; none: nobody ever watched the environment.
pub(super) async fn between(
    app: &App,
    record: &dyn Record,
    state: &EnvironmentState,
    span: &Span,
) -> Result<Option<Between>, AskError> {
    let Some(settings) = own_settings(app, state.name()) else { return Ok(None) };
    let watched = stretches(record, None).await?;
    let Some((places, mut gaps)) = places(settings, &watched) else { return Ok(None) };
    let now = app.surroundings().now();
    let mut runs: Vec<Run> = Vec::new();
    let mut names: BTreeMap<_, (Reported, Reach)> = BTreeMap::new();
    let begin = first(places.iter().flat_map(|place| place.stretches.iter().copied()));
    let (mut coverage, not_watched) = cover(&scopes(&places), (span, &since(span, begin)), now);
    coverage.is_whole &= gaps.is_empty();
    gaps.extend(not_watched);
    for place in &places {
        let reach = Reach::of(place.stretches.iter().copied(), now);
        names.insert(place.cluster.clone(), (place.name.clone(), reach));
        let left = RUNS_SUMMED_MAX - runs.len();
        let (own, is_all) = runs_up_to(record, &question_of(place, *span), left).await?;
        runs.extend(own.into_iter().filter(|run| run.is_in(span) && is_own(settings, run)));
        if !is_all {
            let why = format!(
                "there are more than {RUNS_SUMMED_MAX} container runs in that time, and they are left out: name a shorter time"
            );
            gaps.push(Gap { from: span.from(), until: span.until(), why });
            (coverage, runs) = (Coverage::default(), Vec::new());
            break;
        }
    }
    let images = images(record, &runs).await?;
    let resolved = runs.iter().map(|run| {
        let image = run.digest.map(|digest| images.get(&digest).copied().unwrap_or(digest));
        (run, image)
    });
    let judge = Judge::of(record, state).await?;
    let builds = builds_of(record, &images.values().copied().collect()).await?;
    let rows = sightings(resolved).into_iter().map(|mut sighting| {
        let reference = sighting.reference.as_str().parse::<ImageRef>().ok();
        let settings = app.loaded().map(|loaded| &loaded.settings);
        let image =
            settings.and_then(|all| all.image_of(reference.as_ref()?.repository()).cloned());
        let (cluster, reach) = names.get(&sighting.spot.cluster).cloned().unwrap_or_default();
        sighting.precision = reach.of_sighting(&sighting);
        SeenRow {
            cluster,
            commit: sighting.digest.and_then(|digest| builds.built(&digest, None)),
            decided: judge.judge(image.as_ref(), &sighting),
            image,
            sighting,
        }
    });
    Ok(Some(Between { rows: rows.collect(), gaps, coverage }))
}

fn scopes<'a>(places: &[Place<'a>]) -> Vec<Scope<'a>> {
    let scope = |place: &Place<'a>| Scope {
        place: place.name.to_string(),
        stretches: place.stretches.clone(),
        counts: Counts::Yes,
    };
    places.iter().map(scope).collect()
}

/// The image of each digest that was reported, as far as it is recorded.
async fn images(record: &dyn Record, runs: &[Run]) -> Result<BTreeMap<Digest, Digest>, AskError> {
    let reported: BTreeSet<Digest> = runs.iter().filter_map(|run| run.digest).collect();
    let mut images = BTreeMap::new();
    for digest in reported {
        let about = Question::of([Kind::Image]).about(Facet::Digest, digest);
        let found = images_of(&all(record, &about).await?, &digest);
        images.insert(digest, found.first().copied().unwrap_or(digest));
    }
    Ok(images)
}

/// What deploys say about what is seen.
struct Judge<'a> {
    state: &'a EnvironmentState,
    /// The parts of each deployed image; of one that the record does not know, only itself.
    parts: BTreeMap<Digest, BTreeSet<Digest>>,
}

impl<'a> Judge<'a> {
    async fn of(record: &dyn Record, state: &'a EnvironmentState) -> Result<Self, AskError> {
        let mut parts = BTreeMap::new();
        let named: BTreeSet<Digest> = state.deploys().iter().map(|fact| fact.claim.to).collect();
        for digest in named {
            parts.insert(digest, parts_of(record, &digest).await?);
        }
        Ok(Self { state, parts })
    }

    fn is(&self, deployed: &Digest, seen: &Digest) -> bool {
        deployed == seen || self.parts.get(deployed).is_some_and(|parts| parts.contains(seen))
    }

    fn judge(&self, image: Option<&ImageName>, seen: &Sighting) -> Decided {
        let Some(image) = image else { return Decided::NotOurs };
        let Some(digest) = &seen.digest else { return Decided::CannotTell };
        let of_image = |fact: &&DeployFact| fact.claim.image == *image;
        let deploys: Vec<&DeployFact> = self.state.deploys().iter().filter(of_image).collect();
        if !deploys.iter().any(|fact| self.is(&fact.claim.to, digest)) {
            let is_known = |fact: &&DeployFact| self.parts[&fact.claim.to].len() > 1;
            return if deploys.iter().all(is_known) { Decided::Never } else { Decided::CannotTell };
        }
        let then = decided_around(&deploys, seen.from);
        // A file or a branch may reach its cluster long after the deploy: only what was seen, and left, tells.
        let left = seen.before.filter(|before| then.iter().any(|one| self.is(one, before)));
        let is_then = then.iter().any(|one| self.is(one, digest));
        if is_then || left.is_none() { Decided::ByDeploy } else { Decided::OtherThen }
    }
}

/// What deploys of one image had brought, or were about to bring, at a moment.
fn decided_around(deploys: &[&DeployFact], at: Timestamp) -> Vec<Digest> {
    let soon = at.plus_millis(CLOCKS_APART_MS);
    let landed = |fact: &&&DeployFact| fact.claim.outcome == Outcome::Done;
    let before = |fact: &&&DeployFact| fact.stamp.happened() <= at.plus_millis(-CLOCKS_APART_MS);
    let last = deploys.iter().filter(landed).rfind(before).map_or(0, |fact| fact.seq);
    let is_around = |fact: &&&DeployFact| {
        // What another tool did is noted after it was done.
        let is_noted = matches!(fact.claim.how, DeployKind::Noted | DeployKind::Imported);
        fact.seq >= last && (fact.stamp.happened() <= soon || is_noted)
    };
    deploys.iter().filter(is_around).map(|fact| fact.claim.to).collect()
}

/// Whether a row is of a workload: by its whole name, or the name behind the kind.
pub(super) fn is_of(row: &SeenRow, workload: &str) -> bool {
    let own = row.sighting.spot.workload.as_str();
    own == workload || own.split_once('/').is_some_and(|(_, name)| name == workload)
}

/// The images that the settings say a workload of the environment runs.
pub(super) fn images_run_by(
    app: &App,
    environment: &EnvironmentName,
    workload: &str,
) -> BTreeSet<ImageName> {
    let Some(settings) = app.loaded().and_then(|all| all.settings.environment(environment)) else {
        return BTreeSet::new();
    };
    let is_it = |text: String| {
        text == workload || text.split_once('/').is_some_and(|(_, name)| name == workload)
    };
    let runs = settings.workloads.iter();
    runs.filter(|(_, all)| all.iter().any(|one| is_it(one.to_string())))
        .map(|(image, _)| image.clone())
        .collect()
}
