//! From what a cluster reports to container runs: what began, what ended, and how sharply that is known.
//!
//! ```text
//! api-1/api containerd://c1 running since 14:40        ->  began, exact
//! api-1/api containerd://c2 running, c1 ended 15:02    ->  c1 ended, exact · c2 began, exact
//! the watch was lost, and api-1 is not listed any more ->  c2 ended, bounded (last sign of life, list]
//! ```
//! Keyed on the container id: a restart in place keeps the pod, and an image may change inside one (research/deploy.md
//! §2.4). A pure fold: the clock is an argument, and saying the same again changes nothing.

mod buried;
mod container;

use super::pod::Pod;
use super::report::{Node, NodeState, Report};
use super::words::Words;
use buried::Buried;
use container::Known;
use domain::Timestamp;
use record::Run;
use record::claim::{ClusterId, ContainerRunClaim, Moment, NodeInfo, Reported, RunChange, RunId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A report tells of a moment before it came: so long it may have been on its way, in milliseconds.
const UNDER_WAY_MAX_MS: i64 = 5_000;

/// What is known of one cluster's containers.
#[derive(Clone, Debug)]
pub struct Tracker {
    cluster: ClusterId,
    pods: HashMap<Box<str>, Tracked>,
    buried: Buried,
    /// None: nobody may list them, so that it is not known whether a node answers.
    nodes: Option<HashMap<Box<str>, NodeState>>,
    infos: Arc<Infos>,
    list: u64,
    is_listing: bool,
    alive: Option<Timestamp>,
    words: Words,
}

/// What is known of one pod; names and images are kept for what is said at its end.
#[derive(Clone, Debug)]
struct Tracked {
    namespace: Arc<str>,
    node: Option<Arc<str>>,
    deleted: Option<Timestamp>,
    version: Option<u64>,
    /// The list that named it last.
    list: u64,
    /// Its API server has forgotten it; its node has not said that it ended.
    is_orphan: bool,
    known: Vec<Known>,
}

/// What the nodes are.
type Infos = HashMap<Box<str>, NodeInfo>;

/// What a report brings about.
struct Said<'a> {
    cluster: &'a ClusterId,
    infos: &'a Infos,
    seen: Timestamp,
    claims: Vec<ContainerRunClaim>,
}

impl Tracker {
    /// Goes on where the record stands: `runs` are those of this cluster, `alive` is the last sign of life of whoever
    /// watched it.
    #[must_use]
    pub fn resume(cluster: ClusterId, runs: &[Run], alive: Option<Timestamp>) -> Self {
        let mut tracker = Self {
            cluster,
            pods: HashMap::new(),
            buried: Buried::default(),
            nodes: None,
            infos: Arc::default(),
            list: 0,
            is_listing: false,
            alive,
            words: Words::default(),
        };
        for run in runs.iter().filter(|run| run.cluster == tracker.cluster) {
            let words = &mut tracker.words;
            let pod = tracker.pods.entry(run.began.pod_uid.as_str().into());
            let pod = pod.or_insert_with(|| Tracked {
                namespace: words.keep(run.namespace.as_str()),
                node: run.began.node.as_ref().map(|node| words.keep(node.as_str())),
                deleted: None,
                version: None,
                list: 0,
                is_orphan: false,
                known: Vec::new(),
            });
            container::push(&mut pod.known, Known::of(run, words));
            container::forget_old(&mut pod.known, run.began.container.as_str());
        }
        tracker
    }

    /// Up to when everything that happened was reported; none: nothing was listed yet.
    #[must_use]
    pub fn alive(&self) -> Option<Timestamp> {
        self.alive
    }

    /// The last moment of which all reports have come for sure.
    fn settled(&self) -> Option<Timestamp> {
        self.alive.map(|alive| alive.plus_millis(-UNDER_WAY_MAX_MS))
    }

    /// How many containers run, as far as is known.
    #[must_use]
    pub fn open(&self) -> usize {
        self.pods.values().flat_map(|pod| &pod.known).filter(|known| known.is_open()).count()
    }

