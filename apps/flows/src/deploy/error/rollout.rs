//! Why a rollout failed, as a chain of causes: failures first, then events, then the end of the log.

use cluster::Explained;
use release::rollout::Failure;

/// Why a workload does not run what it was told; its causes are a chain, one line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}")]
pub struct RolloutFailed {
    line: String,
    source: Option<Box<RolloutFailed>>,
}

impl RolloutFailed {
    /// Puts the failures first, then events, then the end of the log.
    #[must_use]
    pub fn new(place: String, failures: &[Failure], explained: &Explained) -> Self {
        let failures = failures.iter().map(|failure| {
            let pod = failure.pod.as_ref().map(|pod| format!("pod {pod}, "));
            let container = failure.container.as_ref().map(|name| format!("container {name}, "));
            let (pod, container) = (pod.unwrap_or_default(), container.unwrap_or_default());
            format!("{place}: {pod}{container}{}: {}", failure.reason, failure.message)
        });
        let events = explained.events.iter().map(|event| format!("event {event}"));
        let log = explained.log.iter().map(|line| format!("log {line}"));
        let lines: Vec<String> = failures.chain(events).chain(log).collect();
        let chain = lines.into_iter().rev().fold(None, |source: Option<Self>, line| {
            Some(Self { line, source: source.map(Box::new) })
        });
        chain.unwrap_or(Self { line: place, source: None })
    }
}
