//! Each row of research/deploy.md §2.4, with its expected run read off the table by a person.
//!
//! A bound lies five seconds before the last sign of life: so long a report may have been under way.

use crate::cluster::{TruePod, Watcher, at};
use domain::Digest;
use record::Precision;
use record::claim::{Moment, NodeInfo, Reported, RunRole};
use release::observed::{ContainerState, Node, NodeState, Report, Role};

fn exact(seconds: i64) -> Moment {
    Moment::Exact { at: at(seconds) }
}

fn bounded(after: i64, until: i64) -> Moment {
    Moment::Bounded { after: Some(at(after)), until: at(until) }
}

fn node(state: NodeState) -> Report {
    Report::Node(Node { name: "node-a".to_owned(), state, info: None })
}

fn silent(since: i64) -> Report {
    node(NodeState::Silent { since: Some(at(since)) })
}

fn answers() -> Report {
    node(NodeState::Answers)
}

#[test]
fn a_run_says_what_its_node_is_where_the_node_tells() {
    let info = NodeInfo {
        platform: "linux/arm64".parse().unwrap(),
        runtime: Reported::of("containerd://1.6.20"),
    };
    let mut watcher = Watcher::new();
    let first = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&first), 20);
    let told =
        Node { name: "node-a".to_owned(), state: NodeState::Answers, info: Some(info.clone()) };
    watcher.sees(&Report::Node(told), 21);
    watcher.sees(&TruePod::started("b", 30).report(), 31);
    let infos: Vec<_> = watcher.runs().into_iter().map(|run| run.began.node_info).collect();
    assert_eq!(infos, [None, Some(info)]);
}

#[test]
fn a_restart_in_place_is_two_runs_with_exact_ends() {
    let mut watcher = Watcher::new();
    let mut pod = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&pod), 20);
    pod.restart(30, 31);
    watcher.sees(&pod.report(), 32);
    let runs = watcher.runs();
    assert_eq!(runs.len(), 2);
    assert_eq!((runs[0].began.began, runs[0].ended.unwrap().ended), (exact(10), exact(30)));
    assert_eq!(runs[0].ended.unwrap().exit_code, Some(1));
    assert_eq!((runs[1].began.began, runs[1].ended), (exact(31), None));
    assert_eq!(runs[1].digest, Some(Digest::sha256(b"uat")));
    assert!(!runs[1].began.changed_in_place);
    assert_eq!(watcher.sees(&pod.report(), 33), 0, "the same again is nothing new");
}

#[test]
fn restarts_that_nobody_saw_are_counted() {
    let mut watcher = Watcher::new();
    let mut pod = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&pod), 20);
    // Five restarts while nobody looks: the last two runs are told, three are not.
    for round in 0..5 {
        pod.restart(30 + round * 10, 31 + round * 10);
    }
    watcher.sees(&pod.report(), 90);
    let runs = watcher.runs();
    let missed: Vec<_> = runs.iter().map(|run| (run.began.restarts, run.began.missed)).collect();
    assert_eq!(missed, [(0, 0), (4, 3), (5, 0)]);
    // The first ended somewhere between its begin and that of the next that is known.
    assert_eq!(runs[0].ended.unwrap().ended, bounded(10, 61));
    // Only its end is told: which bytes it ran is not known.
    assert_eq!((runs[1].digest, runs[1].ended.unwrap().ended), (None, exact(70)));
}

#[test]
fn a_delete_that_nobody_saw_is_bounded_by_the_last_sign_of_life_and_the_list() {
    let mut watcher = Watcher::new();
    let pod = TruePod::started("a", 10);
    watcher.lists(&[pod], 20);
    watcher.sees(&Report::Alive, 50);
    watcher.lists(&[], 80);
    let runs = watcher.runs();
    assert_eq!(runs[0].ended.unwrap().ended, bounded(45, 80));
    assert_eq!(runs[0].at(at(40)), Some(Precision::Exact));
    assert_eq!(runs[0].at(at(60)), Some(Precision::Bounded));
}

#[test]
fn a_watcher_that_restarts_goes_on_where_the_record_stands() {
    let mut watcher = Watcher::new();
    let (stays, mut goes) = (TruePod::started("a", 10), TruePod::started("b", 11));
    watcher.lists(&[stays.clone(), goes.clone()], 20);
    goes.end(40);
    watcher.restarts(60);
    watcher.lists(&[stays], 70);
    let runs = watcher.runs();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0].ended, None);
    assert_eq!(runs[1].ended.unwrap().ended, bounded(15, 70));
}

