//! `pin --update`: pins that follow their tags, each with the reason.
//!
//! ```text
//! nginx:1.27@sha256:old   the tag names sha256:new   ->  to sha256:new, "since 2026-03-17T… by ada"
//! ```
//! An index stays an index, one platform's image stays that platform's.

use super::held::{Held, names, or_nothing};
use super::look_up::Found;
use super::resolve::{AskedFor, Progress, chain};
use crate::app::App;
use crate::ask::tag_history;
use crate::registries::{Depth, Inspected, Registries, RegistryError};
use ::record::Span;
use domain::{Digest, PinnedRef, Repository, TaggedRef};
use futures_util::stream::{self, StreamExt as _};
use pin::{Follow, ImageShape, follow};
use std::collections::{BTreeMap, BTreeSet};

/// Moved tags that are looked into at once: each is a few requests.
const IN_FLIGHT_MAX: usize = 8;

/// What becomes of the pins that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// What each names from now on.
    pub to: BTreeMap<PinnedRef, Digest>,
    /// Why, of each that moves.
    pub reasons: BTreeMap<PinnedRef, String>,
    /// Those that could not follow.
    pub left: BTreeMap<PinnedRef, NotMoved>,
}

/// Why a pin does not follow its tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMoved {
    /// What the tag names is too young; the pin is as good as it was.
    #[error("its tag moved, and {0}")]
    Waits(Held),
    /// What the tag names is no replacement.
    #[error("{0}")]
    Refused(String),
    /// The tag is gone.
    #[error("its tag is gone from {}", .0.repository.host())]
    Gone(TaggedRef),
    /// It could not be found out.
    #[error("could not find out what its tag names: {0}")]
    Unknown(String),
}

/// The tag of a pin; none where it names only a digest, which moves with nothing.
#[must_use]
pub fn tag_of(pinned: &PinnedRef) -> Option<TaggedRef> {
    let tag = pinned.tag.clone()?;
    Some(TaggedRef { repository: pinned.repository.clone(), tag })
}

/// Decides for each pin. `found` holds what the tags name and which of it is held back.
///
/// # Errors
/// The docker config or the like.
pub async fn moves(
    app: &App,
    pins: &BTreeSet<PinnedRef>,
    found: &Found,
    progress: &Progress,
) -> Result<Moves, RegistryError> {
    let mut moves = Moves::default();
    let mut differ = Vec::new();
    for pinned in pins {
        let Some(tagged) = tag_of(pinned) else { continue };
        match found.answers.get(&tagged) {
            Some(AskedFor::Digest(now)) if *now == pinned.digest => {}
            Some(AskedFor::Digest(now)) => differ.push((pinned.clone(), tagged, *now)),
            Some(AskedFor::NotThere) => {
                moves.left.insert(pinned.clone(), NotMoved::Gone(tagged));
            }
            Some(AskedFor::Unknown(why)) => {
                moves.left.insert(pinned.clone(), NotMoved::Unknown(why.clone()));
            }
            None => {}
        }
    }
    progress.expects(differ.len());
    let registries = app.registries()?;
    let looked = differ.into_iter().map(|(pinned, tagged, now)| {
        let (registries, place) = (registries.clone(), found.by.get(&tagged).cloned());
        async move {
            let step = step(&registries, &pinned, place.as_ref(), now).await;
            let reason = match &step {
                Ok(Some(_)) => Some(reason(app, &tagged, now).await),
                Ok(None) | Err(_) => None,
            };
            progress.one_more();
            (pinned, tagged, step, reason)
        }
    });
    let steps: Vec<_> = stream::iter(looked).buffer_unordered(IN_FLIGHT_MAX).collect().await;
    for (pinned, tagged, step, reason) in steps {
        match (step, found.held.get(&tagged)) {
            (Ok(None), _) => {}
            (Ok(Some(_)), Some(held @ (Held::Young { .. } | Held::AgeUnknown { .. }))) => {
                moves.left.insert(pinned, NotMoved::Waits(held.clone()));
            }
            (Ok(Some(_)), Some(held @ Held::Platforms { .. })) => {
                moves.left.insert(pinned, NotMoved::Refused(held.to_string()));
            }
            (Ok(Some(digest)), None) => {
                moves.reasons.extend(reason.map(|reason| (pinned.clone(), reason)));
                moves.to.insert(pinned, digest);
            }
            (Err(left), _) => {
                moves.left.insert(pinned, left);
            }
        }
    }
    Ok(moves)
}

