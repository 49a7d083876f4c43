//! Pods that a StatefulSet waits for in vain.
//!
//! ```text
//! A runs · bad told: api-1 does not start · A told again: api-1 of bad stays, for the controller waits until it is ready
//! ```
//! The controller replaces no pod while one of them is not ready, also not the one that never will be. Deleted, it comes
//! back from the newest template. Source: kubernetes/kubernetes#67250; its documentation, "Forced rollback".
//! Decides only; whoever carries it out names the pod by its uid, for the next one has the same name.

use super::cause::{Cause, cause_of};
use super::seen::{Counts, PodState, Seen, SeenPod, Template};

/// The pods that have to go before the newest template comes: those of a rollout that was given up, and older ones
/// that never run. A pod that was not ready for another reason is left alone.
///
/// `generation` is the one that our own patch made.
#[must_use]
pub fn in_the_way(seen: &Seen, generation: i64) -> Vec<&SeenPod> {
    let is_told = seen.observed_generation >= generation;
    match &seen.counts {
        Counts::StatefulSet { .. } if is_told => {
            seen.pods.iter().filter(|pod| is_in_the_way(pod)).collect()
        }
        Counts::StatefulSet { .. }
        | Counts::Deployment { .. }
        | Counts::DaemonSet { .. }
        | Counts::CronJob { .. }
        | Counts::Job { .. }
        | Counts::Rollout { .. } => Vec::new(),
    }
}

fn is_in_the_way(pod: &SeenPod) -> bool {
    let is_unready = match pod.state {
        PodState::NotReady | PodState::Unschedulable(_) => true,
        PodState::Ready | PodState::Completed | PodState::Leaving => false,
    };
    is_unready
        && match pod.template {
            Template::New => false,
            Template::Abandoned => true,
            Template::Old => pod
                .containers
                .iter()
                .any(|container| matches!(cause_of(container), Some(Cause::Permanent { .. }))),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Role;
    use crate::rollout::SeenContainer;

    fn pod(name: &str, template: Template, state: PodState, waits: Option<&str>) -> SeenPod {
        let waiting = waits.map(|message| ("ErrImagePull".to_owned(), message.to_owned()));
        let container = SeenContainer {
            role: Role::Main,
            name: "api".to_owned(),
            image_id: String::new(),
            has_started: false,
            waiting,
            has_ended: false,
            restarts: 0,
            last_exit: None,
        };
        let (name, uid) = (name.to_owned(), name.to_owned());
        SeenPod { name, uid, template, state, containers: vec![container] }
    }

    fn seen(pods: Vec<SeenPod>) -> Seen {
        let counts = Counts::StatefulSet {
            wanted: 3,
            ready: 2,
            updated: 1,
            partition: 0,
            is_one_revision: true,
        };
        Seen { observed_generation: 7, template: Vec::new(), counts, cannot_create: None, pods }
    }

    #[test]
    fn only_pods_that_are_not_ready_and_never_will_be_are_in_the_way() {
        let pods = vec![
            pod("given-up", Template::Abandoned, PodState::NotReady, None),
            pod("given-up-and-ready", Template::Abandoned, PodState::Ready, None),
            pod("given-up-and-leaving", Template::Abandoned, PodState::Leaving, None),
            pod("never-runs", Template::Old, PodState::NotReady, Some("a:1: not found")),
            pod("starts-late", Template::Old, PodState::NotReady, None),
            pod("may-pass", Template::Old, PodState::NotReady, Some("503 Service Unavailable")),
            pod("new", Template::New, PodState::NotReady, Some("a:1: not found")),
        ];
        let mut seen = seen(pods);
        let names = |seen: &Seen, generation| -> Vec<String> {
            in_the_way(seen, generation).into_iter().map(|pod| pod.name.clone()).collect()
        };
        assert_eq!(names(&seen, 7), ["given-up", "never-runs"]);
        assert!(names(&seen, 8).is_empty(), "the controller has not said yet which is the newest");
        seen.counts = Counts::DaemonSet { wanted: 3, updated: 1, available: 2 };
        assert!(names(&seen, 7).is_empty(), "other controllers replace what does not run");
    }
}
