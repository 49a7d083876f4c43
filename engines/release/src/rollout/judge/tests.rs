//! The rows of research/deploy.md §2.2, as tables.

use super::*;
use crate::observed::Role;
use crate::rollout::Slot;
use record::claim::PlatformImage;

const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn image() -> PinnedRef {
    format!("registry.example.com/shop/api:1@sha256:{HEX}").parse().unwrap()
}

fn target() -> Target {
    Target { generation: 7, containers: vec![(Holder::Container, "api".to_owned(), image())] }
}

fn container(image_id: &str) -> SeenContainer {
    SeenContainer {
        role: Role::Main,
        name: "api".to_owned(),
        image_id: image_id.to_owned(),
        has_started: true,
        waiting: None,
        has_ended: false,
        restarts: 0,
        last_exit: None,
    }
}

fn pod(name: &str, template: Template, state: PodState, container: SeenContainer) -> SeenPod {
    let uid = format!("uid-of-{name}");
    SeenPod { name: name.to_owned(), uid, template, state, containers: vec![container] }
}

fn ready(name: &str) -> SeenPod {
    let id = format!("registry.example.com/shop/api@sha256:{HEX}");
    pod(name, Template::New, PodState::Ready, container(&id))
}

fn deployment(wanted: i64, replicas: i64, updated: i64, available: i64) -> Counts {
    Counts::Deployment { wanted, replicas, updated, available, is_paused: false, too_slow: None }
}

fn seen(counts: Counts, pods: Vec<SeenPod>) -> Seen {
    let slot =
        Slot { holder: Holder::Container, name: "api".to_owned(), image: image().to_string() };
    Seen { observed_generation: 7, template: vec![slot], counts, cannot_create: None, pods }
}

fn judged(seen: &Seen) -> Judged {
    judge(&target(), seen, &Registered::default())
}

fn what(seen: &Seen) -> String {
    match judged(seen) {
        Judged::Waiting(progress) => progress.what,
        Judged::Done(Finished::Verified { pods }) => format!("verified {pods}"),
        Judged::Done(Finished::Unverified { why }) => format!("unverified: {why}"),
        Judged::Failed(failures) => failures[0].reason.clone(),
        Judged::Replaced { now, .. } => format!("replaced by {now}"),
    }
}

#[test]
fn a_deployment_is_done_by_kubectls_rules() {
    let cases = [
        (deployment(2, 2, 1, 2), "1 of 2 pods are new"),
        (deployment(2, 3, 2, 2), "1 old pods are still there"),
        (deployment(2, 2, 2, 1), "1 of 2 new pods are available"),
        (deployment(2, 2, 2, 2), "verified 2"),
    ];
    for (counts, expected) in cases {
        assert_eq!(what(&seen(counts, vec![ready("a"), ready("b")])), expected);
    }
}

#[test]
fn a_stateful_set_and_a_daemon_set_are_done_by_kubectls_rules() {
    let set = |ready, updated, partition, is_one_revision| Counts::StatefulSet {
        wanted: 2,
        ready,
        updated,
        partition,
        is_one_revision,
    };
    let daemon = |updated, available| Counts::DaemonSet { wanted: 2, updated, available };
    let cases = [
        (set(1, 2, 0, true), "1 of 2 pods are ready"),
        (set(2, 1, 0, false), "1 of 2 pods are new"),
        (set(2, 2, 0, false), "its revision has not settled"),
        (set(2, 2, 0, true), "verified 2"),
        (set(2, 1, 1, false), "verified 2"),
        (daemon(1, 2), "1 of 2 pods are new"),
        (daemon(2, 1), "1 of 2 pods are available"),
        (daemon(2, 2), "verified 2"),
    ];
    for (counts, expected) in cases {
        let shown = format!("{counts:?}");
        assert_eq!(what(&seen(counts, vec![ready("a"), ready("b")])), expected, "{shown}");
    }
}

/// `Progressing=True/NewReplicaSetAvailable` of the rollout before is not looked at; counts of an older generation neither.
#[test]
fn what_an_older_generation_reports_is_never_the_end() {
    let mut stale = seen(deployment(2, 2, 2, 2), vec![ready("a"), ready("b")]);
    stale.observed_generation = 6;
    assert_eq!(what(&stale), "its controller has not seen the change yet");
    // Nor is its deadline a failure of ours.
    if let Counts::Deployment { too_slow, .. } = &mut stale.counts {
        *too_slow = Some("timed out".to_owned());
    }
    assert_eq!(what(&stale), "its controller has not seen the change yet");
    stale.observed_generation = 7;
    assert_eq!(what(&stale), "ProgressDeadlineExceeded");
}

