//! Both ways along the chain: from a digest, tag, commit or imageID to all that is recorded about it, and to where
//! and when it was seen to run.

use super::AskError;
use super::commits::BuiltFrom;
use super::coverage::Coverage;
use super::meaning::{Asks, Meaning, Written, meanings};
use super::tags::TagHistoryRow;
use super::told::{Told, current};
use super::wherever::{Everywhere, SeenWhere, seen_where};
use crate::app::App;
use crate::seam::{Question, Record, RecordError, all};
use ::record::claim::{BuildClaim, Kind};
use ::record::trace::images_of;
use ::record::{Answer, Basis, Facet, Gap, Interval, Trace, intended_intervals};
use domain::{CommitId, Digest, EnvironmentName, Repository, Tag, Timestamp};
use std::collections::BTreeSet;

/// The most images of one answer; a tag that moved more often is told by its newest ones, and a gap.
pub const TRACED_MAX: usize = 100;
/// The most repositories that are asked about one tag; further ones are a gap.
pub const REPOSITORIES_ASKED_MAX: usize = 100;

/// One image of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// What is recorded about the image.
    pub trace: Trace,
    /// The commit that it was built from, by the build that was asked about.
    pub built: Option<BuiltFrom>,
    /// Where and when it was meant to run.
    pub intervals: Vec<Interval>,
    /// Where and when it was seen to run, the earliest begin first.
    pub seen: Vec<SeenWhere>,
    /// When its bytes were first recorded.
    pub heard: Option<Timestamp>,
    /// What registries of ours tell about its tags, oldest first.
    pub tags: Vec<(Repository, TagHistoryRow)>,
}

/// The answer, and how the question was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceAnswer {
    /// `digest`, `tag`, `commit`.
    pub understood: &'static str,
    /// The images.
    pub answer: Answer<Traced>,
    /// What was watched since the record first heard of the images; none: nobody ever watched anything.
    pub coverage: Option<Coverage>,
}

impl TraceAnswer {
    /// Whether it is known where it ran: not where somebody watches, and did not all the time.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.coverage.as_ref().is_none_or(|coverage| coverage.is_whole)
    }
}

/// The images that a meaning names, and what led to them.
#[derive(Default)]
struct Found {
    /// Each with the digest that led to it.
    images: Vec<(Digest, Digest)>,
    /// The commit that was asked about.
    commit: Option<CommitId>,
    /// The tag that was asked about, and the repositories that may hold it.
    tag: Option<Tag>,
    places: Vec<Repository>,
}

/// Traces a digest, a tag (`TAG` or `REPO:TAG`), a commit or a pasted imageID.
///
/// # Errors
/// The text can be none of these, or nothing is recorded about it.
pub async fn trace(app: &App, asked: &str) -> Result<TraceAnswer, AskError> {
    let record = app.record_to_read().await?;
    let mut told = Told::new(app);
    let (mut understood, mut found) = ("digest", Found::default());
    for meaning in meanings(app, asked).await? {
        (understood, found) = look_up(app, record, &mut told, &meaning).await?;
        if !found.images.is_empty() {
            break;
        }
    }
    if found.images.len() > TRACED_MAX {
        told.miss(format!("only {TRACED_MAX} of {} images are shown", found.images.len()));
        found.images.truncate(TRACED_MAX);
    }
    let everywhere = Everywhere::of(record).await?;
    let (mut traced, mut left_out) = (Vec::new(), Vec::new());
    for (digest, asked) in &found.images {
        let mut one = gather(record, *digest, *asked, &found).await?;
        ask_registries(app, &mut told, &found, &mut one).await;
        if let Some(everywhere) = &everywhere {
            let gap;
            (one.seen, gap) = seen_where(app, record, everywhere, digest).await?;
            left_out.extend(gap);
        }
        // What a registry or a watcher alone tells of is an answer too.
        if !one.trace.is_empty() || !one.tags.is_empty() || !one.seen.is_empty() {
            traced.push(one);
        }
    }
    if traced.is_empty() {
        return Err(AskError::NothingKnown { asked: asked.to_owned(), untold: told.untold() });
    }
    let first = traced.iter().filter_map(Traced::first).min();
    let watched = everywhere.map(|everywhere| everywhere.since(app, first));
    let (mut answer, coverage) = answer(traced, watched, left_out);
    answer.gaps.extend(told.into_gaps());
    answer.gaps.extend(record.left_out());
    Ok(TraceAnswer { understood, answer, coverage })
}

