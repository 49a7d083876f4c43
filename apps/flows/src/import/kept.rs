//! What a cluster still knows comes into the record: ReplicaSets, ControllerRevisions and Helm's releases.
//!
//! ```text
//! --context prod-eu  ->  the namespaces of its environments  ->  facts  ->  those that the record has not
//! ```
//! Mapped to environments by the settings. What our own deploys brought is not said twice; to do it again adds what is new.

use crate::app::{App, OpenError};
use crate::deploy::Run;
use crate::look::connect_to;
use crate::seam::{Record, RecordError, environment_state};
use crate::settings::EnvironmentSettings;
use crate::verdict::{Explain, Verdict};
use ::record::claim::{CLAIMS_AT_ONCE_MAX, Claim, ImportedClaim, ImportedResult, Keeper};
use ::record::{EnvironmentState, intended_intervals};
use cluster::{Cluster, ClusterError, HelmRelease, KeptThere};
use domain::{EnvironmentName, Timestamp};
use pin::{Format, Found, Site};
use release::imported::{KeptAt, KeptImage, KeptTemplate, fact_of, plan_imported};
use std::collections::{BTreeMap, BTreeSet};

/// A rollout that began so shortly before or after a deploy of ours is its own.
const OWN_WITHIN_MS: i64 = 10 * 60 * 1_000;
/// The most lines about what could not be told.
pub const UNTOLD_SHOWN_MAX: usize = 1_000;

/// Where to look.
#[derive(Clone, Debug)]
pub struct KeptIn {
    /// The context of the kubeconfig.
    pub context: String,
    /// One namespace only.
    pub namespace: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptReport {
    /// A row for each environment and keeper.
    pub rows: Vec<KeptRow>,
    /// What could not be told, a line each.
    pub untold: BTreeSet<String>,
}

/// What one keeper knew of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRow {
    /// The environment.
    pub environment: EnvironmentName,
    /// Who kept it.
    pub kept_by: Keeper,
    /// Facts that were found.
    pub found: usize,
    /// Facts that were added.
    pub new: usize,
    /// Facts that an import had recorded.
    pub known: usize,
    /// Rollouts of deploys that the record has.
    pub own: usize,
    /// Of the found, those whose digest nobody kept.
    pub unknown: usize,
    /// From the first of them on.
    pub since: Option<Timestamp>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// Settings or record.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No environment is there.
    #[error("no environment of the settings is in {context}{}", in_namespace(.namespace.as_deref()))]
    NoEnvironment {
        /// The context.
        context: String,
        /// The namespace that was asked for.
        namespace: Option<String>,
    },
}

fn in_namespace(namespace: Option<&str>) -> String {
    namespace.map(|name| format!(", namespace {name}")).unwrap_or_default()
}

impl Explain for KeptError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Open(error) => error.verdict(),
            Self::Record(error) => error.verdict(),
            Self::Cluster(_) | Self::NoEnvironment { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::Cluster(_) => None,
            Self::NoEnvironment { context, .. } => Some(format!(
                "an environment with `clusters: [{context}]` and `namespace:` in indelible.yaml says what is where"
            )),
        }
    }
}

/// Reads what a cluster still knows, and records what the record has not.
///
/// # Errors
/// No environment is there, the cluster does not answer, or the record does not take it.
pub async fn import_kept(app: &App, at: &KeptIn, run: Run) -> Result<KeptReport, KeptError> {
    let settings = app.settings()?;
    let is_there = |one: &&EnvironmentSettings| {
        let asked = at.namespace.as_ref().is_none_or(|name| one.namespace.as_ref() == Some(name));
        one.namespace.is_some() && one.clusters.contains(&at.context) && asked
    };
    let environments: Vec<_> = settings.environments.iter().filter(is_there).collect();
    if environments.is_empty() {
        let (context, namespace) = (at.context.clone(), at.namespace.clone());
        return Err(KeptError::NoEnvironment { context, namespace });
    }
    let cluster = Cluster::connect(&connect_to(app.surroundings(), &at.context)).await?;
    let record = app.record().await?;
    let mut report = KeptReport::default();
    for environment in environments {
        let namespace = environment.namespace.as_deref().unwrap_or_default();
        let KeptThere { mut templates, releases, untold } = cluster.kept(namespace).await?;
        report.untold.extend(untold);
        for (uid, release) in &releases {
            templates.extend(of_release(uid, release, &mut report.untold));
        }
        let place = format!("{}/{namespace}", at.context);
        let now = app.surroundings().now();
        let kept_at = KeptAt { environment: &environment.name, place: &place, now };
        let image_of = |repository: &_| settings.image_of(repository).cloned();
        let planned = plan_imported(&templates, &kept_at, image_of);
        report.untold.extend(planned.untold);
        let state = state_of(record, &environment.name).await?;
        report.rows.extend(add(record, &state, planned.facts, run, |_| false).await?);
    }
    report.shorten();
    Ok(report)
}

