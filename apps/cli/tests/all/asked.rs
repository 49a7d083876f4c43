//! `history`, `ran` and `diff` of an environment that was watched for a while.
//!
//! ```text
//! 14:05 watched …                                        … 18:00 and never again
//! 14:10 A ──── 15:01   15:30 A ──── 16:12        17:00 A ────
//!        15:00 X ─ 15:30        16:11 B ──── 17:01
//! decided: A, and B from 16:10 on
//! ```

use crate::sandbox::{Sandbox, sandbox};
use domain::{Actor, Digest, Proof, Timestamp};
use flows::Surroundings;
use flows::record_local::LocalRecord;
use flows::seam::Record as _;
use record::claim::{Claim, DeployKind, Moment, NamedBy, Reported, RunChange, RunId, WatchChange};
use record::fuzz::story::Story;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub(crate) const SETTINGS: &str = "version: 1
record: file:record.db
images: {api: {repository: registry.example.com/shop/api}}
environments:
  prod:
    branches: [prod]
    deploy: cluster
    clusters: [prod-eu]
    namespace: shop
    workloads: {api: [deployment/api]}
";

pub(crate) fn at(text: &str) -> Timestamp {
    format!("2026-03-17T{text}:00Z").parse().unwrap()
}

pub(crate) fn digest(content: &str) -> Digest {
    Digest::sha256(content.as_bytes())
}

/// A run of the container api, from then until then, on these bytes.
pub(crate) fn ran(
    story: &mut Story,
    bytes: &mut Vec<(RunId, Digest)>,
    from: &str,
    until: &str,
    build: &str,
) {
    let run = story.run_began("api", at(from));
    bytes.push((run, digest(build)));
    if !until.is_empty() {
        let ended = Moment::Exact { at: at(until) };
        story.run_says(
            run,
            RunChange::Ended { ended, exit_code: Some(0), deleted: None },
            at(until),
        );
    }
}

fn until(story: &mut Story, time: &str) {
    let ms = at(time).as_millis() - story.next_time().as_millis();
    story.turn_clock(ms);
}

fn told() -> (Story, Vec<(RunId, Digest)>) {
    let (mut story, mut bytes) = (Story::new(), Vec::new());
    for build in ["a", "b"] {
        let build_digest = story.build("api", build, "prod");
        story.image(
            build_digest,
            digest(&format!("{build} manifest")),
            digest(&format!("{build} config")),
        );
    }
    story.deploy("api", "prod", digest("a"), DeployKind::Deploy, NamedBy::Rule);
    until(&mut story, "14:09");
    let watch = story.watch_began(at("14:05"));
    ran(&mut story, &mut bytes, "14:10", "15:01", "a");
    ran(&mut story, &mut bytes, "15:00", "15:30", "x");
    // The kubelet reports the platform's manifest: it is the same build.
    ran(&mut story, &mut bytes, "15:30", "16:12", "a manifest");
    until(&mut story, "16:10");
    story.deploy("api", "prod", digest("b"), DeployKind::Deploy, NamedBy::Rule);
    ran(&mut story, &mut bytes, "16:11", "17:01", "b");
    ran(&mut story, &mut bytes, "17:00", "", "a");
    let why = Reported::of("stopped");
    story.watch_says(watch, at("18:00"), WatchChange::Ended { why });
    (story, bytes)
}

/// A folder with settings, and the record of the story.
pub(crate) fn watched() -> Sandbox {
    let (story, bytes) = told();
    recorded(sandbox().file("indelible.yaml", SETTINGS), &story, &bytes)
}

/// Writes a story into the record of a folder.
pub(crate) fn recorded(sandbox: Sandbox, story: &Story, bytes: &[(RunId, Digest)]) -> Sandbox {
    let clock = Arc::new(AtomicI64::new(0));
    let (now, counter) = (Arc::clone(&clock), AtomicI64::new(1));
    let surroundings = Surroundings {
        cwd: sandbox.path(""),
        variables: std::collections::BTreeMap::new(),
        clock: Arc::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed))),
        entropy: Arc::new(move || u128::try_from(counter.fetch_add(1, Ordering::Relaxed)).unwrap()),
    };
    let actor = Actor::new("ada", Proof::Git).unwrap();
    let record = LocalRecord::at(sandbox.path("record.db"), "file", actor, surroundings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for event in story.events() {
            clock.store(event.event.stamp.at.as_millis(), Ordering::Relaxed);
            let mut claim = event.event.claim.clone();
            if let Claim::ContainerRun(run) = &mut claim
                && let Some((_, own)) = bytes.iter().find(|(id, _)| *id == run.run)
                && run.digest.is_some()
            {
                run.digest = Some(*own);
            }
            record.append(vec![claim]).await.unwrap();
        }
    });
    sandbox
}

