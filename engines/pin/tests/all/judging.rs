//! What each level asks for.

use crate::support::{ONES, sites};
use domain::{Rule, RuleSet, TagClass};
use pin::{FindingKind, Format, Level, Verdict, judge};

fn verdict(image: &str, level: Level, rules: &RuleSet) -> Verdict {
    let found = sites(Format::Dockerfile, &format!("FROM {image}\n"));
    judge(&found[0], level, rules)
}

fn kind(image: &str, level: Level) -> Option<&'static str> {
    match verdict(image, level, &RuleSet::default()) {
        Verdict::Finding(finding) => Some(finding.kind.id()),
        Verdict::Pinned
        | Verdict::Accepted
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
    assert_eq!(verdict("a/b:v1", Level::Tag, &rules), Verdict::Accepted);
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
        ("a/b:1.4", "`a/b:1.4` is not pinned: it names no digest"),
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
