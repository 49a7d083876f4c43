//! A busy cluster whose watcher is killed, stopped, cut off and left without answers: what the record says in the end
//! is compared with what really was.
//!
//! ```text
//! watch · kill -9 with half a batch written · start · 410 Gone · half dead · stop · start …
//! ```
//! The world is a script, so that it knows. Below the API server: what comes over its wire is told by the tests of
//! `adapters/cluster`. The record is a true one, and each start reads from it what it goes on with.

mod signs;
mod two;

use super::Writer;
use crate::record_local::LocalRecord;
use crate::seam::{Record, each_run};
use crate::surroundings::Surroundings;
use crate::watch::meters::Meters;
use crate::watch::scene::Scene;
use crate::watch::{WatchAt, standing};
use ::record::claim::{ClusterId, Moment};
use ::record::{Run, RunQuestion, Span, Watched, gaps_of};
use domain::{Actor, Digest, Proof, Timestamp};
use release::observed::{
    Container, ContainerState, Node, NodeState, Owner, Phase, Pod, Previous, Report, Role, Tracker,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tokio::sync::Notify;

/// Runs in the test of every day, and with `--long`.
const RUNS: usize = 1_500;
const RUNS_LONG: usize = 10_000;
/// Pods at one time.
const PODS: usize = 60;

/// 2026-03-17T14:40:00Z and so many seconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_773_758_400_000 + seconds * 1_000)
}

struct Luck(u64);

impl Luck {
    /// Source: Knuth's MMIX constants.
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// A container run as it was.
#[derive(Clone, Debug)]
struct Truth {
    id: String,
    began: i64,
    ended: Option<i64>,
}

/// A pod, and its runs by their places in the truth.
struct TruePod {
    uid: String,
    version: u64,
    runs: Vec<usize>,
}

/// What happens, and what the API server says of it.
struct World {
    clock: Arc<AtomicI64>,
    luck: Luck,
    truth: Vec<Truth>,
    pods: Vec<TruePod>,
    version: u64,
}

impl World {
    fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// A second passes, and up to three things happen in it.
    fn second(&mut self) -> Vec<Report> {
        self.clock.fetch_add(1, Ordering::Relaxed);
        let things = self.luck.below(4);
        (0..things).map(|_| self.thing()).collect()
    }

    fn thing(&mut self) -> Report {
        self.version += 1;
        let at = self.luck.below(PODS);
        if at >= self.pods.len() {
            let uid = format!("pod-{}", self.truth.len());
            self.pods.push(TruePod { uid, version: 0, runs: Vec::new() });
            let last = self.pods.len() - 1;
            self.start(last);
            return Report::Pod(Box::new(self.pod(last)));
        }
        self.pods[at].version = self.version;
        let is_open = self.truth[*self.pods[at].runs.last().unwrap()].ended.is_none();
        match (self.luck.below(5), is_open) {
            // Deleted: with its last state, or by force.
            (0, _) => {
                let is_forced = self.luck.below(2) == 0;
                let before = self.pod(at);
                self.end(at);
                let last = if is_forced { before } else { self.pod(at) };
                self.pods.swap_remove(at);
                return Report::Gone(Box::new(last));
            }
            (1, true) => self.end(at),
            (_, true) => {
                self.end(at);
                self.start(at);
            }
            (_, false) => self.start(at),
        }
        Report::Pod(Box::new(self.pod(at)))
    }

    fn start(&mut self, at: usize) {
        let began = self.now();
        let id = format!("containerd://{}", self.truth.len());
        self.pods[at].runs.push(self.truth.len());
        self.pods[at].version = self.version;
        self.truth.push(Truth { id, began, ended: None });
    }

    fn end(&mut self, at: usize) {
        let now = self.now();
        let last = *self.pods[at].runs.last().unwrap();
        self.truth[last].ended.get_or_insert(now);
    }

    fn list(&self) -> Vec<Report> {
        let pods = (0..self.pods.len()).map(|at| Report::Pod(Box::new(self.pod(at))));
        [Report::ListBegins].into_iter().chain(pods).chain([Report::ListEnds]).collect()
    }

