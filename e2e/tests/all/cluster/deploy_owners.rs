//! Whose image it is: systems that would put their own back are not fought; and of two deploys at once, one wins.

use super::lab::Lab;
use super::wait_for_pods;
use crate::situations::runner::text;
use testbed::wait_until_within;

#[test]
fn an_image_of_argo_cd_or_helm_is_left_to_it() {
    let test = "an_image_of_argo_cd_or_helm_is_left_to_it";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let a = lab.build("a", "uat");
    lab.deploy("uat", &a, &["--take-over"]).exits(0);
    for (manager, says) in [
        ("argocd-controller", "Argo CD (argocd-controller) owns the image"),
        ("helm", "Helm (helm) owns the image"),
        ("kustomize-controller", "Flux (kustomize-controller) owns the image"),
    ] {
        let theirs = format!("{}/shop/api:{manager}", lab.cluster.registry());
        lab.apply_as(manager, "uat", &theirs);
        let before = lab.history("uat").len();
        lab.deploy("uat", &a, &["--take-over"]).exits(1).says(&[says]);
        assert_eq!(lab.image("uat", "deployment/api"), theirs, "{manager}");
        assert_eq!(lab.history("uat").len(), before, "{manager}");
    }
}

#[test]
fn of_two_deploys_at_once_one_wins_and_the_other_says_so() {
    let test = "of_two_deploys_at_once_one_wins_and_the_other_says_so";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let a = lab.build("a", "uat");
    lab.deploy("uat", &a, &["--take-over"]).exits(0);
    let (b, c) = (lab.build("b", "uat"), lab.build("c", "uat"));
    // A pod counts five seconds after it is ready: the first is still waited for when the second begins.
    let slow = r#"{"spec": {"minReadySeconds": 5}}"#;
    lab.kubectl("uat", &["patch", "deployment", "api", "--patch", slow]);
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| lab.deploy("uat", &b, &[]));
        wait_until_within(super::PODS_WITHIN, "the first has been told", || {
            lab.image("uat", "deployment/api").ends_with(&b)
        })
        .unwrap();
        let second = lab.deploy("uat", &c, &[]);
        (first.join().unwrap(), second)
    });
    let second = second.exits(0).json();
    assert_eq!((text(&second, "images.0.to"), text(&second, "grade")), (c.as_str(), "observed"));
    first.exits(1).says(&["Replaced: somebody else has set", &c]);
    let pods = lab.pods("uat");
    assert!(pods.iter().all(|pod| pod.ends_with(&c)), "{pods:?}");
    let history = lab.history("uat");
    let ends: Vec<_> =
        history.iter().map(|row| (text(row, "to").to_owned(), text(row, "outcome"))).collect();
    println!("{ends:#?}");
    assert!(ends.iter().any(|(to, end)| *to == b && end.starts_with("failed")), "{ends:?}");
    assert!(ends.iter().any(|(to, end)| *to == c && *end == "done"), "{ends:?}");
}
