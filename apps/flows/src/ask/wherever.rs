//! Where some bytes were seen to run, wherever anybody watched: run by run, or summed up.
//!
//! ```text
//! sha256:9f… and its parts  ->  prod-eu shop deployment/api api 14:10 … 16:12, 3 pods, exact      known prod-eu 14:05 … 18:00
//! ```
//! Known is what was watched since the record first heard of the bytes; a cluster that the settings do not name is
//! told too, but what was not watched there leaves no answer open.

use super::AskError;
use super::coverage::{Counts, Coverage, Scope, cover, never, place_of};
use super::observed::{
    ContainerRow, environment_at, names, parts_of, row_of, runs_up_to, with_builds,
};
use crate::app::App;
use crate::seam::{Question, Record, all};
use crate::settings::EnvironmentSettings;
use crate::watch::stretches;
use ::record::claim::{ClusterId, Kind, Reported};
use ::record::{Gap, Reach, RunQuestion, Sighting, Span, Watched, sightings};
use domain::{Digest, EnvironmentName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The most runs of one digest that are told one by one, or summed up; of one with more, the first ones and a gap.
pub const RUNS_OF_DIGEST_MAX: usize = 100_000;

/// One container run, in every detail.
pub(super) struct SeenRuns {
    /// The earliest begin first.
    pub(super) containers: Vec<ContainerRow>,
    pub(super) gaps: Vec<Gap>,
    pub(super) coverage: Coverage,
}

/// The same bytes in one container of a workload, from when until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenWhere {
    /// What was seen.
    pub sighting: Sighting,
    /// What whoever watches calls the cluster.
    pub cluster: Reported,
    /// The environment that it belongs to, by the settings.
    pub environment: Option<EnvironmentName>,
}

/// What anybody ever watched.
pub(super) struct Everywhere {
    all: Vec<Watched>,
}

/// Which clusters have to be watched for an answer to be whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// All that anybody ever watched.
    All,
    /// Those of these names, with the namespace where only that is asked about.
    Named(BTreeSet<(String, Option<String>)>),
}

impl Asked {
    /// The clusters of the settings, in whatever environment; without any, all.
    fn by(app: &App) -> Self {
        let environments = app.loaded().into_iter().flat_map(|all| &all.settings.environments);
        let places = |one: &EnvironmentSettings| {
            let namespace = one.namespace.clone();
            let place = move |name: &String| (name.clone(), namespace.clone());
            one.clusters.iter().map(place).collect::<Vec<_>>()
        };
        let named: BTreeSet<_> = environments.flat_map(places).collect();
        if named.is_empty() { Self::All } else { Self::Named(named) }
    }

    fn counts(&self, name: &str) -> Counts {
        match self {
            Self::All => Counts::Yes,
            Self::Named(named) if named.iter().any(|one| one.0 == name) => Counts::Yes,
            Self::Named(_) => Counts::No,
        }
    }

    /// Those that are asked about by name, and that nobody of these ever watched, in words.
    fn never_in(&self, all: &[Watched]) -> BTreeSet<String> {
        let Self::Named(named) = self else { return BTreeSet::new() };
        let is_unseen = |(name, namespace): &&(String, Option<String>)| {
            let sees = |one: &Watched| one.name.as_str() == *name && one.sees(namespace.as_deref());
            !all.iter().any(sees)
        };
        let is_known = |name: &str| all.iter().any(|one| one.name.as_str() == name);
        let place = |(name, namespace): &(String, Option<String>)| match namespace {
            // Of a cluster that nobody ever watched no namespace is worth a line of its own.
            _ if !is_known(name) => name.clone(),
            Some(namespace) => format!("{name}/{namespace}"),
            None => format!("{name} as a whole"),
        };
        named.iter().filter(is_unseen).map(place).collect()
    }
}

impl Everywhere {
    /// None: nobody ever watched anything.
    pub(super) async fn of(record: &dyn Record) -> Result<Option<Self>, AskError> {
        let all = stretches(record, None).await?;
        Ok((!all.is_empty()).then_some(Self { all }))
    }

