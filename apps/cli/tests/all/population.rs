//! `history ENV --format csv` as an auditor reads it: the full population of changes, each column from a story that is
//! told here by hand.
//!
//! ```text
//! 14:00 watched …                                                  … 16:00, and nobody watches since
//! 14:10 grace allows B for prod      14:20 the bot deploys B, ticket CHG-7      14:21 B runs
//! 15:00 somebody starts X            15:30 ada's deploy of C fails
//! ```

use crate::asked::digest;
use crate::sandbox::{Sandbox, sandbox};
use domain::{Actor, Proof, Timestamp};
use flows::Surroundings;
use flows::record_local::LocalRecord;
use flows::seam::Record as _;
use record::claim::{
    AllowClaim, Claim, ClaimKey, DeployClaim, DeployKind, Moment, NamedBy, Outcome, Reported,
    RunChange, Text, WatchChange,
};
use record::fuzz::story::Story;
use std::collections::BTreeMap;
use std::sync::Arc;

const SETTINGS: &str = "version: 1
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

fn at(text: &str) -> Timestamp {
    format!("2026-03-17T{text}:00Z").parse().unwrap()
}

fn text(words: &str) -> Text {
    Text::try_from(words.to_owned()).unwrap()
}

/// Appends claims as somebody, at a moment.
fn say(sandbox: &Sandbox, time: &str, (name, proof): (&str, Proof), claims: Vec<Claim>) {
    let now = at(time);
    let surroundings = Surroundings {
        cwd: sandbox.path(""),
        variables: BTreeMap::new(),
        clock: Arc::new(move || now),
        entropy: Arc::new(move || u128::try_from(now.as_millis()).unwrap()),
    };
    let actor = Actor::new(name, proof).unwrap();
    let record = LocalRecord::at(sandbox.path("record.db"), "file", actor, surroundings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { record.append(claims).await.unwrap() });
}

/// What a story says, without when and by whom.
fn claims(tell: impl FnOnce(&mut Story)) -> Vec<Claim> {
    let mut story = Story::new();
    tell(&mut story);
    story.events().iter().map(|event| event.event.claim.clone()).collect()
}

/// A deploy of a build to prod, changed as told.
fn deploy(content: &str, change: fn(&mut DeployClaim)) -> Vec<Claim> {
    let to = digest(content);
    let mut all = claims(|story| {
        let _ = story.deploy("api", "prod", to, DeployKind::Deploy, NamedBy::Rule);
    });
    for claim in &mut all {
        if let Claim::Deploy(claim) = claim {
            claim.key = ClaimKey::try_from(format!("deploy/{to}")).unwrap();
            change(claim);
        }
    }
    all
}

/// A run of the container api on these bytes, from when until when.
fn run(content: &str, from: &str, until: &str) -> Vec<Claim> {
    let mut all = claims(|story| {
        // The story names a container by what it told before.
        for _ in content.bytes() {
            story.build("api", content, "prod");
        }
        let run = story.run_began("api", at(from));
        let ended = Moment::Exact { at: at(until) };
        let ended = RunChange::Ended { ended, exit_code: Some(0), deleted: None };
        story.run_says(run, ended, at(until));
    });
    all.retain(|claim| matches!(claim, Claim::ContainerRun(_)));
    for claim in &mut all {
        if let Claim::ContainerRun(run) = claim {
            run.digest = run.digest.map(|_| digest(content));
        }
    }
    all
}

fn told() -> Sandbox {
    let sandbox = sandbox().file("indelible.yaml", SETTINGS);
    let (watcher, ada) = (("watcher", Proof::Token), ("ada", Proof::Git));
    let why = Reported::of("stopped");
    let watch = claims(|story| {
        let watch = story.watch_began(at("14:00"));
        story.watch_says(watch, at("16:00"), WatchChange::Ended { why });
    });
    say(&sandbox, "14:00", watcher, watch);
    let builds = claims(|story| {
        for content in ["b", "c"] {
            let own = story.build("api", content, "prod");
            let part = |name: &str| digest(&format!("{content} {name}"));
            story.image(own, part("manifest"), part("config"));
        }
    });
    say(&sandbox, "14:05", ada, builds);
    let allow = Claim::Allow(AllowClaim {
        key: ClaimKey::try_from("allow/prod/b".to_owned()).unwrap(),
        digest: digest("b"),
        environment: "prod".parse().unwrap(),
        reason: text("=HYPERLINK(\"http://evil.example.com\";\"approved\")"),
    });
    say(&sandbox, "14:10", ("grace", Proof::Token), vec![allow]);
    let bot = deploy("b", |claim| {
        claim.tag = "20260317-142000-prod".parse().ok();
        claim.reason = Some(text("+1 from the board, \"as discussed\""));
        claim.ticket = Some(text("@CHG-7"));
    });
    say(&sandbox, "14:20", ("repo:shop/api:ref:refs/heads/prod", Proof::Oidc), bot);
    say(&sandbox, "14:21", watcher, run("b manifest", "14:21", "15:50"));
    say(&sandbox, "15:00", watcher, run("x", "15:00", "15:10"));
    let failed = deploy("c", |claim| {
        claim.outcome = Outcome::Failed { why: text("-2+3+cmd|' /C calc'!A0") };
    });
    say(&sandbox, "15:30", ada, failed);
    sandbox
}

