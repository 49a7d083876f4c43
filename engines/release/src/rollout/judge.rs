//! Whether a rollout is over, and whether what was meant does run.
//!
//! ```text
//! the rules of `kubectl rollout status`, with the generation of our own patch
//! and: every ready pod of the new template reports an imageID that is the build's  ->  verified
//! ```
//! Source: research/deploy.md §2.2; `k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go`.

use super::cause::{Cause, cause_of, refusal_is_decided};
use super::seen::{Counts, Holder, PodState, RolloutPhase, Seen, SeenContainer, SeenPod, Template};
use crate::observed::{ImageId, Registered};
use domain::{Digest, ImageRef, PinnedRef, Repository};
use std::collections::BTreeSet;

/// Failing pods that are named in a verdict.
const FAILURES_MAX: usize = 5;

/// What a workload was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The generation that our own patch made.
    pub generation: i64,
    /// Container by container: what it shall run.
    pub containers: Vec<(Holder, String, PinnedRef)>,
}

/// What becomes of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It goes on.
    Waiting(Progress),
    /// It is over, and well.
    Done(Finished),
    /// It will not end well.
    Failed(Vec<Failure>),
    /// Somebody else has given the workload another image meanwhile.
    Replaced {
        /// The container.
        container: String,
        /// What stands there now.
        now: String,
    },
}

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pods of the new template.
    pub new: i64,
    /// Of so many.
    pub wanted: i64,
    /// What is waited for.
    pub what: String,
    /// What keeps the rollout from going on, if it stays: a quota that is full, a webhook that refuses pods.
    pub doubt: Option<Doubt>,
}

/// A failure, if it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What it would be.
    pub failure: Failure,
    /// Whether it may pass by itself: an old pod that leaves makes room, what a policy has decided stays. Either may be
    /// left from an earlier try, for a controller that was refused waits before it tries again.
    pub may_pass: bool,
}

/// How a rollout ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Every ready pod reports the build that was meant.
    Verified {
        /// How many pods.
        pods: usize,
    },
    /// The rollout is over, and what runs could not be told.
    Unverified {
        /// Why not.
        why: String,
    },
}

/// Why a rollout does not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The pod; none: the workload itself.
    pub pod: Option<String>,
    /// The container.
    pub container: Option<String>,
    /// One word, mostly Kubernetes' own.
    pub reason: String,
    /// The whole of it.
    pub message: String,
}

/// Judges what a workload reports.
#[must_use]
pub fn judge(target: &Target, seen: &Seen, registered: &Registered) -> Judged {
    if let Some((container, now)) = replaced(target, seen) {
        return Judged::Replaced { container, now };
    }
    if seen.observed_generation < target.generation {
        // What it could not do before says nothing of what it was told now.
        let progress = progress(seen, "its controller has not seen the change yet");
        return Judged::Waiting(Progress { doubt: None, ..progress });
    }
    let failures = failures(target, seen, registered);
    if !failures.is_empty() {
        return Judged::Failed(failures);
    }
    match unfinished(&seen.counts) {
        Some(what) => waiting(seen, &hindered(seen).unwrap_or(what)),
        None => verified(target, seen, registered),
    }
}

fn waiting(seen: &Seen, what: &str) -> Judged {
    Judged::Waiting(progress(seen, what))
}

fn progress(seen: &Seen, what: &str) -> Progress {
    let (new, wanted) = seen.counts.new_of();
    let doubt = seen.cannot_create.as_ref().map(|message| Doubt {
        failure: of_workload("FailedCreate", message),
        may_pass: !refusal_is_decided(message),
    });
    Progress { new, wanted, what: what.to_owned(), doubt }
}

fn replaced(target: &Target, seen: &Seen) -> Option<(String, String)> {
    target.containers.iter().find_map(|(holder, name, meant)| {
        let slot = seen.template.iter().find(|slot| slot.holder == *holder && slot.name == *name);
        let Some(slot) = slot else {
            return Some((name.clone(), "no such container".to_owned()));
        };
        let digest = slot.image.parse::<ImageRef>().ok().and_then(|image| image.digest().copied());
        (digest != Some(meant.digest)).then(|| (name.clone(), slot.image.clone()))
    })
}

