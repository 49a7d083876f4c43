//! Every scheme on one build. Expected tags are those of DESIGN §5.

use crate::fixture::{HEAD, facts};
use domain::{Tag, Timestamp};
use std::collections::BTreeSet;
use tagging::scheme::NEXT_FREE_SECONDS_MAX;
use tagging::{Facts, Scheme, SchemeError, Taken};

fn scheme(text: &str) -> Scheme {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn all() -> Facts {
    let at: Timestamp = "2026-03-17T14:39:58Z".parse().unwrap();
    let mut all = Facts::at(at).with_ci(&facts("github-rerun-prod"));
    all.environment = "prod".parse().ok();
    all.git_tag = Some("v1.4.2".to_owned());
    all
}

fn made(text: &str, facts: &Facts) -> String {
    let tag = scheme(text).compute(facts, &Taken::nothing());
    tag.map_or_else(|e| format!("error: {e}"), |tag| tag.to_string())
}

#[test]
fn every_scheme_writes_its_form() {
    let rows = [
        ("timestamp-env", "20260317-143958-prod"),
        ("timestamp", "20260317-143958"),
        ("sha", "git-1a2b3c4d5e6f"),
        ("semver", "v1.4.2"),
        ("semver-sha", "v1.4.2-g1a2b3c4d5e6f"),
        ("date-build", "20260317-001"),
        ("date-sha", "20260317-g1a2b3c4d5e6f"),
        ("{date}-{branch}-{sha12}", "20260317-prod-1a2b3c4d5e6f"),
        ("{timestamp}_{env}.{sha7}", "20260317-143958_prod.1a2b3c4"),
        ("v{version}-{run}.{attempt}", "vv1.4.2-1658821493.3"),
        ("{tag}-{build}-{time}", "v1.4.2-42-143958"),
        ("{sha}", HEAD),
    ];
    for (text, tag) in rows {
        assert_eq!(made(text, &all()), tag, "{text}");
    }
}

#[test]
fn a_time_is_in_utc_whatever_zone_it_came_in() {
    let at = |text: &str| Facts::at(text.parse().unwrap());
    assert_eq!(made("timestamp", &at("2026-01-01T00:30:00+01:00")), "20251231-233000");
    assert_eq!(made("date-build", &at("2026-04-14T23:59:59.999-00:00")), "20260414-001");
}

#[test]
fn a_missing_fact_is_named_with_what_to_do() {
    let nothing = Facts::at("2026-03-17T14:39:58Z".parse().unwrap());
    let rows = [
        ("timestamp-env", "needs an environment", "--env"),
        ("sha", "needs a commit", "git checkout"),
        ("semver", "needs a git tag", "v1.4.2"),
        ("semver-sha", "needs a commit", "git checkout"),
        ("date-sha", "needs a commit", "git checkout"),
        ("{branch}", "`{branch}` needs a branch", "detached HEAD"),
        ("{run}", "needs a CI run's id", "run in a CI"),
        ("{build}", "needs a CI run's number", "run in a CI"),
        ("{attempt}", "needs a CI run's attempt", "leave `{attempt}` out"),
        ("{env}", "needs an environment", "--env"),
        ("{version}", "needs a git tag", "v1.4.2"),
    ];
    for (text, needs, remedy) in rows {
        let said = made(text, &nothing);
        assert!(said.contains(needs) && said.contains(remedy), "{text}: {said}");
    }
}

#[test]
fn a_version_is_strict_and_keeps_no_metadata() {
    let with = |git_tag: &str| Facts { git_tag: Some(git_tag.to_owned()), ..all() };
    assert_eq!(made("semver", &with("1.4.2")), "1.4.2");
    assert_eq!(made("semver", &with("v1.4.2-rc.1")), "v1.4.2-rc.1");
    assert_eq!(made("semver-sha", &with("v1.4.2-rc.1")), "v1.4.2-rc.1.g1a2b3c4d5e6f");
    assert!(made("semver", &with("v1.4.2+x")).contains("use scheme `semver-sha`"));
    assert_eq!(made("semver-sha", &with("v1.4.2+x")), "v1.4.2-g1a2b3c4d5e6f");
    assert!(made("{version}", &with("v1.4.2+x")).contains("build metadata"));
    for bad in ["1.4", "v01.4.2", "prod", "api/v1.4.2", "20260414"] {
        let said = scheme("semver").compute(&with(bad), &Taken::nothing());
        assert!(matches!(said, Err(SchemeError::NotAVersion { .. })), "{bad}");
    }
    let long = format!("1.0.0-{}", "a".repeat(123));
    assert!(made("semver", &with(&long)).contains("129 characters"));
    assert_eq!(made("semver", &with(&long[..128])), long[..128]);
}

fn taken_from(text: &str, tags: &[String]) -> Result<Tag, SchemeError> {
    let tags: BTreeSet<Tag> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
    let taken = Taken { tags: &tags, commit_digits: 0 };
    scheme(text).compute(&all(), &taken)
}

#[test]
fn on_a_clash_the_next_free_second_is_taken() {
    let taken = ["20260317-143958-prod", "20260317-143959-prod", "20260317-144000-uat"];
    let tag = taken_from("timestamp-env", &taken.map(str::to_owned)).unwrap();
    assert_eq!(tag.as_str(), "20260317-144000-prod");
    let taken = ["v20260317-143958".to_owned()];
    let tag = taken_from("v{timestamp}", &taken).unwrap();
    assert_eq!(tag.as_str(), "v20260317-143959");
    // Named by content: the registry decides whether the bytes are the same.
    let tag = taken_from("sha", &["git-1a2b3c4d5e6f".to_owned()]).unwrap();
    assert_eq!(tag.as_str(), "git-1a2b3c4d5e6f");
}

#[test]
fn six_hundred_seconds_are_tried_and_no_more() {
    let seconds = |count: u32| -> Vec<String> {
        let later = |second| Facts::at(all().at.plus_millis(i64::from(second) * 1000));
        (0..count).map(|second| made("timestamp", &later(second))).collect()
    };
    assert!(taken_from("timestamp", &seconds(NEXT_FREE_SECONDS_MAX - 1)).is_ok());
    assert!(matches!(
        taken_from("timestamp", &seconds(NEXT_FREE_SECONDS_MAX)),
        Err(SchemeError::NoFreeSecond { tries: 600, .. })
    ));
}

#[test]
fn a_template_sanitises_each_name_and_keeps_the_limit() {
    let on = |branch: &str| Facts { branch: Some(branch.to_owned()), ..all() };
    // printf feature/login | sha256sum
    let hashed = made("{date}-{branch}-{sha12}", &on("feature/login"));
    assert_eq!(hashed, "20260317-feature-login-hdf7c7aeb3560-1a2b3c4d5e6f");
    assert_ne!(hashed, made("{date}-{branch}-{sha12}", &on("feature-login")));

    let (long, other) = (on(&"b".repeat(300)), on(&"b".repeat(301)));
    let text = made("{branch}-{sha}", &long);
    assert_eq!(text.len(), 128);
    assert!(text.ends_with(HEAD));
    assert_ne!(text, made("{branch}-{sha}", &other));
    assert!(made("{branch}-{sha}{sha}{sha}", &long).contains("128 is the limit"));
    assert_eq!(made("{branch}", &on("-x")).parse::<Tag>().map(|_| ()), Ok(()));
}

#[test]
fn a_text_that_is_no_scheme_is_refused_with_the_nearest() {
    let rows = [
        ("timestmap-env", "did you mean `timestamp-env`"),
        ("qqq", "known are timestamp-env, timestamp, sha"),
        ("{brnach}", "did you mean `branch`"),
        ("{sha6}", "7 to 64 digits in a tag, found 6"),
        ("{sha65}", "7 to 64 digits in a tag, found 65"),
        ("{date", "without its partner"),
        ("date}", "without its partner"),
        ("{{date}}", "without its partner"),
        ("{}", "unknown variable"),
        ("-{date}", "`-`, which no tag may have there"),
        ("{date}/{sha}", "`/`, which no tag may have there"),
        ("{date}+{sha}", "`+`"),
        ("", "no tag scheme is called ``"),
    ];
    for (text, said) in rows {
        let error = text.parse::<Scheme>().unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    let template = |len: usize| format!("{{date}}{}", "x".repeat(len - 6));
    assert!(template(256).parse::<Scheme>().is_ok());
    assert!(template(257).parse::<Scheme>().is_err());
}

#[test]
fn schemes_say_whether_they_have_an_environment_or_a_second() {
    let rows = [
        ("timestamp-env", true, true),
        ("timestamp", false, true),
        ("sha", false, false),
        ("semver", false, false),
        ("semver-sha", false, false),
        ("date-build", false, false),
        ("date-sha", false, false),
        ("{date}-{env}", true, false),
        ("{time}", false, true),
    ];
    for (text, environment, second) in rows {
        let scheme = scheme(text);
        assert_eq!(scheme.has_environment(), environment, "{text}");
        assert_eq!(scheme.has_second(), second, "{text}");
        assert_eq!(scheme.to_string(), text);
    }
}

#[test]
fn a_pull_request_has_no_branch_to_put_into_a_tag() {
    for fixture in ["github-pull-request-target", "gitlab-merge-request-fork", "github-merge-queue"]
    {
        let facts = Facts::at(all().at).with_ci(&facts(fixture));
        let said = made("{branch}-{sha12}", &facts);
        assert!(said.contains("needs a branch"), "{fixture}: {said}");
    }
    let tag = Facts::at(all().at).with_ci(&facts("github-tag-version"));
    assert_eq!(made("semver", &tag), "v1.4.2");
}
