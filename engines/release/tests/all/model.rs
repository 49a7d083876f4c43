//! Any history of a cluster, watched badly: the container runs are those that really were.
//!
//! Events are lost with the watch, come twice, come in another order, and the watcher restarts. What is recorded is
//! never wrong: an exact end is the end, a bounded one lies between its bounds, and what is open runs.

use crate::cluster::{TruePod, Watcher, at};
use proptest::prelude::*;
use record::claim::Moment;
use release::observed::NodeState;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
enum Step {
    Create,
    Restart(usize),
    Finish(usize),
    Delete(usize),
    ForceDelete(usize),
    ChangeImage(usize),
    RestartOther(usize),
    Debug(usize),
    NodeLost,
    NodeBack,
    /// The store of the API server comes from a backup: its versions begin again far below.
    Restore,
    LoseWatch,
    ListAgain,
    RestartWatcher,
    Bookmark,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Create),
        5 => any::<usize>().prop_map(Step::Restart),
        2 => any::<usize>().prop_map(Step::Finish),
        2 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::ForceDelete),
        1 => any::<usize>().prop_map(Step::ChangeImage),
        2 => any::<usize>().prop_map(Step::RestartOther),
        1 => any::<usize>().prop_map(Step::Debug),
        1 => Just(Step::NodeLost),
        2 => Just(Step::NodeBack),
        1 => Just(Step::Restore),
        1 => Just(Step::LoseWatch),
        1 => Just(Step::ListAgain),
        1 => Just(Step::RestartWatcher),
        1 => Just(Step::Bookmark),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Delivery {
    twice: bool,
    swapped: bool,
    versions: bool,
}

struct World {
    pods: Vec<TruePod>,
    gone: Vec<TruePod>,
    clock: i64,
    version: u64,
    made: usize,
    watcher: Watcher,
    is_watching: bool,
    /// Of those that are gone: which its silent node has not stopped yet.
    orphans: Vec<usize>,
    is_silent: bool,
    pending: Vec<release::observed::Report>,
    /// Steps that the reports have waited.
    held: usize,
    delivery: Delivery,
}

impl World {
    fn new(delivery: Delivery) -> Self {
        let mut watcher = Watcher::new();
        watcher.lists(&[], 1);
        Self {
            pods: Vec::new(),
            gone: Vec::new(),
            clock: 1,
            version: 0,
            made: 0,
            watcher,
            is_watching: true,
            orphans: Vec::new(),
            is_silent: false,
            pending: Vec::new(),
            held: 0,
            delivery,
        }
    }

    fn tick(&mut self) -> i64 {
        self.clock += 2;
        self.clock
    }

    fn touched(&mut self, at: usize) {
        self.version += 1;
        self.pods[at].version = self.delivery.versions.then_some(self.version);
        let report = self.pods[at].report();
        self.send(report);
    }

    fn send(&mut self, report: release::observed::Report) {
        if !self.is_watching {
            return;
        }
        if self.delivery.twice {
            self.pending.push(report.clone());
        }
        self.pending.push(report);
    }

    fn deliver(&mut self) {
        self.held = 0;
        let mut pending = std::mem::take(&mut self.pending);
        if self.delivery.swapped && self.delivery.versions {
            pending.reverse();
        }
        for report in pending {
            self.watcher.sees(&report, self.clock + 1);
        }
    }

    fn list(&mut self) {
        self.pending.clear();
        self.is_watching = true;
        self.watcher.lists(&self.pods, self.clock + 2);
    }

    fn take(&mut self, step: Step) {
        self.carry_out(step);
        // The reports of two steps come together, and may change places where versions tell which one is newer.
        self.held += usize::from(!self.pending.is_empty());
        if self.held >= 2 {
            self.deliver();
        }
    }

    fn carry_out(&mut self, step: Step) {
        let now = self.tick();
        match step {
            // A node that says nothing starts and ends nothing that anybody could know of.
            Step::Create
            | Step::Restart(_)
            | Step::Finish(_)
            | Step::Delete(_)
            | Step::ChangeImage(_)
            | Step::RestartOther(_)
            | Step::Debug(_)
                if self.is_silent => {}
            Step::ChangeImage(index) => {
                self.change(index, |pod| pod.change(now - 1, now));
            }
            Step::RestartOther(index) => {
                self.change(index, |pod| pod.restart_others(now - 1, now));
            }
            Step::Debug(index) => {
                self.change(index, |pod| pod.debug(now));
            }
            Step::NodeLost if !self.is_silent => {
                self.deliver();
                self.is_silent = true;
                self.watcher.node(NodeState::Silent { since: Some(at(now)) }, now + 1);
            }
            Step::NodeBack if self.is_silent => self.node_back(now),
            Step::NodeLost | Step::NodeBack => {}
            Step::Restore => self.restore(),
            Step::Create => self.create(now),
            Step::Restart(index) => {
                self.change(index, |pod| pod.restart(now - 1, now));
            }
            Step::Finish(index) => {
                self.change(index, |pod| pod.end(now));
            }
            Step::Delete(index) => {
                if let Some(at) = self.change(index, |pod| pod.end(now)) {
                    self.delete(at);
                }
            }
            Step::ForceDelete(index) => self.force_delete(index, now),
            Step::LoseWatch => {
                self.deliver();
                self.is_watching = false;
            }
            Step::ListAgain => {
                self.deliver();
                self.list();
            }
            Step::RestartWatcher => {
                self.deliver();
                self.watcher.restarts(self.clock + 1);
                self.list();
            }
            Step::Bookmark if self.is_watching => {
                self.deliver();
                self.watcher.sees(&release::observed::Report::Alive, self.clock + 1);
            }
            Step::Bookmark => {}
        }
    }