/// The weakest basis and precision of what was decided and seen, and what was not watched.
fn answer(
    traced: Vec<Traced>,
    watched: Option<(Coverage, Vec<Gap>)>,
    left_out: Vec<Gap>,
) -> (Answer<Traced>, Option<Coverage>) {
    let intended = traced.iter().flat_map(|one| &one.intervals).map(|interval| interval.basis);
    let seen = traced.iter().flat_map(|one| &one.seen);
    let bases = intended.chain(seen.clone().map(|_| Basis::Observed));
    let (basis, sharp) = (super::weakest(bases), seen.map(|one| one.sighting.precision).max());
    let mut answer = Answer::intended(traced);
    answer.basis = basis;
    if let (Basis::Observed, Some(sharp)) = (basis, sharp) {
        answer.precision = sharp;
    }
    let Some((mut coverage, gaps)) = watched else { return (answer, None) };
    coverage.is_whole &= left_out.is_empty();
    // Somebody observes: what is not covered is told place by place.
    answer.gaps = gaps.into_iter().chain(left_out).collect();
    (answer, Some(coverage))
}

impl Traced {
    /// When the record first heard of the image.
    fn first(&self) -> Option<Timestamp> {
        let trace = &self.trace;
        let said = trace.builds.iter().map(|(stamp, _)| stamp.happened());
        let said = said.chain(trace.tag_changes.iter().map(|(stamp, _)| stamp.happened()));
        let said = said.chain(trace.deploys.iter().map(|fact| fact.stamp.happened()));
        let said = said.chain(self.tags.iter().map(|(_, row)| row.at));
        said.chain(self.seen.first().map(|one| one.sighting.from)).chain(self.heard).min()
    }
}

async fn look_up(
    app: &App,
    record: &dyn Record,
    told: &mut Told<'_>,
    meaning: &Meaning,
) -> Result<(&'static str, Found), AskError> {
    match meaning {
        Meaning::Digest(digest) => {
            let images =
                all(record, &Question::of([Kind::Image]).about(Facet::Digest, digest)).await?;
            let images =
                images_of(&images, digest).into_iter().map(|image| (image, *digest)).collect();
            Ok(("digest", Found { images, ..Found::default() }))
        }
        Meaning::Tag { tag, repository, asks } => {
            let found = of_tag(app, record, told, tag, repository.as_ref(), *asks).await?;
            Ok(("tag", found))
        }
        Meaning::Commit(commit) => {
            let question = Question::of([Kind::Build, Kind::Deploy]).about(Facet::Commit, commit);
            let events = all(record, &question).await?;
            let digests = events.iter().filter_map(|event| {
                let claim = &event.event.claim;
                let written =
                    claim.as_deploy().filter(|deploy| deploy.commit.as_ref() == Some(commit));
                claim.as_build().map(|build| build.digest).or_else(|| Some(written?.to))
            });
            let commit = Some(commit.clone());
            Ok(("commit", Found { images: unique(digests), commit, ..Found::default() }))
        }
    }
}

/// Every digest that a tag names or named: at registries of ours what they tell, what it names now first; then
/// what is recorded, newest first.
async fn of_tag(
    app: &App,
    record: &dyn Record,
    told: &mut Told<'_>,
    tag: &Tag,
    repository: Option<&Written>,
    asks: Asks,
) -> Result<Found, AskError> {
    let recorded = recorded_of_tag(record, tag, repository).await?;
    if recorded.is_empty() && asks == Asks::RecordOnly {
        return Ok(Found::default());
    }
    let mut places = places(app, record, repository).await?;
    if places.len() > REPOSITORIES_ASKED_MAX {
        let count = places.len();
        told.miss(format!("only {REPOSITORIES_ASKED_MAX} of {count} repositories were asked"));
        places.truncate(REPOSITORIES_ASKED_MAX);
    }
    if places.is_empty() && !recorded.is_empty() {
        told.miss(format!(
            "no registry is known that holds the tag {tag}: only what is recorded is told"
        ));
    }
    let (mut now, mut before) = (Vec::new(), Vec::new());
    for place in &places {
        let rows = told.rows(place, tag).await;
        now.extend(current(rows));
        before.extend(rows.iter().flat_map(|row| [row.to, row.from]).flatten());
    }
    let images = unique(now.into_iter().chain(before).chain(recorded));
    Ok(Found { images, tag: Some(tag.clone()), places, ..Found::default() })
}

/// What the record says that a tag named, newest first.
async fn recorded_of_tag(
    record: &dyn Record,
    tag: &Tag,
    repository: Option<&Written>,
) -> Result<Vec<Digest>, RecordError> {
    let kinds = [Kind::Build, Kind::Deploy, Kind::TagChange];
    let mut question = Question::of(kinds).about(Facet::Tag, tag);
    if let Some(repository) = repository {
        question = question.about(Facet::Repository, repository.facet());
    }
    let events = all(record, &question).await?;
    let digests = events.iter().rev().filter_map(|event| {
        let claim = &event.event.claim;
        let built = claim.as_build().map(|build| build.digest);
        let deployed = || claim.as_deploy().map(|deploy| deploy.to);
        let named = || claim.as_tag_change()?.change.names().copied();
        built.or_else(deployed).or_else(named)
    });
    Ok(digests.collect())
}

