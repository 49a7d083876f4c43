//! A pin and its tag: whether they still mean the same, and what following the tag would write.
//!
//! ```text
//! pinned sha256:9f…   the tag names sha256:9f…                          -> Same
//! pinned an index     the tag names another with the same manifests     -> Republished
//! pinned linux/amd64  the tag names the index that lists it             -> OfPlatform
//! pinned sha256:9f…   the tag names anything else                       -> Moved
//! ```
//! Decides from digests and from what indexes list; who asked for them is another's business.

use domain::{Digest, Platform};
use std::collections::BTreeSet;

/// What the manifest behind a digest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Several images, one for each platform; attestations are left out.
    Index(Vec<Part>),
    /// One image, and what it runs on where it says so.
    Single(Option<Platform>),
}

/// One image of an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// What it runs on.
    pub platform: Option<Platform>,
    /// Its manifest.
    pub digest: Digest,
}

/// What a tag that names another digest than the pin means for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The same digest.
    Same,
    /// The pin is one platform's image of what the tag names.
    OfPlatform(Option<Platform>),
    /// Another index around the same images.
    Republished,
    /// Other content.
    Moved,
}

/// What a pin that follows its tag becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It stays.
    Stays,
    /// It names this digest.
    To(Digest),
    /// It is one platform's, and the tag names nothing for that platform.
    NoPlatform {
        /// The pin's platform.
        wanted: Platform,
        /// What there is instead.
        there: Vec<Platform>,
    },
    /// Nobody can tell whether it is an index or one platform's image.
    CannotTell,
}

impl Shape {
    /// The platforms, where they are known.
    #[must_use]
    pub fn platforms(&self) -> Vec<Platform> {
        let all: BTreeSet<&Platform> = match self {
            Self::Index(parts) => parts.iter().filter_map(|part| part.platform.as_ref()).collect(),
            Self::Single(platform) => platform.iter().collect(),
        };
        all.into_iter().cloned().collect()
    }
}

/// Compares a pin with what its tag names now. `old` and `new` are the manifests of both digests, as far as they are known.
#[must_use]
pub fn drift(pinned: &Digest, now: &Digest, old: Option<&Shape>, new: Option<&Shape>) -> Drift {
    if pinned == now {
        return Drift::Same;
    }
    let Some(Shape::Index(parts)) = new else {
        return Drift::Moved;
    };
    if let Some(part) = parts.iter().find(|part| part.digest == *pinned) {
        return Drift::OfPlatform(part.platform.clone());
    }
    match old {
        Some(Shape::Index(before)) if !parts.is_empty() => {
            let set = |parts: &[Part]| parts.iter().cloned().collect::<BTreeSet<_>>();
            if set(before) == set(parts) { Drift::Republished } else { Drift::Moved }
        }
        Some(Shape::Index(_) | Shape::Single(_)) | None => Drift::Moved,
    }
}

/// Decides what a pin becomes that follows its tag; its kind stays: one platform's image does not become an index.
#[must_use]
pub fn follow(pinned: &Digest, now: &Digest, old: Option<&Shape>, new: Option<&Shape>) -> Follow {
    if pinned == now {
        return Follow::Stays;
    }
    match (old, new) {
        (Some(Shape::Index(_)), _) | (_, Some(Shape::Single(_))) => Follow::To(*now),
        (_, None) | (None, Some(Shape::Index(_))) => match drift(pinned, now, old, new) {
            Drift::OfPlatform(_) => Follow::Stays,
            Drift::Same | Drift::Republished | Drift::Moved => Follow::CannotTell,
        },
        (Some(Shape::Single(platform)), Some(Shape::Index(parts))) => {
            if parts.iter().any(|part| part.digest == *pinned) {
                return Follow::Stays;
            }
            let Some(wanted) = platform else {
                return Follow::CannotTell;
            };
            match part_for(parts, wanted) {
                Some(part) => Follow::To(part.digest),
                None => Follow::NoPlatform {
                    wanted: wanted.clone(),
                    there: parts.iter().filter_map(|part| part.platform.clone()).collect(),
                },
            }
        }
    }
}

/// The image for a platform: its very own, else the only one that differs in nothing but the variant.
///
/// Source: OCI image-spec 1.1, image-index.md: `variant` is optional, and `linux/arm64` is written with and without `v8`.
#[must_use]
pub fn part_for<'a>(parts: &'a [Part], wanted: &Platform) -> Option<&'a Part> {
    let own = parts.iter().find(|part| part.platform.as_ref() == Some(wanted));
    if own.is_some() {
        return own;
    }
    let is_near = |part: &&Part| {
        part.platform.as_ref().is_some_and(|there| {
            there.os() == wanted.os()
                && there.architecture() == wanted.architecture()
                && (has_no_variant(there) || has_no_variant(wanted))
        })
    };
    let mut near = parts.iter().filter(is_near);
    near.next().filter(|_| near.next().is_none())
}