/// What a controller still has to do; none: nothing.
fn unfinished(counts: &Counts) -> Option<String> {
    match counts {
        Counts::Deployment { wanted, replicas, updated, available, .. } => {
            if updated < wanted {
                Some(format!("{updated} of {wanted} pods are new"))
            } else if replicas > updated {
                Some(format!("{} old pods are still there", replicas - updated))
            } else if available < updated {
                Some(format!("{available} of {updated} new pods are available"))
            } else {
                None
            }
        }
        Counts::StatefulSet { wanted, ready, updated, partition, is_one_revision } => {
            if ready < wanted {
                Some(format!("{ready} of {wanted} pods are ready"))
            } else if *updated < wanted - partition {
                Some(format!("{updated} of {} pods are new", wanted - partition))
            } else if *partition == 0 && !is_one_revision {
                Some("its revision has not settled".to_owned())
            } else {
                None
            }
        }
        Counts::DaemonSet { wanted, updated, available } => {
            if updated < wanted {
                Some(format!("{updated} of {wanted} pods are new"))
            } else if available < wanted {
                Some(format!("{available} of {wanted} pods are available"))
            } else {
                None
            }
        }
        Counts::CronJob { .. } => None,
        Counts::Job { wanted, succeeded, is_complete, .. } => {
            (!is_complete).then(|| format!("{succeeded} of {wanted} pods have done their work"))
        }
        Counts::Rollout { wanted, updated, phase, message } => match phase {
            RolloutPhase::Healthy | RolloutPhase::WaitsForSomebody => None,
            RolloutPhase::Progressing | RolloutPhase::Degraded => {
                let more = if message.is_empty() { String::new() } else { format!(": {message}") };
                Some(format!("{updated} of {wanted} pods are new{more}"))
            }
        },
    }
}

/// What keeps new pods from running and may pass, for people who wait.
fn hindered(seen: &Seen) -> Option<String> {
    let of_pods = new_pods(seen).find_map(|pod| {
        if let PodState::Unschedulable(why) = &pod.state {
            return Some(format!("pod {} finds no node: {why}", pod.name));
        }
        pod.containers.iter().find_map(|container| match cause_of(container)? {
            Cause::MayPass(what) => Some(format!("pod {}: {what}", pod.name)),
            Cause::Permanent { .. } => None,
        })
    });
    of_pods.or_else(|| seen.cannot_create.clone())
}

fn new_pods(seen: &Seen) -> impl Iterator<Item = &SeenPod> {
    let is_new = |pod: &&SeenPod| pod.template == Template::New && pod.state != PodState::Leaving;
    seen.pods.iter().filter(is_new)
}

/// Whether a container's end is judged by something else: a Job counts how often its pods may fail.
fn may_fail_again(counts: &Counts, reason: &str) -> bool {
    matches!(counts, Counts::Job { .. }) && reason == "CrashLoopBackOff"
}

fn ready_pods(seen: &Seen) -> impl Iterator<Item = &SeenPod> {
    new_pods(seen).filter(|pod| matches!(pod.state, PodState::Ready | PodState::Completed))
}

fn failures(target: &Target, seen: &Seen, registered: &Registered) -> Vec<Failure> {
    let mut failures = Vec::new();
    for pod in new_pods(seen) {
        for container in &pod.containers {
            if let Some(Cause::Permanent { reason, message }) = cause_of(container) {
                if may_fail_again(&seen.counts, &reason) {
                    continue;
                }
                let (pod, container) = (Some(pod.name.clone()), Some(container.name.clone()));
                failures.push(Failure { pod, container, reason, message });
            }
        }
    }
    failures.extend(other_builds(target, seen, registered));
    failures.extend(of_counts(seen));
    failures.truncate(FAILURES_MAX);
    failures
}

/// What a controller says of itself.
fn of_counts(seen: &Seen) -> Vec<Failure> {
    match &seen.counts {
        Counts::Deployment { is_paused, too_slow, .. } => {
            let paused =
                is_paused.then(|| of_workload("Paused", "it is paused: nothing rolls out"));
            let slow = too_slow.as_ref().map(|text| of_workload("ProgressDeadlineExceeded", text));
            paused.into_iter().chain(slow).collect()
        }
        Counts::Job { failed: Some((reason, message)), .. } => {
            let mut failure = of_workload(reason, message);
            // The log of a pod that failed says more than the count.
            let ended_badly = |one: &&SeenContainer| one.last_exit.is_some_and(|code| code != 0);
            let bad = seen.pods.iter().rev().find_map(|pod| {
                let container = pod.containers.iter().find(ended_badly)?;
                Some((pod.name.clone(), container.name.clone()))
            });
            (failure.pod, failure.container) = bad.unzip();
            vec![failure]
        }
        Counts::Rollout { phase: RolloutPhase::Degraded, message, .. } => {
            vec![of_workload("Degraded", message)]
        }
        Counts::Job { .. }
        | Counts::Rollout { .. }
        | Counts::StatefulSet { .. }
        | Counts::DaemonSet { .. }
        | Counts::CronJob { .. } => Vec::new(),
    }
}

fn of_workload(reason: &str, message: &str) -> Failure {
    let (reason, message) = (reason.to_owned(), message.to_owned());
    Failure { pod: None, container: None, reason, message }
}

