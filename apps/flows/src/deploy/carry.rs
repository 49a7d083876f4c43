//! How a plan is carried out: for real or not, what may be taken over, and who hears how far it is.

use super::Run;
use cluster::TakeOver;
use domain::{EnvironmentName, ImageName};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How a plan is carried out.
#[derive(Clone, Debug)]
pub struct Carry {
    /// For real, or only shown.
    pub run: Run,
    /// Whether images that kubectl or a stranger set in a cluster are taken over.
    pub take_over: TakeOver,
    /// How long the whole of it is waited for; none: without end.
    pub timeout: Option<Duration>,
    /// Who hears how far a rollout is.
    pub listener: Listener,
}

/// Who hears how far a rollout is, and may stop waiting for it.
#[derive(Clone)]
pub struct Listener {
    hears: Arc<dyn Fn(&News) + Send + Sync>,
    stop: watch::Receiver<bool>,
}

/// What a rollout says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// From now on something is recorded and changed; who stops the command leaves a record that says so.
    Begins,
    /// `--rollback-on-failure` was asked for, and nothing was rolled back.
    NotRolledBack {
        /// Where.
        environment: EnvironmentName,
        /// Why not.
        why: &'static str,
    },
    /// What a rollback was to change is held, and the rollback did not end well: it stays held.
    StaysHeld {
        /// Where.
        environment: EnvironmentName,
        /// The image.
        image: ImageName,
    },
    /// How far one workload is.
    Line {
        /// `prod-eu shop/deployment/api`
        place: String,
        /// `2 of 3 pods are new`
        what: String,
    },
}

impl Listener {
    /// A listener; `stop` becomes true when somebody does not want to wait any longer.
    #[must_use]
    pub fn new(hears: impl Fn(&News) + Send + Sync + 'static, stop: watch::Receiver<bool>) -> Self {
        Self { hears: Arc::new(hears), stop }
    }

    pub(super) fn tell(&self, news: &News) {
        (self.hears)(news);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Resolves when somebody does not want to wait any longer; never where nobody is left to say so.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
