//! Bodies for fuzzers: plain functions that read a stranger's text and check what must hold.

use crate::ci::{Event, detect};
use crate::scheme::{Facts, Scheme, Taken};
use crate::{EnvironmentRule, environment_of, is_of, sanitise};
use domain::{Pattern, Timestamp};
use std::collections::BTreeMap;

/// Any text as a scheme, and as every name that a scheme takes over.
///
/// # Panics
/// When an invariant breaks, which is what a fuzzer looks for.
pub fn schemes(text: &str) {
    let tag = sanitise(text, domain::tag::TAG_LEN_MAX);
    assert!(tag.parse::<domain::Tag>().is_ok(), "{text:?} gave {tag:?}");
    let mut facts = Facts::at(Timestamp::from_millis(1_773_758_398_000));
    facts.branch = Some(text.to_owned());
    facts.git_tag = Some(text.to_owned());
    facts.environment = "prod".parse().ok();
    facts.commit = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d".parse().ok();
    let fixed = ["{date}-{branch}-{sha12}", "{tag}-{branch}", "semver", "semver-sha"];
    for scheme in fixed.iter().copied().chain([text]) {
        let Ok(scheme) = scheme.parse::<Scheme>() else {
            continue;
        };
        assert!(scheme.to_string().parse::<Scheme>().is_ok());
        if let Ok(tag) = scheme.compute(&facts, &Taken::nothing()) {
            let is_its_own = is_of(&scheme, facts.environment.as_ref(), &tag);
            assert!(is_its_own, "{scheme} does not know its own {tag}");
        }
    }
}

/// Any text as the variables of a CI, one `NAME=value` a line, the rest behind an empty line as event file.
///
/// # Panics
/// When a pull request, a git tag or an unknown event gets an environment.
pub fn variables(text: &str) {
    let (lines, event) = text.split_once("\n\n").unwrap_or((text, ""));
    let variables: BTreeMap<String, String> = lines
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let event = Some(event).filter(|event| !event.is_empty());
    let Ok(Some(facts)) = detect(&variables, event) else {
        return;
    };
    let rules = [EnvironmentRule {
        name: "prod".parse().expect("`prod` is a name"),
        branches: vec![Pattern::everything()],
        events: Vec::new(),
    }];
    let decided = environment_of(&facts, &rules, None).is_ok();
    assert!(!decided || facts.event == Event::Push, "{facts:?}");
}