/// The wanted platforms that a manifest is not for; one that does not say what it is for is for none.
#[must_use]
pub fn missing(shape: &Shape, wanted: &[Platform]) -> Vec<Platform> {
    let parts: Vec<Part> = match shape {
        Shape::Index(parts) => parts.clone(),
        Shape::Single(platform) => {
            vec![Part { platform: platform.clone(), digest: Digest::sha256(b"") }]
        }
    };
    wanted.iter().filter(|one| part_for(&parts, one).is_none()).cloned().collect()
}

fn has_no_variant(platform: &Platform) -> bool {
    platform.to_string().matches('/').count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::sha256(text.as_bytes())
    }

    fn index(parts: &[(&str, &str)]) -> Shape {
        let part = |(platform, name): &(&str, &str)| Part {
            platform: platform.parse().ok(),
            digest: digest(name),
        };
        Shape::Index(parts.iter().map(part).collect())
    }

    fn single(platform: &str) -> Shape {
        Shape::Single(platform.parse().ok())
    }

    #[test]
    fn a_pin_and_its_tag_are_the_same_or_differ_in_one_of_three_ways() {
        let two = index(&[("linux/amd64", "a"), ("linux/arm64", "b")]);
        let turned = index(&[("linux/arm64", "b"), ("linux/amd64", "a")]);
        let other = index(&[("linux/amd64", "a"), ("linux/arm64", "c")]);
        let (pinned, now) = (digest("old"), digest("new"));
        let of = |old: Option<&Shape>, new: Option<&Shape>| drift(&pinned, &now, old, new);
        assert_eq!(drift(&pinned, &pinned, None, None), Drift::Same);
        assert_eq!(of(Some(&two), Some(&turned)), Drift::Republished);
        assert_eq!(of(Some(&two), Some(&other)), Drift::Moved);
        assert_eq!(of(Some(&two), None), Drift::Moved);
        assert_eq!(of(None, Some(&two)), Drift::Moved);
        assert_eq!(of(Some(&single("linux/amd64")), Some(&two)), Drift::Moved);
        // Two that list nothing say nothing about their content.
        assert_eq!(of(Some(&index(&[])), Some(&index(&[]))), Drift::Moved);
        let amd64 = drift(&digest("a"), &now, None, Some(&two));
        assert_eq!(amd64, Drift::OfPlatform(Some("linux/amd64".parse().unwrap())));
    }

    #[test]
    fn a_pin_follows_its_tag_and_keeps_its_kind() {
        let new = index(&[("linux/amd64", "a"), ("linux/arm64/v8", "b")]);
        let (pinned, now) = (digest("old"), digest("new"));
        let to = |old: Option<&Shape>, new: Option<&Shape>| follow(&pinned, &now, old, new);
        assert_eq!(follow(&now, &now, None, None), Follow::Stays);
        assert_eq!(to(Some(&index(&[("linux/amd64", "z")])), Some(&new)), Follow::To(now));
        assert_eq!(to(Some(&index(&[])), None), Follow::To(now));
        assert_eq!(to(None, Some(&single("linux/amd64"))), Follow::To(now));
        assert_eq!(to(Some(&single("linux/amd64")), Some(&new)), Follow::To(digest("a")));
        assert_eq!(to(Some(&single("linux/arm64")), Some(&new)), Follow::To(digest("b")));
        assert_eq!(
            to(Some(&single("linux/s390x")), Some(&new)),
            Follow::NoPlatform {
                wanted: "linux/s390x".parse().unwrap(),
                there: vec!["linux/amd64".parse().unwrap(), "linux/arm64/v8".parse().unwrap()],
            }
        );
        assert_eq!(to(Some(&single("")), Some(&new)), Follow::CannotTell);
        assert_eq!(to(None, Some(&new)), Follow::CannotTell);
        assert_eq!(to(Some(&single("linux/amd64")), None), Follow::CannotTell);
        assert_eq!(follow(&digest("a"), &now, None, Some(&new)), Follow::Stays);
    }

    #[test]
    fn a_platform_is_found_by_its_variant_or_where_there_is_only_one() {
        let parts = |shape: Shape| match shape {
            Shape::Index(parts) => parts,
            Shape::Single(_) => Vec::new(),
        };
        let arms = parts(index(&[("linux/arm/v6", "six"), ("linux/arm/v7", "seven")]));
        let found =
            |wanted: &str| part_for(&arms, &wanted.parse().unwrap()).map(|part| part.digest);
        assert_eq!(found("linux/arm/v7"), Some(digest("seven")));
        assert_eq!(found("linux/arm/v5"), None);
        assert_eq!(found("linux/arm"), None, "either could be meant");
    }

    #[test]
    fn what_is_missing_is_what_was_wanted_and_is_not_there() {
        let wanted = ["linux/amd64", "linux/arm64"].map(|one| one.parse().unwrap());
        let missing = |shape: &Shape| {
            super::missing(shape, &wanted).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(missing(&index(&[("linux/amd64", "a"), ("linux/arm64/v8", "b")])).is_empty());
        assert_eq!(missing(&single("linux/amd64")), ["linux/arm64"]);
        assert_eq!(missing(&single("")), ["linux/amd64", "linux/arm64"]);
    }
}
