//! What stands, from claims; and claims for other tests.

use super::*;
use record::claim::{ClusterId, Moment, Reported};

pub(crate) fn at(text: &str) -> Timestamp {
    format!("2026-03-17T{text}:00Z").parse().unwrap()
}

pub(crate) fn cluster() -> ClusterId {
    ClusterId::try_from("cluster-1".to_owned()).unwrap()
}

pub(crate) fn digest(name: &str) -> Digest {
    Digest::sha256(name.as_bytes())
}

/// A container `api` of `shop deployment/api` that began.
pub(crate) fn begins(pod: &str, content: &str, began: &str) -> ContainerRunClaim {
    begins_in("shop", "deployment/api", pod, content, began)
}

pub(crate) fn begins_in(
    namespace: &str,
    workload: &str,
    pod: &str,
    content: &str,
    began: &str,
) -> ContainerRunClaim {
    let id = RunId::of(&cluster(), &format!("{namespace}/{pod}"), "api", content);
    let image_id = format!("reg.example.com/shop/api@{}", digest(content));
    let change = RunChange::Began(Box::new(RunBegan {
        pod: Reported::of(pod),
        pod_uid: Reported::of(pod),
        workload: Reported::of(workload),
        container: Reported::of("api"),
        role: RunRole::Main,
        container_id: Reported::of(content),
        node: None,
        reference: Reported::of("reg.example.com/shop/api:uat"),
        image_id: Reported::of(&image_id),
        began: Moment::Exact { at: at(began) },
        created: None,
        restarts: 0,
        missed: 0,
        changed_in_place: false,
        node_info: None,
    }));
    ContainerRunClaim {
        key: ContainerRunClaim::key_of(id, at(began), &change),
        run: id,
        cluster: cluster(),
        namespace: Reported::of(namespace),
        digest: Some(digest(content)),
        seen: at(began),
        change,
    }
}

/// The end of what [`begins`] says.
pub(crate) fn ends(began: &ContainerRunClaim, when: &str) -> ContainerRunClaim {
    let ended = Moment::Exact { at: at(when) };
    let change = RunChange::Ended { ended, exit_code: None, deleted: None };
    let key = ContainerRunClaim::key_of(began.run, at(when), &change);
    ContainerRunClaim { key, seen: at(when), change, ..began.clone() }
}

pub(crate) fn place() -> Place {
    let owner = Owner { kind: "deployment".to_owned(), name: "api".to_owned() };
    Place { namespace: "shop".to_owned(), owner, container: "api".to_owned() }
}

fn standing(claims: &[ContainerRunClaim]) -> Standing {
    let mut standing = Standing::default();
    claims.iter().for_each(|claim| standing.apply(claim));
    standing
}

#[test]
fn replicas_are_one_row_with_their_pods_and_what_ended_is_not_there() {
    let gone = begins("api-6d5-x", "a", "14:00");
    let all = [
        gone.clone(),
        begins("api-6d5-y", "a", "14:40"),
        begins("api-6d5-z", "b", "14:50"),
        ends(&gone, "14:39"),
    ];
    let rows = standing(&all).rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].bytes[&Bytes::Pulled(digest("a"))], ["api-6d5-y"]);
    assert_eq!(rows[0].bytes[&Bytes::Pulled(digest("b"))], ["api-6d5-z"]);
    assert_eq!(rows[0].since, Some(at("14:40")));
}

#[test]
fn a_restart_goes_on_and_other_bytes_between_begin_a_new_stretch() {
    let first = begins("api-1", "a", "14:00");
    let mut here = standing(&[first.clone(), ends(&first, "14:10")]);
    let again = begins("api-2", "a", "14:11");
    here.apply(&again);
    assert_eq!(here.since(&place(), &digest("a")), Some(at("14:00")));
    // b comes, a goes, and a comes back: as a rollback does.
    let other = begins("api-3", "b", "15:00");
    for claim in [&other, &ends(&again, "15:01"), &begins("api-4", "a", "16:00")] {
        here.apply(claim);
    }
    assert_eq!(here.since(&place(), &digest("a")), Some(at("16:00")));
    assert_eq!(here.since(&place(), &digest("b")), Some(at("15:00")));
    assert_eq!(here.since(&place(), &digest("c")), None);
}

#[test]
fn the_record_and_the_tracker_tell_the_same() {
    let mut story = record::fuzz::story::Story::new();
    let (one, two) = (begins("api-1", "a", "14:00"), begins("api-2", "b", "14:05"));
    let all = [one.clone(), two, ends(&one, "14:10")];
    for claim in all.clone() {
        story.say(record::Claim::ContainerRun(claim));
    }
    let told = Standing::of(&record::runs(story.events()));
    assert_eq!(told.rows(), standing(&all).rows());
    assert_eq!(told.since(&place(), &digest("a")), Some(at("14:00")));
    assert!(told.runs_at(&place()) && told.count() == 1);
}

#[test]
fn pods_of_one_template_do_not_roll_and_those_of_two_may() {
    let of = |pods: [&str; 2]| {
        standing(&[begins(pods[0], "a", "14:00"), begins(pods[1], "b", "14:30")]).rolled(&place())
    };
    assert_eq!(of(["api-6d5f8c-x2x4q", "api-6d5f8c-9k2lm"]), None);
    assert_eq!(of(["api-6d5f8c-x2x4q", "api-7c9d4b-9k2lm"]), Some(at("14:30")));
    let long = format!("{}-x2x4q", "a".repeat(57));
    assert_eq!((long.len(), of([&long, &long])), (63, Some(at("14:30"))));
    let set = |pod, began| begins_in("shop", "statefulset/db", pod, pod, began);
    let here = standing(&[set("db-0", "14:00"), set("db-1", "14:30")]);
    let owner = Owner { kind: "statefulset".to_owned(), name: "db".to_owned() };
    assert_eq!(here.rolled(&Place { owner, ..place() }), Some(at("14:30")));
}
