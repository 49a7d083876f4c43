//! What every request is answered from: the store, the door, the limits, the counters.

use crate::access::Access;
use crate::access::origin::Hosts;
use crate::metrics::Metrics;
use crate::options::{Limits, Serves};
use crate::reply::Refusal;
use crate::scrape::Numbers;
use domain::{Actor, RuleSet, Timestamp};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};
use store::{Blobs, Catalog, Ledger, Stamping};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One server.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) catalog: Catalog,
    /// The record, in the same database.
    pub(crate) ledger: Ledger,
    pub(crate) blobs: Blobs,
    pub(crate) access: Access,
    pub(crate) hosts: Hosts,
    pub(crate) limits: Limits,
    pub(crate) serves: Serves,
    pub(crate) numbers: Option<Numbers>,
    pub(crate) metrics: Metrics,
    /// The rules as the store has them: this server is the only writer of its folder.
    pub(crate) rules: RwLock<Arc<RuleSet>>,
    pub(crate) uploads: Arc<Semaphore>,
    /// The first half of every request's id.
    pub(crate) run: u32,
    pub(crate) requests: AtomicU32,
}

impl App {
    /// A new name for a request, which its answer and the log share.
    pub(crate) fn request_id(&self) -> String {
        format!("{:08x}-{:08x}", self.run, self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// What the record stamps a request's events with.
    pub(crate) fn stamping(&self, actor: &Actor) -> Result<Stamping, Refusal> {
        Ok(Stamping { actor: actor.clone(), now: now(), randomness: random()?, cause: None })
    }

    /// A place to take a body in; a refusal where all are taken.
    pub(crate) fn upload_place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let place = Arc::clone(&self.uploads).try_acquire_owned();
        place.map_err(|_| {
            let max = self.limits.uploads_at_once_max;
            Refusal::Busy(format!("{max} pushes are under way, no more are taken at once"))
        })
    }

    /// The rules that are valid now.
    pub(crate) fn rules(&self) -> Arc<RuleSet> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the rules from the store again, after they changed.
    pub(crate) async fn read_rules(&self) -> Result<(), Refusal> {
        let rules = Arc::new(self.catalog.rules().await?);
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(())
    }
}

/// The record's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the server is the shell that asks the clock, once a request"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Fresh randomness for the names of events and uploads.
pub(crate) fn random() -> Result<u128, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(u128::from_le_bytes(bytes))
}
