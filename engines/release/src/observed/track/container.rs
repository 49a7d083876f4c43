//! One container of a pod, taken in: which of its runs began, which ended, and which nobody saw.
//!
//! A status tells of two runs at most: the one that is, and the one before it. More restarts than that were missed.

use super::Said;
use super::Words;
use crate::observed::image_id::ImageId;
use crate::observed::pod::{Container, ContainerState, Pod, Role};
use domain::{Digest, Timestamp};
use record::Run;
use record::claim::{Moment, Reported, RunBegan, RunChange, RunId, RunRole};
use std::sync::Arc;

/// Ended runs of a container that are remembered: the kubelet reports the last one again and again.
const ENDED_KEPT: usize = 2;

/// A run that the record has.
#[derive(Clone, Debug)]
pub(super) struct Known {
    id: RunId,
    container: Arc<str>,
    reference: Arc<str>,
    digest: Option<Digest>,
    restarts: u32,
    began: Timestamp,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Doubted(Timestamp),
    Ended,
}

/// One run as a status tells of it.
struct Told<'a> {
    container_id: &'a str,
    image_id: &'a str,
    restarts: u32,
    started: Option<Timestamp>,
    ended: Option<End>,
}

#[derive(Clone, Copy)]
struct End {
    finished: Option<Timestamp>,
    exit_code: i32,
}

impl Known {
    pub(super) fn of(run: &Run, words: &mut Words) -> Self {
        let doubt = run.doubts.last().filter(|(_, until)| until.is_none());
        let state = match (&run.ended, doubt) {
            (Some(_), _) => State::Ended,
            (None, Some((since, _))) => State::Doubted(*since),
            (None, None) => State::Open,
        };
        Self {
            id: run.id,
            container: words.keep(run.began.container.as_str()),
            reference: words.keep(run.began.reference.as_str()),
            digest: run.digest,
            restarts: run.began.restarts,
            began: run.from(),
            state,
        }
    }

    pub(super) fn id(&self) -> RunId {
        self.id
    }

    pub(super) fn digest(&self) -> Option<Digest> {
        self.digest
    }

    pub(super) fn began(&self) -> Timestamp {
        self.began
    }

    pub(super) fn is_open(&self) -> bool {
        self.state != State::Ended
    }

    pub(super) fn is_doubted(&self) -> bool {
        matches!(self.state, State::Doubted(_))
    }

    /// The last moment at which it is known to have run; `alive` is the watch's last sign of life.
    pub(super) fn last_known(&self, alive: Option<Timestamp>) -> Timestamp {
        match self.state {
            State::Doubted(since) => since.max(self.began),
            State::Open | State::Ended => alive.map_or(self.began, |alive| alive.max(self.began)),
        }
    }

    pub(super) fn close(&mut self) {
        self.state = State::Ended;
    }

    pub(super) fn doubt(&mut self, since: Timestamp) {
        self.state = State::Doubted(since);
    }

    pub(super) fn confirm(&mut self) {
        self.state = State::Open;
    }
}

/// Adds a run. A pod has few of them, and ten thousand pods many places that nobody needs.
pub(super) fn push(known: &mut Vec<Known>, one: Known) {
    known.reserve_exact(1);
    known.push(one);
}

/// Drops ended runs of a container but the newest.
pub(super) fn forget_old(known: &mut Vec<Known>, container: &str) {
    let is_ended = |one: &Known| &*one.container == container && !one.is_open();
    while known.iter().filter(|one| is_ended(one)).count() > ENDED_KEPT {
        let ended = known.iter().enumerate().filter(|(_, one)| is_ended(one));
        let oldest = ended.min_by_key(|(_, one)| (one.restarts, one.began)).map(|(at, _)| at);
        oldest.map(|at| known.swap_remove(at));
    }
}

/// Takes the status of one container in.
pub(super) fn take_in(
    known: &mut Vec<Known>,
    (pod, container): (&Pod, &Container),
    alive: Option<Timestamp>,
    words: &mut Words,
    said: &mut Said<'_>,
) {
    let mut taking = Taking { known, pod, container, alive, words, said };
    let (previous, current) = (previous(container), current(container));
    if let Some(previous) = &previous {
        taking.run(previous);
    }
    match &current {
        Some(current) => taking.run(current),
        None => taking.lost(),
    }
    forget_old(known, &container.name);
}

/// The run before the one that is reported; a waiting container reports the same one twice.
fn previous(container: &Container) -> Option<Told<'_>> {
    let previous = container.previous.as_ref().filter(|one| !one.container_id.is_empty())?;
    let is_last = previous.container_id == container.container_id;
    let restarts = container.restarts;
    Some(Told {
        container_id: &previous.container_id,
        image_id: if is_last { &container.image_id } else { "" },
        restarts: if is_last { restarts } else { restarts.saturating_sub(1) },
        started: previous.started,
        ended: Some(End { finished: previous.finished, exit_code: previous.exit_code }),
    })
}

fn current(container: &Container) -> Option<Told<'_>> {
    if container.container_id.is_empty() {
        return None;
    }
    let (started, ended) = match container.state {
        ContainerState::Running { since } => (since, None),
        ContainerState::Ended { started, finished, exit_code } => {
            (started, Some(End { finished, exit_code }))
        }
        // What the id belongs to is told by `previous`.
        ContainerState::Waiting { .. } | ContainerState::Unreported => return None,
    };
    Some(Told {
        container_id: &container.container_id,
        image_id: &container.image_id,
        restarts: container.restarts,
        started,
        ended,
    })
}