    fn pick(&self, index: usize) -> Option<usize> {
        index.checked_rem(self.pods.len())
    }

    /// Changes one of the pods, if there is any, and reports it.
    fn change(&mut self, index: usize, change: impl FnOnce(&mut TruePod)) -> Option<usize> {
        let at = self.pick(index)?;
        change(&mut self.pods[at]);
        self.touched(at);
        Some(at)
    }

    fn create(&mut self, now: i64) {
        self.made += 1;
        let uid = format!("pod-{}", self.made);
        let pod = match self.made % 2 {
            0 => TruePod::started(&uid, now),
            _ => TruePod::started_with_others(&uid, now),
        };
        self.pods.push(pod);
        self.touched(self.pods.len() - 1);
    }

    /// The kubelet kills it, which nobody is told; one that is cut off does so when it is back.
    fn force_delete(&mut self, index: usize, now: i64) {
        let Some(at) = self.pick(index) else { return };
        self.delete(at);
        match self.is_silent {
            true => self.orphans.push(self.gone.len() - 1),
            false => self.gone.last_mut().unwrap().end(now),
        }
    }

    /// The API server's store is an older one from now on.
    fn restore(&mut self) {
        self.deliver();
        self.version /= 3;
        for at in 0..self.pods.len() {
            self.version += 1;
            self.pods[at].version = self.delivery.versions.then_some(self.version);
        }
        self.list();
    }

    fn delete(&mut self, at: usize) {
        self.version += 1;
        let mut pod = self.pods.remove(at);
        pod.version = self.delivery.versions.then_some(self.version);
        self.send(pod.gone());
        self.gone.push(pod);
    }

    fn node_back(&mut self, now: i64) {
        self.deliver();
        self.is_silent = false;
        for orphan in std::mem::take(&mut self.orphans) {
            self.gone[orphan].end(now);
        }
        self.watcher.node(NodeState::Answers, now + 1);
    }

    /// Compares what is recorded with what was.
    fn check(mut self) {
        self.deliver();
        let now = self.tick();
        if self.is_silent {
            self.node_back(now);
        }
        self.tick();
        self.list();
        let truth: BTreeMap<&str, _> = self
            .pods
            .iter()
            .chain(&self.gone)
            .flat_map(TruePod::all_runs)
            .map(|run| (run.id.as_str(), run))
            .collect();
        let runs = self.watcher.runs();
        for run in &runs {
            let id = run.began.container_id.as_str();
            let truth = truth.get(id).unwrap_or_else(|| panic!("{id} never was"));
            assert_eq!(run.from(), at(truth.began), "{id}");
            match (run.ended.map(|ended| ended.ended), truth.ended.map(at)) {
                (None, None) => {}
                (Some(Moment::Exact { at }), Some(ended)) => assert_eq!(at, ended, "{id}"),
                (Some(Moment::Bounded { after, until }), Some(ended)) => {
                    assert!(after.is_none_or(|after| after <= ended) && ended <= until, "{id}");
                }
                (recorded, truth) => panic!("{id}: recorded {recorded:?}, truly {truth:?}"),
            }
        }
        // Of a pod that still stands, every run is recorded or counted as missed.
        for pod in &self.pods {
            let own: Vec<_> =
                runs.iter().filter(|run| run.began.pod_uid.as_str() == pod.uid).collect();
            let missed: usize = own.iter().map(|run| run.began.missed as usize).sum();
            let truly = pod.all_runs().count();
            assert!(own.len() + missed >= truly, "{}: {} + {missed}", pod.uid, own.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_recorded_is_what_was(
        steps in proptest::collection::vec(step(), 0..60),
        twice in any::<bool>(),
        swapped in any::<bool>(),
        versions in any::<bool>(),
    ) {
        let mut world = World::new(Delivery { twice, swapped, versions });
        for step in steps {
            world.take(step);
        }
        world.check();
    }
}

#[test]
fn while_the_watch_stands_every_run_is_recorded() {
    let mut world = World::new(Delivery { twice: true, swapped: false, versions: true });
    for round in 0..500 {
        world.take(Step::Create);
        world.take(Step::Restart(round));
        world.take(Step::Bookmark);
        world.take(Step::Delete(round / 2));
        world.deliver();
        if round % 50 == 0 {
            world.take(Step::RestartWatcher);
        }
    }
    let expected: usize =
        world.pods.iter().chain(&world.gone).map(|pod| pod.all_runs().count()).sum();
    assert_eq!(world.watcher.runs().len(), expected);
    world.check();
}
