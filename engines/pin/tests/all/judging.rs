//! What each level asks for.

use crate::support::{ONES, sites};
use domain::{Rule, RuleSet, TagClass};
use pin::{FindingKind, Format, Judge, Level, Locked, Severity, Verdict};

fn verdict(image: &str, level: Level, rules: &RuleSet) -> Verdict {
    let found = sites(Format::Dockerfile, &format!("FROM {image}\n"));
    Judge { level, rules, own_registry: None }.verdict(&found[0])
}

fn kind(image: &str, level: Level) -> Option<&'static str> {
    match verdict(image, level, &RuleSet::default()) {
        Verdict::Finding(finding) => Some(finding.kind.id()),
        Verdict::Pinned
        | Verdict::Accepted
        | Verdict::Locked(_)
        | Verdict::NotRequired
        | Verdict::Ignored(_)
        | Verdict::Unknown(_) => None,
    }
}

#[test]
fn each_level_asks_for_what_it_says() {
    let pinned = format!("a/b:1.4@{ONES}");
    let unknown = format!("a/b@blake3:{}", "0".repeat(64));
    let cases = [
        ("a/b", None, Some("no-tag"), Some("no-tag")),
        ("a/b:latest", None, Some("alias-tag"), Some("alias-tag")),
        ("a/b:x-cache", None, Some("alias-tag"), Some("alias-tag")),
        ("a/b:stable", None, Some("moving-tag"), Some("moving-tag")),
        ("a/b:production", None, Some("moving-tag"), Some("moving-tag")),
        ("a/b:v1", None, Some("moving-tag"), Some("moving-tag")),
        ("a/b:1.4", None, Some("moving-tag"), Some("moving-tag")),
        ("a/b:1.4.2", None, None, Some("not-pinned")),
        ("a/b:20260317-143958-uat", None, None, Some("not-pinned")),
        (&pinned, None, None, None),
        (&unknown, Some("unknown-algorithm"), Some("unknown-algorithm"), Some("unknown-algorithm")),
        ("A:1", Some("malformed"), Some("malformed"), Some("malformed")),
        ("a/b:${T}", None, None, None),
        ("scratch", None, None, None),
    ];
    for (image, floating, tag, digest) in cases {
        assert_eq!(kind(image, Level::Floating), floating, "{image} floating");
        assert_eq!(kind(image, Level::Tag), tag, "{image} tag");
        assert_eq!(kind(image, Level::Digest), digest, "{image} digest");
    }
}

#[test]
fn a_rule_of_the_settings_decides_before_a_name() {
    let rule = |tags: &str, class| Rule {
        repositories: "a/*".parse().unwrap(),
        tags: tags.parse().unwrap(),
        class,
    };
    let rules = RuleSet::new(vec![rule("v1", TagClass::Immutable), rule("blue", TagClass::Alias)]);
    assert_eq!(verdict("a/b:v1", Level::Tag, &rules), Verdict::Locked(Locked::ByRule));
    let Verdict::Finding(finding) = verdict("a/b:blue", Level::Tag, &rules) else {
        panic!("an alias is a finding")
    };
    assert_eq!(finding.kind, FindingKind::AliasTag);
    assert_eq!(finding.message, "`a/b:blue` is a tag that moves: `blue`");
}

#[test]
fn messages_name_the_reference_and_what_is_wrong_with_it() {
    let cases = [
        ("a/b", "`a/b` has no tag: it can move"),
        ("a/b:1.4.2", "`a/b:1.4.2` is not pinned: it names no digest"),
        ("a/b:v1", "`a/b:v1` can move: `v1` is a major version, which follows its newest release"),
        (
            "a/b:1.4",
            "`a/b:1.4` can move: `1.4` is a version without its last number, which follows its newest patch",
        ),
        ("a/b:stable", "`a/b:stable` can move: tags called `stable` usually do"),
        (
            "a/b@md5:00",
            "`a/b@md5:00` is no image reference: digest algorithm `md5` is not supported, only sha256 and sha512 are",
        ),
    ];
    for (image, expected) in cases {
        let Verdict::Finding(finding) = verdict(image, Level::Digest, &RuleSet::default()) else {
            panic!("{image}")
        };
        assert_eq!(finding.message, expected);
    }
}