    /// As a kubelet tells of it: the last run, and the one before it.
    fn pod(&self, place: usize) -> Pod {
        let pod = &self.pods[place];
        let runs: Vec<&Truth> = pod.runs.iter().map(|run| &self.truth[*run]).collect();
        let (last, before) = runs.split_last().unwrap();
        let state = match last.ended {
            None => ContainerState::Running { since: Some(at(last.began)) },
            Some(ended) => ContainerState::Ended {
                started: Some(at(last.began)),
                finished: Some(at(ended)),
                exit_code: 1,
            },
        };
        Pod {
            namespace: "shop".to_owned(),
            name: pod.uid.clone(),
            uid: pod.uid.clone(),
            version: Some(pod.version),
            created: Some(at(runs[0].began)),
            deleted: None,
            node: Some("node-a".to_owned()),
            owner: Owner { kind: "deployment".to_owned(), name: "api".to_owned() },
            phase: Phase::Running,
            containers: vec![Container {
                name: "api".to_owned(),
                role: Role::Main,
                reference: "registry.example.com/shop/api:uat".to_owned(),
                image_id: format!("registry.example.com/shop/api@{}", Digest::sha256(b"api")),
                container_id: last.id.clone(),
                state,
                restarts: u32::try_from(before.len()).unwrap(),
                previous: before.last().map(|run| Previous {
                    container_id: run.id.clone(),
                    started: Some(at(run.began)),
                    finished: run.ended.map(at),
                    exit_code: 1,
                }),
            }],
        }
    }
}

/// One life of a watcher.
struct Watcher<'a> {
    writer: Writer<'a>,
    tracker: Tracker,
    nodes_known: Notify,
}

impl<'a> Watcher<'a> {
    async fn start(around: &'a Around, record: &'a LocalRecord) -> Self {
        let (runs, alive) = standing(record, &around.cluster, None).await.unwrap();
        let tracker = Tracker::resume(around.cluster.clone(), &runs, alive);
        let Around { surroundings, cluster, at, scene, meters } = around;
        let writer = Writer::new(surroundings, record, cluster.clone(), at, scene, meters);
        let mut watcher = Self { writer, tracker, nodes_known: Notify::new() };
        let node = Node { name: "node-a".to_owned(), state: NodeState::Answers, info: None };
        watcher.sees(&[Report::Nodes(vec![node])]);
        watcher
    }

    fn sees(&mut self, reports: &[Report]) {
        for report in reports {
            self.writer.take(&mut self.tracker, report, &self.nodes_known, &|_| ());
        }
        self.writer.sign(&self.tracker);
    }

    async fn keeps(&mut self) {
        self.writer.append_all().await.unwrap();
    }

    /// The process ends while it writes: a part of what waits is in the record. Says whether that was all.
    async fn dies(mut self, luck: &mut Luck) -> bool {
        let waiting = self.writer.pending.len();
        let written = luck.below(waiting + 1);
        self.writer.pending.truncate(written);
        self.keeps().await;
        written == waiting
    }
}

/// What a watcher has around it.
struct Around {
    surroundings: Surroundings,
    cluster: ClusterId,
    at: WatchAt,
    scene: Scene,
    meters: Meters,
}

fn around(clock: &Arc<AtomicI64>) -> Around {
    around_ahead(clock, 0)
}

/// A watcher whose clock is so many seconds ahead of the nodes', and whose luck is its own.
fn around_ahead(clock: &Arc<AtomicI64>, ahead: i64) -> Around {
    let (clock, made) = (Arc::clone(clock), AtomicU64::new(1 + (ahead.unsigned_abs() << 32)));
    let surroundings = Surroundings {
        cwd: "/".into(),
        variables: BTreeMap::new(),
        clock: Arc::new(move || at(clock.load(Ordering::Relaxed) + ahead)),
        entropy: Arc::new(move || u128::from(made.fetch_add(1, Ordering::Relaxed)) << 20),
    };
    Around {
        surroundings,
        cluster: "cluster-1".parse().unwrap(),
        at: WatchAt { context: "prod-eu".to_owned(), namespace: None },
        scene: Scene::of(&[]),
        meters: Meters::default(),
    }
}

/// Stretches in which everything that happened reached a watcher and the record, as the script knows them.
type Seen = Vec<(i64, i64)>;

async fn live(world: &mut World, around: &Around, record: &LocalRecord, runs: usize) -> Seen {
    let mut seen = Vec::new();
    let mut lives = 0;
    while world.truth.len() < runs {
        let mut watcher = Watcher::start(around, record).await;
        watcher.sees(&world.list());
        watcher.keeps().await;
        let mut since = world.now();
        let mut kept = since;
        for _ in 0..=world.luck.below(4) {
            for _ in 0..=world.luck.below(150) {
                watcher.sees(&world.second());
                if world.luck.below(8) == 0 {
                    watcher.sees(&[Report::Alive]);
                    watcher.keeps().await;
                }
            }
            // The watch is lost with what it had on its way, 410, or half dead: nothing comes, and nobody knows.
            watcher.keeps().await;
            seen.push((since, world.now()));
            for _ in 0..world.luck.below(20) {
                drop(world.second());
            }
            watcher.sees(&world.list());
            watcher.keeps().await;
            (since, kept) = (world.now(), world.now());
        }
        let reports = world.second();
        watcher.sees(&reports);
        lives += 1;
        let is_whole = if lives % 2 == 0 {
            watcher.writer.finish(&watcher.tracker).await.unwrap();
            true
        } else {
            watcher.dies(&mut world.luck).await
        };
        seen.push((since, if is_whole { world.now() } else { kept }));
        for _ in 0..world.luck.below(60) {
            drop(world.second());
        }
    }
    // One more list by somebody who goes on watching: what is open now, runs.
    let mut watcher = Watcher::start(around, record).await;
    watcher.sees(&world.list());
    watcher.keeps().await;
    seen.push((world.now(), world.now()));
    seen
}

