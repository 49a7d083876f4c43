//! What each CI's variables say. Expected values are read off the vendors' documentation.

use crate::fixture::{HEAD, MERGE, event, facts, names, variables};
use domain::CommitId;
use tagging::ci::CheckoutFit;
use tagging::{CiFacts, Event, Fork, Provider, detect};

/// Fixture | event | full ref | which commits are known | whether the ref is protected.
///
/// A pull request shows its number, whether it is from a fork, and its target.
const TABLE: &str = "
github-push-prod               | push              | refs/heads/prod              | head       | Yes
github-rerun-prod              | push              | refs/heads/prod              | head       | No
github-push-feature-prod       | push              | refs/heads/feature/prod      | head       | No
github-push-shop-backend-prod  | push              | refs/heads/shop-backend-prod | head       | No
github-tag-prod                | tag               | refs/tags/prod               | head       | No
github-tag-version             | tag               | refs/tags/v1.4.2             | head       | No
github-pull-request-fork       | pull 7 Yes main   | refs/pull/7/merge            | head merge | Unknown
github-pull-request-own        | pull 8 No prod    | refs/pull/8/merge            | head merge | Unknown
github-pull-request-target     | pull 9 Unknown prod | refs/heads/prod            | head       | Unknown
github-merge-queue             | queue             | refs/heads/gh-readonly-queue/prod/pr-7-00112233445566778899aabbccddeeff00112233 | tried | No
github-merge-queue-push        | queue             | refs/heads/gh-readonly-queue/prod/pr-7-00112233445566778899aabbccddeeff00112233 | tried | No
github-manual-prod             | manual            | refs/heads/prod              | head       | Yes
github-manual-develop          | manual            | refs/heads/develop           | head       | No
github-schedule                | schedule          | refs/heads/main              | head       | No
github-workflow-run            | workflow_run      | refs/heads/prod              | head       | No
gitea-push-prod                | push              | refs/heads/prod              | head       | No
forgejo-push-prod              | push              | refs/heads/prod              | head       | No
gitlab-push-prod               | push              | refs/heads/prod              | head       | Yes
gitlab-push-feature-prod       | push              | refs/heads/feature/prod      | head       | No
gitlab-push-shop-backend-prod  | push              | refs/heads/shop-backend-prod | head       | No
gitlab-tag-prod                | tag               | refs/tags/prod               | head       | No
gitlab-merge-request-fork      | pull 7 Yes main   | refs/merge-requests/7/head   | head       | Unknown
gitlab-merge-request-result    | pull 7 No prod    | refs/merge-requests/7/merge  | head merge | Unknown
gitlab-merge-train             | pull 7 No prod    | refs/merge-requests/7/merge  | head merge | Unknown
gitlab-manual-prod             | manual            | refs/heads/prod              | head       | Yes
gitlab-manual-develop          | manual            | refs/heads/develop           | head       | No
gitlab-schedule                | schedule          | refs/heads/main              | head       | No
gitlab-child-pipeline          | parent_pipeline   | refs/heads/prod              | head       | No
azure-push-prod                | push              | refs/heads/prod              | head       | Unknown
azure-push-batched-prod        | push              | refs/heads/prod              | head       | Unknown
azure-push-feature-prod        | push              | refs/heads/feature/prod      | head       | Unknown
azure-push-shop-backend-prod   | push              | refs/heads/shop-backend-prod | head       | Unknown
azure-tag-prod                 | tag               | refs/tags/prod               | head       | Unknown
azure-pull-request-fork        | pull 7 Yes main   | refs/pull/7/merge            | head merge | Unknown
azure-pull-request-own         | pull 17 No prod   | refs/pull/17/merge           | head merge | Unknown
azure-manual-pull-ref          | pull 17 Unknown - | refs/pull/17/merge           | merge      | Unknown
azure-manual-prod              | manual            | refs/heads/prod              | head       | Unknown
azure-manual-develop           | manual            | refs/heads/develop           | head       | Unknown
azure-schedule                 | schedule          | refs/heads/main              | head       | Unknown
azure-resource-trigger         | ResourceTrigger   | refs/heads/prod              | head       | Unknown
unknown-ci                     | none              | -                            | none       | Unknown
laptop                         | none              | refs/heads/prod              | head       | Unknown
";

fn event_word(event: &Event) -> String {
    match event {
        Event::Push => "push".to_owned(),
        Event::Tag => "tag".to_owned(),
        Event::MergeQueue => "queue".to_owned(),
        Event::Schedule => "schedule".to_owned(),
        Event::Manual => "manual".to_owned(),
        Event::Other(word) => word.clone(),
        Event::None => "none".to_owned(),
        Event::PullRequest(request) => format!(
            "pull {} {:?} {}",
            request.number.unwrap(),
            request.from_fork,
            request.target.as_deref().unwrap_or("-")
        ),
    }
}

