//! Values that name an image, and the proof that a name cannot move.
//!
//! ```text
//! "shop/api"                 -> ImageRef::Bare     no tag at all: `latest` is meant, and can move
//! "shop/api:1.4"             -> ImageRef::Tagged   may point elsewhere tomorrow
//! "shop/api:1.4@sha256:9f…"  -> ImageRef::Pinned   names these bytes for ever
//! ```
//! Does not see variables: text with `$` or `{{` is no reference, and the caller asks before.

use crate::digest::{Digest, DigestError};
use crate::repository::{Repository, RepositoryError};
use crate::tag::{self, Tag, TagError};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The longest reference that is looked at, in bytes: a name, a tag, a sha512 digest and their joints.
pub const REFERENCE_LEN_MAX: usize = 255 + 1 + 128 + 1 + 135;

/// An image reference as read from text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageRef {
    /// Neither tag nor digest: the client will say `latest`.
    Bare(Repository),
    /// A tag, which may move.
    Tagged(TaggedRef),
    /// A digest, which cannot.
    Pinned(PinnedRef),
}

/// A name that may point elsewhere tomorrow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaggedRef {
    /// Where the tag lives.
    pub repository: Repository,
    /// The tag.
    pub tag: Tag,
}

/// A name that cannot move; its tag is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinnedRef {
    /// Where the image lives.
    pub repository: Repository,
    /// The tag beside the digest; runtimes ignore it.
    pub tag: Option<Tag>,
    /// What decides.
    pub digest: Digest,
}

/// The byte spans of a reference's parts, for an edit in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefParts {
    /// Host and path as written.
    pub name: Range<usize>,
    /// The tag without its colon.
    pub tag: Option<Range<usize>>,
    /// The digest without its `@`.
    pub digest: Option<Range<usize>>,
}

/// The ways in which a text is no image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing was there.
    #[error("an image reference is not empty")]
    Empty,
    /// More than [`REFERENCE_LEN_MAX`] bytes.
    #[error("an image reference has at most {REFERENCE_LEN_MAX} characters, found {found}")]
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// The part before tag and digest.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The part after the colon.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The part after the `@`; an algorithm that we do not know is told apart by the source.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// A digest was required.
    #[error("`{text}` names no digest: it can move")]
    NotPinned {
        /// The reference.
        text: String,
    },
    /// A tag was required, and nothing more.
    #[error("`{text}` is not a repository and a tag")]
    NotTagged {
        /// The reference.
        text: String,
    },
}

impl RefParts {
    /// Finds the parts by their joints; checks none of them.
    ///
    /// Source: distribution/reference: `name [":" tag] ["@" digest]`; a colon before the last `/` is a port's.
    #[must_use]
    pub fn split(text: &str) -> Self {
        let (head, digest) = match text.find('@') {
            Some(at) => (&text[..at], Some(at + 1..text.len())),
            None => (text, None),
        };
        let last = head.rfind('/').map_or(0, |slash| slash + 1);
        match head[last..].find(':') {
            Some(colon) => {
                let colon = last + colon;
                Self { name: 0..colon, tag: Some(colon + 1..head.len()), digest }
            }
            None => Self { name: 0..head.len(), tag: None, digest },
        }
    }
}

impl ImageRef {
    /// The repository, which every reference names.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        match self {
            Self::Bare(repository) => repository,
            Self::Tagged(tagged) => &tagged.repository,
            Self::Pinned(pinned) => &pinned.repository,
        }
    }

    /// The tag, where one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&Tag> {
        match self {
            Self::Bare(_) => None,
            Self::Tagged(tagged) => Some(&tagged.tag),
            Self::Pinned(pinned) => pinned.tag.as_ref(),
        }
    }

    /// The digest, where one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Bare(_) | Self::Tagged(_) => None,
            Self::Pinned(pinned) => Some(&pinned.digest),
        }
    }
}

impl FromStr for ImageRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() > REFERENCE_LEN_MAX {
            return Err(ReferenceError::Length { found: text.len() });
        }
        let parts = RefParts::split(text);
        let repository = Repository::from_name(&text[parts.name])?;
        let tag = parts.tag.map(|span| text[span].parse()).transpose()?;
        let digest = parts.digest.map(|span| text[span].parse()).transpose()?;
        Ok(match (tag, digest) {
            (tag, Some(digest)) => Self::Pinned(PinnedRef { repository, tag, digest }),
            (Some(tag), None) => Self::Tagged(TaggedRef { repository, tag }),
            (None, None) => Self::Bare(repository),
        })
    }
}