    /// Takes a report in; `now` is when it came, by the watcher's clock.
    pub fn apply(&mut self, report: &Report, now: Timestamp) -> Vec<ContainerRunClaim> {
        match report {
            Report::Nodes(nodes) => nodes.iter().for_each(|node| self.know(node)),
            Report::Node(node) => self.know(node),
            Report::ListBegins
            | Report::Pod(_)
            | Report::ListEnds
            | Report::Gone(_)
            | Report::Alive
            | Report::NodeGone(_) => {}
        }
        let (cluster, infos) = (self.cluster.clone(), Arc::clone(&self.infos));
        let mut said = Said { cluster: &cluster, infos: &infos, seen: now, claims: Vec::new() };
        match report {
            Report::ListBegins => {
                self.list += 1;
                self.is_listing = true;
            }
            Report::Pod(pod) => self.pod(pod, &mut said),
            Report::ListEnds => {
                self.close_missing(&mut said);
                self.is_listing = false;
                self.confirm_listed(&mut said);
            }
            Report::Gone(pod) => self.gone(pod, &mut said),
            Report::Alive => {}
            Report::Nodes(nodes) => self.all_nodes(nodes, &mut said),
            Report::Node(node) => self.node(&node.name, node.state, &mut said),
            Report::NodeGone(name) => self.node_gone(name, &mut said),
        }
        match report {
            Report::ListBegins | Report::Nodes(_) | Report::Node(..) | Report::NodeGone(_) => {}
            // A list says nothing about what came and went before it was complete.
            Report::Pod(_) | Report::Gone(_) | Report::Alive if self.is_listing => {}
            Report::Pod(_) | Report::Gone(_) | Report::Alive | Report::ListEnds => {
                self.alive = self.alive.max(Some(now));
            }
        }
        said.claims
    }

    /// Remembers what a node is; it tells the same again and again.
    fn know(&mut self, node: &Node) {
        let Some(info) = &node.info else { return };
        if self.infos.get(node.name.as_str()) != Some(info) {
            Arc::make_mut(&mut self.infos).insert(node.name.as_str().into(), info.clone());
        }
    }

    /// Takes a pod's state in, unless the report is old. What is listed is never old: after its store was restored an
    /// API server counts on from an older version, and pods may be there again that were gone.
    fn pod(&mut self, pod: &Pod, said: &mut Said<'_>) {
        if self.is_listing {
            self.buried.dig_up(&pod.uid);
        } else if self.buried.holds(&pod.uid) {
            return;
        }
        let (list, alive) = (self.list, self.settled());
        let words = &mut self.words;
        let tracked = self.pods.entry(pod.uid.as_str().into());
        let tracked = tracked.or_insert_with(|| Tracked {
            namespace: words.keep(&pod.namespace),
            node: None,
            deleted: None,
            version: None,
            list,
            is_orphan: false,
            known: Vec::new(),
        });
        tracked.list = list;
        let is_old = |known: u64| pod.version.is_some_and(|version| version <= known);
        if self.is_listing {
            tracked.is_orphan = false;
        } else if tracked.version.is_some_and(is_old) {
            return;
        }
        tracked.version = pod.version.or(tracked.version);
        tracked.node = pod.node.as_deref().map(|node| words.keep(node)).or(tracked.node.take());
        tracked.deleted = pod.deleted.or(tracked.deleted);
        for container in &pod.containers {
            container::take_in(&mut tracked.known, (pod, container), alive, words, said);
        }
    }

    fn gone(&mut self, pod: &Pod, said: &mut Said<'_>) {
        if self.buried.holds(&pod.uid) {
            return;
        }
        self.pod(pod, said);
        self.leave(&pod.uid, said);
    }

    /// Everything that stands in no list any more is gone; when, lies between two signs of life.
    fn close_missing(&mut self, said: &mut Said<'_>) {
        let is_missing = |pod: &&Tracked| pod.list != self.list && !pod.is_orphan;
        let missing: Vec<Box<str>> = self
            .pods
            .iter()
            .filter(|(_, pod)| is_missing(pod))
            .map(|(uid, _)| uid.clone())
            .collect();
        for uid in missing {
            self.leave(&uid, said);
        }
    }

    /// What was doubted before the list and stands in it, on a node that answers, runs.
    fn confirm_listed(&mut self, said: &mut Said<'_>) {
        let Some(nodes) = &self.nodes else { return };
        for pod in self.pods.values_mut().filter(|pod| !pod.is_orphan) {
            let node = pod.node.as_deref().and_then(|name| nodes.get(name));
            if node == Some(&NodeState::Answers) {
                pod.confirm(said);
            }
        }
    }

    /// A pod that its API server has forgotten: what of it was seen to run has ended, unless its node is silent.
    fn leave(&mut self, uid: &str, said: &mut Said<'_>) {
        let Some(mut pod) = self.pods.remove(uid) else { return };
        let node = pod.node.as_deref().and_then(|name| self.nodes.as_ref()?.get(name).copied());
        match node {
            Some(NodeState::Answers) => pod.end(self.settled(), said, bounded),
            // It may run on: nobody can stop it, or say that it stopped.
            Some(NodeState::Silent { since }) => {
                pod.doubt(doubted_since(since, self.settled()).unwrap_or(said.seen), said);
                if pod.known.iter().any(Known::is_open) {
                    pod.is_orphan = true;
                    self.pods.insert(uid.into(), pod);
                    return;
                }
            }
            None => pod.end(self.settled(), said, unconfirmed),
        }
        self.buried.bury(uid);
    }

