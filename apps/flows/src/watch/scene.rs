//! What runs in a cluster, shared between the one who records it and the one who judges it.
//!
//! The recorder never waits for the judge: it changes the scene and goes on.

use ::record::Run;
use ::record::claim::ContainerRunClaim;
use release::observed::Standing;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// What runs, and whether that is complete.
pub(super) struct Scene {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    standing: Standing,
    /// From the end of a list until the next one begins.
    is_complete: bool,
}

impl Scene {
    pub(super) fn of(runs: &[Run]) -> Self {
        let state = State { standing: Standing::of(runs), is_complete: false };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Takes in what the tracker says.
    pub(super) fn apply(&self, claims: &[ContainerRunClaim]) {
        if claims.is_empty() {
            return;
        }
        let mut state = self.lock();
        claims.iter().for_each(|claim| state.standing.apply(claim));
        drop(state);
        self.changed.notify_one();
    }

    /// The list is complete, and with it what runs.
    pub(super) fn complete(&self) {
        self.lock().is_complete = true;
        self.changed.notify_one();
    }

    /// A list has begun: what is missing in it is not known before its end.
    pub(super) fn list_begins(&self) {
        self.lock().is_complete = false;
    }

    /// Looks at what runs; none while it is not known.
    pub(super) fn look<T>(&self, at: impl FnOnce(&Standing) -> T) -> Option<T> {
        let state = self.lock();
        state.is_complete.then(|| at(&state.standing))
    }

    /// Waits for a change, no longer than this.
    pub(super) async fn changed_within(&self, longest: Duration) {
        let _either = tokio::time::timeout(longest, self.changed.notified()).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
