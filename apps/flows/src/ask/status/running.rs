//! What runs in an environment: as a watcher records it, else asked of its clusters at once.
//!
//! ```text
//! watched everywhere, now    ->  container runs of the record
//! not watched, reachable     ->  one list of pods of each cluster
//! neither                    ->  unknown, with what is known of the rest
//! ```

use super::super::AskError;
use super::super::observed::{parts_of, seen_at};
use crate::app::App;
use crate::look::connect_to;
use crate::registries::Registries;
use crate::seam::Record;
use crate::settings::{EnvironmentSettings, Settings};
use ::record::{EnvironmentState, Gap, Precision};
use cluster::{Cluster, ClusterError, Scope};
use domain::{Digest, ImageName, Repository, Timestamp};
use futures_util::future::join_all;
use release::observed::{Bytes, Row, rows};
use release::standing::{Build, Is, Running, Seen};
use std::collections::BTreeSet;

/// Who says what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenBy {
    /// A watcher, whose record is complete now.
    Watcher,
    /// The clusters, asked at once.
    Clusters,
    /// Nobody could look everywhere.
    Nobody,
}

/// What was seen of an environment, image by image.
pub(super) struct Containers {
    pub(super) by: SeenBy,
    /// Where nobody looked, and why.
    pub(super) gaps: Vec<Gap>,
    seen: Vec<One>,
}

/// Containers of one image on the same bytes.
struct One {
    image: ImageName,
    runs: Runs,
    count: usize,
    since: Option<Timestamp>,
    precision: Precision,
}

enum Runs {
    Digest(Digest),
    Untold,
    Waiting(String),
}

/// Looks at what runs.
pub(super) async fn containers(
    app: &App,
    record: &dyn Record,
    settings: &Settings,
    environment: &EnvironmentSettings,
) -> Result<Containers, AskError> {
    let now = app.surroundings().now();
    let watched = seen_at(app, record, &environment.name, now).await?;
    if let Some(seen) = watched.as_ref().filter(|seen| seen.is_complete) {
        let by_watcher = seen.containers.iter().filter_map(|row| {
            let runs = row.digest.map_or(Runs::Untold, Runs::Digest);
            let (image, since) = (row.image.clone()?, Some(row.run.from()));
            Some(One { image, runs, count: 1, since, precision: row.precision })
        });
        let seen_there = by_watcher.collect();
        return Ok(Containers { by: SeenBy::Watcher, gaps: seen.gaps.clone(), seen: seen_there });
    }
    let mut all = Containers { by: SeenBy::Clusters, gaps: Vec::new(), seen: Vec::new() };
    if environment.clusters.is_empty() {
        all.by = SeenBy::Nobody;
        all.gaps = watched.map(|seen| seen.gaps).unwrap_or_default();
        return Ok(all);
    }
    let looks = environment.clusters.iter().map(|context| look(app, environment, context));
    for (context, looked) in environment.clusters.iter().zip(join_all(looks).await) {
        match looked {
            Ok(rows) => {
                all.seen.extend(rows.iter().flat_map(|row| of_row(settings, environment, row)))
            }
            Err(error) => {
                all.by = SeenBy::Nobody;
                let why =
                    format!("{context} is not watched, and does not answer: {}", chain(&error));
                all.gaps.push(Gap { from: None, until: None, why });
            }
        }
    }
    Ok(all)
}

