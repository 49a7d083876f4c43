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

/// A pod of one container, and all its runs, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct TruePod {
    pub(crate) uid: String,
    pub(crate) image: String,
    pub(crate) runs: Vec<Truth>,
    pub(crate) version: Option<u64>,
}

impl TruePod {
    pub(crate) fn started(uid: &str, seconds: i64) -> Self {
        let mut pod =
            Self { uid: uid.to_owned(), image: "uat".to_owned(), runs: Vec::new(), version: None };
        pod.start(seconds);
        pod
    }

    pub(crate) fn start(&mut self, seconds: i64) {
        let id = format!("containerd://{}-{}", self.uid, self.runs.len());
        self.runs.push(Truth { id, began: seconds, ended: None });
    }

    pub(crate) fn end(&mut self, seconds: i64) {
        self.runs.last_mut().unwrap().ended.get_or_insert(seconds);
    }

    pub(crate) fn restart(&mut self, ended: i64, started: i64) {
        self.end(ended);
        self.start(started);
    }

    /// The pod as the API server has it: the last run, and the one before it.
    pub(crate) fn pod(&self) -> Pod {
        let (last, before) = self.runs.split_last().unwrap();
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
        let digest = Digest::sha256(self.image.as_bytes());
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
            containers: vec![Container {
                name: "api".to_owned(),
                role: Role::Main,
                reference: format!("registry.example.com/shop/api:{}", self.image),
                image_id: format!("registry.example.com/shop/api@{digest}"),
                container_id: last.id.clone(),
                state,
                restarts: u32::try_from(before.len()).unwrap(),
                previous,
            }],
        }
    }

    pub(crate) fn report(&self) -> Report {
        Report::Pod(Box::new(self.pod()))
    }

    pub(crate) fn gone(&self) -> Report {
        Report::Gone(Box::new(self.pod()))
    }
}

/// A watcher, and the record that it writes.
pub(crate) struct Watcher {
    pub(crate) tracker: Tracker,
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
        let mut watcher = Self { tracker, story: Story::new(), keys: Default::default() };
        watcher.nodes(0);
        watcher
    }

    fn nodes(&mut self, seconds: i64) {
        self.sees(
            &Report::Nodes(vec![Node {
                name: "node-a".to_owned(),
                state: NodeState::Answers,
                info: None,
            }]),
            seconds,
        );
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
