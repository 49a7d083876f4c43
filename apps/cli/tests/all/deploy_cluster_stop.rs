//! Deploys to clusters that somebody stops: Ctrl-C, and SIGTERM as a CI sends it.

use crate::deploy_cluster::{Project, project};
use crate::sandbox::NINES;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Long for a loaded machine, short for a person.
const WITHIN: Duration = Duration::from_secs(60);

#[track_caller]
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < WITHIN, "{what}: not within {WITHIN:?}");
        std::thread::yield_now();
    }
}

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn was_told(project: &Project) -> bool {
    let is_told = |one: &String| one.starts_with("PATCH") && !one.contains("dryRun");
    project.eu.asked().iter().any(is_told)
}

#[test]
fn a_deploy_that_a_ci_cancels_says_in_the_record_how_far_it_came() {
    for signal in ["-TERM", "-INT"] {
        let project = project("deploy: cluster\n    clusters: [eu]").allowed();
        project.eu.is_stuck_at(NINES);
        let child = project.sandbox.begin(["deploy", "prod", "api=v2"]);
        wait_until("the workload is told", || was_told(&project));
        send(signal, &child);
        let stopped = project.sandbox.ended(child);
        assert!(stopped.ends_with("[exit 130]\n"), "{signal}: {stopped}");
        let said = "error: stopped: the rollout in prod goes on without being watched, and the record says so\n";
        assert!(stopped.contains(said), "{signal}: {stopped}");
        let outcome = project.outcome("api");
        assert!(outcome.starts_with("open: stopped while it was waited for"), "{outcome}");
    }
}

#[test]
fn who_stops_a_command_twice_does_not_wait_for_what_hangs() {
    let project = project("deploy: cluster\n    clusters: [eu]").allowed();
    project.eu.hangs("api");
    let child = project.sandbox.begin(["deploy", "prod", "api=v2"]);
    wait_until("the workload is being told", || was_told(&project));
    let begun = Instant::now();
    send("-INT", &child);
    // Two signals of one kind that come together are one.
    send("-TERM", &child);
    let stopped = project.sandbox.ended(child);
    assert!(stopped.ends_with("[exit 130]\n"), "{stopped}");
    assert!(begun.elapsed() < Duration::from_secs(20), "one request alone may take 30 s");
    assert_eq!(project.outcome("api"), "open: begun");
}

#[test]
fn who_stops_a_command_while_it_pushes_is_heard_before_a_cluster_is_told() {
    let how = "deploy: git+cluster\n    clusters: [eu]\n    git: {repository: config.git, path: apps/prod}";
    let project = project(how);
    crate::deploy_cluster::with_config(&project);
    let project = project.allowed();
    let (begun, go) = (project.sandbox.path("begun"), project.sandbox.path("go"));
    let hook = "config.git/hooks/pre-receive";
    let script = format!(
        "#!/bin/sh\ntouch {}\nwhile [ ! -e {} ]; do :; done\n",
        begun.display(),
        go.display()
    );
    project.sandbox.write(hook, script);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(project.sandbox.path(hook), mode).unwrap();
    let child = project.sandbox.begin(["deploy", "prod", "api=v2"]);
    wait_until("the commit is being pushed", || begun.exists());
    send("-INT", &child);
    std::fs::write(go, "").unwrap();
    let stopped = project.sandbox.ended(child);
    assert!(stopped.ends_with("[exit 130]\n"), "{stopped}");
    assert!(
        stopped
            .contains("landed, and the clusters of prod were told nothing, and the record says so"),
        "{stopped}"
    );
    assert!(!was_told(&project) && !project.eu.image("api").ends_with(NINES));
    let outcome = project.outcome("api");
    assert!(outcome.starts_with("open: half-applied: commit "), "{outcome}");
    assert!(outcome.contains("stopped before its clusters were told anything"), "{outcome}");
}
