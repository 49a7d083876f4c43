//! A small cluster: pods whose containers start, end and restart, and what its API server says of them.

use domain::{Digest, Timestamp};
use record::claim::{Claim, ClusterId};
use record::fuzz::story::Story;
use record::{Run, runs};
use release::observed::{
    Container, ContainerState, Node, NodeState, Owner, Phase, Pod, Previous, Report, Role, Tracker,
};

/// A moment on the day of all tests.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_773_756_000_000).plus_millis(seconds * 1_000)
}

/// A container that ran or runs, as it really was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) id: String,
    pub(crate) began: i64,
    pub(crate) ended: Option<i64>,
}

/// A pod, and all runs of its one container, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct TruePod {
    pub(crate) uid: String,
    pub(crate) image: String,
    pub(crate) runs: Vec<Truth>,
    /// What it has besides: init and ephemeral containers, and another one.
    pub(crate) others: Vec<Other>,
    pub(crate) version: Option<u64>,
}

/// A container beside the first one.
#[derive(Clone, Debug)]
pub(crate) struct Other {
    name: String,
    role: Role,
    pub(crate) runs: Vec<Truth>,
}

impl TruePod {
    pub(crate) fn started(uid: &str, seconds: i64) -> Self {
        let (uid, image) = (uid.to_owned(), "uat".to_owned());
        let mut pod = Self { uid, image, runs: Vec::new(), others: Vec::new(), version: None };
        pod.start(seconds);
        pod
    }

    /// With an init container that has done its work, and a second one that runs.
    pub(crate) fn started_with_others(uid: &str, seconds: i64) -> Self {
        let mut pod = Self::started(uid, seconds);
        pod.add("migrate", Role::Init, seconds - 1);
        pod.others[0].runs[0].ended = Some(seconds);
        pod.add("log", Role::Main, seconds);
        pod
    }

    /// Another container starts in it.
    pub(crate) fn add(&mut self, name: &str, role: Role, seconds: i64) {
        let id = format!("containerd://{}-{name}-0", self.uid);
        let runs = vec![Truth { id, began: seconds, ended: None }];
        self.others.push(Other { name: name.to_owned(), role, runs });
    }

    /// Somebody looks into it with an ephemeral container.
    pub(crate) fn debug(&mut self, seconds: i64) {
        let name = format!("debug-{}", self.others.len());
        self.add(&name, Role::Ephemeral, seconds);
    }

    /// The containers beside the first that run are started again, but those that never are.
    pub(crate) fn restart_others(&mut self, ended: i64, started: i64) {
        for other in self.others.iter_mut().filter(|other| other.role == Role::Main) {
            let last = other.runs.last_mut().unwrap();
            if last.ended.is_none() {
                last.ended = Some(ended);
                let id = format!("containerd://{}-{}-{}", self.uid, other.name, other.runs.len());
                other.runs.push(Truth { id, began: started, ended: None });
            }
        }
    }

    /// Every run of every container.
    pub(crate) fn all_runs(&self) -> impl Iterator<Item = &Truth> {
        self.runs.iter().chain(self.others.iter().flat_map(|other| &other.runs))
    }

    pub(crate) fn start(&mut self, seconds: i64) {
        let id = format!("containerd://{}-{}", self.uid, self.runs.len());
        self.runs.push(Truth { id, began: seconds, ended: None });
    }

    /// All its containers end.
    pub(crate) fn end(&mut self, seconds: i64) {
        let others = self.others.iter_mut().map(|other| &mut other.runs);
        for runs in [&mut self.runs].into_iter().chain(others) {
            runs.last_mut().unwrap().ended.get_or_insert(seconds);
        }
    }

    pub(crate) fn restart(&mut self, ended: i64, started: i64) {
        self.runs.last_mut().unwrap().ended.get_or_insert(ended);
        self.start(started);
    }

    /// Somebody edits the image of the pod: its container ends, and another one starts.
    pub(crate) fn change(&mut self, ended: i64, started: i64) {
        self.image = format!("uat-{}", self.runs.len());
        self.restart(ended, started);
    }

