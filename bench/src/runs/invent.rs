//! Container runs that never were: twenty clusters, their namespaces and workloads, and what they started.
//!
//! Six in ten are jobs of minutes, three last hours, one lasts days; one in fifty is not seen to end.

use domain::{Actor, Digest, EventId, Proof, Timestamp};
use record::claim::{
    Claim, ClusterId, ContainerRunClaim, Moment, Reported, RunBegan, RunChange, RunId, RunRole,
};
use record::{Event, Stamp};

const CLUSTERS: u64 = 20;
const NAMESPACES: u64 = 25;
const WORKLOADS: u64 = 10;
/// Ten million in a year.
const BETWEEN_BEGINS_MS: i64 = 3_154;
/// Runs that one digest has before its workload gets the next.
const RUNS_OF_A_DIGEST: u64 = 40;
/// 2026-01-01T00:00:00Z.
const BEGAN_MS: i64 = 1_767_225_600_000;

/// Numbers that look random and are the same each time. Source: Knuth's MMIX constants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Luck(u64);

impl Luck {
    pub(super) fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        let Self(state) = self;
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % end.max(1)
    }
}

/// Some runs, from their seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shop {
    runs: u32,
    seed: u64,
}

impl Shop {
    pub(super) fn of(runs: u32, seed: u64) -> Self {
        Self { runs, seed }
    }

    pub(super) fn runs(&self) -> u32 {
        self.runs
    }

    pub(super) fn began(&self) -> Timestamp {
        Timestamp::from_millis(BEGAN_MS)
    }

    /// Somewhere, and a workload there.
    pub(super) fn place(&self, luck: &mut Luck) -> (ClusterId, Reported, Reported) {
        let cluster = format!("5e1f0000-0000-4000-8000-{:012}", luck.below(CLUSTERS));
        let namespace = format!("team-{}", luck.below(NAMESPACES));
        let workload = format!("deployment/app-{}", luck.below(WORKLOADS));
        let cluster = ClusterId::try_from(cluster).expect("a uid is an identity");
        (cluster, Reported::of(&namespace), Reported::of(&workload))
    }

    /// Begins and ends, in the order of the begins.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut luck = Luck::of(self.seed);
        let mut events = Vec::new();
        for number in 0..self.runs {
            let began = BEGAN_MS + i64::from(number) * BETWEEN_BEGINS_MS;
            let (run, ended) = self.run(&mut luck, number, began);
            let mut say = |claim: ContainerRunClaim| {
                let id = EventId::new(claim.seen, events.len() as u128 + 1);
                let actor = Actor::new("watcher", Proof::Token).expect("a literal name");
                let stamp = Stamp { id, at: claim.seen, actor, cause: None, imported: None };
                events.push(Event { stamp, claim: Claim::ContainerRun(claim) });
            };
            say(run.clone());
            if let Some(at) = ended {
                let deleted = Some(at.plus_millis(-1_000));
                let change =
                    RunChange::Ended { ended: Moment::Exact { at }, exit_code: Some(0), deleted };
                let seen = at.plus_millis(200);
                let key = ContainerRunClaim::key_of(run.run, seen, &change);
                say(ContainerRunClaim { key, seen, change, ..run });
            }
        }
        events
    }

    fn run(
        &self,
        luck: &mut Luck,
        number: u32,
        began: i64,
    ) -> (ContainerRunClaim, Option<Timestamp>) {
        let (cluster, namespace, workload) = self.place(luck);
        let words = luck.below(u64::from(self.runs) / RUNS_OF_A_DIGEST + 1);
        let digest = Digest::sha256(format!("{words}").as_bytes());
        let unique = Digest::sha256(format!("{} {number}", self.seed).as_bytes()).hex();
        let uid = format!(
            "{}-{}-4{}-8{}-{}",
            &unique[..8],
            &unique[8..12],
            &unique[13..16],
            &unique[17..20],
            &unique[20..32]
        );
        let container_id = format!("containerd://{unique}");
        let app = workload.as_str().trim_start_matches("deployment/").to_owned();
        let began = Timestamp::from_millis(began).to_second();
        let image = format!("registry.example.com/{namespace}/{app}");
        let run = RunId::of(&cluster, &uid, &app, &container_id);
        let change = RunChange::Began(Box::new(RunBegan {
            pod: Reported::of(&format!("{app}-{}-{}", &unique[40..50], &unique[50..55])),
            pod_uid: Reported::of(&uid),
            workload,
            container: Reported::of(&app),
            role: RunRole::Main,
            container_id: Reported::of(&container_id),
            node: Some(Reported::of(&format!("node-{}.internal", luck.below(200)))),
            reference: Reported::of(&format!("{image}:20260317-143958-prod@{digest}")),
            image_id: Reported::of(&format!("{image}@{digest}")),
            began: Moment::Exact { at: began },
            created: Some(began.plus_millis(-2_000)),
            restarts: 0,
            missed: 0,
            changed_in_place: false,
            node_info: None,
        }));
        let seen = began.plus_millis(300);
        let key = ContainerRunClaim::key_of(run, seen, &change);
        let claim =
            ContainerRunClaim { key, run, cluster, namespace, digest: Some(digest), seen, change };
        let seconds = match luck.below(10) {
            0..=5 => 1 + luck.below(300),
            6..=8 => 300 + luck.below(6 * 3_600),
            _ => 6 * 3_600 + luck.below(14 * 86_400),
        };
        let ends = luck.below(50) > 0;
        let ended = began.plus_millis(i64::try_from(seconds * 1_000).unwrap_or(i64::MAX));
        (claim, ends.then_some(ended))
    }
}
