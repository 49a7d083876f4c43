//! What the record says about what runs: builds, environments, images, and the findings that are open.
//!
//! Each is read once, and from then on only what came behind it. Environments are kept folded, and builds only of what
//! runs or is meant to: what is kept grows with the cluster, not with the record.

use crate::seam::{PAGE, Question, Record, RecordError, environment_question};
use crate::settings::{EnvironmentSettings, Settings};
use ::record::claim::{Claim, ClusterId, DeployClaim, Kind, Outcome};
use ::record::{EnvironmentState, Facet, FindingStates, Sequenced};
use domain::{Digest, Timestamp};
use release::observed::{Builds, BuiltAs, Ours, Registered};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Digests that the record is asked about in one round.
const ASKED_AT_ONCE_MAX: usize = 256;
/// What the record did not know it is asked again after so long: somebody may have published it.
const ASK_AGAIN_MS: i64 = 300_000;

/// The record, as far as one cluster needs it.
pub(super) struct Known {
    pub(super) findings: FindingStates,
    pub(super) builds: Builds,
    /// The environments as they are judged, in the order of `reading`.
    ours: Arc<Vec<Ours>>,
    reading: Vec<Reading>,
    /// Digests whose builds are known.
    wanted: BTreeSet<Digest>,
    cluster: ClusterId,
    last_finding: Option<Sequenced>,
    last_build: Option<Sequenced>,
    /// When the record was asked for an image that it did not have.
    asked: BTreeMap<Digest, Timestamp>,
}

/// How far an environment is read.
#[derive(Default)]
struct Reading {
    last: Option<Sequenced>,
    is_read: bool,
}

