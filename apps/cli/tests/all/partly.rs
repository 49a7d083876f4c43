//! Every question about what ran: outside of what was watched the answer is unknown, exit 2, and says which part is known.
//!
//! prod-eu was watched from 14:05 until 18:00 on 2026-03-17, and nobody watched since; `asked.rs` tells what ran.

use crate::asked::{SETTINGS, at, digest, json, recorded, watched};
use crate::sandbox::{Sandbox, sandbox};
use domain::Timestamp;
use record::claim::{DeployKind, NamedBy, WatchChange};
use record::fuzz::story::Story;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// A question, its exit code, and what its answer says was watched; times are of the day of the story.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

const QUESTIONS: [Row<'static>; 19] = [
    // What happened.
    ("history prod --from 14:05 --to 18:00", "0", &[("14:05", "18:00")]),
    ("history prod --from 14:30 --to 17:30", "0", &[("14:30", "17:30")]),
    ("history prod --from 14:04 --to 17:30", "2", &[("14:05", "17:30")]),
    ("history prod --from 14:30 --to 18:01", "2", &[("14:30", "18:00")]),
    ("history prod --from 18:30 --to 19:00", "2", &[]),
    ("history prod --to 14:04", "2", &[]),
    // An open begin is when somebody first watched.
    ("history prod --to 17:30", "0", &[("14:05", "17:30")]),
    ("history prod", "2", &[("14:05", "18:00")]),
    ("history prod --workload api --from 14:30 --to 17:30", "0", &[("14:30", "17:30")]),
    ("history prod --workload api --from 14:30 --to 19:00", "2", &[("14:30", "18:00")]),
    // What ran.
    ("ran prod --at 15:00", "0", &[("14:05", "18:00")]),
    ("ran prod --at 18:30", "2", &[]),
    ("ran prod --at 14:04", "2", &[]),
    // The record heard of b at 14:03, before anybody watched.
    ("ran --digest B", "2", &[("14:05", "18:00")]),
    ("trace B", "2", &[("14:05", "18:00")]),
    // When it was watched.
    ("watched", "0", &[("14:05", "18:00")]),
    ("watched --from 14:30 --to 17:30", "0", &[("14:30", "17:30")]),
    ("watched --from 13:00 --to 15:00", "2", &[("14:05", "15:00")]),
    ("watched --context prod-eu --from 19:00 --to 20:00", "2", &[]),
];

fn words(question: &str) -> Vec<String> {
    let word = |word: &str| match word {
        "B" => digest("b").to_string(),
        time if time.contains(':') => format!("2026-03-17T{time}:00Z"),
        other => other.to_owned(),
    };
    question.split(' ').map(word).collect()
}

fn covered(answer: &Value) -> Vec<(String, String)> {
    let time = |one: &Value, end: &str| one[end].as_str().unwrap()[11..16].to_owned();
    let all = answer["covered"].as_array().unwrap().iter();
    all.map(|one| (time(one, "from"), time(one, "until"))).collect()
}

#[track_caller]
fn check(sandbox: &Sandbox, (question, code, known): Row<'_>) {
    let words = words(question);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let answer = json(sandbox, &words, code);
    assert_eq!(answer["known"].as_bool(), Some(code == "0"), "{question}");
    let expected: Vec<_> =
        known.iter().map(|(from, until)| ((*from).to_owned(), (*until).to_owned())).collect();
    assert_eq!(covered(&answer), expected, "{question}");
    let is_unknown = code == "2";
    assert!(!is_unknown || !answer["gaps"].as_array().unwrap().is_empty(), "{question}");
    // People are told the same in words, and a spreadsheet in rows.
    let said = sandbox.run([&words[..], &["-q"]].concat());
    assert!(said.ends_with(&format!("[exit {code}]\n")), "{said}");
    assert_eq!(said.contains("\nunknown: ") || said.starts_with("unknown: "), is_unknown, "{said}");
    let has_known = said.lines().any(|line| line.starts_with("known: prod-eu from "));
    assert_eq!(has_known, is_unknown && !known.is_empty(), "{said}");
    let csv = sandbox.run([&words[..], &["-q", "--format", "csv"]].concat());
    assert!(csv.ends_with(&format!("[exit {code}]\n")), "{csv}");
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "row").unwrap();
    let count =
        |kind: &str| csv.lines().filter(|line| line.split(',').nth(column) == Some(kind)).count();
    assert_eq!(count("known"), known.len(), "{csv}");
    assert!(!is_unknown || count("gap") > 0, "{csv}");
}

