//! Findings, as they open and close: judged from the scene, said to the record, and then to whoever listens.
//!
//! ```text
//! changed · wait a moment · what is recorded, what registries say  ->  judge  ->  differ  ->  append  ->  tell
//! ```
//! The record decides: what another watcher said first is not said again, here or anywhere outside.

use super::batches::{Batches, Sent};
use super::known::Known;
use super::meters::Meters;
use super::names::Names;
use super::neighbours::Neighbours;
use super::outward::Outward;
use super::scene::Scene;
use super::{Told, WatchAt};
use crate::app::App;
use crate::registries::Registries;
use crate::seam::{Record, RecordError};
use ::record::claim::{
    ChangedBy, Claim, ClusterId, FindingChange, FindingClaim, FindingKind, Reported,
};
use ::record::{Event, Sequenced};
use cluster::Cluster;
use domain::{Digest, ImageRef, Timestamp};
use release::observed::{
    Facts, Judged, Jurisdiction, Ours, Owner, Row, Standing, differ, judge, wanted,
};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

/// After a change, others follow: a rollout is looked at once a second, not once a pod.
const SETTLE: Duration = Duration::from_secs(1);
/// Without any change: deploys, tags and registries are no part of the scene.
const QUIET_MS: i64 = 30_000;

/// Judges one cluster.
pub(super) struct Judging<'a> {
    pub(super) app: &'a App,
    pub(super) record: &'a dyn Record,
    pub(super) cluster: &'a Cluster,
    pub(super) id: &'a ClusterId,
    pub(super) at: &'a WatchAt,
    pub(super) scene: &'a Scene,
    pub(super) meters: &'a Meters,
    pub(super) outward: Outward<'a>,
    pub(super) known: Known,
    pub(super) names: Names,
    pub(super) neighbours: Neighbours,
}

/// What runs, as questions.
struct Asked {
    wanted: release::observed::Wanted,
    /// Digests that run, or are meant.
    digests: BTreeSet<Digest>,
    sources: BTreeMap<Digest, Vec<domain::Repository>>,
}

