//! Digests that are not written although they are known: not for a wanted platform, or too young.
//!
//! ```text
//! --platform linux/arm64   an index of linux/amd64 only    ->  left as it is, with what is there
//! --min-age 3d             made yesterday                  ->  left as it is, old enough from Friday on
//! ```
//! An image's age is what its configuration says, else how long the record has known it.

use super::look_up::Found;
use super::resolve::{AskedFor, Progress, chain};
use crate::app::App;
use crate::registries::{Depth, Inspected, RegistryError};
use crate::seam::Question;
use ::record::Facet;
use ::record::when::length;
use domain::{Digest, Platform, TaggedRef, Timestamp};
use futures_util::stream::{self, StreamExt as _};

/// Images that are looked into at once: each is up to three requests.
const IN_FLIGHT_MAX: usize = 16;
/// Builders that want the same bytes twice write 1970, 1980 or the year 1: nothing was an image before this day.
/// Source: the first release of docker, 2013-03-20.
const FIRST_IMAGE_MS: i64 = 1_363_737_600_000;

/// What must hold for a digest that is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// What it must be for.
    pub platforms: Vec<Platform>,
    /// How old it must be, in milliseconds.
    pub min_age_ms: Option<i64>,
    /// What becomes of one whose age nobody knows.
    pub unknown_age: UnknownAge,
}

/// What becomes of an image whose age nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownAge {
    /// It is left alone.
    #[default]
    Left,
    /// It is old enough.
    Allowed,
}

/// Why a known digest is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Held {
    /// It is not for what was wanted.
    #[error("{} is not for {}: it is for {}", digest.short(), names(missing), or_nothing(there))]
    Platforms {
        /// What the tag names.
        digest: Digest,
        /// What was wanted and is not there.
        missing: Vec<Platform>,
        /// What is there.
        there: Vec<Platform>,
    },
    /// It is too young.
    #[error("{} is {} old, and {} are asked for: old enough from {from} on", digest.short(), length(*age_ms), length(*min_age_ms))]
    Young {
        /// What the tag names.
        digest: Digest,
        /// How old it is.
        age_ms: i64,
        /// How old it must be.
        min_age_ms: i64,
        /// When it will be.
        from: Timestamp,
    },
    /// Nobody knows how old it is.
    #[error("nobody says how old {} is: neither its configuration nor the record; `--unknown-age allowed` takes it", digest.short())]
    AgeUnknown {
        /// What the tag names.
        digest: Digest,
    },
}