#[test]
fn a_paused_deployment_fails_at_once_and_a_full_quota_when_it_stays() {
    let mut paused = seen(deployment(2, 2, 0, 2), vec![]);
    if let Counts::Deployment { is_paused, .. } = &mut paused.counts {
        *is_paused = true;
    }
    assert_eq!(what(&paused), "Paused");
    let mut quota = seen(deployment(2, 2, 0, 2), vec![]);
    quota.cannot_create = Some("exceeded quota".to_owned());
    let Judged::Waiting(progress) = judged(&quota) else { panic!("an old pod may make room") };
    assert_eq!(progress.what, "exceeded quota");
    let doubt = progress.doubt.unwrap();
    assert_eq!((doubt.failure.reason.as_str(), doubt.may_pass), ("FailedCreate", true));
    let refused = "pods \"api-\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no";
    quota.cannot_create = Some(refused.to_owned());
    let Judged::Waiting(progress) = judged(&quota) else { panic!("it may be an earlier try's") };
    assert!(progress.doubt.is_some_and(|doubt| !doubt.may_pass));
    quota.observed_generation = 6;
    let Judged::Waiting(progress) = judged(&quota) else { panic!("the change is not seen yet") };
    assert_eq!(progress.doubt, None, "that was said of what stood there before");
}

#[test]
fn only_pods_of_the_new_template_fail_a_rollout() {
    let mut cannot_pull = container("");
    cannot_pull.has_started = false;
    cannot_pull.waiting = Some(("ErrImagePull".to_owned(), "a: not found".to_owned()));
    let counts = || deployment(2, 3, 1, 2);
    let with = |template, state| {
        what(&seen(counts(), vec![pod("x", template, state, cannot_pull.clone())]))
    };
    assert_eq!(with(Template::New, PodState::NotReady), "ErrImagePull");
    assert_eq!(with(Template::Old, PodState::NotReady), "1 of 2 pods are new");
    assert_eq!(with(Template::New, PodState::Leaving), "1 of 2 pods are new");
    cannot_pull.waiting = Some(("ImagePullBackOff".to_owned(), "429 Too Many Requests".to_owned()));
    let slow = seen(counts(), vec![pod("x", Template::New, PodState::NotReady, cannot_pull)]);
    assert!(what(&slow).contains("429"), "{}", what(&slow));
}

#[test]
fn an_image_id_must_be_the_builds() {
    let other = format!("registry.example.com/shop/api@sha256:{}", "1".repeat(64));
    let mixed = |id: &str| {
        let second = pod("b", Template::New, PodState::Ready, container(id));
        seen(deployment(2, 2, 2, 2), vec![ready("a"), second])
    };
    assert!(what(&mixed(&other)).contains("could not be looked into"));
    assert!(what(&mixed("")).contains("pod b reports no imageID"));

    let part = |name: &str| PlatformImage {
        platform: None,
        manifest: Digest::sha256(name.as_bytes()),
        config: Some(Digest::sha256(format!("{name} config").as_bytes())),
    };
    let foreign: Digest = format!("sha256:{}", "1".repeat(64)).parse().unwrap();
    let mut registered = Registered::default();
    registered.contents.insert(image().digest, vec![part("amd64"), part("arm64")]);
    registered.contents.insert(foreign, vec![part("other")]);
    let with = |id: &str| judge(&target(), &mixed(id), &registered);
    let platform = format!("registry.example.com/shop/api@{}", Digest::sha256(b"arm64"));
    assert_eq!(with(&platform), Judged::Done(Finished::Verified { pods: 2 }));
    let config = Digest::sha256(b"arm64 config").to_string();
    assert_eq!(with(&config), Judged::Done(Finished::Verified { pods: 2 }));
    let Judged::Failed(failures) = with(&other) else { panic!("another build runs") };
    assert_eq!(
        (failures[0].pod.as_deref(), failures[0].reason.as_str()),
        (Some("b"), "OtherBuild")
    );
    // What is not known is asked for, once.
    let asked = to_look_into(&target(), &mixed(&other), &Registered::default());
    assert_eq!(
        asked.into_iter().map(|(_, digest)| digest).collect::<BTreeSet<_>>(),
        [foreign, image().digest].into()
    );
    assert!(to_look_into(&target(), &mixed(&other), &registered).is_empty());
}

