//! What `pin --lock` writes: every reference of the files with the digest that it has after the pin.
//!
//! ```text
//! compose.yaml: nginx:1.27@sha256:9f…   ->   images.lock: nginx:1.27, sha256:9f…, its platforms, when, who said so
//! ```
//! An entry whose digest stays keeps its time: the file changes only where an image does.

use super::lock::{Lock, Locked};
use super::look_up::{Basis, Found};
use super::resolve::{Progress, chain};
use crate::app::App;
use crate::registries::{Depth, RegistryError};
use domain::{Digest, TaggedRef};
use futures_util::stream::{self, StreamExt as _};
use std::collections::{BTreeMap, BTreeSet};

/// Images that are asked for their platforms at once.
const IN_FLIGHT_MAX: usize = 16;

/// What each reference names after a pin.
pub type Named = BTreeMap<TaggedRef, BTreeSet<Digest>>;

/// What becomes of entries whose reference was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay: only a part of the files was read.
    Stay,
    /// They go: no file names them any more.
    Go,
}

/// A new lock, and what could not be put into it.
#[derive(Clone, Debug, Default)]
pub struct Relocked {
    /// The lock.
    pub lock: Lock,
    /// References that it lacks, and why.
    pub left: Vec<(TaggedRef, String)>,
}

/// Makes the lock of what the files name.
///
/// # Errors
/// The docker config or the like.
pub async fn relock(
    app: &App,
    old: &Lock,
    named: &Named,
    found: &Found,
    others: Others,
    progress: &Progress,
) -> Result<Relocked, RegistryError> {
    let mut new = Relocked::default();
    if others == Others::Stay {
        new.lock.images.clone_from(&old.images);
    }
    let mut wanted = Vec::new();
    for (one, digests) in named {
        let (Some(digest), true) = (digests.first(), digests.len() == 1) else {
            let all: Vec<String> = digests.iter().map(Digest::short).collect();
            new.left
                .push((one.clone(), format!("the files pin it to several: {}", all.join(", "))));
            continue;
        };
        match old.images.get(one).filter(|entry| entry.digest == *digest) {
            Some(entry) => {
                new.lock.images.insert(one.clone(), entry.clone());
            }
            None => wanted.push((one.clone(), *digest)),
        }
    }
    progress.expects(wanted.len());
    let registries = app.registries()?;
    let asked = wanted.into_iter().map(|(one, digest)| {
        let by = found.by.get(&one).unwrap_or(&one.repository).clone();
        let registries = registries.clone();
        async move {
            let image = registries.inspect(&by, digest, Depth::Platforms).await;
            progress.one_more();
            (one, digest, by, image)
        }
    });
    let images: Vec<_> = stream::iter(asked).buffer_unordered(IN_FLIGHT_MAX).collect().await;
    let now = app.surroundings().now();
    for (one, digest, by, image) in images {
        match image {
            Ok(Some(image)) => {
                let at = match found.basis.get(&one) {
                    Some(Basis::Kept { at, .. } | Basis::Lock { at }) => *at,
                    None => now,
                };
                let platforms = image.shape.platforms();
                new.lock.images.insert(one, Locked { digest, platforms, at: at.to_second(), by });
            }
            Ok(None) => new.left.push((one, format!("{} is not there", digest.short()))),
            Err(error) => new.left.push((one, chain(&error))),
        }
    }
    new.left.sort();
    Ok(new)
}
