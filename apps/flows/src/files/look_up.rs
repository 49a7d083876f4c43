//! What references name: by what was asked lately, by the lock, by their registries.
//!
//! ```text
//! online    kept for less than ten minutes, else asked and kept
//! offline   `images.lock`, else kept, whatever its age; what neither has is unknown
//! ```
//! Each answer that nobody was asked for says since when it is.

use super::digests::{self, Digests, Kept};
use super::held::Held;
use super::lock::Lock;
use super::resolve::{Answers, AskedFor, Progress, Silence, resolve};
use crate::app::App;
use crate::registries::{Registries, RegistryError};
use domain::{Digest, Repository, TaggedRef, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// How old a kept answer may be where nobody says it. Source: research/pin.md §6.3.
pub const MAX_AGE_MS_DEFAULT: i64 = 600_000;

/// Who may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Registries, for what is not kept or kept for longer than this, in milliseconds; 0 asks anew.
    Registries {
        /// How old an answer may be.
        max_age_ms: i64,
    },
    /// Nobody.
    Nobody {
        /// How old an answer may be; none: as old as it is.
        max_age_ms: Option<i64>,
        /// What the team's lock says.
        lock: Lock,
    },
}

/// Where an answer comes from that no registry gave just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// This user asked not long ago.
    Kept {
        /// When.
        at: Timestamp,
        /// How long that is ago.
        age_ms: i64,
    },
    /// The lock says so.
    Lock {
        /// When that was asked.
        at: Timestamp,
    },
}

/// The answers, and what is to be said of them.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What each reference names.
    pub answers: Answers,
    /// Answers that are not of now.
    pub basis: BTreeMap<TaggedRef, Basis>,
    /// Who said so.
    pub by: BTreeMap<TaggedRef, Repository>,
    /// What is known and must not be written.
    pub held: BTreeMap<TaggedRef, Held>,
    /// What went wrong on the way, and changes nothing of the answers.
    pub notes: Vec<String>,
}

impl From<Answers> for Found {
    fn from(answers: Answers) -> Self {
        Self { answers, ..Self::default() }
    }
}

impl Found {
    /// The digest that may be written for a reference.
    #[must_use]
    pub fn writable(&self, one: &TaggedRef) -> Option<Digest> {
        match self.answers.get(one)? {
            AskedFor::Digest(digest) if !self.held.contains_key(one) => Some(*digest),
            AskedFor::Digest(_) | AskedFor::NotThere | AskedFor::Unknown(_) => None,
        }
    }
}

/// Finds out what each reference names.
///
/// # Errors
/// The docker config or the like; a registry that does not answer is unknown instead.
pub async fn look_up(
    app: &App,
    wanted: BTreeSet<TaggedRef>,
    ask: &Ask,
    progress: &Progress,
) -> Result<Found, RegistryError> {
    let mut found = Found::default();
    if wanted.is_empty() {
        return Ok(found);
    }
    let registries = app.registries()?;
    let path = app.surroundings().cache_home().map(|home| digests::path_in(&home));
    let kept = path.as_deref().map(Digests::read).unwrap_or_default();
    let now = app.surroundings().now();
    let mut left = BTreeSet::new();
    for one in wanted {
        match known(&one, ask, &kept, &registries, now) {
            Some((digest, basis, by)) => {
                found.answers.insert(one.clone(), AskedFor::Digest(digest));
                found.basis.insert(one.clone(), basis);
                found.by.insert(one, by);
            }
            None => {
                left.insert(one);
            }
        }
    }
    match ask {
        Ask::Nobody { .. } => {
            found.notes.extend(kept.trouble);
            found.answers.extend(left.into_iter().map(|one| (one, not_asked())));
        }
        Ask::Registries { max_age_ms } => {
            // Somebody who wants no kept answer need not hear of them.
            found.notes.extend(kept.trouble.filter(|_| *max_age_ms > 0));
            asked(&registries, left, progress, &mut found).await;
            remember(path, &mut found, now);
        }
    }
    Ok(found)
}

fn not_asked() -> AskedFor {
    let why =
        "nobody is asked with --offline, and neither images.lock nor an earlier answer has it";
    AskedFor::Unknown(why.to_owned())
}

/// What is known without asking.
fn known(
    one: &TaggedRef,
    ask: &Ask,
    kept: &Digests,
    registries: &Registries,
    now: Timestamp,
) -> Option<(Digest, Basis, Repository)> {
    let max_age_ms = match ask {
        Ask::Nobody { lock, max_age_ms } => {
            if let Some(locked) = lock.images.get(one) {
                let basis = Basis::Lock { at: locked.at };
                return Some((locked.digest, basis, locked.by.clone()));
            }
            max_age_ms.unwrap_or(i64::MAX)
        }
        Ask::Registries { max_age_ms } => *max_age_ms,
    };
    let kept = kept.get(one)?;
    let age_ms = now.as_millis().saturating_sub(kept.at.as_millis());
    // What was asked in the future was asked by another clock.
    let is_fresh = (0..max_age_ms).contains(&age_ms);
    let is_ours = registries.places_of(&one.repository).contains(&kept.by);
    (is_fresh && is_ours)
        .then(|| (kept.digest, Basis::Kept { at: kept.at, age_ms }, kept.by.clone()))
}

async fn asked(
    registries: &Registries,
    wanted: BTreeSet<TaggedRef>,
    progress: &Progress,
    found: &mut Found,
) {
    let by = Mutex::new(BTreeMap::new());
    let answers = resolve(wanted, progress, |one| {
        let (registries, by) = (registries.clone(), &by);
        async move {
            let said = registries.resolve_by_mirrors(&one.repository, &one.tag).await?;
            Ok::<_, Silence>(said.map(|said| {
                by.lock().unwrap_or_else(PoisonError::into_inner).insert(one, said.by);
                said.digest
            }))
        }
    })
    .await;
    found.answers.extend(answers);
    found.by.extend(by.into_inner().unwrap_or_else(PoisonError::into_inner));
}

/// Keeps what registries said just now.
fn remember(path: Option<PathBuf>, found: &mut Found, now: Timestamp) {
    let Some(path) = path else { return };
    let mut new = BTreeMap::new();
    for (one, answer) in &found.answers {
        if let (AskedFor::Digest(digest), Some(by), false) =
            (answer, found.by.get(one), found.basis.contains_key(one))
        {
            new.insert(one.clone(), Kept { at: now, digest: *digest, by: by.clone() });
        }
    }
    if let Err(error) = digests::keep(&path, new) {
        found.notes.push(format!("the answers are not kept in {}: {error}", path.display()));
    }
}