/// Reads CSV by RFC 4180; each row by the names of the first.
fn read(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut rows: Vec<Vec<String>> = vec![vec![String::new()]];
    let (mut chars, mut quoted) = (csv.chars().peekable(), false);
    while let Some(c) = chars.next() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                row.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\n' if !quoted => rows.push(vec![String::new()]),
            other => row.last_mut().unwrap().push(other),
        }
    }
    rows.pop();
    let head = rows.remove(0);
    let named = |row: Vec<String>| {
        assert_eq!(row.len(), head.len(), "{row:?}");
        head.iter().cloned().zip(row).collect()
    };
    rows.into_iter().map(named).collect()
}

/// Each row, newest first: what stands in each column that is not empty, event ids apart. `{b}` is the digest of b, and
/// `{b commit}` its commit.
const EXPECTED: &str = "
row=change
at=2026-03-17T15:30:00.000Z
environment=prod
image=api
how=deploy
to={c}
commit={c commit}
commits={c commit}
mode=git
grade=applied
outcome=failed: -2+3+cmd|' /C calc'!A0
actor=ada
proof=git
basis=intended
precision=exact

row=outside
at=2026-03-17T15:00:00.000Z
until=2026-03-17T15:10:00.000Z
environment=prod
image=api
to={x}
outcome=no deploy to the environment ever named it
cluster=prod-eu
namespace=shop
workload=deployment/api
container=api
pods=1
runs=1
basis=observed
precision=exact
reference=registry.example.com/shop/api:uat

row=seen
at=2026-03-17T14:21:00.000Z
until=2026-03-17T15:50:00.000Z
environment=prod
image=api
to={b}
commit={b commit}
commits={b commit}
outcome=a deploy brought it
cluster=prod-eu
namespace=shop
workload=deployment/api
container=api
pods=1
runs=1
basis=observed
precision=exact
reference=registry.example.com/shop/api:uat

row=change
at=2026-03-17T14:20:00.000Z
environment=prod
image=api
how=deploy
to={b}
tag=20260317-142000-prod
commit={b commit}
commits={b commit}
mode=git
grade=applied
outcome=done
actor=repo:shop/api:ref:refs/heads/prod
proof=oidc
reason='+1 from the board, \"as discussed\"
ticket='@CHG-7
approver=grace
approver_proof=token
approver_reason='=HYPERLINK(\"http://evil.example.com\";\"approved\")
basis=intended
precision=exact

row=known
at=2026-03-17T14:00:00.000Z
until=2026-03-17T16:00:00.000Z
environment=prod
cluster=prod-eu
basis=observed

row=gap
at=2026-03-17T16:00:00.000Z
until=2026-03-17T17:00:00.000Z
environment=prod
reason=prod-eu was not watched
";

fn expected() -> Vec<BTreeMap<String, String>> {
    let mut text = EXPECTED.trim().to_owned();
    for content in ["b", "c", "x"] {
        let own = digest(content);
        text = text.replace(&format!("{{{content}}}"), &own.to_string());
        text = text.replace(&format!("{{{content} commit}}"), &own.hex()[..40]);
    }
    let column = |line: &str| {
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    text.split("\n\n").map(|row| row.lines().map(column).collect()).collect()
}

#[test]
fn the_full_population_of_changes_has_actor_proof_approver_ticket_outside_changes_and_gaps() {
    let sandbox = told();
    let span = ["--from", "2026-03-17T14:00:00Z", "--to", "2026-03-17T17:00:00Z", "-q"];
    let said = sandbox.run([&["history", "prod", "--format", "csv"][..], &span].concat());
    let (csv, code) = said.split_at(said.rfind("[exit").unwrap());
    assert_eq!(code, "[exit 2]\n", "from 16:00 on nobody watched");
    let rows = read(csv);
    let told: Vec<BTreeMap<String, String>> = rows
        .iter()
        .cloned()
        .map(|mut row| {
            let event = row.remove("event").unwrap();
            let is_change = row["row"] == "change";
            assert_eq!(event.len(), if is_change { 26 } else { 0 }, "an id is 26 characters");
            row.retain(|_, value| !value.is_empty());
            row
        })
        .collect();
    assert_eq!(told, expected(), "{csv}");
    // Whatever a spreadsheet runs stands behind an apostrophe, in every field of every line.
    let is_formula = |value: &&String| value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    assert_eq!(rows.iter().flat_map(BTreeMap::values).find(is_formula), None);
}