#[test]
fn a_list_that_begins_again_ends_nothing_by_itself() {
    let mut watcher = Watcher::new();
    let pod = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&pod), 20);
    watcher.sees(&Report::ListBegins, 30);
    watcher.sees(&Report::ListBegins, 31);
    watcher.sees(&pod.report(), 31);
    watcher.sees(&Report::ListEnds, 32);
    assert_eq!(watcher.runs()[0].ended, None);
}

#[test]
fn a_job_of_one_second_is_recorded_though_it_was_never_seen_to_run() {
    let mut watcher = Watcher::new();
    watcher.lists(&[], 5);
    let mut job = TruePod::started("job", 10);
    job.end(11);
    watcher.sees(&job.gone(), 12);
    let runs = watcher.runs();
    assert_eq!((runs[0].began.began, runs[0].ended.unwrap().ended), (exact(10), exact(11)));
    assert_eq!(runs[0].digest, Some(Digest::sha256(b"uat")));
}

#[test]
fn a_forced_delete_on_a_node_that_answers_is_bounded() {
    let mut watcher = Watcher::new();
    let pod = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&pod), 20);
    watcher.sees(&Report::Alive, 30);
    watcher.sees(&pod.gone(), 40);
    assert_eq!(watcher.runs()[0].ended.unwrap().ended, bounded(25, 40));
    // A report that comes late does not bring it back.
    assert_eq!(watcher.sees(&pod.report(), 41), 0);
}

#[test]
fn a_container_on_a_silent_node_is_unconfirmed_until_the_node_is_back() {
    let mut watcher = Watcher::new();
    let pod = TruePod::started("a", 10);
    watcher.lists(&[pod], 20);
    watcher.sees(&Report::Alive, 60);
    watcher.sees(&silent(30), 70);
    let during = watcher.runs();
    assert_eq!((during[0].ended, during[0].at(at(60))), (None, Some(Precision::Unconfirmed)));
    assert_eq!(during[0].at(at(29)), Some(Precision::Exact));
    watcher.sees(&answers(), 100);
    let after = watcher.runs();
    assert_eq!(after[0].at(at(60)), Some(Precision::Unconfirmed));
    assert_eq!(after[0].at(at(100)), Some(Precision::Exact));
}

#[test]
fn where_the_watch_was_lost_before_the_node_the_doubt_reaches_back_to_its_last_sign() {
    let mut watcher = Watcher::new();
    watcher.lists(&[TruePod::started("a", 10)], 20);
    // It may have been started again at 25: the node answered at 30, and no report of its pods came after 20.
    watcher.sees(&silent(30), 70);
    watcher.lists(&[], 80);
    watcher.sees(&answers(), 90);
    assert_eq!(watcher.runs()[0].ended.unwrap().ended, bounded(15, 90));
}

#[test]
fn a_pod_deleted_on_a_silent_node_stays_open_until_the_node_is_back_or_gone() {
    for is_back in [true, false] {
        let mut watcher = Watcher::new();
        let pod = TruePod::started("a", 10);
        watcher.lists(std::slice::from_ref(&pod), 20);
        watcher.sees(&Report::Alive, 60);
        watcher.sees(&silent(30), 70);
        watcher.sees(&pod.gone(), 80);
        assert_eq!(watcher.runs()[0].ended, None, "its containers may run on");
        // Also for another watcher, which does not find the pod any more.
        watcher.restarts(85);
        watcher.sees(&silent(30), 86);
        watcher.lists(&[], 87);
        let (report, expected) = match is_back {
            true => (answers(), bounded(30, 90)),
            false => {
                let moment = Moment::Unconfirmed { after: Some(at(30)), until: at(90) };
                (Report::NodeGone("node-a".to_owned()), moment)
            }
        };
        if watcher.runs()[0].ended.is_none() {
            watcher.sees(&report, 90);
            assert_eq!(watcher.runs()[0].ended.unwrap().ended, expected);
        }
    }
}

#[test]
fn without_the_right_to_see_nodes_an_end_that_nobody_reported_is_unconfirmed() {
    let mut watcher = Watcher::new();
    watcher.sees(&Report::Nodes(Vec::new()), 1);
    let pod = TruePod::started("a", 10);
    watcher.lists(&[pod], 20);
    watcher.lists(&[], 40);
    let unconfirmed = Moment::Unconfirmed { after: Some(at(15)), until: at(40) };
    assert_eq!(watcher.runs()[0].ended.unwrap().ended, unconfirmed);
}