impl Known {
    pub(super) fn new(cluster: ClusterId, context: &str, settings: Option<&Settings>) -> Self {
        let ours = settings.map(|settings| here(settings, context)).unwrap_or_default();
        Self {
            findings: FindingStates::default(),
            builds: Builds::new(),
            reading: ours.iter().map(|_| Reading::default()).collect(),
            ours: Arc::new(ours),
            wanted: BTreeSet::new(),
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
        let (builds, wanted) = (&mut self.builds, &self.wanted);
        tail(record, &Question::of([Kind::Build]), &mut self.last_build, |event| {
            add_build(builds, wanted, event);
        })
        .await?;
        let mut landed = Vec::new();
        // Nobody judges meanwhile, so that nothing is copied.
        let ours = Arc::make_mut(&mut self.ours);
        for (one, reading) in ours.iter_mut().zip(&mut self.reading) {
            landed.extend(reading.refresh(record, one).await?);
        }
        Ok(landed)
    }

    /// Knows the builds of these digests, and forgets all others.
    pub(super) async fn read_builds(
        &mut self,
        record: &dyn Record,
        wanted: BTreeSet<Digest>,
    ) -> Result<(), RecordError> {
        self.builds.retain(|digest, _| wanted.contains(digest));
        self.wanted.retain(|digest| wanted.contains(digest));
        let new: Vec<Digest> = wanted.difference(&self.wanted).copied().collect();
        for digest in new {
            let one = BTreeSet::from([digest]);
            let question = Question::of([Kind::Build]).about(Facet::Digest, digest);
            let builds = &mut self.builds;
            tail(record, &question, &mut None, |event| add_build(builds, &one, event)).await?;
            self.wanted.insert(digest);
        }
        Ok(())
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
    pub(super) fn ours(&self) -> Arc<Vec<Ours>> {
        Arc::clone(&self.ours)
    }
}

impl Reading {
    /// Folds in what came since the last time; answers with deploys that have landed meanwhile.
    async fn refresh(
        &mut self,
        record: &dyn Record,
        ours: &mut Ours,
    ) -> Result<Vec<Sequenced>, RecordError> {
        let question = environment_question(ours.state.name());
        let mut landed = Vec::new();
        // What stood there before this watch is no news.
        let is_news = self.is_read;
        let is_landed = |event: &Sequenced| {
            matches!(&event.event.claim, Claim::Deploy(DeployClaim { outcome: Outcome::Done, .. }))
        };
        tail(record, &question, &mut self.last, |event| {
            ours.state.apply(event);
            if is_news && is_landed(event) {
                landed.push(event.clone());
            }
        })
        .await?;
        self.is_read = true;
        Ok(landed)
    }
}

/// The environments that are in a cluster, by the name of its context.
fn here(settings: &Settings, context: &str) -> Vec<Ours> {
    let is_here = |one: &&EnvironmentSettings| {
        let is_named = one.clusters.iter().any(|name| name == context);
        is_named || (one.clusters.is_empty() && one.namespace.is_some())
    };
    let environment = |one: &EnvironmentSettings| Ours {
        state: EnvironmentState::empty(&one.name),
        namespace: one.namespace.clone(),
        workloads: one.workloads.values().flatten().cloned().collect(),
        images: settings
            .images
            .keys()
            .filter_map(|image| Some((settings.repository(one, image)?.clone(), image.clone())))
            .collect(),
    };
    settings.environments.iter().filter(is_here).map(environment).collect()
}

fn add_build(builds: &mut Builds, wanted: &BTreeSet<Digest>, event: &Sequenced) {
    let Claim::Build(build) = &event.event.claim else { return };
    if !wanted.contains(&build.digest) {
        return;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record_local::LocalRecord;
    use crate::surroundings::Surroundings;
    use ::record::claim::{DeployKind, NamedBy};
    use ::record::fuzz::story::Story;
    use domain::{Actor, Proof};
    use std::sync::atomic::{AtomicU64, Ordering};

    const SETTINGS: &str = "version: 1
record: local
images: {api: {repository: registry.example.com/shop/api}}
environments: {prod: {branches: [prod], clusters: [prod-eu], namespace: shop}}
";

    fn record(folder: &std::path::Path) -> LocalRecord {
        let made = AtomicU64::new(1);
        let surroundings = Surroundings {
            cwd: folder.into(),
            variables: BTreeMap::new(),
            clock: Arc::new(|| Timestamp::from_millis(1_773_758_400_000)),
            entropy: Arc::new(move || u128::from(made.fetch_add(1, Ordering::Relaxed)) << 20),
        };
        let actor = Actor::new("watcher", Proof::Token).unwrap();
        LocalRecord::at(folder.join("record.db"), "local", actor, surroundings)
    }

    async fn tell(record: &LocalRecord, story: &Story, from: usize) {
        let claims = story.events()[from..].iter().map(|event| event.event.claim.clone());
        record.append(claims.collect()).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_kept_is_what_runs_and_the_state_that_all_events_would_fold_to() {
        let folder = tempfile::tempdir().unwrap();
        let record = record(folder.path());
        let settings = crate::settings::read(SETTINGS).unwrap();
        let mut known = Known::new("cluster-1".parse().unwrap(), "prod-eu", Some(&settings));
        let mut story = Story::new();
        let (old, new) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
        story.deploy("api", "prod", old, DeployKind::Deploy, NamedBy::Rule);
        tell(&record, &story, 0).await;
        assert!(known.refresh(&record).await.unwrap().is_empty(), "what stood there is no news");
        // Of two builds, that of what runs is known.
        known.read_builds(&record, BTreeSet::from([old])).await.unwrap();
        assert_eq!(known.builds.keys().collect::<Vec<_>>(), [&old]);
        let told = story.events().len();
        story.build("api", "c", "prod");
        story.deploy("api", "prod", new, DeployKind::Deploy, NamedBy::Rule);
        tell(&record, &story, told).await;
        let landed = known.refresh(&record).await.unwrap();
        assert_eq!(landed.len(), 1);
        assert_eq!(known.builds.len(), 1, "nobody runs the new one");
        known.read_builds(&record, BTreeSet::from([new])).await.unwrap();
        assert_eq!(known.builds.keys().collect::<Vec<_>>(), [&new]);
        let ours = known.ours();
        let whole = crate::seam::environment_state(&record, ours[0].state.name()).await.unwrap();
        assert_eq!(ours[0].state, whole);
        assert_eq!(whole.deploys().len(), 2);
    }
}
