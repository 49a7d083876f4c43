//! `pin --running` and `check --online --context`, against a cluster that runs two Deployments.

use crate::sandbox::{Sandbox, sandbox};
use crate::scripted_cluster::{ScriptedCluster, kubeconfig};
use crate::stocked::Stocked;

const MADE: &str = "2026-03-01T00:00:00Z";
const THERE: [&str; 4] = ["--context", "eu", "--namespace", "shop"];

/// A registry with two builds, and a cluster whose `api` and `worker` run one of them each.
fn shop(api: usize, worker: usize) -> (Sandbox, [String; 2], Stocked) {
    let registry = Stocked::start();
    let builds = ["linux/amd64", "linux/arm64"].map(|one| registry.image(one, MADE));
    registry.tag("shop/api:1.4", &builds[1]);
    let runs = |build: usize| format!("{}/shop/api:1.4@{}", registry.host(), builds[build]);
    let cluster = ScriptedCluster::start(&[("api", &runs(api)), ("worker", &runs(worker))]);
    let sandbox =
        sandbox().replacing(registry.host(), "HOST").file("kube", kubeconfig(&[("eu", &cluster)]));
    let kube = sandbox.path("kube").to_string_lossy().into_owned();
    (sandbox.variable("KUBECONFIG", kube), builds, registry)
}

fn write(sandbox: &Sandbox, registry: &Stocked, image: &str) {
    let image = image.replace("HOST", registry.host());
    sandbox.write("compose.yaml", format!("services:\n  api: {{image: '{image}'}}\n"));
}

#[test]
fn what_runs_is_pinned_also_where_the_tag_has_moved_on() {
    let (sandbox, builds, registry) = shop(0, 0);
    write(&sandbox, &registry, "HOST/shop/api:1.4");
    let run = sandbox.run(["pin", "--running"].iter().chain(&THERE));
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    let pinned = format!("'HOST/shop/api:1.4@{}'", builds[0]);
    assert!(sandbox.text("compose.yaml").contains(&pinned), "{run}");
}

#[test]
fn replicas_that_disagree_are_shown_with_both_digests() {
    let (sandbox, builds, registry) = shop(0, 1);
    write(&sandbox, &registry, "HOST/shop/api:1.4");
    let run = sandbox.run(["pin", "--running"].iter().chain(&THERE));
    assert!(run.contains("several builds of it run: "), "{run}");
    for (build, who) in builds.iter().zip(["api", "worker"]) {
        assert!(run.contains(&format!("{build} in ")) && run.contains(who), "{run}");
    }
    assert!(run.ends_with("[exit 2]\n"), "{run}");
}

#[test]
fn a_pin_that_is_not_what_runs_is_a_finding() {
    let (sandbox, builds, registry) = shop(0, 0);
    write(&sandbox, &registry, &format!("HOST/shop/api:1.4@{}", builds[1]));
    let run = sandbox.run(["check", "--online"].iter().chain(&THERE));
    let (pinned, running) = (&builds[1][..19], &builds[0][..19]);
    let said = format!("`HOST/shop/api:1.4@{pinned}`: eu runs {running}\n");
    assert!(run.contains(&said) && run.ends_with("[exit 1]\n"), "{run}");
    write(&sandbox, &registry, &format!("HOST/shop/api:1.4@{}", builds[0]));
    let run = sandbox.run(["check", "--online"].iter().chain(&THERE));
    assert!(!run.contains("eu runs"), "{run}");
}
