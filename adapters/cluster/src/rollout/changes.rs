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
/// A server that begins a watch answers at once.
const BEGUN_WITHIN: Duration = Duration::from_secs(30);
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
        let begun = tokio::time::timeout(BEGUN_WITHIN, api.watch_metadata(&params, "0")).await;
        match begun {
            Ok(Ok(stream)) => {
                let mut stream = std::pin::pin!(stream.into_stream());
                while let Ok(Some(Ok(_event))) = tokio::time::timeout(IDLE_MAX, stream.next()).await
                {
                    woken.notify_one();
                }
            }
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 401 | 403) => {
                is_deaf.store(true, Ordering::Relaxed);
                woken.notify_one();
                return;
            }
            Ok(Err(_)) | Err(_) => {}
        }
        woken.notify_one();
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::scripted::{Answer, Asked, cluster, event, pod, status};
    use tokio::time::{Instant, timeout};

    /// What is watched against these answers: the workload first, then its pods.
    fn changes(answers: Vec<Answer>) -> (Changes, Asked) {
        let (cluster, asked) = cluster(answers);
        let object = serde_json::json!({"metadata": {"name": "api", "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {}}});
        let facts = crate::workload::of_deployment(serde_json::from_value(object).unwrap());
        let workload = "deployment/api".parse::<Workload>().unwrap();
        (cluster.changes("shop", &workload, &facts), asked)
    }

    /// How many seconds the next wake-up takes.
    async fn next(changes: &Changes) -> u64 {
        let begun = Instant::now();
        timeout(Duration::from_secs(600), changes.next()).await.expect("it wakes up at some time");
        begun.elapsed().as_secs()
    }

    /// Lets the watches tell what they have: the clock is the test's, and stands still otherwise.
    async fn settle() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    async fn is_quiet(changes: &Changes, seconds: u64) -> bool {
        timeout(Duration::from_secs(seconds), changes.next()).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_workload_and_its_pods_are_watched_and_many_events_are_one_wake_up() {
        let events =
            |names: &[&str]| names.iter().map(|name| event("ADDED", &pod(name, 7))).collect();
        let answers = vec![Answer::Hangs(events(&["a"])), Answer::Hangs(events(&["b", "c"]))];
        let (changes, asked) = changes(answers);
        settle().await;
        assert_eq!(next(&changes).await, 0);
        assert!(is_quiet(&changes, 50).await, "three events were one wake-up");
        let asked = asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 2, "{asked:?}");
        let itself = "/apis/apps/v1/namespaces/shop/deployments?";
        assert!(
            asked[0].starts_with(itself) && asked[0].contains("metadata.name%3Dapi"),
            "{asked:?}"
        );
        let pods = "/api/v1/namespaces/shop/pods?";
        assert!(asked[1].starts_with(pods) && asked[1].contains("app%3Dapi"), "{asked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_is_lost_or_too_old_wakes_up_and_begins_again() {
        for lost in [
            Answer::Ends(Vec::new()),
            Answer::Ends(vec![event("ERROR", &status(410, "Expired"))]),
            Answer::Whole(410, status(410, "Expired")),
            Answer::Whole(500, status(500, "InternalError")),
            Answer::Ends(vec!["no event\n".to_owned()]),
        ] {
            let again = Answer::Hangs(vec![event("MODIFIED", &pod("a", 9))]);
            let (changes, asked) = changes(vec![lost, Answer::Hangs(Vec::new()), again]);
            settle().await;
            assert_eq!(next(&changes).await, 0, "an event may have been missed");
            assert_eq!(asked.lock().unwrap().len(), 2, "a server is not asked without a rest");
            assert!(next(&changes).await <= 1, "what the new watch says first");
            let asked = asked.lock().unwrap().clone();
            assert_eq!(asked.len(), 3, "{asked:?}");
            assert!(asked[2].contains("resourceVersion=0"), "{asked:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_is_half_dead_or_never_begins_is_given_up() {
        for (dead, seconds) in [(Answer::Hangs(Vec::new()), 55), (Answer::Never, 30)] {
            let again = Answer::Hangs(vec![event("MODIFIED", &pod("a", 9))]);
            let pods = Answer::Hangs(Vec::new());
            let (changes, asked) = changes(vec![dead, pods, again]);
            assert!(is_quiet(&changes, seconds - 1).await);
            assert!(next(&changes).await <= 1);
            tokio::time::sleep(AGAIN_AFTER * 2).await;
            assert!(asked.lock().unwrap().len() >= 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_may_not_watch_looks_every_second() {
        let denied = || Answer::Whole(403, status(403, "Forbidden"));
        for answers in [vec![denied(), denied()], vec![Answer::Hangs(Vec::new()), denied()]] {
            let (changes, asked) = changes(answers);
            assert_eq!(next(&changes).await, 0);
            for _ in 0..3 {
                assert_eq!(next(&changes).await, 1);
            }
            assert_eq!(asked.lock().unwrap().len(), 2, "what is denied is not asked for again");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_no_longer_than_a_deadline_loses_no_later_change() {
        let (changes, _) = changes(vec![
            Answer::Hangs(Vec::new()),
            Answer::Hangs(Vec::new()),
            Answer::Hangs(vec![event("MODIFIED", &pod("a", 9))]),
        ]);
        for _ in 0..10 {
            assert!(is_quiet(&changes, 5).await, "the deadline is the waiter's");
        }
        assert!(next(&changes).await <= 6);
    }
}
