//! A watch of one cluster that is lost begins again by itself, later and later, and never ends the others.
//!
//! ```text
//! prod-eu: gave no answer … tried again in 1 s · 2 s · 4 s … 60 s          prod-us: watched all the time
//! ```
//! Whoever types a command wants to hear at once that it cannot work; a server goes on serving whatever happens.

use super::{Ended, Told, WatchAt, WatchError};
use crate::app::{App, OpenError};
use crate::seam::RecordError;
use crate::surroundings::Surroundings;
use crate::verdict::Explain as _;
use crate::watch::Meters;
use cluster::ClusterError;
use std::time::Duration;
use tokio::sync::watch as signal;
use tokio::time::Instant;

/// The first wait; each further one doubles it, up to so many times the first.
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_TIMES_MAX: u32 = 60;
/// A watch that held so long was a good one: the next wait is short again.
const HELD_LONG: Duration = Duration::from_secs(600);

/// After which failures a watch begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// After those that may pass by themselves; what somebody has to change is an error.
    WithWhatPasses,
    /// After all: the server that it runs beside goes on.
    WithEverything,
}

impl Patience {
    fn bears(self, error: &WatchError) -> bool {
        match self {
            Self::WithEverything => true,
            Self::WithWhatPasses => may_pass(error),
        }
    }
}

/// Whether it may be over by itself.
fn may_pass(error: &WatchError) -> bool {
    match error {
        WatchError::Cluster(error) => match error {
            ClusterError::Refused { .. }
            | ClusterError::NoAnswer { .. }
            | ClusterError::TooLate { .. }
            | ClusterError::TooMany { .. } => true,
            ClusterError::NoKubeconfig { .. }
            | ClusterError::Kubeconfig(_)
            | ClusterError::NoContext { .. }
            | ClusterError::NoCurrentContext { .. }
            | ClusterError::Name { .. }
            | ClusterError::Denied { .. }
            | ClusterError::NotLoggedIn { .. }
            | ClusterError::NotThere { .. } => false,
        },
        WatchError::Record(error) | WatchError::Open(OpenError::Record(error)) => {
            matches!(error, RecordError::Unavailable { .. })
        }
        WatchError::NoIdentity { .. } | WatchError::Open(_) | WatchError::Hook(_) => false,
    }
}

/// Around a cluster's watch: who is told, what counts, and until when.
pub(super) struct Keeping<'a> {
    patience: Patience,
    at: &'a WatchAt,
    surroundings: &'a Surroundings,
    meters: &'a Meters,
    tell: &'a (dyn Fn(&Told) + Sync),
    first_wait: Duration,
}

impl<'a> Keeping<'a> {
    pub(super) fn of(
        app: &'a App,
        (at, patience): (&'a WatchAt, Patience),
        meters: &'a Meters,
        tell: &'a (dyn Fn(&Told) + Sync),
    ) -> Self {
        let surroundings = app.surroundings();
        Self { patience, at, surroundings, meters, tell, first_wait: WAIT_MIN }
    }
}

impl Keeping<'_> {
    /// Watches until it is told to stop; what ends a watch before is said, and it begins again.
    ///
    /// # Errors
    /// It ended by what there is no patience with, or its last words could not be recorded.
    pub(super) async fn keep<F>(
        &self,
        mut stop: signal::Receiver<bool>,
        watch: impl Fn() -> F,
    ) -> Result<Ended, WatchError>
    where
        F: Future<Output = Result<Ended, WatchError>>,
    {
        let mut wait = self.first_wait;
        loop {
            let began = Instant::now();
            let error = match watch().await {
                Ok(ended) => return Ok(ended),
                Err(error) => error,
            };
            self.meters.of(&self.at.context, |meter| {
                meter.failures += 1;
                meter.is_watching = false;
            });
            if *stop.borrow() || !self.patience.bears(&error) {
                return Err(error);
            }
            if began.elapsed() >= HELD_LONG {
                wait = self.first_wait;
            }
            self.say(&error, wait);
            tokio::select! {
                () = tokio::time::sleep(self.somewhere_in(wait)) => {}
                // An error says that who could stop us is gone.
                _ = stop.wait_for(|stop| *stop) => {
                    let context = self.at.context.clone();
                    return Ok(Ended { context, recorded: 0, until: None });
                }
            }
            wait = (wait * 2).min(self.first_wait * WAIT_TIMES_MAX);
        }
    }