#[test]
fn an_image_that_is_changed_inside_a_pod_is_a_new_run_and_said_so() {
    let mut watcher = Watcher::new();
    let mut pod = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&pod), 20);
    pod.image = "hotfix".to_owned();
    pod.restart(30, 31);
    watcher.sees(&pod.report(), 32);
    let runs = watcher.runs();
    assert!(!runs[0].began.changed_in_place && runs[1].began.changed_in_place);
    assert_eq!(runs[1].digest, Some(Digest::sha256(b"hotfix")));
}

#[test]
fn a_tag_that_moved_between_two_restarts_is_another_digest_in_the_same_pod() {
    let mut watcher = Watcher::new();
    let mut pod = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&pod), 20);
    pod.restart(30, 31);
    let mut other = pod.pod();
    let digest = Digest::sha256(b"moved");
    other.containers[0].image_id = format!("registry.example.com/shop/api@{digest}");
    watcher.sees(&Report::Pod(Box::new(other)), 32);
    let runs = watcher.runs();
    assert_eq!(runs[1].digest, Some(digest));
    assert!(!runs[1].began.changed_in_place, "the pod's own image was not changed");
}

#[test]
fn init_and_ephemeral_containers_have_their_role() {
    let mut watcher = Watcher::new();
    let mut pod = TruePod::started("a", 10).pod();
    for (name, role) in [("migrate", Role::Init), ("debug", Role::Ephemeral)] {
        let mut container = pod.containers[0].clone();
        container.name = name.to_owned();
        container.role = role;
        container.container_id = format!("containerd://{name}");
        pod.containers.push(container);
    }
    watcher.sees(&Report::ListBegins, 20);
    watcher.sees(&Report::Pod(Box::new(pod)), 20);
    let mut roles: Vec<_> = watcher.runs().iter().map(|run| run.began.role).collect();
    roles.sort();
    assert_eq!(roles, [RunRole::Main, RunRole::Init, RunRole::Ephemeral]);
}

#[test]
fn a_container_that_the_kubelet_lost_has_ended_somewhere_before() {
    let mut watcher = Watcher::new();
    let pod = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&pod), 20);
    // `ContainerStatusUnknown`: no id, no times, an invented exit code.
    let mut lost = pod.pod();
    lost.containers[0].container_id = String::new();
    lost.containers[0].state =
        ContainerState::Ended { started: None, finished: None, exit_code: 137 };
    watcher.sees(&Report::Pod(Box::new(lost)), 50);
    assert_eq!(watcher.runs()[0].ended.unwrap().ended, bounded(15, 50));
}

#[test]
fn a_crash_loop_is_one_run_for_each_container_id() {
    let mut watcher = Watcher::new();
    let mut pod = TruePod::started("a", 10);
    watcher.lists(std::slice::from_ref(&pod), 11);
    pod.end(12);
    // While it waits, the status repeats the run that ended, here and as the previous one.
    let mut waiting = pod.pod();
    waiting.containers[0].state = ContainerState::Waiting { reason: "CrashLoopBackOff".to_owned() };
    waiting.containers[0].previous = Some(release::observed::Previous {
        container_id: waiting.containers[0].container_id.clone(),
        started: Some(at(10)),
        finished: Some(at(12)),
        exit_code: 1,
    });
    watcher.sees(&Report::Pod(Box::new(waiting)), 13);
    pod.start(22);
    watcher.sees(&pod.report(), 23);
    let runs = watcher.runs();
    let ends: Vec<_> = runs.iter().map(|run| run.ended.map(|ended| ended.ended)).collect();
    assert_eq!(ends, [Some(exact(12)), None]);
    assert_eq!(runs[1].began.missed, 0);
}

#[test]
fn after_its_store_was_restored_an_api_server_counts_from_below_and_is_believed() {
    let mut watcher = Watcher::new();
    let mut pod = TruePod::started("a", 10);
    pod.version = Some(900);
    let mut gone = TruePod::started("b", 10);
    gone.version = Some(901);
    watcher.lists(&[pod.clone(), gone.clone()], 20);
    gone.end(25);
    gone.version = Some(902);
    watcher.sees(&gone.gone(), 26);
    // The backup is older than what was seen: smaller versions, and a pod that had been deleted stands there again.
    pod.restart(30, 31);
    pod.version = Some(300);
    gone.start(32);
    gone.version = Some(301);
    watcher.lists(&[pod.clone(), gone.clone()], 40);
    let open = |watcher: &Watcher| {
        let runs = watcher.runs();
        let open = runs.iter().filter(|run| run.ended.is_none());
        open.map(|run| run.began.container_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(open(&watcher), ["containerd://a-1", "containerd://b-1"]);
    // And from there on by the new versions.
    pod.end(50);
    pod.version = Some(302);
    watcher.sees(&pod.report(), 51);
    assert_eq!(open(&watcher), ["containerd://b-1"]);
}