pub(super) fn names(platforms: &[Platform]) -> String {
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(super) fn or_nothing(platforms: &[Platform]) -> String {
    if platforms.is_empty() { "none that it names".to_owned() } else { names(platforms) }
}

impl Conditions {
    fn are_none(&self) -> bool {
        self.platforms.is_empty() && self.min_age_ms.is_none()
    }

    fn depth(&self) -> Depth {
        if self.min_age_ms.is_some() { Depth::Created } else { Depth::Platforms }
    }

    /// Judges one image; `first_seen` is the record's.
    fn judge(
        &self,
        digest: Digest,
        image: &Inspected,
        first_seen: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Held> {
        let missing = pin::missing(&image.shape, &self.platforms);
        if !missing.is_empty() {
            return Some(Held::Platforms { digest, missing, there: image.shape.platforms() });
        }
        let min_age_ms = self.min_age_ms?;
        let said = image.created.filter(|at| at.as_millis() >= FIRST_IMAGE_MS);
        let Some(since) = said.or(first_seen) else {
            return match self.unknown_age {
                UnknownAge::Left => Some(Held::AgeUnknown { digest }),
                UnknownAge::Allowed => None,
            };
        };
        let age_ms = now.as_millis().saturating_sub(since.as_millis());
        let from = since.plus_millis(min_age_ms);
        (age_ms < min_age_ms).then_some(Held::Young { digest, age_ms, min_age_ms, from })
    }
}

/// Finds the answers that the conditions keep from being written.
///
/// # Errors
/// The docker config or the like; an image that cannot be read is unknown instead.
pub async fn hold_back(
    app: &App,
    found: &mut Found,
    conditions: &Conditions,
    progress: &Progress,
) -> Result<(), RegistryError> {
    if conditions.are_none() {
        return Ok(());
    }
    let digests: Vec<(TaggedRef, Digest)> = found
        .answers
        .iter()
        .filter_map(|(one, answer)| match answer {
            AskedFor::Digest(digest) => Some((one.clone(), *digest)),
            AskedFor::NotThere | AskedFor::Unknown(_) => None,
        })
        .collect();
    progress.expects(digests.len());
    let registries = app.registries()?;
    let by = found.by.clone();
    let asked = digests.into_iter().map(|(one, digest)| {
        let place = by.get(&one).unwrap_or(&one.repository).clone();
        let registries = registries.clone();
        async move {
            let image = registries.inspect(&place, digest, conditions.depth()).await;
            progress.one_more();
            (one, digest, image)
        }
    });
    let images: Vec<_> = stream::iter(asked).buffer_unordered(IN_FLIGHT_MAX).collect().await;
    let now = app.surroundings().now();
    for (one, digest, image) in images {
        let unknown = match image {
            Ok(Some(image)) => {
                let needs_record = conditions.min_age_ms.is_some()
                    && image.created.is_none_or(|at| at.as_millis() < FIRST_IMAGE_MS);
                let seen = if needs_record { first_seen(app, digest).await } else { None };
                if let Some(held) = conditions.judge(digest, &image, seen, now) {
                    found.held.insert(one, held);
                }
                continue;
            }
            Ok(None) => format!("{} is not there any more", digest.short()),
            Err(error) => chain(&error),
        };
        found.answers.insert(one, AskedFor::Unknown(unknown));
    }
    Ok(())
}

/// When the record first spoke of a digest; a record that is not there or cannot be read knows nothing.
async fn first_seen(app: &App, digest: Digest) -> Option<Timestamp> {
    let record = app.record_to_read().await.ok()?;
    let question = Question::default().about(Facet::Digest, digest);
    let first = record.events(&question, None).await.ok()?.into_iter().next()?;
    let stamp = first.event.stamp;
    Some(stamp.imported.map_or(stamp.at, |there| there.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pin::{ImageShape, Part};

    fn image(platforms: &[&str], created: Option<&str>) -> Inspected {
        let part = |one: &&str| Part {
            platform: one.parse().ok(),
            digest: Digest::sha256(one.as_bytes()),
        };
        Inspected {
            shape: ImageShape::Index(platforms.iter().map(part).collect()),
            created: created.map(|at| at.parse().unwrap()),
        }
    }

    fn judged(
        conditions: &Conditions,
        image: &Inspected,
        first_seen: Option<&str>,
    ) -> Option<String> {
        let now = "2026-03-17T12:00:00Z".parse().unwrap();
        let seen = first_seen.map(|at| at.parse().unwrap());
        conditions.judge(Digest::sha256(b""), image, seen, now).map(|held| held.to_string())
    }

    #[test]
    fn an_image_without_a_wanted_platform_is_held_with_what_is_there() {
        let wanted = ["linux/amd64", "linux/arm64"].map(|one| one.parse().unwrap()).to_vec();
        let conditions = Conditions { platforms: wanted, ..Conditions::default() };
        assert_eq!(judged(&conditions, &image(&["linux/arm64", "linux/amd64"], None), None), None);
        assert_eq!(
            judged(&conditions, &image(&["linux/amd64", "linux/s390x"], None), None).unwrap(),
            "sha256:e3b0c44298fc is not for linux/arm64: it is for linux/amd64, linux/s390x"
        );
        let none = judged(&conditions, &image(&[], None), None).unwrap();
        assert!(none.ends_with("it is for none that it names"), "{none}");
    }

    #[test]
    fn an_image_is_old_enough_by_its_configuration_else_by_the_record() {
        let three_days = Conditions { min_age_ms: Some(3 * 86_400_000), ..Conditions::default() };
        let made = |at: &str| image(&["linux/amd64"], Some(at));
        let silent = image(&["linux/amd64"], None);
        assert_eq!(judged(&three_days, &made("2026-03-14T12:00:00Z"), None), None, "to the moment");
        assert_eq!(
            judged(&three_days, &made("2026-03-16T11:00:00Z"), None).unwrap(),
            "sha256:e3b0c44298fc is 1d 1h old, and 3d 0h are asked for: old enough from 2026-03-19T11:00:00.000Z on"
        );
        // What the configuration says goes before what the record has seen.
        let seen = Some("2026-03-17T11:59:00Z");
        assert_eq!(judged(&three_days, &made("2026-03-01T00:00:00Z"), seen), None);
        assert!(judged(&three_days, &silent, seen).unwrap().contains("is 1m 0s old"));
        assert_eq!(judged(&three_days, &silent, Some("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn a_year_in_which_there_was_no_image_says_nothing_of_its_age() {
        let mut conditions = Conditions { min_age_ms: Some(1), ..Conditions::default() };
        let zero = image(&["linux/amd64"], Some("1970-01-01T00:00:00Z"));
        assert!(judged(&conditions, &zero, None).unwrap().starts_with("nobody says how old"));
        assert!(judged(&conditions, &zero, Some("2026-03-17T12:00:00Z")).is_some());
        conditions.unknown_age = UnknownAge::Allowed;
        assert_eq!(judged(&conditions, &zero, None), None);
        // A clock that is ahead makes nothing older.
        let tomorrow = image(&["linux/amd64"], Some("2026-03-18T12:00:00Z"));
        assert!(judged(&conditions, &tomorrow, None).is_some());
    }
}