#[track_caller]
pub(crate) fn json(sandbox: &Sandbox, arguments: &[&str], code: &str) -> Value {
    let said = sandbox.run([arguments, &["--json", "-q"]].concat());
    let end = said.rfind("[exit").unwrap();
    assert_eq!(&said[end..], format!("[exit {code}]\n"), "{said}");
    serde_json::from_str(&said[..end]).unwrap()
}

fn texts<'a>(items: &'a Value, member: &str) -> Vec<&'a str> {
    items.as_array().unwrap().iter().map(|one| one[member].as_str().unwrap()).collect()
}

#[test]
fn what_was_seen_stands_beside_what_was_decided_and_what_nobody_decided_is_told() {
    let sandbox = watched();
    // Since 18:00 nobody watches.
    let history = json(&sandbox, &["history", "prod"], "2");
    assert_eq!(texts(&history["items"], "how"), ["deploy", "deploy"]);
    let seen = &history["seen"];
    assert_eq!(texts(seen, "decided"), ["other-then", "deploy", "deploy", "never", "deploy"]);
    let from: Vec<_> = texts(seen, "from").iter().map(|at| at[11..16].to_owned()).collect();
    assert_eq!(from, ["17:00", "16:11", "15:30", "15:00", "14:10"]);
    assert_eq!(seen[2]["digest"], digest("a").to_string(), "the platform's manifest is the build");
    assert_eq!(seen[0]["until"], Value::Null);
    let gaps = &history["gaps"];
    assert_eq!(texts(gaps, "why"), ["prod-eu was not watched"; 2]);
    assert_eq!(
        (gaps[0]["from"].clone(), gaps[1]["from"].as_str().unwrap()),
        (Value::Null, "2026-03-17T18:00:00.000Z")
    );
    let said = sandbox.run(["history", "prod", "-q"]);
    assert!(
        said.contains("by no deploy: from outside") && said.contains("not seen to end"),
        "{said}"
    );
}

#[test]
fn the_population_of_a_period_has_changes_outsiders_and_gaps() {
    let sandbox = watched();
    let span = ["--from", "2026-03-17T14:30:00Z", "--to", "2026-03-17T19:00:00Z", "-q"];
    let said = sandbox.run([&["history", "prod", "--format", "csv"][..], &span].concat());
    let lines: Vec<&str> = said.lines().collect();
    let columns: Vec<&str> = lines[0].split(',').collect();
    let row = columns.iter().position(|name| *name == "row").unwrap();
    let rows: Vec<Vec<&str>> =
        lines[1..lines.len() - 1].iter().map(|line| line.split(',').collect()).collect();
    let kinds: Vec<&str> = rows.iter().map(|fields| fields[row]).collect();
    assert_eq!(
        kinds,
        ["outside", "seen", "change", "seen", "outside", "seen", "known", "gap"],
        "{said}"
    );
    let change = &rows[2];
    let column = |name: &str| columns.iter().position(|one| *one == name).unwrap();
    assert_eq!((change[column("actor")], change[column("proof")]), ("ada", "git"));
    assert_eq!(change[column("to")], digest("b").to_string());
    assert_eq!(rows[4][column("to")], digest("x").to_string());
    assert_eq!(rows[7][column("at")], "2026-03-17T18:00:00.000Z");
}

#[test]
fn a_workload_is_asked_about_by_its_name_and_an_unknown_one_is_said() {
    let sandbox = watched();
    for name in ["api", "deployment/api"] {
        let history = json(&sandbox, &["history", "prod", "--workload", name], "2");
        assert_eq!(
            (history["items"].as_array().unwrap().len(), history["seen"].as_array().unwrap().len()),
            (2, 5)
        );
    }
    let said = sandbox.run(["history", "prod", "--workload", "web"]);
    let unknown = "error: neither the settings nor what was seen know a workload `web` of prod\n";
    assert!(said.contains(unknown) && said.ends_with("[exit 2]\n"), "{said}");
}

