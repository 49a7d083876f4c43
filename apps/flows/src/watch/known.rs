//! What the record says about what runs: builds, environments, images, and the findings that are open.
//!
//! Each is read once, and from then on only what came behind it.

use crate::seam::{PAGE, Question, Record, RecordError, environment_question};
use crate::settings::{EnvironmentSettings, Settings};
use ::record::claim::{Claim, ClusterId, DeployClaim, Kind, Outcome};
use ::record::{EnvironmentState, Facet, FindingStates, Sequenced};
use domain::{Digest, Timestamp};
use release::observed::{Builds, BuiltAs, Ours, Registered};
use std::collections::{BTreeMap, BTreeSet};

/// Digests that the record is asked about in one round.
const ASKED_AT_ONCE_MAX: usize = 256;
/// What the record did not know it is asked again after so long: somebody may have published it.
const ASK_AGAIN_MS: i64 = 300_000;

/// The record, as far as one cluster needs it.
pub(super) struct Known {
    pub(super) findings: FindingStates,
    pub(super) builds: Builds,
    pub(super) environments: Vec<Environment>,
    cluster: ClusterId,
    last_finding: Option<Sequenced>,
    last_build: Option<Sequenced>,
    /// When the record was asked for an image that it did not have.
    asked: BTreeMap<Digest, Timestamp>,
}

/// An environment of the settings that is in this cluster.
pub(super) struct Environment {
    settings: EnvironmentSettings,
    images: BTreeMap<domain::Repository, domain::ImageName>,
    events: Vec<Sequenced>,
    is_read: bool,
}

impl Known {
    pub(super) fn new(cluster: ClusterId, context: &str, settings: Option<&Settings>) -> Self {
        let environments = settings.map(|settings| here(settings, context)).unwrap_or_default();
        Self {
            findings: FindingStates::default(),
            builds: Builds::new(),
            environments,
            cluster,
            last_finding: None,
            last_build: None,
            asked: BTreeMap::new(),
        }
    }

    /// Reads what came since the last time; answers with deploys that have landed meanwhile.
    pub(super) async fn refresh(
        &mut self,
        record: &dyn Record,
    ) -> Result<Vec<Sequenced>, RecordError> {
        record.refresh().await?;
        self.read_findings(record).await?;
        let builds = &mut self.builds;
        tail(record, &Question::of([Kind::Build]), &mut self.last_build, |event| {
            add_build(builds, event);
        })
        .await?;
        let mut landed = Vec::new();
        for environment in &mut self.environments {
            landed.extend(environment.refresh(record).await?);
        }
        Ok(landed)
    }

    /// Reads the findings that anybody recorded since the last time.
    pub(super) async fn read_findings(&mut self, record: &dyn Record) -> Result<(), RecordError> {
        let question = Question::of([Kind::Finding]).about(Facet::Cluster, &self.cluster);
        let findings = &mut self.findings;
        tail(record, &question, &mut self.last_finding, |event| findings.add(event)).await
    }

    /// Looks for images in the record, those that are not known yet.
    pub(super) async fn read_images(
        &mut self,
        record: &dyn Record,
        wanted: &BTreeSet<Digest>,
        registered: &mut Registered,
        now: Timestamp,
    ) -> Result<(), RecordError> {
        self.asked.retain(|digest, _| wanted.contains(digest));
        let is_due = |digest: &&Digest| {
            let asked = self.asked.get(*digest).map(|at| at.plus_millis(ASK_AGAIN_MS));
            !registered.contents.contains_key(*digest) && asked.is_none_or(|again| again <= now)
        };
        let due: Vec<Digest> =
            wanted.iter().filter(is_due).take(ASKED_AT_ONCE_MAX).copied().collect();
        for digest in due {
            let question = Question::of([Kind::Image]).about(Facet::Digest, digest);
            for event in crate::seam::all(record, &question).await? {
                if let Claim::Image(image) = event.event.claim {
                    registered.contents.insert(image.digest, image.platforms);
                }
            }
            self.asked.insert(digest, now);
        }
        Ok(())
    }

    /// The environments as they are judged.
    pub(super) fn ours(&self) -> Vec<Ours> {
        self.environments.iter().map(Environment::ours).collect()
    }
}

impl Environment {
    async fn refresh(&mut self, record: &dyn Record) -> Result<Vec<Sequenced>, RecordError> {
        let question = environment_question(&self.settings.name);
        let mut new = Vec::new();
        let mut last = self.events.last().cloned();
        tail(record, &question, &mut last, |event| new.push(event.clone())).await?;
        // What stood there before this watch is no news.
        let is_landed = |event: &&Sequenced| {
            matches!(&event.event.claim, Claim::Deploy(DeployClaim { outcome: Outcome::Done, .. }))
        };
        let landed = match self.is_read {
            true => new.iter().filter(is_landed).cloned().collect(),
            false => Vec::new(),
        };
        self.is_read = true;
        self.events.extend(new);
        Ok(landed)
    }

    fn ours(&self) -> Ours {
        Ours {
            state: EnvironmentState::of(&self.settings.name, &self.events),
            namespace: self.settings.namespace.clone(),
            images: self.images.clone(),
            workloads: self.settings.workloads.values().flatten().cloned().collect(),
        }
    }
}

/// The environments that are in a cluster, by the name of its context.
fn here(settings: &Settings, context: &str) -> Vec<Environment> {
    let is_here = |one: &&EnvironmentSettings| {
        let is_named = one.clusters.iter().any(|name| name == context);
        is_named || (one.clusters.is_empty() && one.namespace.is_some())
    };
    let environment = |one: &EnvironmentSettings| Environment {
        settings: one.clone(),
        images: settings
            .images
            .keys()
            .filter_map(|image| Some((settings.repository(one, image)?.clone(), image.clone())))
            .collect(),
        events: Vec::new(),
        is_read: false,
    };
    settings.environments.iter().filter(is_here).map(environment).collect()
}

fn add_build(builds: &mut Builds, event: &Sequenced) {
    let Claim::Build(build) = &event.event.claim else { return };
    let name = match build.tags.first() {
        Some(tag) => format!("{}:{tag}", build.repository),
        None => build.repository.to_string(),
    };
    let built = BuiltAs { environment: build.environment.clone(), name };
    let known = builds.entry(build.digest).or_default();
    if !known.contains(&built) {
        known.push(built);
    }
}

/// Hands on what stands behind the last event that was read.
async fn tail(
    record: &dyn Record,
    question: &Question,
    last: &mut Option<Sequenced>,
    mut take: impl FnMut(&Sequenced),
) -> Result<(), RecordError> {
    loop {
        let mut page = record.events(question, last.as_ref()).await?;
        page.iter().for_each(&mut take);
        let is_last = page.len() < PAGE;
        *last = page.pop().or(last.take());
        if is_last {
            return Ok(());
        }
    }
}
