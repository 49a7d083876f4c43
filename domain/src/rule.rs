//! The one rule model: which tags may move. Registry, `check`, `publish` and vendors ask here.
//!
//! ```text
//! **  latest       alias        built in
//! **  {uat,prod}   alias        a rule that somebody set
//! everything else  immutable    the default
//! ```
//! A tag's class is fixed at its first write; a later rule never turns an immutable tag into an alias.

use crate::pattern::Pattern;
use crate::repository::RepositoryPath;
use crate::tag::Tag;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The most rules that a registry keeps.
pub const RULES_MAX: usize = 1_000;

/// What may happen to a tag after its first write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagClass {
    /// Names one digest for ever.
    Immutable,
    /// Moves; every move is in its history.
    Alias,
    /// May only be replaced by a manifest that keeps all that was listed (cosign's `sha256-…`).
    Append,
}

/// One rule: for tags that fit in repositories that fit, this class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Matched against the repository's path on its registry.
    pub repositories: Pattern,
    /// Matched against the tag.
    pub tags: Pattern,
    /// The class of a tag that fits both.
    pub class: TagClass,
}

/// Rules in the order in which they are asked; the first that fits decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

/// A class, and what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained<'a> {
    /// A rule that somebody set; counted from 0 in the order of asking.
    ByRule {
        /// Its place.
        at: usize,
        /// The rule.
        rule: &'a Rule,
    },
    /// A rule that every registry has.
    BuiltIn {
        /// Its pattern for tags.
        tags: &'static str,
        /// Its class.
        class: TagClass,
    },
    /// No rule fits: immutable.
    Default,
}

impl Explained<'_> {
    /// The class that was decided.
    #[must_use]
    pub fn class(&self) -> TagClass {
        match self {
            Self::ByRule { rule, .. } => rule.class,
            Self::BuiltIn { class, .. } => *class,
            Self::Default => TagClass::Immutable,
        }
    }
}

impl RuleSet {
    /// Takes rules in the order in which they are to be asked.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// The rules that somebody set, in the order of asking.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Sets a rule: it is asked first, and an older one with the same patterns is dropped.
    pub fn set(&mut self, rule: Rule) {
        self.rules.retain(|old| old.repositories != rule.repositories || old.tags != rule.tags);
        self.rules.insert(0, rule);
    }

    /// The class that a tag gets at its first write, and why.
    #[must_use]
    pub fn explain(&self, repository: &RepositoryPath, tag: &Tag) -> Explained<'_> {
        let fits = |rule: &Rule| {
            rule.repositories.matches(repository.as_str()) && rule.tags.matches(tag.as_str())
        };
        match self.rules.iter().enumerate().find(|(_, rule)| fits(rule)) {
            Some((at, rule)) => Explained::ByRule { at, rule },
            None => built_in(tag),
        }
    }

    /// The class that a tag gets at its first write.
    #[must_use]
    pub fn class_of(&self, repository: &RepositoryPath, tag: &Tag) -> TagClass {
        self.explain(repository, tag).class()
    }
}

/// Source: DESIGN §7, "Rules"; the shape of the append tags is cosign's and the referrers tag schema's.
fn built_in(tag: &Tag) -> Explained<'static> {
    let tag = tag.as_str();
    if is_append_tag(tag) {
        Explained::BuiltIn { tags: "sha256-*", class: TagClass::Append }
    } else if tag == "latest" {
        Explained::BuiltIn { tags: "latest", class: TagClass::Alias }
    } else if tag == "buildcache" {
        Explained::BuiltIn { tags: "buildcache", class: TagClass::Alias }
    } else if tag.ends_with("-cache") {
        Explained::BuiltIn { tags: "*-cache", class: TagClass::Alias }
    } else {
        Explained::Default
    }
}

/// `sha256-` and 64 hex digits, alone or with one suffix: anything looser would be a way round immutability.
fn is_append_tag(tag: &str) -> bool {
    let Some(rest) = tag.strip_prefix("sha256-") else {
        return false;
    };
    let Some((hex, suffix)) = rest.split_at_checked(64) else {
        return false;
    };
    hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        && matches!(suffix, "" | ".sig" | ".att" | ".sbom")
}

impl fmt::Display for TagClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Immutable => "immutable",
            Self::Alias => "alias",
            Self::Append => "append",
        })
    }
}

/// The text is no class of tags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a class of tags: immutable, alias or append", text = text.escape_debug())]
pub struct TagClassError {
    text: String,
}

impl FromStr for TagClass {
    type Err = TagClassError;

    fn from_str(text: &str) -> Result<Self, TagClassError> {
        match text {
            "immutable" => Ok(Self::Immutable),
            "alias" => Ok(Self::Alias),
            "append" => Ok(Self::Append),
            other => Err(TagClassError { text: other.chars().take(40).collect() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(repositories: &str, tags: &str, class: TagClass) -> Rule {
        Rule { repositories: repositories.parse().unwrap(), tags: tags.parse().unwrap(), class }
    }

    fn class(rules: &RuleSet, repository: &str, tag: &str) -> TagClass {
        rules.class_of(&repository.parse().unwrap(), &tag.parse().unwrap())
    }

    #[test]
    fn without_rules_only_the_built_in_names_move() {
        let rules = RuleSet::default();
        let hex = "0".repeat(64);
        let cases = [
            ("latest", TagClass::Alias),
            ("api-cache", TagClass::Alias),
            ("buildcache", TagClass::Alias),
            (&format!("sha256-{hex}"), TagClass::Append),
            (&format!("sha256-{hex}.sig"), TagClass::Append),
            ("sha256-00", TagClass::Immutable),
            (&format!("sha256-{hex}.exe"), TagClass::Immutable),
            ("uat", TagClass::Immutable),
            ("stable", TagClass::Immutable),
            ("Latest", TagClass::Immutable),
        ];
        for (tag, expected) in cases {
            assert_eq!(class(&rules, "shop/api", tag), expected, "{tag}");
        }
    }

    #[test]
    fn the_rule_that_was_set_last_is_asked_first() {
        let mut rules = RuleSet::default();
        rules.set(rule("**", "{uat,prod}", TagClass::Alias));
        rules.set(rule("shop/*", "prod", TagClass::Immutable));
        assert_eq!(class(&rules, "shop/api", "prod"), TagClass::Immutable);
        assert_eq!(class(&rules, "shop/api", "uat"), TagClass::Alias);
        assert_eq!(class(&rules, "other", "prod"), TagClass::Alias);
        rules.set(rule("shop/*", "prod", TagClass::Alias));
        assert_eq!(rules.rules().len(), 2);
        assert_eq!(class(&rules, "shop/api", "prod"), TagClass::Alias);
    }

    #[test]
    fn a_rule_can_take_a_built_in_name_back() {
        let rules = RuleSet::new(vec![rule("**", "latest", TagClass::Immutable)]);
        assert_eq!(class(&rules, "a", "latest"), TagClass::Immutable);
        assert!(matches!(
            rules.explain(&"a".parse().unwrap(), &"latest".parse().unwrap()),
            Explained::ByRule { at: 0, .. }
        ));
    }
}