/// What one pin becomes; none where it stays.
async fn step(
    registries: &Registries,
    pinned: &PinnedRef,
    by: Option<&Repository>,
    now: Digest,
) -> Result<Option<Digest>, NotMoved> {
    let unknown = |error: RegistryError| NotMoved::Unknown(chain(&error));
    let by = by.unwrap_or(&pinned.repository);
    let look = |place: Repository, digest| async move {
        registries.inspect(&place, digest, Depth::Platforms).await
    };
    let (old, new) =
        tokio::join!(look(pinned.repository.clone(), pinned.digest), look(by.clone(), now));
    let (old, new) = (old.map_err(unknown)?, new.map_err(unknown)?);
    let shape = |image: &Option<Inspected>| image.as_ref().map(|image| image.shape.clone());
    decided(pinned, now, shape(&old).as_ref(), shape(&new).as_ref())
}

fn decided(
    pinned: &PinnedRef,
    now: Digest,
    old: Option<&ImageShape>,
    new: Option<&ImageShape>,
) -> Result<Option<Digest>, NotMoved> {
    match follow(&pinned.digest, &now, old, new) {
        Follow::Stays => Ok(None),
        Follow::To(digest) => Ok(Some(digest)),
        Follow::NoPlatform { wanted, there } => Err(NotMoved::Refused(format!(
            "it is pinned to the image for {}, and its tag names one for {}",
            names(&[wanted]),
            or_nothing(&there)
        ))),
        Follow::CannotTell => Err(NotMoved::Unknown(format!(
            "{} cannot be read, so that nobody can tell whether it is an index or one platform's image",
            pinned.digest.short()
        ))),
    }
}

/// What is known of the move, from the registry's history or the record.
pub(super) async fn reason(app: &App, tagged: &TaggedRef, now: Digest) -> String {
    let named = format!("its tag names {} now", now.short());
    // Without settings there is no record that could know, and a stranger's registry is not asked for a history.
    if app.loaded().is_none() {
        return named;
    }
    let history = tag_history(app, &tagged.repository, Some(&tagged.tag), &Span::default()).await;
    let rows = history.map(|history| history.answer.items).unwrap_or_default();
    match rows.into_iter().find(|row| row.to == Some(now)) {
        Some(row) => {
            let who = row.actor.map(|actor| format!(", {} by {}", row.change, actor.name()));
            format!("{named}, since {}{}", row.at, who.unwrap_or_default())
        }
        None => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pin::Part;

    #[test]
    fn a_pin_that_cannot_follow_says_why() {
        let pinned: PinnedRef = format!("nginx:1@{}", Digest::sha256(b"old")).parse().unwrap();
        let now = Digest::sha256(b"new");
        let part = |platform: &str| Part {
            platform: platform.parse().ok(),
            digest: Digest::sha256(platform.as_bytes()),
        };
        let new = ImageShape::Index(vec![part("linux/amd64"), part("linux/arm64")]);
        let of = |platform: &str| ImageShape::Single(platform.parse().ok());
        assert_eq!(
            decided(&pinned, now, Some(&of("linux/arm64")), Some(&new)).unwrap(),
            Some(Digest::sha256(b"linux/arm64"))
        );
        let refused = decided(&pinned, now, Some(&of("windows/amd64")), Some(&new)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "it is pinned to the image for windows/amd64, and its tag names one for linux/amd64, linux/arm64"
        );
        let lost = decided(&pinned, now, None, Some(&new)).unwrap_err();
        assert!(matches!(lost, NotMoved::Unknown(_)), "{lost}");
    }
}
