//! The reports of one cluster: its nodes, and then its pods.
//!
//! ```text
//! nodes: 500 · 500 · listed …                     pods wait for the first answer about nodes, not for a good one
//! nodes: 403                                      given up, and said: an end that no kubelet reports is unconfirmed
//! ```

use super::{Told, WatchAt, WatchError};
use cluster::{Cluster, ClusterError};
use release::observed::Report;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Between two tries at the first list of nodes.
const NODES_AGAIN_MIN: Duration = Duration::from_secs(1);
const NODES_AGAIN_MAX: Duration = Duration::from_secs(60);

/// Nodes first: without them an end cannot be judged. Ends only where the pods could not be listed.
pub(super) async fn follow(
    cluster: &Cluster,
    at: &WatchAt,
    seed: u64,
    out: &mpsc::Sender<Report>,
    nodes_known: &Notify,
    tell: &(dyn Fn(&Told) + Sync),
) -> WatchError {
    let nodes = async {
        follow_nodes(|| cluster.watch_nodes(seed, out), (at, NODES_AGAIN_MIN), out, tell).await;
        std::future::pending::<Infallible>().await
    };
    let pods = async {
        nodes_known.notified().await;
        match cluster.watch_pods(at.namespace.as_deref(), seed, out).await {
            Err(error) => WatchError::from(error),
            // Nobody listens any more: who listened is about to answer.
            Ok(()) => std::future::pending().await,
        }
    };
    tokio::select! {
        never = nodes => match never {},
        refused = pods => refused,
    }
}

/// Asks for nodes until they are told or denied; whatever else is wrong may pass.
async fn follow_nodes<F>(
    watch: impl Fn() -> F,
    (at, first_wait): (&WatchAt, Duration),
    out: &mpsc::Sender<Report>,
    tell: &(dyn Fn(&Told) + Sync),
) where
    F: Future<Output = Result<(), ClusterError>>,
{
    let mut wait = first_wait;
    while let Err(error) = watch().await {
        // Pods do not wait for it: until nodes are told, an end that no kubelet reports is unconfirmed.
        let _nobody_listens = out.send(Report::Nodes(Vec::new())).await;
        if let ClusterError::Denied { .. } = error {
            tell(&Told::NoNodes { context: at.context.clone(), why: error.to_string() });
            return;
        }
        tracing::warn!(%error, "watch: nodes are asked for again");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(NODES_AGAIN_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Asks by a script; how often it asked, what was told, and how many empty lists went out.
    async fn asked(answers: &[fn() -> Result<(), ClusterError>]) -> (usize, Vec<String>, usize) {
        let at = WatchAt { context: "prod-eu".to_owned(), namespace: None };
        let (count, told) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let watch = || {
            let answer = answers[count.fetch_add(1, Ordering::Relaxed)]();
            async move { answer }
        };
        let tell = |one: &Told| told.lock().unwrap().push(format!("{one:?}"));
        let (out, mut reports) = mpsc::channel(16);
        follow_nodes(watch, (&at, Duration::from_millis(1)), &out, &tell).await;
        drop(out);
        let mut empty = 0;
        while let Some(report) = reports.recv().await {
            assert_eq!(report, Report::Nodes(Vec::new()));
            empty += 1;
        }
        let told = told.lock().unwrap().clone();
        (count.load(Ordering::Relaxed), told, empty)
    }

    fn late() -> Result<(), ClusterError> {
        Err(ClusterError::TooLate { context: "prod-eu".to_owned(), seconds: 60 })
    }

    fn broken() -> Result<(), ClusterError> {
        let (reason, message) = ("InternalError".to_owned(), "etcd".to_owned());
        Err(ClusterError::Refused { context: "prod-eu".to_owned(), code: 500, reason, message })
    }

    fn denied() -> Result<(), ClusterError> {
        let what = "nodes".to_owned();
        Err(ClusterError::Denied { context: "prod-eu".to_owned(), verb: "list", what })
    }

    fn told() -> Result<(), ClusterError> {
        Ok(())
    }

    #[tokio::test]
    async fn an_error_is_no_denial_nodes_are_asked_for_again_and_pods_do_not_wait() {
        let (asked, told, empty) = asked(&[broken, late, told]).await;
        assert_eq!((asked, told.len(), empty), (3, 0, 2));
    }

    #[tokio::test]
    async fn who_may_not_list_nodes_is_told_once_and_they_are_given_up() {
        let (asked, told, empty) = asked(&[broken, denied]).await;
        assert_eq!((asked, empty), (2, 2));
        assert!(told.len() == 1 && told[0].contains("NoNodes"), "{told:?}");
    }
}