    fn say(&self, error: &WatchError, wait: Duration) {
        let first: &dyn std::error::Error = error;
        let causes = std::iter::successors(Some(first), |cause| cause.source());
        let mut why: Vec<String> = causes.map(ToString::to_string).collect();
        why.dedup();
        (self.tell)(&Told::CannotWatch {
            context: self.at.context.clone(),
            why: why.join(": "),
            hint: error.hint(),
            again_within: wait,
        });
    }

    /// In its upper half: many watchers of a server that comes back come one by one.
    fn somewhere_in(&self, wait: Duration) -> Duration {
        let half = wait / 2;
        let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        half + Duration::from_millis(self.surroundings.seed() % spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn denied() -> WatchError {
        let what = "pods in all namespaces".to_owned();
        ClusterError::Denied { context: "prod-eu".to_owned(), verb: "list", what }.into()
    }

    fn away() -> WatchError {
        ClusterError::TooLate { context: "prod-eu".to_owned(), seconds: 30 }.into()
    }

    fn surroundings() -> Surroundings {
        Surroundings {
            cwd: "/".into(),
            variables: BTreeMap::new(),
            clock: std::sync::Arc::new(|| domain::Timestamp::from_millis(0)),
            entropy: std::sync::Arc::new(|| 7),
        }
    }

    /// Watches by a script of failures, and goes on watching after them until it is told to stop.
    async fn kept(
        patience: Patience,
        failures: Vec<fn() -> WatchError>,
    ) -> (Result<Ended, WatchError>, Vec<String>, String) {
        let (at, surroundings, meters) = (
            WatchAt { context: "prod-eu".to_owned(), namespace: None },
            surroundings(),
            Meters::default(),
        );
        let said = Mutex::new(Vec::new());
        let tell = |told: &Told| {
            if let Told::CannotWatch { why, again_within, hint, .. } = told {
                let hint = if hint.is_some() { ", with a hint" } else { "" };
                said.lock().unwrap().push(format!("{why}: {}{hint}", again_within.as_millis()));
            }
        };
        let keeping = Keeping {
            patience,
            at: &at,
            surroundings: &surroundings,
            meters: &meters,
            tell: &tell,
            first_wait: Duration::from_millis(1),
        };
        let (stop, stopped) = signal::channel(false);
        let tries = AtomicUsize::new(0);
        let watch = || {
            let failure = failures.get(tries.fetch_add(1, Ordering::Relaxed));
            let stop = &stop;
            async move {
                if let Some(failure) = failure {
                    return Err(failure());
                }
                stop.send_replace(true);
                Ok(Ended { context: "prod-eu".to_owned(), recorded: 3, until: None })
            }
        };
        let ended = keeping.keep(stopped, watch).await;
        let text = meters.text();
        let failed = "indelible_watch_failures_total{context=\"prod-eu\"} ";
        let failed = text.lines().find_map(|line| line.strip_prefix(failed)).unwrap_or_default();
        (ended, said.into_inner().unwrap(), failed.to_owned())
    }

    #[tokio::test]
    async fn a_cluster_that_is_away_or_refuses_is_tried_again_and_its_reason_is_said() {
        let (ended, said, failed) =
            kept(Patience::WithEverything, vec![away, denied, away, denied]).await;
        assert_eq!(ended.unwrap().recorded, 3);
        let late = "prod-eu did not answer within 30 s";
        let denied = "prod-eu does not let this user list pods in all namespaces";
        let expected = [
            format!("{late}: 1"),
            format!("{denied}: 2, with a hint"),
            format!("{late}: 4"),
            format!("{denied}: 8, with a hint"),
        ];
        assert_eq!(said, expected);
        assert_eq!(failed, "4");
    }

    #[tokio::test]
    async fn whoever_types_a_command_is_told_what_somebody_has_to_change() {
        let (ended, said, _) = kept(Patience::WithWhatPasses, vec![away, denied]).await;
        assert!(
            matches!(ended, Err(WatchError::Cluster(ClusterError::Denied { .. }))),
            "{ended:?}"
        );
        assert_eq!(said, ["prod-eu did not answer within 30 s: 1"]);
    }

    #[tokio::test]
    async fn the_waits_grow_up_to_a_limit() {
        let (_, said, _) = kept(Patience::WithEverything, vec![away; 9]).await;
        let waits: Vec<_> = said.iter().filter_map(|text| text.rsplit(' ').next()).collect();
        assert_eq!(waits, ["1", "2", "4", "8", "16", "32", "60", "60", "60"]);
    }
}