/// A container of a ready pod that was meant to run something, and what it reports.
fn reports<'a>(
    target: &'a Target,
    pod: &'a SeenPod,
) -> impl Iterator<Item = (&'a PinnedRef, Option<&'a SeenContainer>, ImageId)> {
    target.containers.iter().filter_map(|(holder, name, meant)| {
        let role = holder.role()?;
        let is_it = |one: &&SeenContainer| one.role == role && one.name == *name;
        let container = pod.containers.iter().find(is_it);
        let started = container.filter(|container| container.has_started);
        let id = started.map_or(ImageId::NotReported, |one| ImageId::read(&one.image_id));
        Some((meant, container, id))
    })
}

/// Ready pods that report bytes which are known to be another build's.
fn other_builds(target: &Target, seen: &Seen, registered: &Registered) -> Vec<Failure> {
    let mut failures = Vec::new();
    for pod in ready_pods(seen) {
        for (meant, container, id) in reports(target, pod) {
            let Some(reported) = id.digest() else { continue };
            if registered.compare(&reported, &meant.digest).is_same_build() == Some(false) {
                failures.push(Failure {
                    pod: Some(pod.name.clone()),
                    container: container.map(|container| container.name.clone()),
                    reason: "OtherBuild".to_owned(),
                    message: format!("it runs {reported}, and {} was meant", meant.digest),
                });
            }
        }
    }
    failures
}

/// Why nothing that was told runs yet, where that is as it should be.
fn runs_later(counts: &Counts) -> Option<String> {
    match counts {
        Counts::CronJob { is_suspended } => {
            let later = "running jobs keep the old digest, the next schedule takes the new one";
            let suspended = if *is_suspended { "; it is suspended" } else { "" };
            Some(format!("{later}{suspended}"))
        }
        Counts::Rollout { phase: RolloutPhase::WaitsForSomebody, message, .. } => {
            Some(format!("it is paused until somebody promotes it: {message}"))
        }
        Counts::Rollout { .. }
        | Counts::Deployment { .. }
        | Counts::StatefulSet { .. }
        | Counts::DaemonSet { .. }
        | Counts::Job { .. } => None,
    }
}

fn verified(target: &Target, seen: &Seen, registered: &Registered) -> Judged {
    let unverified = |why: String| Judged::Done(Finished::Unverified { why });
    if let Some(why) = runs_later(&seen.counts) {
        return unverified(why);
    }
    let (new, wanted) = seen.counts.new_of();
    let pods: Vec<_> = ready_pods(seen).collect();
    let is_job = matches!(seen.counts, Counts::Job { .. });
    if is_job && pods.is_empty() {
        return unverified("it is complete, and none of its pods is left to ask".to_owned());
    }
    if wanted == 0 {
        let why = "no pod is wanted, so none reports what it runs".to_owned();
        return Judged::Done(Finished::Unverified { why });
    }
    // The list of pods may be older than the counts: then the next look has them.
    if !is_job && i64::try_from(pods.len()).unwrap_or(i64::MAX) < new.min(wanted).max(1) {
        return waiting(seen, &format!("{} of {wanted} new pods are ready", pods.len()));
    }
    for pod in &pods {
        for (meant, _, id) in reports(target, pod) {
            let same = id
                .digest()
                .and_then(|reported| registered.compare(&reported, &meant.digest).is_same_build());
            if same != Some(true) {
                let name = &pod.name;
                let why = match id.digest() {
                    Some(reported) => {
                        format!("pod {name} reports {reported}, which could not be looked into")
                    }
                    None => format!("pod {name} reports no imageID"),
                };
                return Judged::Done(Finished::Unverified { why });
            }
        }
    }
    let is_volume = |(holder, _, _): &&(Holder, String, PinnedRef)| holder.role().is_none();
    if let Some((_, name, _)) = target.containers.iter().find(is_volume) {
        return unverified(format!("no pod reports which image its volume {name} has"));
    }
    Judged::Done(Finished::Verified { pods: pods.len() })
}

/// Digests that pods report and that cannot be compared yet, with a repository that has them.
#[must_use]
pub fn to_look_into(
    target: &Target,
    seen: &Seen,
    registered: &Registered,
) -> BTreeSet<(Repository, Digest)> {
    let mut wanted = BTreeSet::new();
    for pod in ready_pods(seen) {
        for (meant, _, id) in reports(target, pod) {
            let Some(reported) = id.digest() else { continue };
            if registered.compare(&reported, &meant.digest).is_same_build().is_some() {
                continue;
            }
            wanted.insert((meant.repository.clone(), meant.digest));
            if let ImageId::InRepository { repository, digest } = id {
                wanted.insert((repository, digest));
            }
        }
    }
    wanted.retain(|(_, digest)| !registered.contents.contains_key(digest));
    wanted
}

#[cfg(test)]
mod tests;