impl KeptReport {
    pub(super) fn shorten(&mut self) {
        while self.untold.len() > UNTOLD_SHOWN_MAX {
            self.untold.pop_last();
        }
    }
}

/// What the record knows of an environment; nothing where there is no record yet.
pub(super) async fn state_of(
    record: &dyn Record,
    environment: &EnvironmentName,
) -> Result<EnvironmentState, RecordError> {
    match record.exists().await? {
        true => environment_state(record, environment).await,
        false => Ok(EnvironmentState::of(environment, [])),
    }
}

/// Adds what the record has not; `is_ours` tells what its keeper itself says that we did.
pub(super) async fn add(
    record: &dyn Record,
    state: &EnvironmentState,
    facts: Vec<ImportedClaim>,
    run: Run,
    is_ours: impl Fn(&ImportedClaim) -> bool,
) -> Result<Vec<KeptRow>, RecordError> {
    let mut known = BTreeMap::<&str, bool>::new();
    for fact in state.imported() {
        let has_digest = known.entry(fact_of(&fact.claim.key)).or_default();
        *has_digest |= fact.claim.digest.is_some();
    }
    let mut rows = BTreeMap::<Keeper, KeptRow>::new();
    let mut new = Vec::new();
    for fact in facts {
        let row = rows.entry(fact.kept_by).or_insert_with(|| KeptRow {
            environment: state.name().clone(),
            kept_by: fact.kept_by,
            found: 0,
            new: 0,
            known: 0,
            own: 0,
            unknown: 0,
            since: None,
        });
        row.found += 1;
        let is_unknown = fact.digest.is_none() && fact.result != ImportedResult::Removed;
        row.unknown += usize::from(is_unknown);
        row.since = Some(row.since.map_or(fact.from(), |since| since.min(fact.from())));
        match known.get(fact_of(&fact.key)) {
            // The first word stays; only a digest that was not known then is more.
            Some(had_digest) if *had_digest || fact.digest.is_none() => row.known += 1,
            Some(_) | None if is_ours(&fact) || is_own(state, &fact) => row.own += 1,
            Some(_) | None => {
                row.new += 1;
                new.push(Claim::Imported(fact));
            }
        }
    }
    if run == Run::Real {
        for piece in new.chunks(CLAIMS_AT_ONCE_MAX) {
            record.append(piece.to_vec()).await?;
        }
    }
    Ok(rows.into_values().collect())
}

/// Whether a deploy that the record has brought it there.
fn is_own(state: &EnvironmentState, fact: &ImportedClaim) -> bool {
    let Some(digest) = fact.digest else { return false };
    let from = fact.from();
    let was_deployed = state.deploys().iter().any(|deploy| {
        let apart = deploy.at().as_millis().abs_diff(from.as_millis());
        (&deploy.claim.image, deploy.claim.to) == (&fact.image, digest)
            && apart <= OWN_WITHIN_MS.unsigned_abs()
    });
    let own: BTreeSet<u64> = state.deploys().iter().map(|deploy| deploy.seq).collect();
    was_deployed
        || intended_intervals(state).iter().any(|interval| {
            own.contains(&interval.began_by.seq)
                && (&interval.image, interval.digest) == (&fact.image, digest)
                && interval.holds_at(from)
        })
}

/// The workloads of one release, as its manifest names their images.
fn of_release(
    uid: &str,
    release: &HelmRelease,
    untold: &mut BTreeSet<String>,
) -> Vec<KeptTemplate> {
    let named = format!("release {}", release.name);
    let result = match release.status.as_str() {
        "deployed" | "superseded" => ImportedResult::Told,
        "failed" => ImportedResult::Failed,
        other => {
            let other: String = other.chars().take(40).collect();
            untold.insert(format!("{named} revision {}: its status is {other}", release.revision));
            return Vec::new();
        }
    };
    let scan = match pin::scan(Format::Kubernetes, &release.manifest) {
        Ok(scan) => scan,
        Err(error) => {
            untold.insert(format!("{named} revision {}: {error}", release.revision));
            return Vec::new();
        }
    };
    let mut templates = BTreeMap::<String, KeptTemplate>::new();
    for site in &scan.sites {
        let Found::Image(reference) = &site.found else { continue };
        let (workload, container) = place_of(site);
        let template = templates.entry(workload.clone()).or_insert_with(|| KeptTemplate {
            kept_by: Keeper::HelmRelease,
            uid: format!("{uid}/{workload}"),
            name: named.clone(),
            workload,
            created: release.deployed,
            revisions: vec![release.revision],
            result,
            images: Vec::new(),
        });
        let reference = reference.to_string();
        template.images.push(KeptImage { container, reference, reported: BTreeSet::new() });
    }
    templates.into_values().collect()
}

fn place_of(site: &Site) -> (String, String) {
    let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let context = &site.context;
    let kind = of(&context.kind).to_lowercase();
    (format!("{kind}/{}", of(&context.workload)), of(&context.container))
}