/// The repositories that can be meant: the one that was written out, else those that settings and record know.
async fn places(
    app: &App,
    record: &dyn Record,
    repository: Option<&Written>,
) -> Result<Vec<Repository>, RecordError> {
    if let Some(Written::Whole(repository)) = repository {
        return Ok(vec![repository.clone()]);
    }
    let mut known = BTreeSet::new();
    let mut named = BTreeSet::new();
    if let Some(loaded) = app.loaded() {
        let settings = &loaded.settings;
        let own = settings.images.iter().map(|(name, image)| (name, &image.repository));
        let moved = settings.environments.iter().flat_map(|environment| &environment.images);
        for (name, repository) in own.chain(moved) {
            named.insert((name.to_string(), repository.clone()));
            known.insert(repository.clone());
        }
    }
    for event in all(record, &Question::of([Kind::Build, Kind::Deploy])).await? {
        let claim = &event.event.claim;
        let built = claim.as_build().map(|build| &build.repository);
        let there = built.or_else(|| claim.as_deploy().map(|deploy| &deploy.repository));
        known.extend(there.cloned());
    }
    let Some(Written::Path(path)) = repository else {
        return Ok(known.into_iter().collect());
    };
    let is_meant = |one: &Repository| {
        one.path().as_str() == path || named.contains(&(path.clone(), one.clone()))
    };
    Ok(known.into_iter().filter(is_meant).collect())
}

fn unique(digests: impl Iterator<Item = Digest>) -> Vec<(Digest, Digest)> {
    let mut seen = BTreeSet::new();
    digests.filter(|digest| seen.insert(*digest)).map(|digest| (digest, digest)).collect()
}

async fn gather(
    record: &dyn Record,
    digest: Digest,
    asked: Digest,
    found: &Found,
) -> Result<Traced, AskError> {
    // Container runs are far more than all else, and are summed up by themselves.
    let kinds = [Kind::Image, Kind::Build, Kind::TagChange, Kind::Deploy];
    let events = all(record, &Question::of(kinds).about(Facet::Digest, digest)).await?;
    let trace = ::record::trace(&events, &digest, &asked);
    let environments: BTreeSet<&EnvironmentName> =
        trace.deploys.iter().map(|deploy| &deploy.claim.environment).collect();
    let mut intervals = Vec::new();
    for environment in environments {
        let state = crate::seam::environment_state(record, environment).await?;
        intervals.extend(intended_intervals(&state).into_iter().filter(|one| one.digest == digest));
    }
    intervals.sort_by_key(|interval| interval.from);
    let builds: Vec<BuildClaim> = trace.builds.iter().map(|(_, build)| build.clone()).collect();
    let asked = found.commit.as_ref().and_then(|commit| BuiltFrom::of_commit(&builds, commit));
    let built = asked.or_else(|| BuiltFrom::of(&builds, found.tag.as_ref()));
    let heard = events.iter().map(|event| event.event.stamp.happened()).min();
    Ok(Traced { trace, built, intervals, seen: Vec::new(), heard, tags: Vec::new() })
}

/// Asks the registries of ours that hold the image for the history of its tags.
async fn ask_registries(app: &App, told: &mut Told<'_>, found: &Found, traced: &mut Traced) {
    let mut names: BTreeSet<(Repository, Tag)> = BTreeSet::new();
    if let Some(tag) = &found.tag {
        names.extend(found.places.iter().map(|place| (place.clone(), tag.clone())));
    }
    for (_, build) in &traced.trace.builds {
        let tags = build.tags.iter().chain(&build.aliases);
        names.extend(tags.map(|tag| (build.repository.clone(), tag.clone())));
    }
    for deploy in &traced.trace.deploys {
        let settings = app.loaded().map(|loaded| &loaded.settings);
        let alias =
            settings.and_then(|all| all.environment(&deploy.claim.environment)?.alias.clone());
        let tags = deploy.claim.tag.iter().cloned().chain(alias);
        names.extend(tags.map(|tag| (deploy.claim.repository.clone(), tag)));
    }
    let digest = Some(traced.trace.digest);
    for (repository, tag) in names {
        let rows = told.rows(&repository, &tag).await;
        let own = rows.iter().filter(|row| row.to == digest || row.from == digest);
        traced.tags.extend(own.map(|row| (repository.clone(), row.clone())));
    }
    traced.tags.sort_by_key(|(_, row)| row.at);
}