impl Judging<'_> {
    /// Judges whenever something changed, for ever.
    pub(super) async fn run(mut self, tell: &(dyn Fn(&Told) + Sync)) -> Infallible {
        let registries = self.app.registries().inspect_err(|error| {
            tracing::warn!(%error, "watch: no registry can be asked");
        });
        let registries = registries.ok();
        let mut next = None;
        loop {
            let now = self.now();
            let longest = next.map_or(QUIET_MS, |next: Timestamp| {
                next.as_millis().saturating_sub(now.as_millis()).clamp(0, QUIET_MS)
            });
            let longest = Duration::from_millis(u64::try_from(longest).unwrap_or_default());
            self.scene.changed_within(longest).await;
            tokio::time::sleep(SETTLE).await;
            next = match self.round(registries.as_ref(), tell).await {
                Ok(next) => next,
                // The recorder says so too; here it is tried again in the next round.
                Err(error) => {
                    tracing::warn!(%error, "watch: findings wait for the record");
                    None
                }
            };
        }
    }

    fn now(&self) -> Timestamp {
        self.app.surroundings().now()
    }

    async fn round(
        &mut self,
        registries: Option<&Registries>,
        tell: &(dyn Fn(&Told) + Sync),
    ) -> Result<Option<Timestamp>, RecordError> {
        let Some(mut asked) = self.scene.look(asked) else { return Ok(None) };
        let landed = self.known.refresh(self.record).await?;
        landed.iter().for_each(|deploy| self.outward.deployed(&deploy.event));
        let ours = self.known.ours();
        asked.decided(&ours);
        let now = self.now();
        self.neighbours.read(self.record, &asked.wanted.tags, now).await?;
        asked.also(&self.neighbours);
        let digests = &asked.digests;
        self.names.keep_contents(digests);
        let registered = &mut self.names.registered;
        self.known.read_images(self.record, digests, registered, now).await?;
        if let Some(registries) = registries {
            self.names.ask(registries, asked.wanted, now).await;
            let read = self.names.read_images(registries, &asked.sources, now).await;
            self.append(read).await?;
        }
        // Builds of what runs, and of every image that it may be a part of.
        let images = self.names.registered.contents.keys();
        let wanted = asked.digests.iter().chain(images).copied().collect();
        self.known.read_builds(self.record, wanted).await?;
        self.judge(&ours, tell).await
    }

    async fn judge(
        &mut self,
        ours: &[Ours],
        tell: &(dyn Fn(&Told) + Sync),
    ) -> Result<Option<Timestamp>, RecordError> {
        let now = self.now();
        let judged = self.scene.look(|standing| {
            let facts = Facts {
                standing,
                registered: &self.names.registered,
                builds: &self.known.builds,
                environments: ours,
                elsewhere: self.neighbours.elsewhere(),
            };
            let judged = judge(&facts, now);
            let here = Jurisdiction {
                cluster: self.id,
                namespace: self.at.namespace.as_deref(),
                environments: ours.iter().map(|one| one.state.name()).collect(),
            };
            let claims = differ(&here, &judged, &self.known.findings, standing, now);
            (judged, claims)
        });
        // A new list has begun meanwhile: what runs is known again at its end.
        let Some((judged, mut claims)) = judged else { return Ok(None) };
        let took = self.now().as_millis().saturating_sub(now.as_millis());
        self.meters.of(&self.at.context, |meter| meter.judged_ms = Some(took));
        for claim in &mut claims {
            self.attribute(claim).await;
        }
        let claims = claims.into_iter().map(Claim::Finding).collect();
        let new = self.append(claims).await?;
        self.known.read_findings(self.record).await?;
        self.count(&judged);
        for event in &new {
            if let Claim::Finding(claim) = &event.event.claim {
                self.say(&event.event, claim, tell).await;
            }
        }
        Ok(judged.next)
    }

    /// Looks once who changed the workload, where a change came from outside.
    async fn attribute(&self, claim: &mut FindingClaim) {
        let FindingChange::Opened(opened) = &mut claim.change else { return };
        if claim.what != FindingKind::OutsideChange {
            return;
        }
        let place = (claim.namespace.as_ref(), claim.workload.as_ref(), claim.container.as_ref());
        let (Some(namespace), Some(workload), Some(container)) = place else { return };
        let owner = Owner::read(workload.as_str());
        let looked = self.cluster.look_at_maker(namespace.as_str(), &owner).await;
        let looked = looked.inspect_err(|error| {
            tracing::warn!(%error, "watch: who changed a workload cannot be told");
        });
        let Ok(Some((_, looked))) = looked else { return };
        let Some(by) = looked.changed_image(container.as_str()) else { return };
        let at = by.at.map(|at| format!(" at {at}")).unwrap_or_default();
        opened.says = Reported::of(&format!("{}; changed by {}{at}", opened.says, by.name));
        opened.by = Some(ChangedBy {
            manager: Reported::of(&by.name),
            operation: Reported::of(&by.operation),
            at: by.at,
        });
    }

    /// Appends claims; what another watcher said first is left out. Answers with what is new.
    async fn append(&self, mut claims: Vec<Claim>) -> Result<Vec<Sequenced>, RecordError> {
        let (mut new, mut batches) = (Vec::new(), Batches::default());
        while !claims.is_empty() {
            match batches.send(self.record, &claims).await? {
                Sent::Recorded(recorded) => {
                    claims.drain(..recorded.len());
                    let fresh = recorded.into_iter().filter(|one| one.is_new);
                    new.extend(fresh.map(|one| one.event));
                }
                Sent::Taken { key, .. } => claims.retain(|claim| claim.key().as_str() != key),
                Sent::Refused(error) => {
                    let claim = claims.remove(0);
                    tracing::warn!(%error, key = %claim.key(), "watch: a claim is set aside");
                    self.meters.of(&self.at.context, |meter| meter.set_aside += 1);
                }
                Sent::Narrowed => {}
            }
        }
        Ok(new)
    }

    fn count(&self, judged: &Judged) {
        let mut open = BTreeMap::new();
        for state in self.known.findings.open().filter(|state| state.cluster == *self.id) {
            let environment =
                state.environment.as_ref().map(ToString::to_string).unwrap_or_default();
            *open.entry((state.what, environment)).or_default() += 1;
        }
        self.meters.of(&self.at.context, |meter| {
            // What was counted once is told as none, so that an alert can end.
            for count in meter.open.values_mut() {
                *count = 0;
            }
            meter.open.extend(open);
            meter.undecided = judged.unsure.len();
        });
    }

    async fn say(&self, event: &Event, claim: &FindingClaim, tell: &(dyn Fn(&Told) + Sync)) {
        let context = self.at.context.clone();
        tell(&Told::Finding { context, claim: Box::new(claim.clone()) });
        self.outward.finding(event, claim, self.known.findings.opened(claim)).await;
    }
}

impl Asked {
    /// What runs elsewhere is compared with what runs here.
    fn also(&mut self, neighbours: &Neighbours) {
        for (digest, repository) in neighbours.elsewhere().sources() {
            self.digests.insert(digest);
            self.sources.entry(digest).or_insert_with(|| vec![repository.clone()]);
        }
    }

    /// What was decided is compared with what runs.
    fn decided(&mut self, ours: &[Ours]) {
        for state in ours.iter().map(|one| &one.state) {
            for image in state.images() {
                let facts = [state.current(image), state.attempted(image)];
                for fact in facts.into_iter().flatten() {
                    let source = || vec![fact.claim.repository.clone()];
                    self.digests.insert(fact.claim.to);
                    self.sources.entry(fact.claim.to).or_insert_with(source);
                }
            }
        }
    }
}

/// What is asked of the record and of registries about what runs.
fn asked(standing: &Standing) -> Asked {
    let rows = standing.rows();
    let sources = standing.sources();
    let meant = rows.iter().filter_map(Row::image).filter_map(|image| match image {
        ImageRef::Pinned(pinned) => Some((pinned.digest, pinned.repository)),
        ImageRef::Bare(_) | ImageRef::Tagged(_) => None,
    });
    let mut asked = Asked { wanted: wanted(&rows), digests: BTreeSet::new(), sources };
    for (digest, repository) in meant {
        asked.sources.entry(digest).or_insert_with(|| vec![repository]);
    }
    asked.digests.extend(rows.iter().flat_map(Row::digests));
    asked.digests.extend(asked.sources.keys());
    asked
}
