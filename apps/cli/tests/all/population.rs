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
use domain::{Actor, Digest, Proof, Timestamp};
use flows::Surroundings;
use flows::record_local::LocalRecord;
use flows::seam::Record as _;
use record::claim::{
    AllowClaim, Claim, ClaimKey, DeployKind, Moment, NamedBy, Outcome, Reported, RunChange, Text,
    WatchChange,
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

/// Container runs on other bytes than the story's own.
fn on(bytes: Digest, mut claims: Vec<Claim>) -> Vec<Claim> {
    for claim in &mut claims {
        if let Claim::ContainerRun(run) = claim
            && run.digest.is_some()
        {
            run.digest = Some(bytes);
        }
    }
    claims
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
    let deploy = |content: &str, change: fn(&mut record::claim::DeployClaim)| {
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
    };
    let bot = deploy("b", |claim| {
        claim.tag = "20260317-142000-prod".parse().ok();
        claim.reason = Some(text("+1 from the board, \"as discussed\""));
        claim.ticket = Some(text("@CHG-7"));
    });
    say(&sandbox, "14:20", ("repo:shop/api:ref:refs/heads/prod", Proof::Oidc), bot);
    let run = |from: &str, until: &str| {
        claims(|story| {
            let run = story.run_began("api", at(from));
            let ended = Moment::Exact { at: at(until) };
            let ended = RunChange::Ended { ended, exit_code: Some(0), deleted: None };
            story.run_says(run, ended, at(until));
        })
    };
    // A container id of its own: the story counts from none.
    let other = claims(|story| {
        story.build("api", "no matter", "prod");
        let run = story.run_began("api", at("15:00"));
        let ended = Moment::Exact { at: at("15:10") };
        let ended = RunChange::Ended { ended, exit_code: Some(0), deleted: None };
        story.run_says(run, ended, at("15:10"));
    });
    say(&sandbox, "14:21", watcher, on(digest("b manifest"), run("14:21", "15:50")));
    say(&sandbox, "15:00", watcher, on(digest("x"), other[1..].to_vec()));
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

#[test]
fn the_full_population_of_changes_has_actor_proof_approver_ticket_outside_changes_and_gaps() {
    let sandbox = told();
    let span = ["--from", "2026-03-17T14:00:00Z", "--to", "2026-03-17T17:00:00Z", "-q"];
    let said = sandbox.run([&["history", "prod", "--format", "csv"][..], &span].concat());
    let (csv, code) = said.split_at(said.rfind("[exit").unwrap());
    assert_eq!(code, "[exit 2]\n", "from 16:00 on nobody watched");
    let rows = read(csv);
    let [b, c, x] = ["b", "c", "x"].map(|content| digest(content).to_string());
    let commit = |content: &str| digest(content).hex()[..40].to_owned();
    // Each row by hand: what stands in each column that is not empty, event ids apart.
    let expected: [Vec<(&str, String)>; 6] = [
        vec![
            ("row", "change".to_owned()),
            ("at", "2026-03-17T15:30:00.000Z".to_owned()),
            ("environment", "prod".to_owned()),
            ("image", "api".to_owned()),
            ("how", "deploy".to_owned()),
            ("to", c),
            ("commit", commit("c")),
            ("commits", commit("c")),
            ("mode", "git".to_owned()),
            ("grade", "applied".to_owned()),
            ("outcome", "failed: -2+3+cmd|' /C calc'!A0".to_owned()),
            ("actor", "ada".to_owned()),
            ("proof", "git".to_owned()),
            ("basis", "intended".to_owned()),
            ("precision", "exact".to_owned()),
        ],
        vec![
            ("row", "outside".to_owned()),
            ("at", "2026-03-17T15:00:00.000Z".to_owned()),
            ("until", "2026-03-17T15:10:00.000Z".to_owned()),
            ("environment", "prod".to_owned()),
            ("image", "api".to_owned()),
            ("to", x),
            ("outcome", "no deploy to the environment ever named it".to_owned()),
            ("cluster", "prod-eu".to_owned()),
            ("namespace", "shop".to_owned()),
            ("workload", "deployment/api".to_owned()),
            ("container", "api".to_owned()),
            ("pods", "1".to_owned()),
            ("runs", "1".to_owned()),
            ("basis", "observed".to_owned()),
            ("precision", "exact".to_owned()),
            ("reference", "registry.example.com/shop/api:uat".to_owned()),
        ],
        vec![
            ("row", "seen".to_owned()),
            ("at", "2026-03-17T14:21:00.000Z".to_owned()),
            ("until", "2026-03-17T15:50:00.000Z".to_owned()),
            ("environment", "prod".to_owned()),
            ("image", "api".to_owned()),
            ("to", b.clone()),
            ("commit", commit("b")),
            ("commits", commit("b")),
            ("outcome", "a deploy brought it".to_owned()),
            ("cluster", "prod-eu".to_owned()),
            ("namespace", "shop".to_owned()),
            ("workload", "deployment/api".to_owned()),
            ("container", "api".to_owned()),
            ("pods", "1".to_owned()),
            ("runs", "1".to_owned()),
            ("basis", "observed".to_owned()),
            ("precision", "exact".to_owned()),
            ("reference", "registry.example.com/shop/api:uat".to_owned()),
        ],
        vec![
            ("row", "change".to_owned()),
            ("at", "2026-03-17T14:20:00.000Z".to_owned()),
            ("environment", "prod".to_owned()),
            ("image", "api".to_owned()),
            ("how", "deploy".to_owned()),
            ("to", b),
            ("tag", "20260317-142000-prod".to_owned()),
            ("commit", commit("b")),
            ("commits", commit("b")),
            ("mode", "git".to_owned()),
            ("grade", "applied".to_owned()),
            ("outcome", "done".to_owned()),
            ("actor", "repo:shop/api:ref:refs/heads/prod".to_owned()),
            ("proof", "oidc".to_owned()),
            ("reason", "'+1 from the board, \"as discussed\"".to_owned()),
            ("ticket", "'@CHG-7".to_owned()),
            ("approver", "grace".to_owned()),
            ("approver_proof", "token".to_owned()),
            ("approver_reason", "'=HYPERLINK(\"http://evil.example.com\";\"approved\")".to_owned()),
            ("basis", "intended".to_owned()),
            ("precision", "exact".to_owned()),
        ],
        vec![
            ("row", "known".to_owned()),
            ("at", "2026-03-17T14:00:00.000Z".to_owned()),
            ("until", "2026-03-17T16:00:00.000Z".to_owned()),
            ("environment", "prod".to_owned()),
            ("cluster", "prod-eu".to_owned()),
            ("basis", "observed".to_owned()),
        ],
        vec![
            ("row", "gap".to_owned()),
            ("at", "2026-03-17T16:00:00.000Z".to_owned()),
            ("until", "2026-03-17T17:00:00.000Z".to_owned()),
            ("environment", "prod".to_owned()),
            ("reason", "prod-eu was not watched".to_owned()),
        ],
    ];
    assert_eq!(rows.len(), expected.len(), "{csv}");
    for (row, expected) in rows.iter().zip(expected) {
        let is_told = |(name, value): &(&String, &String)| !value.is_empty() && *name != "event";
        let told: BTreeMap<&str, String> = row
            .iter()
            .filter(is_told)
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        assert_eq!(told, expected.into_iter().collect());
        let is_change = row["row"] == "change";
        assert_eq!(row["event"].len(), if is_change { 26 } else { 0 }, "an id is 26 characters");
    }
    // Whatever a spreadsheet runs stands behind an apostrophe, in every field of every line.
    let is_formula = |value: &&String| value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    assert_eq!(rows.iter().flat_map(BTreeMap::values).find(is_formula), None);
}
