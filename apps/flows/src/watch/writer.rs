//! From reports to the record: what the tracker says, and the signs of life of the watch itself.

#[cfg(test)]
mod churn;

use super::batches::{Batches, Sent};
use super::meters::Meters;
use super::scene::Scene;
use super::{Ended, Told, WatchAt, WatchError};
use crate::seam::{Record, RecordError, each_run};
use crate::surroundings::Surroundings;
use ::record::RunQuestion;
use ::record::claim::{
    CLAIMS_AT_ONCE_MAX, Claim, ClusterId, ContainerRunClaim, Reported, RunChange, WatchChange,
    WatchedClaim,
};
use domain::{EventId, Timestamp};
use release::observed::{Report, Tracker};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch as signal};

/// How often a watch says that it lives, at least: what a crash leaves open is at most so long.
const SIGN_EVERY_MS: i64 = 120_000;
/// A sign is given so long before it is due: a quiet watch hears from its API server no more often, and a record may
/// be slow. Source: `IDLE_MAX` of the cluster adapter, 55 s.
const SIGN_EARLY_MS: i64 = 60_000;
/// What is recorded brings a sign with it where the last is so old: a question about now, asked after a change, is
/// answered as of that change. It costs no write of its own.
const SIGN_ALONG_MS: i64 = 5_000;
/// As often on a git branch, where each sign is a commit.
const SIGN_IN_GIT_EVERY_MS: i64 = 600_000;
/// Between two tries at a record that does not answer.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// What a record may take to keep the last claims, after the watch was told to end.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(30);