    /// What of the time since a moment was watched; none: of all time.
    pub(super) fn since(&self, app: &App, at: Option<Timestamp>) -> (Coverage, Vec<Gap>) {
        let asked = Asked::by(app);
        let span = Span::between(at, None).unwrap_or(Span::ALL);
        let scopes = self.scopes(asked.clone());
        let (mut coverage, mut gaps) = cover(&scopes, (&span, &span), app.surroundings().now());
        let unseen = asked.never_in(&self.all);
        coverage.is_whole &= unseen.is_empty();
        gaps.extend(unseen.iter().map(|place| never(place)));
        (coverage, gaps)
    }

    /// How far the record of a namespace reaches.
    fn reach(&self, cluster: &ClusterId, namespace: &Reported, now: Timestamp) -> Reach {
        let sees = |one: &&Watched| one.cluster == *cluster && one.sees(Some(namespace.as_str()));
        Reach::of(self.all.iter().filter(sees), now)
    }

    /// Only what was watched under a name; none: nobody ever watched it.
    pub(super) fn only(mut self, context: Option<&str>) -> Option<Self> {
        self.all.retain(|one| context.is_none_or(|context| one.name.as_str() == context));
        (!self.all.is_empty()).then_some(self)
    }

    /// The stretches, the earliest begin first.
    pub(super) fn stretches(&self) -> impl Iterator<Item = &Watched> {
        self.all.iter()
    }

    /// Each cluster once where somebody watches all of it, else each of its namespaces that somebody watches.
    pub(super) fn scopes(&self, asked: Asked) -> Vec<Scope<'_>> {
        let names = names(&self.all);
        let mut kinds: BTreeSet<(&ClusterId, Option<&Reported>)> =
            self.all.iter().map(|one| (&one.cluster, one.namespace.as_ref())).collect();
        let whole: BTreeSet<&ClusterId> = kinds
            .iter()
            .filter(|(_, namespace)| namespace.is_none())
            .map(|(one, _)| *one)
            .collect();
        kinds.retain(|(cluster, namespace)| namespace.is_none() || !whole.contains(cluster));
        let scope = |(cluster, namespace): (&ClusterId, Option<&Reported>)| {
            let name = names.get(cluster).cloned().unwrap_or_default();
            let sees = |one: &&Watched| {
                one.cluster == *cluster && one.sees(namespace.map(Reported::as_str))
            };
            Scope {
                place: place_of(&name, namespace),
                stretches: self.all.iter().filter(sees).collect(),
                counts: asked.counts(name.as_str()),
            }
        };
        kinds.into_iter().map(scope).collect()
    }
}

/// Where and when some bytes were seen to run, run by run; none: nobody ever watched.
pub(super) async fn seen_digest(
    app: &App,
    record: &dyn Record,
    digest: &Digest,
) -> Result<Option<SeenRuns>, AskError> {
    let Some(everywhere) = Everywhere::of(record).await? else { return Ok(None) };
    let (runs, left_out) = runs_of(record, digest).await?;
    let heard = heard_of(record, digest).await?;
    let first = runs.first().map(|run| run.from()).into_iter().chain(heard).min();
    let (mut coverage, mut gaps) = everywhere.since(app, first);
    coverage.is_whole &= left_out.is_none();
    gaps.extend(left_out);
    let (names, now) = (names(&everywhere.all), app.surroundings().now());
    let mut containers = Vec::new();
    for run in runs {
        let reach = everywhere.reach(&run.cluster, &run.namespace, now);
        let (precision, own) = (reach.precision(&run), digest);
        let name = names.get(&run.cluster).cloned().unwrap_or_default();
        let environment = environment_at(app, &name, &run.namespace, &run.began.workload);
        let mut row = row_of(app, environment, &name, run, precision);
        row.digest = Some(*own);
        containers.push(row);
    }
    with_builds(record, &mut containers).await?;
    Ok(Some(SeenRuns { containers, gaps, coverage }))
}

