//! Variables that are missing, malformed or contradict each other: the error names the variable.

use crate::fixture::variables;
use tagging::ci::{EVENT_BYTES_MAX, VALUE_LEN_MAX};
use tagging::{CiError, detect};

/// What the error says when one variable of a fixture has another value.
fn changed(fixture: &str, variable: &str, value: &str) -> String {
    let mut variables = variables(fixture);
    variables.insert(variable.to_owned(), value.to_owned());
    detect(&variables, None).unwrap_err().to_string()
}

/// Fixture; variable; its value; a part of what is said.
const MALFORMED: &[(&str, &str, &str, &str)] = &[
    ("github-push-prod", "GITHUB_REF", "prod", "`GITHUB_REF` names no ref"),
    ("github-push-prod", "GITHUB_REF", "refs/heads/prod ", "`GITHUB_REF` names no ref"),
    ("github-push-prod", "GITHUB_REF", "refs/heads/a\nb", "`GITHUB_REF` holds a control"),
    ("github-push-prod", "GITHUB_REF", LONG, "`GITHUB_REF` has 2049 bytes"),
    ("github-push-prod", "GITHUB_REF", "", "`GITHUB_REF`, and it is not there"),
    ("github-push-prod", "GITHUB_SHA", "1a2b3c4", "`GITHUB_SHA` names no commit"),
    ("github-push-prod", "GITHUB_EVENT_NAME", "", "`GITHUB_EVENT_NAME`, and it is not there"),
    ("github-push-prod", "GITHUB_RUN_ID", "x", "`GITHUB_RUN_ID` is `x`"),
    ("github-push-prod", "GITHUB_RUN_ID", "", "`GITHUB_RUN_ID`, and it is not there"),
    ("github-push-prod", "GITHUB_REF_PROTECTED", "yes", "`GITHUB_REF_PROTECTED` is `yes`"),
    ("github-push-prod", "GITHUB_REF_TYPE", "tag", "`GITHUB_REF` and `GITHUB_REF_TYPE`"),
    ("github-tag-prod", "GITHUB_REF_TYPE", "branch", "`GITHUB_REF` and `GITHUB_REF_TYPE`"),
    ("github-push-prod", "GITLAB_CI", "true", "`GITHUB_ACTIONS` and `GITLAB_CI`"),
    ("gitlab-push-prod", "TF_BUILD", "True", "`GITLAB_CI` and `TF_BUILD`"),
    ("gitlab-push-prod", "CI_COMMIT_TAG", "prod", "`CI_COMMIT_BRANCH` and `CI_COMMIT_TAG`"),
    (
        "gitlab-push-prod",
        "CI_COMMIT_REF_NAME",
        "uat",
        "`CI_COMMIT_BRANCH` and `CI_COMMIT_REF_NAME`",
    ),
    ("gitlab-push-prod", "CI_COMMIT_BRANCH", "", "`CI_COMMIT_BRANCH`, and it is not there"),
    ("gitlab-push-prod", "CI_COMMIT_BRANCH", "a..b", "`CI_COMMIT_BRANCH` names no ref"),
    ("gitlab-push-prod", "CI_PIPELINE_SOURCE", "", "`CI_PIPELINE_SOURCE`, and it is not there"),
    (
        "gitlab-merge-request-fork",
        "CI_MERGE_REQUEST_IID",
        "seven",
        "`CI_MERGE_REQUEST_IID` is `seven`",
    ),
    ("azure-push-prod", "BUILD_SOURCEBRANCH", "", "`BUILD_SOURCEBRANCH`, and it is not there"),
    ("azure-push-prod", "BUILD_SOURCEBRANCH", "$/shop/main", "`BUILD_SOURCEBRANCH` names no ref"),
    ("azure-push-prod", "BUILD_SOURCEVERSION", "C123", "`BUILD_SOURCEVERSION` names no commit"),
    (
        "azure-pull-request-own",
        "SYSTEM_PULLREQUEST_ISFORK",
        "maybe",
        "`SYSTEM_PULLREQUEST_ISFORK` is `maybe`",
    ),
];

/// Stands for a value that is longer than the limit by one.
const LONG: &str = "(long)";

#[test]
fn each_malformed_variable_is_named() {
    let long = "a".repeat(VALUE_LEN_MAX + 1);
    for (fixture, variable, value, said) in MALFORMED {
        let value = if *value == LONG { &long } else { *value };
        let message = changed(fixture, variable, value);
        assert!(message.contains(said), "{fixture} {variable}: {message}");
    }
}

#[test]
fn variables_that_are_not_read_cannot_decide() {
    let mut changed = variables("github-push-feature-prod");
    changed.insert("GITHUB_HEAD_REF".into(), "prod".into());
    changed.insert("GITHUB_REF_NAME".into(), "prod".into());
    let same = detect(&variables("github-push-feature-prod"), None);
    assert_eq!(detect(&changed, None), same);
    let mut changed = variables("azure-push-feature-prod");
    changed.insert("BUILD_SOURCEBRANCHNAME".into(), "\n".into());
    let same = detect(&variables("azure-push-feature-prod"), None);
    assert_eq!(detect(&changed, None), same);
}

#[test]
fn the_event_file_is_believed_before_the_variables() {
    let read = |fixture: &str, text: &str| detect(&variables(fixture), Some(text));
    assert!(matches!(
        read("github-push-prod", r#"{"ref":"refs/heads/uat"}"#),
        Err(CiError::EventContradiction { variable: "GITHUB_REF", .. })
    ));
    let other = include_str!("fixtures/github-pull-request-own.json");
    assert!(matches!(
        read("github-pull-request-fork", other),
        Err(CiError::EventContradiction { variable: "GITHUB_REF", .. })
    ));
    // Whatever the name says: an event with a pull request in it is one.
    let facts = read("github-push-prod", include_str!("fixtures/github-pull-request-own.json"));
    assert!(matches!(facts.unwrap().unwrap().event, tagging::Event::PullRequest(_)));
    for bad in ["", "[]", "{", "{\"pull_request\":{}}", "{\"number\":-1}"] {
        assert!(matches!(read("github-push-prod", bad), Err(CiError::EventFile { .. })), "{bad}");
    }
}

#[test]
fn an_event_file_has_25_mebibytes_and_not_a_byte_more() {
    let file = |len: usize| format!("{{}}{}", " ".repeat(len - 2));
    let read = |len| detect(&variables("github-push-prod"), Some(&file(len)));
    assert!(read(EVENT_BYTES_MAX).is_ok());
    assert!(matches!(read(EVENT_BYTES_MAX + 1), Err(CiError::EventLength { .. })));
}
