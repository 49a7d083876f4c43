//! `images.lock`: what each reference of the files named when somebody asked, for machines that ask nobody.
//!
//! ```yaml
//! version: 1
//! images:
//!   "nginx:1.27":
//!     digest: sha256:9f86…
//!     platforms: [linux/amd64, linux/arm64]
//!     at: 2026-03-17T14:39:58.000Z
//!     by: docker.io/library/nginx
//! ```
//! Written whole by `pin --lock`, in the order of the names, so that a change of one image is a change of its lines.

use super::write::{Rewrite, WriteError, write_all};
use crate::verdict::{Explain, Verdict};
use domain::{Digest, Platform, Repository, TaggedRef, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The file's name, beside the settings or in the current folder.
pub const LOCK_FILE: &str = "images.lock";
/// The longest that is read.
pub const LOCK_BYTES_MAX: usize = 8 << 20;
const VERSION: u64 = 1;

/// One reference of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// What it named.
    pub digest: Digest,
    /// What that runs on, as far as it says so.
    pub platforms: Vec<Platform>,
    /// When that was asked.
    pub at: Timestamp,
    /// Who said so.
    pub by: Repository,
}

/// What each reference named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By the reference.
    pub images: BTreeMap<TaggedRef, Locked>,
}

/// Why the lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The system did not let us.
    #[error("cannot read {}", path.display())]
    Read {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what `pin --lock` writes.
    #[error("{} cannot be used: {why}", path.display())]
    Text {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It cannot be made.
    #[error("cannot write {}", path.display())]
    New {
        /// Where it would be.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be written anew.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Explain for LockError {
    fn verdict(&self) -> Verdict {
        Verdict::Unknown
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } | Self::New { .. } => None,
            Self::Text { .. } => {
                Some("`indelible pin --lock` writes it; remove it first".to_owned())
            }
            Self::Write(error) => error.hint(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    #[serde(default)]
    images: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    digest: Digest,
    #[serde(default)]
    platforms: Vec<String>,
    at: Timestamp,
    by: Repository,
}

impl Lock {
    /// Reads the lock in a folder; none where there is no such file.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn find(folder: &Path) -> Result<Option<Self>, LockError> {
        let Some(text) = text_in(folder)? else {
            return Ok(None);
        };
        let path = folder.join(LOCK_FILE);
        Self::read(&text).map(Some).map_err(|why| LockError::Text { path, why })
    }

    /// Writes it into a folder; one that says the same already is not touched.
    ///
    /// # Errors
    /// It cannot be written, or somebody else wrote it meanwhile.
    pub fn write(&self, folder: &Path) -> Result<(), LockError> {
        let (path, new) = (folder.join(LOCK_FILE), self.text());
        match text_in(folder)? {
            Some(old) if old == new => Ok(()),
            Some(old) => Ok(write_all(&[Rewrite { path, shown: LOCK_FILE.to_owned(), old, new }])?),
            None => {
                let made = std::fs::File::create_new(&path).and_then(|mut file| {
                    file.write_all(new.as_bytes())?;
                    file.sync_all()
                });
                made.map_err(|source| LockError::New { path, source })
            }
        }
    }

    /// Reads its text.
    fn read(text: &str) -> Result<Self, String> {
        if text.len() > LOCK_BYTES_MAX {
            return Err(format!("it has more than {LOCK_BYTES_MAX} bytes"));
        }
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        if file.version != VERSION {
            return Err(format!(
                "it is of version {}, and version {VERSION} is read",
                file.version
            ));
        }
        let mut images = BTreeMap::new();
        for (name, entry) in file.images {
            let wrong = |why: String| format!("`{}`: {why}", name.escape_debug());
            let reference: TaggedRef =
                name.parse().map_err(|error: domain::ReferenceError| wrong(error.to_string()))?;
            let platforms = entry.platforms.iter().map(|platform| platform.parse());
            let platforms = platforms
                .collect::<Result<_, _>>()
                .map_err(|error: domain::PlatformError| wrong(error.to_string()))?;
            let Entry { digest, at, by, .. } = entry;
            let is_second =
                images.insert(reference, Locked { digest, platforms, at, by }).is_some();
            if is_second {
                return Err(wrong("it stands here twice, in two spellings".to_owned()));
            }
        }
        Ok(Self { images })
    }

    /// Its text, the same for the same content.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# What each reference named, when, and who said so.\n\
             # Written by `indelible pin --lock`; `pin --offline` and `pin --locked` read it.\n",
        );
        let _ = writeln!(text, "version: {VERSION}");
        text.push_str(if self.images.is_empty() { "images: {}\n" } else { "images:\n" });
        for (name, Locked { digest, platforms, at, by }) in &self.images {
            let platforms: Vec<String> = platforms.iter().map(ToString::to_string).collect();
            // Names, digests and times hold no character that a quoted scalar would have to escape.
            let _ = writeln!(
                text,
                "  \"{name}\":\n    digest: {digest}\n    platforms: [{}]\n    at: {at}\n    by: \"{by}\"",
                platforms.join(", ")
            );
        }
        text
    }
}