/// Writes for one watcher.
pub(super) struct Writer<'a> {
    surroundings: &'a Surroundings,
    record: &'a dyn Record,
    cluster: ClusterId,
    at: &'a WatchAt,
    scene: &'a Scene,
    meters: &'a Meters,
    sign_every_ms: i64,
    /// How far the API server's clock is ahead of ours, where it told.
    pub(super) server_ahead_ms: Option<i64>,
    /// The stretch that is open, and its last sign of life.
    open: Option<(EventId, Timestamp)>,
    lists: usize,
    recorded: usize,
    pending: Vec<Claim>,
    batches: Batches,
    /// What the record will never take: why, oldest first, until it is said.
    set_aside: Vec<String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        surroundings: &'a Surroundings,
        record: &'a dyn Record,
        cluster: ClusterId,
        at: &'a WatchAt,
        scene: &'a Scene,
        meters: &'a Meters,
    ) -> Self {
        let sign_every_ms = match record.place().kind {
            "git" => SIGN_IN_GIT_EVERY_MS,
            _ => SIGN_EVERY_MS,
        };
        Self {
            surroundings,
            record,
            cluster,
            at,
            scene,
            meters,
            sign_every_ms,
            server_ahead_ms: None,
            open: None,
            lists: 0,
            recorded: 0,
            pending: Vec::new(),
            batches: Batches::default(),
            set_aside: Vec::new(),
        }
    }

    /// Takes reports in until it is told to stop, and records what they say.
    pub(super) async fn run(
        &mut self,
        mut tracker: Tracker,
        mut reports: mpsc::Receiver<Report>,
        mut stop: signal::Receiver<bool>,
        nodes_known: &Notify,
        tell: &(dyn Fn(&Told) + Sync),
    ) -> Result<Ended, WatchError> {
        loop {
            let report = tokio::select! {
                report = reports.recv() => report,
                // An error says that who could stop us is gone.
                _ = stop.wait_for(|stop| *stop) => None,
            };
            let mut next = report;
            let is_over = next.is_none();
            while let Some(report) = next.take() {
                self.take(&mut tracker, &report, nodes_known, tell);
                let is_full = self.pending.len() >= CLAIMS_AT_ONCE_MAX;
                next = if is_full { None } else { reports.try_recv().ok() };
            }
            if is_over {
                while let Ok(report) = reports.try_recv() {
                    self.take(&mut tracker, &report, nodes_known, tell);
                }
                return self.finish(&tracker).await;
            }
            self.sign(&tracker);
            self.meters.of(&self.at.context, |meter| {
                meter.containers = tracker.open();
                meter.alive = tracker.alive();
            });
            self.keep(&mut stop, tell).await?;
        }
    }

    fn take(
        &mut self,
        tracker: &mut Tracker,
        report: &Report,
        nodes_known: &Notify,
        tell: &(dyn Fn(&Told) + Sync),
    ) {
        if *report == Report::ListBegins {
            self.close(tracker.alive(), "the list began again");
            self.scene.list_begins();
        }
        let claims = tracker.apply(report, self.surroundings.now());
        self.recorded += claims.len();
        self.scene.apply(&claims);
        self.pending.extend(claims.into_iter().map(Claim::ContainerRun));
        match report {
            Report::Nodes(_) => nodes_known.notify_one(),
            Report::ListEnds => {
                self.begin(tracker.alive());
                self.scene.complete();
                let context = self.at.context.clone();
                self.lists += 1;
                let is_gap = self.lists > 1;
                self.meters.of(&context, |meter| {
                    meter.is_watching = true;
                    meter.lists += 1;
                    meter.gaps += u64::from(is_gap);
                });
                tell(&match self.lists {
                    1 => Told::Watching { context, containers: tracker.open() },
                    _ => Told::ListedAgain { context },
                });
            }
            Report::ListBegins
            | Report::Pod(_)
            | Report::Gone(_)
            | Report::Alive
            | Report::Node(_)
            | Report::NodeGone(_) => {}
        }
    }

    fn begin(&mut self, at: Option<Timestamp>) {
        let at = at.unwrap_or_else(|| self.surroundings.now());
        let watch = EventId::new(at, self.surroundings.random());
        let name = Reported::of(&self.at.context);
        self.open = Some((watch, at));
        let Self { sign_every_ms, server_ahead_ms, .. } = *self;
        self.say(watch, at, WatchChange::Began { name, sign_every_ms, server_ahead_ms });
    }

    /// A stretch ends with the last moment of which everything was seen.
    fn close(&mut self, alive: Option<Timestamp>, why: &str) {
        let Some((watch, last)) = self.open.take() else { return };
        let at = alive.map_or(last, |alive| alive.max(last));
        self.say(watch, at, WatchChange::Ended { why: Reported::of(why) });
    }

    fn sign(&mut self, tracker: &Tracker) {
        let (Some((watch, last)), Some(alive)) = (self.open, tracker.alive()) else { return };
        let due_ms = match self.pending.is_empty() {
            true => self.sign_every_ms - SIGN_EARLY_MS,
            false => SIGN_ALONG_MS,
        };
        if alive.as_millis() - last.as_millis() >= due_ms {
            self.open = Some((watch, alive));
            self.say(watch, alive, WatchChange::Alive);
        }
    }

    fn say(&mut self, watch: EventId, at: Timestamp, change: WatchChange) {
        self.pending.push(Claim::Watched(WatchedClaim {
            key: WatchedClaim::key_of(watch, at, &change),
            watch,
            cluster: self.cluster.clone(),
            namespace: self.at.namespace.as_deref().map(Reported::of),
            at,
            change,
        }));
    }

    async fn finish(&mut self, tracker: &Tracker) -> Result<Ended, WatchError> {
        self.close(tracker.alive(), "stopped");
        // Nobody is there any more to wait for a record that is away.
        let kept = tokio::time::timeout(LAST_WORDS_WITHIN, self.append_all()).await;
        let late = || RecordError::Unavailable {
            place: self.record.place().place,
            source: "it did not answer in time".into(),
        };
        kept.unwrap_or_else(|_| Err(late()))?;
        let context = self.at.context.clone();
        Ok(Ended { context, recorded: self.recorded, until: tracker.alive() })
    }

    /// Appends what waits; a record that does not answer is asked again until it does, or until the end.
    async fn keep(
        &mut self,
        stop: &mut signal::Receiver<bool>,
        tell: &(dyn Fn(&Told) + Sync),
    ) -> Result<(), WatchError> {
        let mut wait = RETRY_MIN;
        loop {
            let kept = self.append_all().await;
            self.say_set_aside(tell);
            let error = match kept {
                Ok(()) => return Ok(()),
                Err(error @ RecordError::Unavailable { .. }) => error,
                Err(error) => return Err(error.into()),
            };
            if *stop.borrow() {
                return Err(error.into());
            }
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let why = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            self.meters.of(&self.at.context, |meter| meter.record_away += 1);
            tell(&Told::RecordAway { why });
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            wait = (wait * 2).min(RETRY_MAX);
        }
    }

    /// The first so many are in the record.
    fn count_delays(&mut self, count: usize) {
        let now = self.surroundings.now().as_millis();
        self.meters.of(&self.at.context, |meter| {
            for claim in self.pending.drain(..count) {
                if let Claim::ContainerRun(claim) = claim {
                    meter.recorded(now - claim.seen.as_millis());
                }
            }
        });
    }

    async fn append_all(&mut self) -> Result<(), RecordError> {
        while !self.pending.is_empty() {
            match self.batches.send(self.record, &self.pending).await? {
                Sent::Recorded(recorded) => self.count_delays(recorded.len()),
                // Another watcher was first, with a clock of its own: what it said stands.
                Sent::Taken { count, key } => self.drop_known(count, &key).await?,
                Sent::Refused(error) => self.set_aside(&error),
                Sent::Narrowed => {}
            }
        }
        Ok(())
    }

    /// Sets the first claim aside. What it says will be missing, so that the stretch is over at its last sign of
    /// life, and another begins: the gap between them is in the record.
    fn set_aside(&mut self, error: &RecordError) {
        let claim = self.pending.remove(0);
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        self.set_aside.push(format!("{error}: {} {}: {cause}", claim.kind().name(), claim.key()));
        self.meters.of(&self.at.context, |meter| meter.set_aside += 1);
        if let (Claim::ContainerRun(run), Some((watch, last))) = (&claim, self.open) {
            self.open = None;
            let why = "the record did not take what was seen";
            self.say(watch, last, WatchChange::Ended { why: Reported::of(why) });
            self.begin(Some(run.seen.max(last.plus_millis(1))));
        }
    }

    fn say_set_aside(&mut self, tell: &(dyn Fn(&Told) + Sync)) {
        for why in self.set_aside.drain(..) {
            tell(&Told::SetAside { context: self.at.context.clone(), why });
        }
    }

    /// Drops the claim whose key is taken, and whatever else of a batch the record has: pods that ended long ago stay
    /// in a list, so that one is seldom alone.
    async fn drop_known(&mut self, count: usize, taken: &str) -> Result<(), RecordError> {
        let runs = self.pending[..count].iter().filter_map(run_claim).map(|claim| claim.run);
        let question = RunQuestion { ids: runs.collect(), ..RunQuestion::default() };
        let mut known = HashMap::new();
        if !question.ids.is_empty() {
            each_run(self.record, &question, |run| {
                known.insert(run.id, run.ended.is_some());
            })
            .await?;
        }
        let is_known = |claim: &ContainerRunClaim| match &claim.change {
            RunChange::Began(_) => known.contains_key(&claim.run),
            RunChange::Ended { .. } => known.get(&claim.run) == Some(&true),
            RunChange::Doubted { .. } | RunChange::Confirmed => false,
        };
        let before = self.pending.len();
        self.pending.retain(|claim| {
            claim.key().as_str() != taken && !run_claim(claim).is_some_and(is_known)
        });
        self.recorded = self.recorded.saturating_sub(before - self.pending.len());
        Ok(())
    }
}

fn run_claim(claim: &Claim) -> Option<&ContainerRunClaim> {
    if let Claim::ContainerRun(claim) = claim { Some(claim) } else { None }
}
