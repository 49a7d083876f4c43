//! Law 7 on every fixture: which environment a run builds for, or why none.

use crate::fixture::{HEAD, facts, names};
use domain::EnvironmentName;
use tagging::ci::laptop;
use tagging::{
    EnvironmentRefused as Refused, EnvironmentRule, EventKind, Why, environment_of,
    pull_request_tag,
};

fn name(text: &str) -> EnvironmentName {
    text.parse().unwrap()
}

/// prod takes pushes of `prod` and `*-prod`; uat takes every other branch, and manual runs.
fn rules() -> Vec<EnvironmentRule> {
    let rule = |environment: &str, branches: &[&str], events: &[EventKind]| EnvironmentRule {
        name: name(environment),
        branches: branches.iter().map(|p| p.parse().unwrap()).collect(),
        events: events.to_vec(),
    };
    vec![rule("prod", &["prod", "*-prod"], &[]), rule("uat", &["**"], &[EventKind::Manual])]
}

/// The environment, or the refusal's kind.
fn decided(fixture: &str, told: Option<&str>) -> &'static str {
    let told = told.map(name);
    match environment_of(&facts(fixture), &rules(), told.as_ref()) {
        Ok(decision) if decision.environment.as_str() == "prod" => "prod",
        Ok(decision) if decision.environment.as_str() == "uat" => "uat",
        Ok(decision) => panic!("{decision:?}"),
        Err(Refused::NoSuchEnvironment { .. }) => "no such",
        Err(Refused::ToldAnother { .. }) => "told another",
        Err(Refused::PullRequest { .. }) => "pull request",
        Err(Refused::MergeQueue) => "merge queue",
        Err(Refused::GitTag) => "git tag",
        Err(Refused::OtherEvent { .. }) => "other event",
        Err(Refused::EventNotAllowed { .. }) => "event",
        Err(Refused::NoRule { .. }) => "no rule",
        Err(Refused::NoBranch) => "no branch",
        Err(Refused::Laptop) => "laptop",
        Err(Refused::DetachedHead) => "detached",
        Err(Refused::UnknownCi) => "unknown ci",
    }
}

/// Fixture; decision without `--env`; decision with `--env prod`.
const TABLE: [(&str, &str, &str); 42] = [
    ("github-push-prod", "prod", "prod"),
    ("github-rerun-prod", "prod", "prod"),
    ("gitea-push-prod", "prod", "prod"),
    ("forgejo-push-prod", "prod", "prod"),
    ("gitlab-push-prod", "prod", "prod"),
    ("azure-push-prod", "prod", "prod"),
    ("azure-push-batched-prod", "prod", "prod"),
    ("github-push-shop-backend-prod", "prod", "prod"),
    ("gitlab-push-shop-backend-prod", "prod", "prod"),
    ("azure-push-shop-backend-prod", "prod", "prod"),
    ("github-push-feature-prod", "uat", "told another"),
    ("gitlab-push-feature-prod", "uat", "told another"),
    ("azure-push-feature-prod", "uat", "told another"),
    ("github-tag-prod", "git tag", "git tag"),
    ("github-tag-version", "git tag", "git tag"),
    ("gitlab-tag-prod", "git tag", "git tag"),
    ("azure-tag-prod", "git tag", "git tag"),
    ("github-pull-request-fork", "pull request", "pull request"),
    ("github-pull-request-own", "pull request", "pull request"),
    ("github-pull-request-target", "pull request", "pull request"),
    ("gitlab-merge-request-fork", "pull request", "pull request"),
    ("gitlab-merge-request-result", "pull request", "pull request"),
    ("gitlab-merge-train", "pull request", "pull request"),
    ("azure-pull-request-fork", "pull request", "pull request"),
    ("azure-pull-request-own", "pull request", "pull request"),
    ("azure-manual-pull-ref", "pull request", "pull request"),
    ("github-merge-queue", "merge queue", "merge queue"),
    ("github-merge-queue-push", "merge queue", "merge queue"),
    // prod takes pushes only, and uat does not take over what prod refuses.
    ("github-manual-prod", "event", "event"),
    ("gitlab-manual-prod", "event", "event"),
    ("azure-manual-prod", "event", "event"),
    ("github-manual-develop", "uat", "told another"),
    ("gitlab-manual-develop", "uat", "told another"),
    ("azure-manual-develop", "uat", "told another"),
    ("github-schedule", "event", "event"),
    ("gitlab-schedule", "event", "event"),
    ("azure-schedule", "event", "event"),
    ("github-workflow-run", "other event", "other event"),
    ("gitlab-child-pipeline", "other event", "other event"),
    ("azure-resource-trigger", "other event", "other event"),
    ("unknown-ci", "unknown ci", "prod"),
    // A checkout of the branch `prod`, which nobody pushed.
    ("laptop", "laptop", "prod"),
];

