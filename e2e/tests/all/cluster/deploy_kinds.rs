//! StatefulSets and DaemonSets; and a StatefulSet that waits for a pod in vain.

use super::lab::Lab;
use super::wait_for_pods;
use crate::situations::runner::{text, warnings};

#[test]
fn a_stateful_set_that_waits_for_a_bad_pod_is_rolled_back_and_goes_on() {
    let test = "a_stateful_set_that_waits_for_a_bad_pod_is_rolled_back_and_goes_on";
    let Some(lab) = Lab::start(test, "StatefulSet") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let a = lab.build("a", "uat");
    let done = lab.deploy("uat", &a, &["--take-over"]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");
    let good = lab.pods("uat");
    assert!(good.len() == 2 && good.iter().all(|pod| pod.ends_with(&a)), "{good:?}");

    let bad = lab.unrunnable("bad", "uat");
    lab.deploy("uat", &bad, &[]).exits(1).says(&["pod api-1, container api, ErrImagePull"]);
    let back = lab.ada.run(&["rollback", "uat", "api", "--json"]).exits(0);
    let back = back.says(&["pod api-1 of an older template was not ready"]).json();
    assert_eq!((text(&back, "images.0.to"), text(&back, "grade")), (a.as_str(), "observed"));
    let told = warnings(&back);
    assert!(told.iter().any(|line| line.contains("pod api-1")), "{told:?}");
    let now = lab.pods("uat");
    assert!(now.len() == 2 && now.iter().all(|pod| pod.ends_with(&a)), "{now:?}");
    let kept = now.iter().filter(|pod| good.contains(pod)).count();
    assert_eq!(kept, 1, "api-0 was good and stays: {good:?} {now:?}");
}

#[test]
fn a_daemon_set_is_done_when_every_node_runs_the_build() {
    let test = "a_daemon_set_is_done_when_every_node_runs_the_build";
    let Some(lab) = Lab::start(test, "DaemonSet") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let a = lab.build("a", "uat");
    let done = lab.deploy("uat", &a, &["--take-over"]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");
    let pods = lab.pods("uat");
    assert!(pods.len() == 2 && pods.iter().all(|pod| pod.ends_with(&a)), "{pods:?}");
    let crashing = lab.crashing("crashing", "uat");
    lab.deploy("uat", &crashing, &[]).exits(1).says(&["CrashLoopBackOff", "the database is not"]);
    let back = lab.ada.json(&["rollback", "uat", "api"]);
    assert_eq!((text(&back, "images.0.to"), text(&back, "grade")), (a.as_str(), "observed"));
}
