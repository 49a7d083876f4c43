//! What a place must name, and whether it does.
//!
//! ```text
//! `shop/api`        at level tag    -> no-tag: `shop/api` has no tag: it can move
//! `shop/api:1.4`    at level digest -> not-pinned
//! `shop/api:${TAG}`                 -> could not be told: a variable writes it
//! ```
//! Decides from the text and the rules alone; whether a digest still exists is another's question.

use crate::moving::{Moving, moving};
use crate::site::{Found, Marker, Opaque, Site};
use domain::{DigestError, Explained, ImageRef, ReferenceError, RuleSet, TagClass, TaggedRef};
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

/// The answer for one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It names a digest.
    Pinned,
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

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub kind: FindingKind,
    /// For people, without the place.
    pub message: String,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Neither tag nor digest.
    NoTag,
    /// A tag that a rule says moves.
    AliasTag,
    /// A tag whose name says that it moves.
    MovingTag,
    /// A tag where a digest is required.
    NotPinned,
    /// A digest of an algorithm that we do not know.
    UnknownAlgorithm,
    /// Something that no client could pull.
    Malformed,
}

impl FindingKind {
    /// The name that scripts and baselines may count on.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::NoTag => "no-tag",
            Self::AliasTag => "alias-tag",
            Self::MovingTag => "moving-tag",
            Self::NotPinned => "not-pinned",
            Self::UnknownAlgorithm => "unknown-algorithm",
            Self::Malformed => "malformed",
        }
    }
}

/// Judges one place against what is required of it.
#[must_use]
pub fn judge(site: &Site, required: Level, rules: &RuleSet) -> Verdict {
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
        Found::Image(ImageRef::Bare(_)) => match required {
            Level::Floating => Verdict::Accepted,
            Level::Tag | Level::Digest => {
                finding(FindingKind::NoTag, format!("`{}` has no tag: it can move", site.text))
            }
        },
        Found::Image(ImageRef::Tagged(tagged)) => tag(site, tagged, required, rules),
    }
}

fn finding(kind: FindingKind, message: String) -> Verdict {
    Verdict::Finding(Finding { kind, message })
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
    finding(kind, format!("`{}` is no image reference: {error}", text.escape_debug()))
}

fn tag(site: &Site, tagged: &TaggedRef, required: Level, rules: &RuleSet) -> Verdict {
    if required == Level::Floating {
        return Verdict::Accepted;
    }
    let text = &site.text;
    let explained = rules.explain(tagged.repository.path(), &tagged.tag);
    match (explained.class(), explained) {
        (TagClass::Alias | TagClass::Append, _) => finding(
            FindingKind::AliasTag,
            format!("`{text}` is a tag that moves: `{}`", tagged.tag),
        ),
        // What a rule calls immutable is, whatever its name sounds like.
        (TagClass::Immutable, Explained::ByRule { .. }) => fixed(text, required),
        (TagClass::Immutable, Explained::BuiltIn { .. } | Explained::Default) => {
            match moving(tagged.tag.as_str()) {
                Some(Moving::Name) => finding(
                    FindingKind::MovingTag,
                    format!("`{text}` can move: tags called `{}` usually do", tagged.tag),
                ),
                Some(Moving::Major) => finding(
                    FindingKind::MovingTag,
                    format!(
                        "`{text}` can move: `{}` is a major version, which follows its newest release",
                        tagged.tag
                    ),
                ),
                None => fixed(text, required),
            }
        }
    }
}

fn fixed(text: &str, required: Level) -> Verdict {
    match required {
        Level::Floating | Level::Tag => Verdict::Accepted,
        Level::Digest => {
            finding(FindingKind::NotPinned, format!("`{text}` is not pinned: it names no digest"))
        }
    }
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
