//! Mode `cluster`: deployed, refused, failed, rolled back, promoted, and judged by what pods report.

use super::lab::Lab;
use super::{kubectl, wait_for_pods};
use crate::situations::runner::text;
use testbed::Cluster;

/// The seconds from the first pull error that the kubelet reports until now.
fn since_first_error(cluster: &Cluster, namespace: &str) -> Option<f64> {
    let path = "jsonpath={range .items[?(@.reason==\"Failed\")]}{.firstTimestamp}{'\\n'}{end}";
    let events = kubectl(cluster, &["--namespace", namespace, "get", "events", "--output", path]);
    let first = events.lines().filter(|line| !line.is_empty()).min()?.to_owned();
    let first: domain::Timestamp = first.parse().ok()?;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().ok()?;
    Some(now.as_secs_f64() - first.as_millis() as f64 / 1000.0)
}

#[test]
fn a_deploy_is_done_when_its_pods_report_the_build() {
    let test = "a_deploy_is_done_when_its_pods_report_the_build";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let a = lab.build("a", "uat");

    // kubectl set the image before: it is taken over only when that is said.
    let owned = lab.deploy("uat", &a, &[]).exits(1);
    owned.says(&["was set by kubectl", "--take-over"]);
    assert_eq!(lab.history("uat").len(), 0, "what is refused leaves no record");
    let dry = lab.deploy("uat", &a, &["--take-over", "--dry-run"]).exits(0).json();
    assert_eq!(text(&dry, "images.0.places.0"), "testbed uat/deployment/api api");
    assert!(lab.image("uat", "deployment/api").ends_with(":first"));
    let done = lab.deploy("uat", &a, &["--take-over"]).exits(0).json();
    assert_eq!((text(&done, "mode"), text(&done, "grade")), ("cluster", "observed"));
    let written = format!("{}/shop/api:a@{a}", lab.cluster.registry());
    assert_eq!(lab.image("uat", "deployment/api"), written);
    let running = lab.pods("uat");
    assert!(running.len() == 2 && running.iter().all(|pod| pod.ends_with(&a)), "{running:?}");

    // The same again restarts nothing.
    let same = lab.deploy("uat", &a, &[]).exits(0).json();
    assert_eq!(text(&same, "outcome"), "same");
    assert_eq!(lab.pods("uat"), running);

    // A build of uat does not reach prod by itself, and comes by promotion.
    lab.deploy("prod", &a, &["--take-over"]).exits(1).says(&["may not go to prod"]);
    assert!(lab.image("prod", "deployment/api").ends_with(":first"), "it is left as it was");
    assert_eq!(lab.history("prod").len(), 0);
    let promoted = lab.ada.json(&["promote", "uat", "prod", "api", "--take-over"]);
    assert_eq!(
        (text(&promoted, "grade"), text(&promoted, "images.0.to")),
        ("observed", a.as_str())
    );
    wait_for_pods(&lab.cluster, "prod", "app=api", 2);
    let running = lab.pods("prod");
    assert!(running.iter().all(|pod| pod.ends_with(&a)), "the same bytes: {running:?}");

    bad_builds(&lab, &a);
}

/// Builds that do not run are noticed at once, and left by rollbacks, of which the last goes further back.
fn bad_builds(lab: &Lab, a: &str) {
    let b = lab.build("b", "uat");
    let done = lab.deploy("uat", &b, &[]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");

    let unrunnable = lab.unrunnable("unrunnable", "uat");
    let failed = lab.deploy("uat", &unrunnable, &[]).exits(1);
    let seconds = since_first_error(&lab.cluster, "uat").unwrap();
    println!(
        "a build that cannot be pulled is noticed {seconds:.1} s after the first error, the command took {:.1} s",
        failed.took.as_secs_f64()
    );
    assert!(seconds < 60.0, "generous: two cores may be busy");
    failed.says(&["container api", "ErrImagePull", "indelible rollback uat api"]);
    let newest = &lab.history("uat")[0];
    assert!(
        text(newest, "outcome").starts_with("failed: testbed uat/deployment/api: pod api-"),
        "{newest}"
    );
    let back = lab.ada.json(&["rollback", "uat", "api", "--reason", "it does not start"]);
    assert_eq!(
        (text(&back, "images.0.to"), text(&back, "images.0.condemns")),
        (b.as_str(), unrunnable.as_str())
    );
    assert_eq!(text(&back, "grade"), "observed");
    held(lab, &b, &unrunnable);

    let back = lab.ada.json(&["rollback", "uat", "api"]);
    assert_eq!((text(&back, "images.0.to"), text(&back, "images.0.condemns")), (a, b.as_str()));
    lab.ada.run(&["rollback", "uat", "api"]).exits(1).says(&["nothing known-good is left"]);
}

/// A rollback holds: neither a person nor a pipeline brings the bad build back until somebody resumes.
fn held(lab: &Lab, runs: &str, bad: &str) {
    let (pods, before) = (lab.pods("uat"), lab.history("uat").len());
    assert!(pods.len() == 2 && pods.iter().all(|pod| pod.ends_with(runs)), "{pods:?}");
    let person = lab.deploy("uat", bad, &[]).exits(1).json();
    assert_eq!(text(&person, "outcome"), "held");
    let wanted = format!("api={bad}");
    let pipeline = lab.ada.also([("CI", "true".to_owned())]);
    let told = pipeline.run(&["deploy", "uat", &wanted]).exits(0);
    assert!(told.stdout.starts_with("api uat: held since "), "{told}");
    assert!(told.stdout.contains("it does not start; nothing was changed"), "{told}");
    assert_eq!(told.stdout.lines().count(), 1, "one line: {told}");
    assert_eq!((lab.pods("uat"), lab.history("uat").len()), (pods, before), "nothing happened");
    lab.ada.run(&["resume", "uat"]).exits(0);
    lab.deploy("uat", bad, &["--dry-run"]).exits(0);
}