#[test]
fn outside_of_what_was_watched_every_answer_is_unknown_and_says_which_part_is_known() {
    let sandbox = watched();
    for row in QUESTIONS {
        check(&sandbox, row);
    }
    // What changed has no lines for a spreadsheet.
    let diff = |second: &str| words(&format!("diff prod 14:30 {second}"));
    let ask = |second: &str, code: &str| {
        let words = diff(second);
        json(&sandbox, &words.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    let span = [("14:05".to_owned(), "18:00".to_owned())];
    assert_eq!(covered(&ask("16:30", "0")), span);
    assert_eq!(covered(&ask("18:30", "2")), span, "around the first moment");
    let said = sandbox.run([&diff("18:30")[..], &["-q".to_owned()]].concat());
    assert!(said.contains("unknown: a moment is not covered"), "{said}");
    assert!(said.contains("\nknown: prod-eu from "), "{said}");
}

#[test]
fn of_two_clusters_the_one_that_was_watched_is_the_part_that_is_known() {
    let sandbox = watched();
    sandbox.write("indelible.yaml", SETTINGS.replace("[prod-eu]", "[prod-eu, prod-us]"));
    let span = [("14:30", "17:30")];
    for row in [
        ("history prod --from 14:30 --to 17:30", "2", &span[..]),
        ("ran prod --at 15:00", "2", &[("14:05", "18:00")]),
        ("trace B", "2", &[("14:05", "18:00")]),
        ("ran --digest B", "2", &[("14:05", "18:00")]),
    ] {
        check(&sandbox, row);
        let words = words(row.0);
        let answer = json(&sandbox, &words.iter().map(String::as_str).collect::<Vec<_>>(), "2");
        let why: Vec<_> =
            answer["gaps"].as_array().unwrap().iter().map(|gap| &gap["why"]).collect();
        assert!(why.contains(&&Value::from("prod-us was never watched")), "{why:?}");
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the binary asks the same clock whether a watch is alive"
)]
fn where_bytes_ran_is_known_when_somebody_watched_since_they_were_first_heard_of() {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let now = Timestamp::from_millis(i64::try_from(since_1970).unwrap());
    let minutes = |count: i64| now.plus_millis(-count * 60_000);
    let mut story = Story::new();
    story.turn_clock(minutes(40).as_millis() - story.next_time().as_millis());
    let watch = story.watch_began(minutes(60));
    let build = story.build("api", "c", "prod");
    story.image(build, digest("c manifest"), digest("c config"));
    story.deploy("api", "prod", build, DeployKind::Deploy, NamedBy::Rule);
    let run = story.run_began("api", minutes(35));
    story.watch_says(watch, minutes(0), WatchChange::Alive);
    let sandbox = recorded(
        sandbox().file("indelible.yaml", SETTINGS),
        &story,
        &[(run, digest("c manifest"))],
    );
    let build = build.to_string();
    for words in [
        &["trace", &build][..],
        &["ran", "--digest", &build],
        &["history", "prod"],
        &["ran", "prod"],
        &["watched", "--from", &minutes(50).to_string()],
    ] {
        let answer = json(&sandbox, words, "0");
        assert_eq!((answer["known"].as_bool(), covered(&answer).len()), (Some(true), 1));
        // Before the watch nothing is known; an open begin does not ask about it.
        let gaps = answer["gaps"].as_array().unwrap().iter();
        let unwatched = gaps.filter(|gap| gap["why"] == "prod-eu was not watched");
        assert!(unwatched.clone().all(|gap| gap["from"].is_null()), "{words:?}: {answer:#}");
        assert_eq!(unwatched.count(), usize::from(words[0] == "history"), "{words:?}: {answer:#}");
    }
    let traced = json(&sandbox, &["trace", &digest("c config").to_string()], "0");
    let seen = &traced["items"][0]["seen"];
    assert_eq!(seen.as_array().unwrap().len(), 1, "the platform's manifest is the image");
    assert_eq!((&seen[0]["environment"], &seen[0]["cluster"]), (&"prod".into(), &"prod-eu".into()));
    assert_eq!((&seen[0]["workload"], &seen[0]["until"]), (&"deployment/api".into(), &Value::Null));
    assert_eq!((&seen[0]["basis"], &seen[0]["precision"]), (&"observed".into(), &"exact".into()));
    assert_eq!(seen[0]["from"], minutes(35).to_string());
    // An hour before the watch is another question.
    json(&sandbox, &["watched", "--from", &minutes(90).to_string()], "2");
}

#[test]
fn what_nobody_published_is_traced_to_where_it_was_seen() {
    let sandbox = watched();
    let foreign = digest("x").to_string();
    let said = sandbox.run(["trace", &foreign, "-q"]);
    assert!(said.contains("its bytes are not recorded"), "{said}");
    assert!(said.contains("  seen   prod prod-eu shop/deployment/api api from "), "{said}");
    assert!(said.contains(", 1 pod (observed, exact)"), "{said}");
    let traced = json(&sandbox, &["trace", &foreign], "2");
    let seen = &traced["items"][0]["seen"];
    assert_eq!(seen[0]["from"], at("15:00").to_string());
    assert_eq!(seen[0]["until"], at("15:30").to_string());
    let csv = sandbox.run(["trace", &foreign, "--format", "csv", "-q"]);
    let rows: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(rows, ["seen", "known", "gap", "[exit 2]"], "{csv}");
    let none = sandbox.run(["trace", &digest("never").to_string()]);
    assert!(none.contains("nothing is recorded about") && none.ends_with("[exit 2]\n"), "{none}");
}
