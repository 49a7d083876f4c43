//! What a place must name, and whether it does.
//!
//! ```text
//! `shop/api`        at level tag    -> no-tag: `shop/api` has no tag: it can move
//! `shop/api:1.4.2`  at level digest -> not-pinned
//! `shop/api:${TAG}`                 -> could not be told: a variable writes it
//! ```
//! Decides from the text and the rules alone; whether a digest still exists is another's question.
//! A good place costs no allocation.

use crate::finding::{Finding, FindingKind};
use crate::moving::{Moving, moving};
use crate::site::{Found, Marker, Opaque, PullPolicy, Site};
use domain::{
    DigestError, Explained, ImageRef, PinnedRef, ReferenceError, RegistryHost, RuleSet, TagClass,
    TaggedRef,
};
use std::fmt;
use std::str::FromStr;

/// What the files of an environment must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Anything that can be pulled.
    Floating,
    /// A tag that does not move, or a digest.
    Tag,
    /// A digest.
    Digest,
}

/// What a place is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// What it must name.
    pub level: Level,
    /// Which tags move.
    pub rules: &'a RuleSet,
    /// A registry of ours, which lets no tag move but those that a rule lets.
    pub own_registry: Option<&'a RegistryHost>,
}

/// The answer for one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It names a digest.
    Pinned,
    /// It names a tag that cannot move, and the level asks for no more.
    Locked(Locked),
    /// It names less than a digest, and the level asks for no more.
    Accepted,
    /// Nothing is taken from a registry here: a stage, `scratch`, a build's own name, or an entry that inherits.
    NotRequired,
    /// A comment asks to pass over it.
    Ignored(Marker),
    /// It could not be told: another program fills the text in.
    Unknown(Opaque),
    /// It should not be so.
    Finding(Finding),
}

/// Who keeps a tag from moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// A rule of the settings says that it is immutable.
    ByRule,
    /// A registry of ours, where nothing says that it is an alias.
    ByOwnRegistry,
}

impl Locked {
    /// For people: who keeps it.
    #[must_use]
    pub fn by(self) -> &'static str {
        match self {
            Self::ByRule => "a rule of the settings keeps it",
            Self::ByOwnRegistry => "your own registry keeps it",
        }
    }
}

/// What a tag is, whatever is asked for.
enum Standing {
    Alias,
    Moves(Moving),
    Locked(Locked),
    Plain,
}

