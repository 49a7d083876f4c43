//! Two clusters of one environment; a command that is stopped; a rollback that was asked for beforehand.

use super::lab::{Lab, objects};
use super::{apply, cluster, kubectl, wait_for_pods};
use crate::situations::runner::{Runner, text};
use std::process::Command;
use testbed::wait_until_within;

#[test]
fn of_two_clusters_the_second_stays_as_it_was_when_the_first_fails() {
    let test = "of_two_clusters_the_second_stays_as_it_was_when_the_first_fails";
    let Some(mut lab) = Lab::start(test, "Deployment") else { return };
    let Some(us) = cluster(test) else { return };
    let registry = lab.cluster.registry();
    apply(&us, &objects(&registry, "uat", "Deployment"));
    // The second cluster under a name of its own, beside the first.
    let text_of = std::fs::read_to_string(us.kubeconfig()).unwrap();
    let own = text_of
        .replace("current-context: testbed", "current-context: us")
        .replace(
            "{name: testbed, context: {cluster: testbed, user: admin}}",
            "{name: us, context: {cluster: us, user: us}}",
        )
        .replace("clusters: [{name: testbed", "clusters: [{name: us")
        .replace("users: [{name: admin", "users: [{name: us");
    let file = lab.ada.cwd.join("us.kubeconfig");
    std::fs::write(&file, own).unwrap();
    let both = format!("{}:{}", lab.cluster.kubeconfig().display(), file.display());
    let home = lab.ada.cwd.join("home");
    lab.ada = Runner::new(&home, &lab.ada.cwd).with([("KUBECONFIG", both)]);
    lab.settle(
        "uat: {deploy: cluster, clusters: [testbed]",
        "uat: {deploy: cluster, clusters: [testbed, us]",
    );
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    wait_for_pods(&us, "uat", "app=api", 2);
    let there = || {
        let image = "jsonpath={.spec.template.spec.containers[0].image}";
        kubectl(&us, &["--namespace", "uat", "get", "deployment", "api", "--output", image])
    };

    let a = lab.build("a", "uat");
    let done = lab.deploy("uat", &a, &["--take-over"]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");
    assert!(lab.image("uat", "deployment/api").ends_with(&a) && there().ends_with(&a));

    let bad = lab.unrunnable("bad", "uat");
    lab.deploy("uat", &bad, &[]).exits(1).says(&["left as they were: us"]);
    assert!(lab.image("uat", "deployment/api").ends_with(&bad) && there().ends_with(&a));
    let outcome = text(&lab.history("uat")[0], "outcome").to_owned();
    assert!(outcome.contains("left as they were: us"), "{outcome}");

    lab.settle("clusters: [testbed, us]", "clusters: [testbed, us], rollout: at-once");
    let b = lab.build("b", "uat");
    let done = lab.deploy("uat", &b, &[]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");
    assert!(lab.image("uat", "deployment/api").ends_with(&b) && there().ends_with(&b));
}

#[test]
fn a_deploy_that_is_stopped_goes_on_and_one_that_fails_is_rolled_back_where_asked_for() {
    let test = "a_deploy_that_is_stopped_goes_on_and_one_that_fails_is_rolled_back_where_asked_for";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let slow = r#"{"spec": {"minReadySeconds": 8}}"#;
    lab.kubectl("uat", &["patch", "deployment", "api", "--patch", slow]);
    let a = lab.build("a", "uat");
    let image = format!("api={a}");
    let child = lab.ada.begin(&["deploy", "uat", &image, "--take-over"]);
    wait_until_within(super::PODS_WITHIN, "the workload has been told", || {
        lab.image("uat", "deployment/api").ends_with(&a)
    })
    .unwrap();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let stopped = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(stopped.status.code(), Some(130), "{said}");
    assert!(said.contains(&format!("to go on waiting: indelible deploy uat {image}")), "{said}");
    let outcome = text(&lab.history("uat")[0], "outcome").to_owned();
    assert!(outcome.starts_with("open: stopped while it was waited for"), "{outcome}");
    let done = lab.deploy("uat", &a, &[]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");
    assert_eq!(text(&lab.history("uat")[0], "outcome"), "done");

    let fast = r#"{"spec": {"minReadySeconds": 0}}"#;
    lab.kubectl("uat", &["patch", "deployment", "api", "--patch", fast]);
    let bad = lab.unrunnable("bad", "uat");
    let failed = lab.deploy("uat", &bad, &["--rollback-on-failure"]).exits(1);
    failed.says(&["failed and was rolled back: api to a", "ErrImagePull"]);
    assert!(lab.image("uat", "deployment/api").ends_with(&a));
    let newest = &lab.history("uat")[0];
    assert_eq!((text(newest, "how"), text(newest, "outcome")), ("rollback", "done"));
    assert!(text(newest, "reason").starts_with("the deploy failed: "), "{newest}");
}