struct Taking<'a, 'b, 'c> {
    known: &'a mut Vec<Known>,
    pod: &'b Pod,
    container: &'b Container,
    alive: Option<Timestamp>,
    words: &'a mut Words,
    said: &'a mut Said<'c>,
}

impl Taking<'_, '_, '_> {
    fn run(&mut self, told: &Told<'_>) {
        let Container { name, .. } = self.container;
        let id = RunId::of(self.said.cluster, &self.pod.uid, name, told.container_id);
        let at = match self.known.iter().position(|known| known.id == id) {
            Some(at) => at,
            None => self.begin(id, told),
        };
        if let Some(end) = told.ended.filter(|_| self.known[at].is_open()) {
            self.end(at, self.ended(at, end.finished), Some(end.exit_code));
        }
        self.end_older(at);
    }

    fn begin(&mut self, id: RunId, told: &Told<'_>) -> usize {
        let Self { pod, container, .. } = *self;
        let own = self.known.iter().filter(|known| *known.container == *container.name);
        let before = own.filter(|known| known.restarts < told.restarts);
        let before = before.max_by_key(|known| known.restarts);
        let missed = before.map_or(told.restarts, |known| told.restarts - known.restarts - 1);
        let changed_in_place = before.is_some_and(|known| *known.reference != *container.reference);
        let began = match told.started {
            Some(at) => Moment::Exact { at },
            None => Moment::Bounded { after: self.alive.max(pod.created), until: self.said.seen },
        };
        let digest = ImageId::read(told.image_id).digest();
        let known = Known {
            id,
            container: self.words.keep(&container.name),
            reference: self.words.keep(&container.reference),
            digest,
            restarts: told.restarts,
            began: began.latest(),
            state: State::Open,
        };
        let began = RunBegan {
            pod: Reported::of(&pod.name),
            pod_uid: Reported::of(&pod.uid),
            workload: Reported::of(&pod.owner.to_string()),
            container: Reported::of(&container.name),
            role: match container.role {
                Role::Main => RunRole::Main,
                Role::Init => RunRole::Init,
                Role::Ephemeral => RunRole::Ephemeral,
            },
            container_id: Reported::of(told.container_id),
            node: pod.node.as_deref().map(Reported::of),
            reference: Reported::of(&container.reference),
            image_id: Reported::of(told.image_id),
            began,
            created: pod.created,
            restarts: told.restarts,
            missed,
            changed_in_place,
            node_info: pod.node.as_deref().and_then(|node| self.said.infos.get(node)).cloned(),
        };
        self.said.say(&pod.namespace, id, digest, RunChange::Began(Box::new(began)));
        push(self.known, known);
        self.known.len() - 1
    }

    /// A container runs once at a time: what is older than this run has ended by its begin.
    fn end_older(&mut self, at: usize) {
        let (restarts, began) = (self.known[at].restarts, self.known[at].began);
        let is_own = |known: &Known| *known.container == *self.container.name && known.is_open();
        let is_older = |known: &Known| (known.restarts, known.began) < (restarts, began);
        let older: Vec<usize> = (0..self.known.len())
            .filter(|one| *one != at && is_own(&self.known[*one]) && is_older(&self.known[*one]))
            .collect();
        for one in older {
            let until = began.max(self.known[one].began);
            let after = Some(self.known[one].began);
            self.end(one, Moment::Bounded { after, until }, None);
        }
        // A report that came late tells of a run that others have followed.
        let newer = self.known.iter().filter(|known| *known.container == *self.container.name);
        let newer = newer.filter(|known| (known.restarts, known.began) > (restarts, began));
        if let Some(next) = newer.map(|known| known.began).min()
            && self.known[at].is_open()
        {
            let after = Some(self.known[at].began);
            self.end(at, Moment::Bounded { after, until: next.max(began) }, None);
        }
    }

    /// The kubelet says that it ended and does not know which container that was.
    fn lost(&mut self) {
        let ContainerState::Ended { exit_code, finished, .. } = self.container.state else {
            return;
        };
        let own = |known: &Known| *known.container == *self.container.name && known.is_open();
        let open: Vec<usize> = (0..self.known.len()).filter(|at| own(&self.known[*at])).collect();
        for at in open {
            self.end(at, self.ended(at, finished), Some(exit_code));
        }
    }

    /// As the node says it, else between the last that is known and now.
    fn ended(&self, at: usize, finished: Option<Timestamp>) -> Moment {
        let known = &self.known[at];
        match finished {
            // Clocks have whole seconds: an end is never before its begin.
            Some(finished) => Moment::Exact { at: finished.max(known.began) },
            None => {
                let after = known.last_known(self.alive);
                Moment::Bounded { after: Some(after), until: self.said.seen.max(after) }
            }
        }
    }

    fn end(&mut self, at: usize, ended: Moment, exit_code: Option<i32>) {
        let change = RunChange::Ended { ended, exit_code, deleted: self.pod.deleted };
        self.said.change(&self.pod.namespace, &self.known[at], change);
        self.known[at].close();
    }
}