fn commit_words(facts: &CiFacts) -> &'static str {
    let (head, merge) = (&facts.commit, &facts.merge_commit);
    let texts = (head.as_ref().map(CommitId::as_str), merge.as_ref().map(CommitId::as_str));
    match texts {
        (Some(HEAD), None) => "head",
        (Some(HEAD), Some(MERGE)) => "head merge",
        (None, Some(MERGE)) => "merge",
        (Some(MERGE), None) => "tried",
        (None, None) => "none",
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fixture_is_read_as_its_vendor_documents_it() {
    let mut tabled = Vec::new();
    for row in TABLE.lines().filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let facts = facts(cells[0]);
        let source = facts.source_ref.as_ref().map(ToString::to_string);
        let found = [
            cells[0].to_owned(),
            event_word(&facts.event),
            source.unwrap_or_else(|| "-".to_owned()),
            commit_words(&facts).to_owned(),
            format!("{:?}", facts.protected),
        ];
        assert_eq!(found.as_slice(), cells.as_slice());
        tabled.push(cells[0].to_owned());
    }
    tabled.sort();
    assert_eq!(tabled, names());
}

#[test]
fn the_head_of_a_pull_request_is_unknown_without_the_event_file() {
    let read = |name: &str| detect(&variables(name), None).unwrap().unwrap();
    let fork = read("github-pull-request-fork");
    assert_eq!(fork.commit, None);
    assert_eq!(fork.merge_commit.unwrap().as_str(), MERGE);
    let Event::PullRequest(request) = fork.event else {
        panic!("a pull request");
    };
    assert_eq!((request.number, request.from_fork), (Some(7), Fork::Unknown));
    // Its commit is the target's, which is neither the head nor a merge.
    let target = read("github-pull-request-target");
    assert_eq!((target.commit, target.merge_commit), (None, None));
}

#[test]
fn a_run_is_told_by_its_id_and_attempt() {
    let run = |name: &str| facts(name).run.unwrap();
    let (first, third) = (run("github-push-prod"), run("github-rerun-prod"));
    assert_eq!((first.id.as_str(), first.attempt), ("1658821493", Some(1)));
    assert_eq!((third.id.as_str(), third.attempt), ("1658821493", Some(3)));
    assert_eq!(first.number, third.number);
    assert_eq!(
        third.url.as_deref(),
        Some("https://github.com/shop/api/actions/runs/1658821493/attempts/3")
    );
    let run = run("gitlab-push-prod");
    assert_eq!((run.id.as_str(), run.attempt), ("90210", None));
    assert_eq!(run.number.as_deref(), Some("77"));
    let run = facts("azure-push-prod").run.unwrap();
    assert_eq!((run.id.as_str(), run.attempt), ("301", Some(1)));
    assert_eq!(run.number.as_deref(), Some("20260317.4"));
    assert_eq!(
        run.url.as_deref(),
        Some(
            "https://dev.azure.com/shop/6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c/_build/results?buildId=301"
        )
    );
}

#[test]
fn who_and_where_are_read_without_credentials() {
    let who = |name: &str| {
        let facts = facts(name);
        (facts.actor.unwrap(), facts.repository_url.unwrap())
    };
    let (actor, url) = who("github-rerun-prod");
    assert_eq!((actor.as_str(), url.as_str()), ("hubot", "https://github.com/shop/api"));
    let (actor, url) = who("azure-push-prod");
    assert_eq!(actor, "Dana Example");
    assert_eq!(url, "https://dev.azure.com/shop/api/_git/api");
    assert_eq!(who("gitlab-push-prod").0, "dana");
}

#[test]
fn forgejo_and_gitea_are_not_taken_for_github() {
    assert_eq!(facts("forgejo-push-prod").provider, Provider::Forgejo);
    assert_eq!(facts("gitea-push-prod").provider, Provider::Gitea);
    assert_eq!(facts("gitea-push-prod").run.unwrap().url, None);
    assert_eq!(facts("github-push-prod").provider, Provider::GitHub);
    assert_eq!(facts("unknown-ci").provider, Provider::Unknown);
    assert_eq!(detect(&variables("laptop"), None), Ok(None));
    assert_eq!(event("laptop"), None);
}

#[test]
fn another_ref_than_the_events_is_noticed_in_the_checkout() {
    let facts = facts("github-pull-request-fork");
    let fit = |commit: &str| facts.compare_checkout(&commit.parse().unwrap());
    assert_eq!(fit(HEAD), CheckoutFit::Head);
    assert_eq!(fit(MERGE), CheckoutFit::Merge);
    assert_eq!(fit(&"0".repeat(40)), CheckoutFit::Other);
    let without = detect(&variables("github-pull-request-target"), None);
    let fit = without.unwrap().unwrap().compare_checkout(&HEAD.parse().unwrap());
    assert_eq!(fit, CheckoutFit::Unknown);
}