    fn all_nodes(&mut self, nodes: &[Node], said: &mut Said<'_>) {
        let old = self.nodes.replace(HashMap::new()).unwrap_or_default();
        for node in nodes {
            self.node(&node.name, node.state, said);
        }
        let names: HashSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        for name in old.keys().filter(|name| !names.contains(&***name)) {
            self.node_gone(name, said);
        }
    }

    fn node(&mut self, name: &str, state: NodeState, said: &mut Said<'_>) {
        self.nodes.get_or_insert_default().insert(name.into(), state);
        let alive = self.settled();
        let is_current = self.list > 0 && !self.is_listing;
        let mut left = Vec::new();
        for (uid, pod) in self.on_node(name) {
            match state {
                NodeState::Silent { since } => {
                    pod.doubt(doubted_since(since, alive).unwrap_or(said.seen), said);
                }
                // What was forgotten meanwhile is stopped by a kubelet as soon as it is back.
                NodeState::Answers if pod.is_orphan => left.push(uid.clone()),
                NodeState::Answers if is_current => pod.confirm(said),
                // Whether it still stands in the API is known when the list is complete.
                NodeState::Answers => {}
            }
        }
        for uid in left {
            let Some(mut pod) = self.pods.remove(&uid) else { continue };
            pod.end(self.settled(), said, bounded);
            self.buried.bury(&uid);
        }
    }

    /// Nobody can ask this node any more; pods that still stand in the API are deleted by the control plane.
    fn node_gone(&mut self, name: &str, said: &mut Said<'_>) {
        self.nodes.get_or_insert_default().remove(name);
        if self.infos.contains_key(name) {
            Arc::make_mut(&mut self.infos).remove(name);
        }
        let orphans = self.on_node(name).filter(|(_, pod)| pod.is_orphan);
        let orphans: Vec<Box<str>> = orphans.map(|(uid, _)| uid.clone()).collect();
        for uid in orphans {
            let Some(mut pod) = self.pods.remove(&uid) else { continue };
            pod.end(self.settled(), said, unconfirmed);
            self.buried.bury(&uid);
        }
    }

    fn on_node(&mut self, name: &str) -> impl Iterator<Item = (&Box<str>, &mut Tracked)> {
        self.pods.iter_mut().filter(move |(_, pod)| pod.node.as_deref() == Some(name))
    }
}

/// A node that answered then said nothing of what came after all reports of its pods: the watch may have been lost.
fn doubted_since(since: Option<Timestamp>, settled: Option<Timestamp>) -> Option<Timestamp> {
    since.map_or(settled, |since| Some(settled.map_or(since, |settled| since.min(settled))))
}

fn bounded(after: Timestamp, until: Timestamp) -> Moment {
    Moment::Bounded { after: Some(after), until }
}

fn unconfirmed(after: Timestamp, until: Timestamp) -> Moment {
    Moment::Unconfirmed { after: Some(after), until }
}

impl Tracked {
    /// Ends what is open; the moment is made of when it was last known to run, and now.
    fn end(
        &mut self,
        alive: Option<Timestamp>,
        said: &mut Said<'_>,
        ended: fn(Timestamp, Timestamp) -> Moment,
    ) {
        let deleted = self.deleted;
        for known in self.known.iter_mut().filter(|known| known.is_open()) {
            let after = known.last_known(alive);
            let ended = ended(after, said.seen.max(after));
            said.change(
                &self.namespace,
                known,
                RunChange::Ended { ended, exit_code: None, deleted },
            );
            known.close();
        }
    }

    fn doubt(&mut self, since: Timestamp, said: &mut Said<'_>) {
        let is_sure = |known: &&mut Known| known.is_open() && !known.is_doubted();
        for known in self.known.iter_mut().filter(is_sure) {
            let since = since.max(known.began());
            said.change(&self.namespace, known, RunChange::Doubted { since });
            known.doubt(since);
        }
    }

    fn confirm(&mut self, said: &mut Said<'_>) {
        for known in self.known.iter_mut().filter(|known| known.is_doubted()) {
            said.change(&self.namespace, known, RunChange::Confirmed);
            known.confirm();
        }
    }
}

impl Said<'_> {
    fn change(&mut self, namespace: &str, known: &Known, change: RunChange) {
        self.say(namespace, known.id(), known.digest(), change);
    }

    fn say(
        &mut self,
        namespace: &str,
        run: RunId,
        digest: Option<domain::Digest>,
        change: RunChange,
    ) {
        self.claims.push(ContainerRunClaim {
            key: ContainerRunClaim::key_of(run, self.seen, &change),
            run,
            cluster: self.cluster.clone(),
            namespace: Reported::of(namespace),
            digest,
            seen: self.seen,
            change,
        });
    }
}