/// Where and when some bytes were seen to run, summed up, and what was left out of that; the earliest begin first.
pub(super) async fn seen_where(
    app: &App,
    record: &dyn Record,
    everywhere: &Everywhere,
    digest: &Digest,
) -> Result<(Vec<SeenWhere>, Option<Gap>), AskError> {
    let (runs, left_out) = runs_of(record, digest).await?;
    let names: BTreeMap<ClusterId, Reported> = names(&everywhere.all);
    let summed = sightings(runs.iter().map(|run| (run, Some(*digest))));
    let now = app.surroundings().now();
    let row = |mut sighting: Sighting| {
        let spot = &sighting.spot;
        sighting.precision =
            everywhere.reach(&spot.cluster, &spot.namespace, now).of_sighting(&sighting);
        let spot = &sighting.spot;
        let cluster = names.get(&spot.cluster).cloned().unwrap_or_default();
        let environment = environment_at(app, &cluster, &spot.namespace, &spot.workload);
        SeenWhere { sighting, cluster, environment }
    };
    Ok((summed.into_iter().map(row).collect(), left_out))
}

async fn runs_of(
    record: &dyn Record,
    digest: &Digest,
) -> Result<(Vec<::record::Run>, Option<Gap>), AskError> {
    let digests = parts_of(record, digest).await?;
    let question = RunQuestion { digests, ..RunQuestion::default() };
    let (runs, is_all) = runs_up_to(record, &question, RUNS_OF_DIGEST_MAX).await?;
    let gap = |last: Option<Timestamp>| {
        let why =
            format!("only the first {RUNS_OF_DIGEST_MAX} container runs of {digest} are told");
        Gap { from: last, until: None, why }
    };
    let left_out = (!is_all).then(|| gap(runs.last().map(|run| run.from())));
    Ok((runs, left_out))
}

/// When the record first heard of some bytes.
async fn heard_of(record: &dyn Record, digest: &Digest) -> Result<Option<Timestamp>, AskError> {
    let kinds = [Kind::Image, Kind::Build, Kind::Deploy, Kind::TagChange];
    let events = all(record, &Question::of(kinds).about(::record::Facet::Digest, digest)).await?;
    Ok(events.iter().map(|event| event.event.stamp.happened()).min())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::fuzz::story::Story;

    /// Watched as `prod-eu`: all of it, or one namespace.
    fn watched_there(namespace: Option<&str>) -> Vec<Watched> {
        let mut story = Story::new();
        story.watch_began("2026-03-17T14:05:00Z".parse().unwrap());
        let mut all = ::record::watched(story.events());
        all[0].namespace = namespace.map(Reported::of);
        all
    }

    #[test]
    fn a_place_of_the_settings_that_nobody_watched_is_named() {
        let asked = |places: &[(&str, Option<&str>)]| {
            let own = |(name, namespace): &(&str, Option<&str>)| {
                ((*name).to_owned(), namespace.map(str::to_owned))
            };
            Asked::Named(places.iter().map(own).collect())
        };
        let whole = watched_there(None);
        let shop = watched_there(Some("shop"));
        for (places, all, never) in [
            (vec![("prod-eu", Some("shop")), ("prod-eu", None)], &whole, vec![]),
            (vec![("prod-eu", Some("shop"))], &shop, vec![]),
            (vec![("prod-eu", Some("till"))], &shop, vec!["prod-eu/till"]),
            (vec![("prod-eu", None)], &shop, vec!["prod-eu as a whole"]),
            (vec![("prod-us", Some("shop")), ("prod-us", Some("till"))], &whole, vec!["prod-us"]),
        ] {
            let found: Vec<String> = asked(&places).never_in(all).into_iter().collect();
            assert_eq!(found, never, "{places:?}");
        }
        assert!(Asked::All.never_in(&shop).is_empty(), "nothing is asked about by name");
    }
}