#[test]
fn unknown_is_an_answer_and_no_finding() {
    let opaque = verdict("a/b:${T}", Level::Digest, &RuleSet::default());
    assert_eq!(opaque, Verdict::Unknown(pin::Opaque::Variable));
    let scratch = verdict("scratch", Level::Digest, &RuleSet::default());
    assert_eq!(scratch, Verdict::NotRequired);
}

#[test]
fn a_tag_in_our_own_registry_cannot_move_unless_its_name_says_so() {
    let own = "registry.example.com".parse().unwrap();
    let rules = RuleSet::default();
    let judge = Judge { level: Level::Tag, rules: &rules, own_registry: Some(&own) };
    let of = |image: &str| judge.verdict(&sites(Format::Dockerfile, &format!("FROM {image}\n"))[0]);
    assert_eq!(of("registry.example.com/a/b:1.4.2"), Verdict::Locked(Locked::ByOwnRegistry));
    assert_eq!(of("other.example.com/a/b:1.4.2"), Verdict::Accepted);
    assert!(matches!(of("registry.example.com/a/b:uat"), Verdict::Finding(_)));
}

#[test]
fn base_images_are_noted_and_what_runs_fails() {
    let pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a/b}]}\n";
    let rules = RuleSet::default();
    let judge = Judge { level: Level::Tag, rules: &rules, own_registry: None };
    for (format, text, expected) in [
        (Format::Dockerfile, "FROM a/b\n", Severity::Noted),
        (Format::Kubernetes, pod, Severity::Fails),
    ] {
        let Verdict::Finding(finding) = judge.verdict(&sites(format, text)[0]) else {
            panic!("{text}")
        };
        assert_eq!((finding.kind, finding.severity), (FindingKind::NoTag, expected));
    }
}

#[test]
fn a_pull_policy_at_odds_with_the_reference_is_noted_beside_it() {
    let beside = |image: &str, policy: &str| -> Vec<&'static str> {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: '{image}', imagePullPolicy: {policy}}}]}}\n"
        );
        let rules = RuleSet::default();
        let judge = Judge { level: Level::Tag, rules: &rules, own_registry: None };
        let found = judge.beside(&sites(Format::Kubernetes, &text)[0]);
        assert!(found.iter().all(|one| one.severity == Severity::Noted), "{found:?}");
        found.iter().map(|one| one.kind.id()).collect()
    };
    let (pinned, untagged) = (format!("a/b:1@{ONES}"), format!("a/b@{ONES}"));
    assert_eq!(beside(&pinned, "Always"), ["pull-policy"]);
    assert_eq!(beside(&untagged, "IfNotPresent"), ["digest-without-tag"]);
    assert_eq!(beside("a/b:uat", "IfNotPresent"), ["pull-policy"]);
    assert_eq!(beside("a/b", "Never"), ["pull-policy"]);
    for (image, policy) in
        [(pinned.as_str(), "IfNotPresent"), ("a/b:uat", "Always"), ("a/b:1.4.2", "IfNotPresent")]
    {
        assert!(beside(image, policy).is_empty(), "{image} {policy}");
    }
}

#[test]
fn compose_has_its_own_words_for_a_pull_policy() {
    let text = format!("services:\n  a:\n    image: a/b:1.4.2@{ONES}\n    pull_policy: always\n");
    let rules = RuleSet::default();
    let judge = Judge { level: Level::Tag, rules: &rules, own_registry: None };
    let beside = judge.beside(&sites(Format::Compose, &text)[0]);
    assert_eq!(beside[0].kind, FindingKind::PullPolicy);
}