#[test]
fn every_fixture_gets_the_environment_that_law_7_gives_it() {
    for (fixture, alone, told) in TABLE {
        assert_eq!(decided(fixture, None), alone, "{fixture}");
        assert_eq!(decided(fixture, Some("prod")), told, "{fixture} --env prod");
        assert_eq!(decided(fixture, Some("qa")), "no such", "{fixture} --env qa");
    }
    let mut tabled: Vec<_> = TABLE.iter().map(|row| row.0.to_owned()).collect();
    tabled.sort();
    assert_eq!(tabled, names());
}

#[test]
fn a_detached_head_is_for_nobody_until_told() {
    let facts = laptop(HEAD.parse().ok(), None);
    let refused = environment_of(&facts, &rules(), None);
    assert_eq!(refused, Err(Refused::DetachedHead));
    let told = environment_of(&facts, &rules(), Some(&name("uat"))).unwrap();
    assert_eq!((told.environment, told.why), (name("uat"), Why::Told));
}

#[test]
fn names_match_whole_and_in_their_case() {
    let rules = &rules()[..1];
    let mut facts = facts("github-push-prod");
    for (branch, is_prod) in [
        ("prod", true),
        ("a-prod", true),
        ("PROD", false),
        ("prod-old", false),
        ("a/b-prod", false),
        ("product", false),
    ] {
        facts.source_ref = format!("refs/heads/{branch}").parse().ok();
        let decision = environment_of(&facts, rules, None);
        assert_eq!(decision.is_ok(), is_prod, "{branch}");
    }
}

#[test]
fn a_named_event_counts_like_a_push() {
    let mut rules = rules();
    rules[0].events = vec![EventKind::Manual, EventKind::Schedule];
    let decision = environment_of(&facts("gitlab-manual-prod"), &rules, None).unwrap();
    assert_eq!(decision.environment, name("prod"));
    assert_eq!(decision.why.to_string(), "`prod` matches branch `prod`, and events names `manual`");
}

#[test]
fn a_refusal_says_the_rule_and_what_to_do() {
    let said = |fixture: &str, told: Option<&str>| {
        let told = told.map(name);
        let refused = environment_of(&facts(fixture), &rules(), told.as_ref());
        refused.unwrap_err().to_string()
    };
    assert_eq!(
        said("github-pull-request-fork", None),
        "a pull request never gets an environment's tag, whatever its branch is called: merge it, or publish it as `pr-7-g1a2b3c4d5e6f`"
    );
    assert_eq!(
        said("github-manual-prod", None),
        "branch `prod` belongs to `prod`, which takes pushes only: add `manual` to `environments.prod.events` to allow such runs"
    );
    assert_eq!(
        said("github-push-feature-prod", Some("prod")),
        "--env says `prod`, but this run builds for `uat`: branch `feature/prod` was pushed, and `**` matches it; leave --env out, or change the branches of `prod`"
    );
}

#[test]
fn the_tag_of_a_pull_request_holds_its_number_and_head() {
    let tag = |number| pull_request_tag(number, &HEAD.parse().unwrap()).to_string();
    assert_eq!(tag(7), "pr-7-g1a2b3c4d5e6f");
    assert_eq!(tag(u64::MAX), "pr-18446744073709551615-g1a2b3c4d5e6f");
}