    /// The pod as the API server has it: the last run, and the one before it.
    pub(crate) fn pod(&self) -> Pod {
        let first = container("api", Role::Main, &self.image, &self.runs);
        let others =
            self.others.iter().map(|other| container(&other.name, other.role, "log", &other.runs));
        Pod {
            namespace: "shop".to_owned(),
            name: self.uid.clone(),
            uid: self.uid.clone(),
            version: self.version,
            created: Some(at(self.runs[0].began)),
            deleted: None,
            node: Some("node-a".to_owned()),
            owner: Owner { kind: "deployment".to_owned(), name: "api".to_owned() },
            phase: Phase::Running,
            containers: [first].into_iter().chain(others).collect(),
        }
    }

    pub(crate) fn report(&self) -> Report {
        Report::Pod(Box::new(self.pod()))
    }

    pub(crate) fn gone(&self) -> Report {
        Report::Gone(Box::new(self.pod()))
    }
}

/// A container as its kubelet tells of it: the last run, and the one before it.
fn container(name: &str, role: Role, image: &str, runs: &[Truth]) -> Container {
    let (last, before) = runs.split_last().unwrap();
    let state = match last.ended {
        None => ContainerState::Running { since: Some(at(last.began)) },
        Some(ended) => ContainerState::Ended {
            started: Some(at(last.began)),
            finished: Some(at(ended)),
            exit_code: 1,
        },
    };
    let previous = before.last().map(|run| Previous {
        container_id: run.id.clone(),
        started: Some(at(run.began)),
        finished: run.ended.map(at),
        exit_code: 1,
    });
    let digest = Digest::sha256(image.as_bytes());
    Container {
        name: name.to_owned(),
        role,
        reference: format!("registry.example.com/shop/{name}:{image}"),
        image_id: format!("registry.example.com/shop/{name}@{digest}"),
        container_id: last.id.clone(),
        state,
        restarts: u32::try_from(before.len()).unwrap(),
        previous,
    }
}

/// A watcher, and the record that it writes.
pub(crate) struct Watcher {
    pub(crate) tracker: Tracker,
    node: NodeState,
    story: Story,
    keys: std::collections::BTreeSet<String>,
}

fn cluster_id() -> ClusterId {
    ClusterId::try_from("cluster-1".to_owned()).unwrap()
}

impl Watcher {
    /// A first watcher, of a cluster whose one node answers.
    pub(crate) fn new() -> Self {
        let tracker = Tracker::resume(cluster_id(), &[], None);
        let (node, story) = (NodeState::Answers, Story::new());
        let mut watcher = Self { tracker, node, story, keys: Default::default() };
        watcher.nodes(0);
        watcher
    }

    fn nodes(&mut self, seconds: i64) {
        self.sees(
            &Report::Nodes(vec![Node { name: "node-a".to_owned(), state: self.node, info: None }]),
            seconds,
        );
    }

    /// The node falls silent, or answers again.
    pub(crate) fn node(&mut self, state: NodeState, seconds: i64) {
        self.node = state;
        let report = Report::Node(Node { name: "node-a".to_owned(), state, info: None });
        self.sees(&report, seconds);
    }

    /// The claims that this report brought about and that the record did not have.
    pub(crate) fn sees(&mut self, report: &Report, seconds: i64) -> usize {
        let mut new = 0;
        for claim in self.tracker.apply(report, at(seconds)) {
            // As a record does: what stands under a key stays.
            if self.keys.insert(claim.key.to_string()) {
                new += 1;
                self.story.say(Claim::ContainerRun(claim));
            }
        }
        new
    }

    pub(crate) fn lists(&mut self, pods: &[TruePod], seconds: i64) {
        self.sees(&Report::ListBegins, seconds);
        for pod in pods {
            self.sees(&pod.report(), seconds);
        }
        self.sees(&Report::ListEnds, seconds);
    }

    /// The program ends and another one begins, from what is recorded.
    pub(crate) fn restarts(&mut self, seconds: i64) {
        let alive = self.tracker.alive();
        self.tracker = Tracker::resume(cluster_id(), &self.runs(), alive);
        self.nodes(seconds);
    }

    pub(crate) fn runs(&self) -> Vec<Run> {
        runs(self.story.events())
    }
}