#[test]
fn nothing_that_runs_is_not_verified() {
    assert!(
        what(&seen(deployment(0, 0, 0, 0), vec![])).starts_with("unverified: no pod is wanted")
    );
    // Counts that are newer than the list of pods.
    assert_eq!(what(&seen(deployment(2, 2, 2, 2), vec![ready("a")])), "1 of 2 new pods are ready");
}

#[test]
fn another_image_in_the_template_is_somebody_elses_deploy() {
    let mut seen = seen(deployment(2, 2, 2, 2), vec![]);
    seen.template[0].image = "registry.example.com/shop/api:2".to_owned();
    assert_eq!(what(&seen), "replaced by registry.example.com/shop/api:2");
}

#[test]
fn a_sidecar_that_starts_in_init_is_judged_too() {
    let mut target = target();
    target.containers = vec![(Holder::InitContainer, "migrate".to_owned(), image())];
    let mut seen = seen(deployment(1, 1, 1, 1), vec![ready("a")]);
    seen.template[0].holder = Holder::InitContainer;
    seen.template[0].name = "migrate".to_owned();
    let judged = judge(&target, &seen, &Registered::default());
    assert!(matches!(judged, Judged::Done(Finished::Unverified { .. })), "{judged:?}");
}

#[test]
fn a_cron_job_is_done_when_it_is_told_and_says_that_nothing_runs_yet() {
    let seen = seen(Counts::CronJob { is_suspended: true }, Vec::new());
    let expected = "unverified: running jobs keep the old digest, the next schedule takes the new one; it is suspended";
    assert_eq!(what(&seen), expected);
}

#[test]
fn a_job_is_done_when_it_is_complete_and_its_pods_ran_the_build() {
    let job = |succeeded, is_complete, failed: Option<&str>| Counts::Job {
        wanted: 1,
        succeeded,
        is_complete,
        failed: failed.map(|reason| (reason.to_owned(), "too often".to_owned())),
    };
    let ended = || SeenPod { state: PodState::Completed, ..ready("a") };
    assert_eq!(what(&seen(job(0, false, None), vec![])), "0 of 1 pods have done their work");
    assert_eq!(what(&seen(job(1, true, None), vec![ended()])), "verified 1");
    let none = "unverified: it is complete, and none of its pods is left to ask";
    assert_eq!(what(&seen(job(1, true, None), vec![])), none);
    // Until its backoffLimit, a Job tries again.
    let mut crashes = container("");
    (crashes.has_ended, crashes.restarts, crashes.last_exit) = (true, 7, Some(1));
    let crashing = || pod("a", Template::New, PodState::NotReady, crashes.clone());
    assert_eq!(
        what(&seen(job(0, false, None), vec![crashing()])),
        "0 of 1 pods have done their work"
    );
    let failed = seen(job(0, false, Some("BackoffLimitExceeded")), vec![crashing()]);
    let Judged::Failed(failures) = judged(&failed) else { panic!("it failed") };
    assert_eq!(failures[0].reason, "BackoffLimitExceeded");
    assert_eq!(failures[0].pod.as_deref(), Some("a"), "its log is the one to read");
}

#[test]
fn an_argo_rollout_is_done_when_it_is_healthy_and_a_pause_is_no_failure() {
    let rollout = |phase| Counts::Rollout {
        wanted: 1,
        updated: 1,
        phase,
        message: "CanaryPauseStep".to_owned(),
    };
    let cases = [
        (RolloutPhase::Healthy, "verified 1"),
        (RolloutPhase::Progressing, "1 of 1 pods are new: CanaryPauseStep"),
        (
            RolloutPhase::WaitsForSomebody,
            "unverified: it is paused until somebody promotes it: CanaryPauseStep",
        ),
        (RolloutPhase::Degraded, "Degraded"),
    ];
    for (phase, expected) in cases {
        assert_eq!(what(&seen(rollout(phase), vec![ready("a")])), expected);
    }
}

#[test]
fn an_image_volume_is_set_and_never_called_verified() {
    let mut seen = seen(deployment(1, 1, 1, 1), vec![ready("a")]);
    let slot =
        Slot { holder: Holder::Volume, name: "files".to_owned(), image: image().to_string() };
    seen.template.push(slot);
    let mut target = target();
    target.containers.push((Holder::Volume, "files".to_owned(), image()));
    let judged = judge(&target, &seen, &Registered::default());
    let why = "no pod reports which image its volume files has".to_owned();
    assert_eq!(judged, Judged::Done(Finished::Unverified { why }));
    seen.template[1].image = "other:1".to_owned();
    let judged = super::judge(&target, &seen, &Registered::default());
    assert!(matches!(judged, Judged::Replaced { .. }), "{judged:?}");
}