impl Judge<'_> {
    /// Judges one place.
    #[must_use]
    pub fn verdict(&self, site: &Site) -> Verdict {
        if let Some(marker) = site.marker {
            return Verdict::Ignored(marker);
        }
        match &site.found {
            Found::BuildTarget | Found::Stage | Found::Scratch | Found::Inherits(_) => {
                Verdict::NotRequired
            }
            Found::Opaque(why) => Verdict::Unknown(*why),
            Found::Malformed(error) => malformed(site, error),
            Found::Image(ImageRef::Pinned(_)) => Verdict::Pinned,
            Found::Image(ImageRef::Bare(_)) => match self.level {
                Level::Floating => Verdict::Accepted,
                Level::Tag | Level::Digest => {
                    let message = format!("`{}` has no tag: it can move", site.text);
                    finding(site, FindingKind::NoTag, message)
                }
            },
            Found::Image(ImageRef::Tagged(tagged)) => self.tag(site, tagged),
        }
    }

    /// What else should not be so at the place, beside its verdict; mostly nothing.
    #[must_use]
    pub fn beside(&self, site: &Site) -> Vec<Finding> {
        let Found::Image(reference) = &site.found else {
            return Vec::new();
        };
        if site.marker.is_some() {
            return Vec::new();
        }
        let mut beside = Vec::new();
        let text = &site.text;
        let mut add = |kind, message| beside.push(Finding::new(kind, site.purpose, message));
        if let ImageRef::Pinned(PinnedRef { tag: None, .. }) = reference {
            let message = format!("`{text}` has no tag: nobody can read which release it is");
            add(FindingKind::DigestWithoutTag, message);
        }
        match (site.pull, reference) {
            (Some(PullPolicy::Always), ImageRef::Pinned(_)) => add(
                FindingKind::PullPolicy,
                format!(
                    "`{text}` is pinned, and pull policy Always asks the registry at each start all the same"
                ),
            ),
            (Some(policy @ (PullPolicy::IfNotPresent | PullPolicy::Never)), reference)
                if self.is_floating(reference) =>
            {
                add(
                    FindingKind::PullPolicy,
                    format!(
                        "`{text}` can move, and pull policy {} keeps on each node what it pulled first: replicas may differ",
                        policy.name()
                    ),
                );
            }
            (Some(_) | None, _) => {}
        }
        beside
    }

    fn is_floating(&self, reference: &ImageRef) -> bool {
        match reference {
            ImageRef::Bare(_) => true,
            ImageRef::Tagged(tagged) => match self.standing(tagged) {
                Standing::Alias | Standing::Moves(_) => true,
                Standing::Locked(_) | Standing::Plain => false,
            },
            ImageRef::Pinned(_) => false,
        }
    }

    fn standing(&self, tagged: &TaggedRef) -> Standing {
        let explained = self.rules.explain(tagged.repository.path(), &tagged.tag);
        match (explained.class(), explained) {
            (TagClass::Alias | TagClass::Append, _) => Standing::Alias,
            // What a rule calls immutable is, whatever its name sounds like.
            (TagClass::Immutable, Explained::ByRule { .. }) => Standing::Locked(Locked::ByRule),
            (TagClass::Immutable, Explained::BuiltIn { .. } | Explained::Default) => {
                match moving(tagged.tag.as_str()) {
                    Some(how) => Standing::Moves(how),
                    None if self.own_registry == Some(tagged.repository.host()) => {
                        Standing::Locked(Locked::ByOwnRegistry)
                    }
                    None => Standing::Plain,
                }
            }
        }
    }

    fn tag(&self, site: &Site, tagged: &TaggedRef) -> Verdict {
        let standing = self.standing(tagged);
        let (text, tag) = (&site.text, &tagged.tag);
        match (self.level, standing) {
            (Level::Floating | Level::Tag, Standing::Locked(by)) => Verdict::Locked(by),
            (Level::Floating, Standing::Alias | Standing::Moves(_) | Standing::Plain)
            | (Level::Tag, Standing::Plain) => Verdict::Accepted,
            (Level::Tag | Level::Digest, Standing::Alias) => {
                let message = format!("`{text}` is a tag that moves: `{tag}`");
                finding(site, FindingKind::AliasTag, message)
            }
            (Level::Tag | Level::Digest, Standing::Moves(how)) => {
                let why = match how {
                    Moving::Name => format!("tags called `{tag}` usually do"),
                    Moving::Major => {
                        format!("`{tag}` is a major version, which follows its newest release")
                    }
                    Moving::Minor => format!(
                        "`{tag}` is a version without its last number, which follows its newest patch"
                    ),
                };
                finding(site, FindingKind::MovingTag, format!("`{text}` can move: {why}"))
            }
            (Level::Digest, Standing::Plain) => {
                let message = format!("`{text}` is not pinned: it names no digest");
                finding(site, FindingKind::NotPinned, message)
            }
            (Level::Digest, Standing::Locked(by)) => {
                let by = by.by();
                let message =
                    format!("`{text}` is not pinned: its tag cannot move ({by}), and is no digest");
                finding(site, FindingKind::NotPinned, message)
            }
        }
    }
}

/// Judges one place where no registry is known to be ours.
#[must_use]
pub fn judge(site: &Site, level: Level, rules: &RuleSet) -> Verdict {
    Judge { level, rules, own_registry: None }.verdict(site)
}

fn finding(site: &Site, kind: FindingKind, message: String) -> Verdict {
    Verdict::Finding(Finding::new(kind, site.purpose, message))
}

fn malformed(site: &Site, error: &ReferenceError) -> Verdict {
    let kind = match error {
        ReferenceError::Digest(DigestError::Algorithm { .. }) => FindingKind::UnknownAlgorithm,
        ReferenceError::Digest(
            DigestError::NoColon | DigestError::Length { .. } | DigestError::NotHex { .. },
        )
        | ReferenceError::Empty
        | ReferenceError::Length { .. }
        | ReferenceError::Repository(_)
        | ReferenceError::Tag(_)
        | ReferenceError::NotPinned { .. }
        | ReferenceError::NotTagged { .. } => FindingKind::Malformed,
    };
    let text: String = site.text.chars().take(120).collect();
    finding(site, kind, format!("`{}` is no image reference: {error}", text.escape_debug()))
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Floating => "floating",
            Self::Tag => "tag",
            Self::Digest => "digest",
        })
    }
}

/// The text is no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a level: floating, tag or digest", text = text.escape_debug())]
pub struct LevelError {
    text: String,
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        match text {
            "floating" => Ok(Self::Floating),
            "tag" => Ok(Self::Tag),
            "digest" => Ok(Self::Digest),
            other => Err(LevelError { text: other.chars().take(40).collect() }),
        }
    }
}