#[test]
fn two_moments_differ_in_what_was_decided_and_in_what_ran() {
    let sandbox = watched();
    let diff = |first: &str, second: &str, code: &str| {
        let day = |time: &str| format!("2026-03-17T{time}:00Z");
        json(&sandbox, &["diff", "prod", &day(first), &day(second)], code)
    };
    let both = diff("14:30", "16:30", "0");
    assert_eq!(texts(&both["items"], "what"), ["decided", "ran"]);
    assert_eq!(both["items"][0]["after"]["digest"], digest("b").to_string());
    assert_eq!(both["items"][1]["before"][0]["digest"], digest("a").to_string());
    assert_eq!(
        (both["basis"].as_str(), both["precision"].as_str()),
        (Some("observed"), Some("exact"))
    );
    // X ran beside A; nothing was decided.
    let outside = diff("14:30", "15:00", "0");
    assert_eq!(texts(&outside["items"], "what"), ["ran"]);
    assert_eq!(outside["items"][0]["after"].as_array().unwrap().len(), 2);
    assert_eq!(diff("14:30", "15:45", "0")["items"], Value::Array(vec![]));
    // Behind the watch nobody knows what ran; what was decided is told all the same.
    let unknown = diff("14:30", "18:30", "2");
    assert_eq!(
        (texts(&unknown["items"], "what"), unknown["known"].as_bool()),
        (vec!["decided"], Some(false))
    );
    let why = unknown["gaps"][0]["why"].as_str().unwrap();
    assert_eq!(why, "at 2026-03-17T18:30:00.000Z: prod-eu was not watched");
    let said = sandbox.run(["diff", "prod", "2026-03-17T15:00:00Z", "2026-03-17T14:00:00Z", "-q"]);
    assert!(said.contains("is not behind the first") && said.ends_with("[exit 2]\n"), "{said}");
}

#[test]
fn a_moment_outside_of_what_was_watched_is_unknown_and_says_what_was_decided() {
    let sandbox = watched();
    let inside = json(&sandbox, &["ran", "prod", "--at", "2026-03-17T15:00:30Z"], "0");
    assert_eq!(inside["items"].as_array().unwrap().len(), 2, "A and X");
    let behind = json(&sandbox, &["ran", "prod", "--at", "2026-03-17T18:30:00Z"], "2");
    assert!(texts(&behind["items"], "basis").contains(&"intended"), "{behind:#}");
    // Now: the watch ended long ago, and prod-eu does not answer. Nothing says "not running".
    let said = sandbox.run(["status", "prod", "-q"]);
    assert!(said.contains("unknown: api: what runs: prod-eu is not watched"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
}

#[test]
fn what_ran_is_a_line_each_with_its_basis_and_the_gaps() {
    let sandbox = watched();
    let ran = |at: &str| sandbox.run(["ran", "prod", "--at", at, "--format", "csv", "-q"]);
    let rows = |said: &str| -> Vec<String> {
        let lines = said.lines().skip(1).filter(|line| !line.starts_with('['));
        lines.map(|line| line.split(',').next().unwrap().to_owned()).collect()
    };
    let inside = ran("2026-03-17T15:00:30Z");
    assert_eq!(rows(&inside), ["seen", "seen", "known"], "{inside}");
    assert!(inside.contains(",observed,exact,"), "{inside}");
    let behind = ran("2026-03-17T18:30:00Z");
    assert_eq!(rows(&behind), ["decided", "seen", "gap", "gap"], "{behind}");
    assert!(behind.ends_with("[exit 2]\n"), "{behind}");
}

#[test]
fn a_rollback_returns_to_what_a_watcher_saw_although_its_deploy_was_only_applied() {
    let sandbox = watched();
    let roll = |sandbox: &Sandbox| sandbox.run(["rollback", "prod", "api", "--dry-run", "-q"]);
    // A ran from 14:10 until 15:01. Nothing else speaks against it; only its registry is out of reach here.
    let said = roll(&sandbox);
    let a = digest("a");
    assert!(
        said.contains(&format!("could not find out whether {a} can still be pulled")),
        "{said}"
    );
    // The same decisions, and nobody watched.
    let mut story = Story::new();
    for build in ["a", "b"] {
        let build = story.build("api", build, "prod");
        story.deploy("api", "prod", build, DeployKind::Deploy, NamedBy::Rule);
    }
    let blind = recorded(crate::sandbox::sandbox().file("indelible.yaml", SETTINGS), &story, &[]);
    let said = roll(&blind);
    let why = "it is only applied: its pods were not observed to run here steadily";
    assert!(said.contains(why), "{said}");
}