fn text_in(folder: &Path) -> Result<Option<String>, LockError> {
    let path = folder.join(LOCK_FILE);
    let wrong = |source| LockError::Read { path: path.clone(), source };
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    let mut text = String::new();
    file.take(LOCK_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(wrong)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let locked = |by: &str, platforms: &[&str]| Locked {
            digest: Digest::sha256(b""),
            platforms: platforms.iter().map(|one| one.parse().unwrap()).collect(),
            at: "2026-03-17T14:39:58Z".parse().unwrap(),
            by: by.parse().unwrap(),
        };
        let images = [
            ("nginx:1.27", locked("docker.io/library/nginx", &["linux/amd64", "linux/arm64/v8"])),
            ("localhost:5000/a/b:1.10", locked("localhost:5000/a/b", &[])),
            ("[::1]:5000/a/b:on", locked("[::1]:5000/a/b", &[])),
        ];
        Lock { images: images.map(|(name, locked)| (name.parse().unwrap(), locked)).into() }
    }

    #[test]
    fn what_is_written_is_what_a_person_would_and_is_read_again() {
        let text = lock().text();
        assert_eq!(Lock::read(&text).unwrap(), lock());
        let digest = Digest::sha256(b"");
        let expected = format!(
            "  \"nginx:1.27\":\n    digest: {digest}\n    platforms: [linux/amd64, linux/arm64/v8]\n    \
             at: 2026-03-17T14:39:58.000Z\n    by: \"docker.io/library/nginx\"\n"
        );
        assert!(text.contains(&expected), "{text}");
        assert_eq!(Lock::read(&Lock::default().text()).unwrap(), Lock::default());
    }

    #[test]
    fn what_is_wrong_in_it_is_named() {
        let digest = Digest::sha256(b"");
        let one = |name: &str, rest: &str| {
            format!(
                "version: 1\nimages:\n  {name}:\n    digest: {digest}\n    at: 2026-03-17T14:39:58Z\n    by: a.b/c\n{rest}"
            )
        };
        for (text, expected) in [
            ("version: 2\n".to_owned(), "version 2"),
            (one("nginx", ""), "`nginx`: "),
            (one("nginx:1", "    platforms: [linux]\n"), "`linux` is not a platform"),
            (one("nginx:1", "    more: 1\n"), "more"),
            (one("nginx:1", "").replace("sha256:", "sha256:0"), "64 hex digits"),
            (
                format!(
                    "{}{}",
                    one("nginx:1", ""),
                    one("library/nginx:1", "").replace("version: 1\nimages:\n", "")
                ),
                "twice",
            ),
            ("version: 1\n#".to_owned() + &"x".repeat(LOCK_BYTES_MAX), "more than"),
        ] {
            let why = Lock::read(&text).unwrap_err();
            assert!(why.contains(expected), "{expected}: {why}");
        }
    }

    #[test]
    fn no_lock_is_none_and_a_broken_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Lock::find(folder.path()).unwrap().is_none());
        std::fs::write(folder.path().join(LOCK_FILE), "version: [\n").unwrap();
        assert!(matches!(Lock::find(folder.path()), Err(LockError::Text { .. })));
        std::fs::remove_file(folder.path().join(LOCK_FILE)).unwrap();
        for lock in [lock(), Lock::default(), Lock::default()] {
            lock.write(folder.path()).unwrap();
            assert_eq!(Lock::find(folder.path()).unwrap(), Some(lock));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