impl FromStr for PinnedRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match text.parse()? {
            ImageRef::Pinned(pinned) => Ok(pinned),
            ImageRef::Bare(_) | ImageRef::Tagged(_) => {
                Err(ReferenceError::NotPinned { text: text.to_owned() })
            }
        }
    }
}

impl FromStr for TaggedRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match text.parse()? {
            ImageRef::Tagged(tagged) => Ok(tagged),
            ImageRef::Bare(_) | ImageRef::Pinned(_) => {
                Err(ReferenceError::NotTagged { text: text.to_owned() })
            }
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(repository) => repository.fmt(f),
            Self::Tagged(tagged) => tagged.fmt(f),
            Self::Pinned(pinned) => pinned.fmt(f),
        }
    }
}

impl fmt::Display for TaggedRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository.familiar(), self.tag)
    }
}

impl fmt::Display for PinnedRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository.familiar())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        write!(f, "@{}", self.digest)
    }
}

crate::text::serde_as_text!(TaggedRef);
crate::text::serde_as_text!(PinnedRef);

/// Whether the text after a colon is a tag; for a reader that must tell `foo:5000` from a port.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    tag::check(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn a_port_is_told_from_a_tag() {
        let port: ImageRef = "localhost:5000/bar".parse().unwrap();
        assert!(matches!(port, ImageRef::Bare(_)));
        let tag: TaggedRef = "foo:5000".parse().unwrap();
        assert_eq!((tag.repository.familiar().as_str(), tag.tag.as_str()), ("foo", "5000"));
        let both: TaggedRef = "[::1]:5000/foo:1".parse().unwrap();
        assert_eq!((both.repository.host().as_str(), both.tag.as_str()), ("[::1]:5000", "1"));
    }

    #[test]
    fn the_digest_decides_and_the_tag_stays() {
        let text = format!("shop/api:1.4@sha256:{HEX}");
        let pinned: PinnedRef = text.parse().unwrap();
        assert_eq!(pinned.tag.as_ref().map(Tag::as_str), Some("1.4"));
        assert_eq!(pinned.to_string(), text);
    }

    #[test]
    fn parts_are_spans_of_the_text() {
        let text = format!("h:1/a/b:t@sha256:{HEX}");
        let parts = RefParts::split(&text);
        assert_eq!(&text[parts.name], "h:1/a/b");
        assert_eq!(&text[parts.tag.unwrap()], "t");
        assert_eq!(&text[parts.digest.unwrap()], format!("sha256:{HEX}"));
    }

    #[test]
    fn wrong_references_name_the_wrong_part() {
        use ReferenceError as E;
        assert_eq!("".parse::<ImageRef>(), Err(E::Empty));
        assert!(matches!("a:".parse::<ImageRef>(), Err(E::Tag(TagError::Empty))));
        assert!(matches!("A:1".parse::<ImageRef>(), Err(E::Repository(_))));
        assert!(matches!(
            "a@sha1:00".parse::<ImageRef>(),
            Err(E::Digest(DigestError::Algorithm { .. }))
        ));
        assert!(matches!("a@".parse::<ImageRef>(), Err(E::Digest(DigestError::NoColon))));
        assert!(matches!("a:1@b@c".parse::<ImageRef>(), Err(E::Digest(_))));
        assert!(matches!(":1".parse::<ImageRef>(), Err(E::Repository(_))));
        assert!(matches!("https://a/b".parse::<ImageRef>(), Err(E::Repository(_))));
        assert!(matches!("a:1".parse::<PinnedRef>(), Err(E::NotPinned { .. })));
        assert!(matches!("a".parse::<TaggedRef>(), Err(E::NotTagged { .. })));
    }

    #[test]
    fn the_longest_reference_is_read_and_one_more_is_not() {
        let name = format!("a/{}", "b".repeat(253));
        let text = format!("{name}:{}@sha512:{}", "t".repeat(128), "0".repeat(128));
        assert_eq!(text.len(), REFERENCE_LEN_MAX);
        assert!(text.parse::<ImageRef>().is_ok());
        assert_eq!(
            format!("{text}0").parse::<ImageRef>(),
            Err(ReferenceError::Length { found: text.len() + 1 })
        );
    }
}