fn chain(error: &ClusterError) -> String {
    let error: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn look(
    app: &App,
    environment: &EnvironmentSettings,
    context: &str,
) -> Result<Vec<Row>, ClusterError> {
    let cluster = Cluster::connect(&connect_to(app.surroundings(), context)).await?;
    let scope = environment.namespace.clone().map_or(Scope::AllOrOwn, Scope::Namespace);
    Ok(rows(&cluster.pods(&scope).await?.pods))
}

/// The containers of a row, where it is of a workload of the environment.
fn of_row(settings: &Settings, environment: &EnvironmentSettings, row: &Row) -> Vec<One> {
    let image = row.image().and_then(|image| settings.image_of(image.repository()).cloned());
    let Some(image) = image else { return Vec::new() };
    if !row.owner.is_of_any(environment.workloads.values().flatten()) {
        return Vec::new();
    }
    let one = |(bytes, pods): (&Bytes, &Vec<String>)| One {
        image: image.clone(),
        runs: match bytes {
            Bytes::Pulled(digest) | Bytes::Configured(digest) => Runs::Digest(*digest),
            Bytes::Waiting(reason) if reason.is_empty() => Runs::Waiting("not started".to_owned()),
            Bytes::Waiting(reason) => Runs::Waiting(reason.clone()),
            Bytes::NotReported | Bytes::Unreadable(_) => Runs::Untold,
        },
        count: pods.len(),
        since: row.since,
        precision: Precision::Exact,
    };
    row.bytes.iter().map(one).collect()
}

impl Containers {
    /// What runs of one image, each build compared with the decided one.
    pub(super) async fn of(
        &self,
        app: &App,
        record: &dyn Record,
        image: (&ImageName, &Repository),
        state: &EnvironmentState,
    ) -> Result<Running, AskError> {
        let decided = state.current(image.0).map(|fact| fact.claim.to);
        let mut seen = Seen::default();
        for one in self.seen.iter().filter(|one| one.image == *image.0) {
            match &one.runs {
                Runs::Untold => seen.untold += one.count,
                Runs::Waiting(reason) => {
                    *seen.waiting.entry(reason.clone()).or_default() += one.count
                }
                Runs::Digest(digest) => {
                    let known = seen.builds.get(digest).map(|build| build.is);
                    let is = match known {
                        Some(is) => is,
                        None => same(app, record, image.1, *digest, decided).await?,
                    };
                    let build = seen.builds.entry(*digest).or_insert(Build {
                        containers: 0,
                        since: None,
                        is,
                        precision: Precision::Exact,
                    });
                    build.containers += one.count;
                    build.since = [build.since, one.since].into_iter().flatten().min();
                    build.precision = build.precision.max(one.precision);
                }
            }
        }
        Ok(match (self.by, self.gaps.is_empty()) {
            (SeenBy::Watcher | SeenBy::Clusters, _) => Running::Seen(seen),
            (SeenBy::Nobody, true) => Running::NotObserved,
            (SeenBy::Nobody, false) => {
                let why: Vec<_> = self.gaps.iter().map(|gap| gap.why.as_str()).collect();
                Running::Unknown { why: why.join("; "), known: seen }
            }
        })
    }
}

/// Whether a digest that a pod reports is the decided build: its index, one of its platforms, or a configuration.
async fn same(
    app: &App,
    record: &dyn Record,
    repository: &Repository,
    digest: Digest,
    decided: Option<Digest>,
) -> Result<Is, AskError> {
    let Some(decided) = decided else { return Ok(Is::CannotTell) };
    if digest == decided {
        return Ok(Is::Decided);
    }
    let of_decided = parts(app, record, repository, decided).await?;
    if of_decided.as_ref().is_some_and(|parts| parts.contains(&digest)) {
        return Ok(Is::Decided);
    }
    let own = parts(app, record, repository, digest).await?;
    Ok(match (of_decided, own) {
        // Two indexes around one manifest are one build; a part of another image is in none of ours.
        (Some(one), Some(other)) if one.is_disjoint(&other) => Is::Other,
        (Some(_), Some(_)) => Is::Decided,
        (Some(_), None) | (None, _) => Is::CannotTell,
    })
}

/// What a digest holds, by the record, else by its registry; none: neither says.
async fn parts(
    app: &App,
    record: &dyn Record,
    repository: &Repository,
    digest: Digest,
) -> Result<Option<BTreeSet<Digest>>, AskError> {
    let recorded = parts_of(record, &digest).await?;
    if recorded.len() > 1 {
        return Ok(Some(recorded));
    }
    let registries = Registries::of(app)?;
    Ok(registries.describe(repository, digest).await.ok().map(|facts| {
        let held = facts.platforms.iter().flat_map(|part| [Some(part.manifest), part.config]);
        held.flatten().chain([digest]).collect()
    }))
}