#[expect(clippy::disallowed_methods, reason = "how long a test is, is said to it from outside")]
fn runs_wanted() -> usize {
    if std::env::var_os("INDELIBLE_LONG").is_some() { RUNS_LONG } else { RUNS }
}

#[tokio::test]
async fn a_churn_is_recorded_whole_where_it_was_watched_and_every_gap_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(AtomicI64::new(0));
    let around = around(&clock);
    let actor = Actor::new("watcher", Proof::Token).unwrap();
    let path = folder.path().join("record.db");
    let record = LocalRecord::at(path, "local", actor, around.surroundings.clone());
    let mut world =
        World { clock, luck: Luck(11), truth: Vec::new(), pods: Vec::new(), version: 0 };
    let seen = live(&mut world, &around, &record, runs_wanted()).await;
    let mut runs = HashMap::new();
    let watched = each_run(&record, &RunQuestion::default(), |run: Run| {
        let id = run.began.container_id.to_string();
        assert!(runs.insert(id, run).is_none(), "a run stands twice");
    })
    .await
    .unwrap();
    assert_eq!(record.verify().await.unwrap().branch, None);
    what_was_seen_is_recorded(&world.truth, &seen, &runs);
    what_is_recorded_was_so(&world.truth, &runs, 0);
    what_was_not_watched_is_a_gap(&world, &seen, &runs, &watched);
}

fn what_was_seen_is_recorded(truth: &[Truth], seen: &Seen, runs: &HashMap<String, Run>) {
    let is_seen = |began: i64| seen.iter().any(|(from, last)| *from < began && began <= *last);
    let wanted: Vec<&Truth> = truth.iter().filter(|one| is_seen(one.began)).collect();
    assert!(wanted.len() > truth.len() / 3, "{} of {} began watched", wanted.len(), truth.len());
    assert!(wanted.len() < truth.len(), "the watcher never looked away");
    println!(
        "{} container runs: {} began watched in {} stretches and are recorded, {} are recorded in all",
        truth.len(),
        wanted.len(),
        seen.len(),
        runs.len()
    );
    for one in wanted {
        let run = runs.get(&one.id).unwrap_or_else(|| panic!("{one:?} is not in the record"));
        assert_eq!(run.began.began, Moment::Exact { at: at(one.began) }, "{one:?}");
    }
}

/// A bound is as good as the clock of who said it: `apart` is how many seconds that may be wrong.
fn what_is_recorded_was_so(truth: &[Truth], runs: &HashMap<String, Run>, apart: i64) {
    let slack = apart * 1_000;
    let truth: HashMap<&str, &Truth> = truth.iter().map(|one| (one.id.as_str(), one)).collect();
    for (id, run) in runs {
        let one = truth[id.as_str()];
        assert_eq!(run.from(), at(one.began), "{one:?}");
        let ended = run.ended.map(|ended| ended.ended);
        let is_so = match (one.ended.map(at), ended) {
            (None, None) => true,
            (Some(truly), Some(Moment::Exact { at })) => truly == at,
            (Some(truly), Some(Moment::Bounded { after, until })) => {
                after.is_some_and(|after| after.plus_millis(-slack) <= truly)
                    && truly <= until.plus_millis(slack)
            }
            // A node that answers leaves no doubt, and what has ended does not run.
            (Some(_), None | Some(Moment::Unconfirmed { .. })) | (None, Some(_)) => false,
        };
        assert!(is_so, "{one:?} is recorded as {ended:?}");
    }
}

fn what_was_not_watched_is_a_gap(
    world: &World,
    seen: &Seen,
    runs: &HashMap<String, Run>,
    watched: &[Watched],
) {
    // Long after the last sign of life: no stretch counts as going on.
    let later = at(world.now() + 3_600);
    for one in watched {
        let is_true =
            seen.iter().any(|(from, last)| at(*from) <= one.from && one.last <= at(*last));
        assert!(is_true, "nobody watched from {} until {}", one.from, one.last);
    }
    let stretches: Vec<&Watched> = watched.iter().collect();
    let gaps = gaps_of(&stretches, &Span::ALL, later);
    for one in world.truth.iter().filter(|one| !runs.contains_key(&one.id)) {
        let ended = one.ended.map(at);
        assert!(ended.is_some(), "{one:?} runs, and is not in the record");
        let is_declared = gaps.iter().any(|(from, until)| {
            from.is_none_or(|from| from <= at(one.began))
                && until.is_none_or(|until| ended <= Some(until))
        });
        assert!(is_declared, "{one:?} is not in the record, and no gap holds it");
    }
}
