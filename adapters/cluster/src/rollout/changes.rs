//! When to look at a rollout again: one watch on the workload, one on its pods.
//!
//! ```text
//! pod api-2 changed · pod api-3 changed  ->  one wake-up: whoever waits reads everything anew
//! ```
//! Nothing is taken from an event but that there was one, so none that is lost, late or doubled makes an answer wrong:
//! a watch that ends, or whose version is too old (410), begins again, and wakes up too. Metadata only; many events are
//! one wake-up. Where this user may not watch, the one who waits looks every second.

use crate::connect::Cluster;
use crate::workload::WorkloadFacts;
use futures_util::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ApiResource, DynamicObject, WatchParams};
use release::rollout::Workload;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A watch is begun anew so often; its server ends it then. Source: as for the record's watches.
const WATCH_SECONDS: u32 = 45;
/// A watch that has said nothing for so long is half dead.
const IDLE_MAX: Duration = Duration::from_secs(55);
/// Before a watch that ended begins again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Between two looks, where nothing can be watched.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What wakes up whoever waits for a rollout; the watches end with it.
#[derive(Debug)]
pub struct Changes {
    woken: Arc<Notify>,
    is_deaf: Arc<AtomicBool>,
    watches: Vec<JoinHandle<()>>,
}

impl Changes {
    /// Waits until something has changed since the last call, or may have.
    pub async fn next(&self) {
        if self.is_deaf.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK_EVERY).await;
        } else {
            self.woken.notified().await;
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
    }
}

impl Cluster {
    /// Begins to watch a workload and its pods.
    #[must_use]
    pub fn changes(&self, namespace: &str, workload: &Workload, facts: &WorkloadFacts) -> Changes {
        let woken = Arc::new(Notify::new());
        let is_deaf = Arc::new(AtomicBool::new(false));
        let wake = || (Arc::clone(&woken), Arc::clone(&is_deaf));
        let params = WatchParams { timeout: Some(WATCH_SECONDS), ..WatchParams::default() };
        let itself = params.clone().fields(&format!("metadata.name={}", workload.name()));
        let object = self.api_of(namespace, workload.kind);
        let mut watches = vec![tokio::spawn(follow(object, itself, wake()))];
        if !facts.selector.is_empty() {
            let kind = ApiResource::erase::<Pod>(&());
            let pods = Api::namespaced_with(self.client.clone(), namespace, &kind);
            let params = params.labels(&facts.selector);
            watches.push(tokio::spawn(follow(pods, params, wake())));
        }
        Changes { woken, is_deaf, watches }
    }
}

/// Wakes up at each change, and whenever one may have been missed.
async fn follow(
    api: Api<DynamicObject>,
    params: WatchParams,
    (woken, is_deaf): (Arc<Notify>, Arc<AtomicBool>),
) {
    loop {
        // Version 0: from whatever the server has at hand; what is there is told first.
        match api.watch_metadata(&params, "0").await {
            Ok(stream) => {
                let mut stream = std::pin::pin!(stream.into_stream());
                while let Ok(Some(Ok(_event))) = tokio::time::timeout(IDLE_MAX, stream.next()).await
                {
                    woken.notify_one();
                }
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 401 | 403) => {
                is_deaf.store(true, Ordering::Relaxed);
                woken.notify_one();
                return;
            }
            Err(_) => {}
        }
        woken.notify_one();
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}
