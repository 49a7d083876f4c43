//! `status ENV` where nobody watches: what runs is read from the cluster while it is asked.

use super::lab::Lab;
use super::wait_for_pods;
use crate::situations::runner::text;
use serde_json::Value;

/// The environment's one image, as `status uat` tells it.
fn asked(lab: &Lab, code: i32) -> Value {
    let told = lab.ada.run(&["status", "uat", "--json"]).exits(code).json();
    let environment = told["environments"][0].clone();
    assert_eq!(text(&environment, "seen_by"), "clusters", "{told:#}");
    assert_eq!(environment["differs"], code == 1, "{told:#}");
    environment["images"][0].clone()
}

#[test]
fn an_environment_that_runs_something_else_than_was_decided_is_told_apart() {
    let test = "an_environment_that_runs_something_else_than_was_decided_is_told_apart";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let (a, b) = (lab.build("a", "uat"), lab.build("b", "uat"));
    lab.deploy("uat", &a, &["--take-over"]).exits(0);
    let image = asked(&lab, 0);
    assert_eq!(image["verified_now"], true, "{image:#}");
    assert_eq!(image["running"]["state"], "seen", "{image:#}");
    let running = &image["running"]["builds"];
    assert_eq!((text(running, "0.digest"), &running[0]["containers"]), (a.as_str(), &2.into()));
    assert_eq!(running[0]["decided"], true, "{image:#}");

    // Somebody sets another image by hand: what was decided stays what it was.
    let other = format!("api={}/shop/api:b@{b}", lab.cluster.registry());
    lab.kubectl("uat", &["set", "image", "deployment/api", &other]);
    lab.kubectl("uat", &["rollout", "status", "deployment/api", "--timeout=90s"]);
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let image = asked(&lab, 1);
    assert_eq!(text(&image, "decided.digest"), a, "{image:#}");
    let running = &image["running"]["builds"];
    assert_eq!((text(running, "0.digest"), &running[0]["decided"]), (b.as_str(), &false.into()));
    assert_eq!(image["verified_now"], false, "{image:#}");
    assert!(!image["differences"].as_array().unwrap().is_empty(), "{image:#}");
    let screen = lab.ada.run(&["status", "uat"]).exits(1);
    assert!(screen.stdout.contains("by asking the clusters now"), "{screen}");

    lab.deploy("uat", &a, &["--take-over"]).exits(0);
    assert_eq!(asked(&lab, 0)["verified_now"], true);
}
