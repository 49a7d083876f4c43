//! Records as the app opens them: a SQLite file, or a bare repository with a private cache for each writer.

use domain::{Actor, Proof, Timestamp};
use flows::Surroundings;
use flows::record_git::{GitRecord, RECORD_BRANCH};
use flows::record_local::LocalRecord;
use flows::seam::{Question, Record, all};
use git::{BranchStore, Credential, Git, RemoteUrl};
use record::claim::{Claim, ClaimKey, NoteClaim, ReservationClaim, Text};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::{Database, Ledger};
use tempfile::TempDir;

/// 2026-03-17T14:39:58Z, and a millisecond more at each look.
static CLOCK: AtomicI64 = AtomicI64::new(1_773_758_398_000);

pub(crate) fn surroundings(cwd: &Path) -> Surroundings {
    Surroundings {
        cwd: cwd.to_owned(),
        variables: std::collections::BTreeMap::new(),
        clock: Arc::new(|| Timestamp::from_millis(CLOCK.fetch_add(1, Ordering::Relaxed))),
        entropy: Arc::new(|| {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).expect("the system has randomness");
            u128::from_le_bytes(bytes)
        }),
    }
}

/// A local record in a folder of its own.
pub(crate) fn local_in(folder: PathBuf) -> LocalRecord {
    let actor = Actor::new("ada", Proof::None).unwrap();
    let surroundings = surroundings(&folder);
    LocalRecord::at(folder.join("record.db"), "local", actor, surroundings)
}

/// A bare repository that several writers push to, and their caches.
pub(crate) struct Remote {
    folder: TempDir,
}

impl Remote {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let remote = Self { folder };
        remote.git(&["init", "--quiet", "--bare", "."]);
        remote
    }

    pub(crate) fn repository(&self) -> PathBuf {
        let repository = self.folder.path().join("shop.git");
        std::fs::create_dir_all(&repository).unwrap();
        repository
    }

    /// The folder of a writer's copy.
    pub(crate) fn cache(&self, writer: &str) -> PathBuf {
        let cache = self.folder.path().join("cache").join(writer);
        std::fs::create_dir_all(&cache).unwrap();
        cache
    }

    /// The record as a new process of a writer opens it.
    #[expect(clippy::disallowed_methods, reason = "git is where the machine's PATH says")]
    pub(crate) async fn record(&self, writer: &str) -> GitRecord {
        let surroundings = surroundings(self.folder.path());
        let cache = self.cache(writer);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let git = Git::open(git::Environment::bare(path)).await.unwrap();
        let store = BranchStore::new(
            &git,
            RemoteUrl::folder(&self.repository()).unwrap(),
            Credential::Ambient,
            RECORD_BRANCH.parse().unwrap(),
            &cache.join("branch"),
        );
        let ledger = Ledger::new(Database::open(&cache.join("record.db")).unwrap());
        let actor = Actor::new(writer, Proof::Git).unwrap();
        let email = format!("{writer}@example.com");
        GitRecord::new(store, ledger, actor, email, surroundings)
    }

    /// A program that the remote runs at a push, in the bare repository.
    pub(crate) fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.repository().join("hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What git prints about the bare repository.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.repository(), arguments)
    }

    /// A work tree of the record's branch, for somebody who goes around us.
    pub(crate) fn clone_of_the_branch(&self) -> PathBuf {
        let clone = self.folder.path().join("clone");
        let from = self.repository();
        let (from, to) = (from.to_str().unwrap(), clone.to_str().unwrap());
        git_in(self.folder.path(), &["clone", "--quiet", "--branch", RECORD_BRANCH, from, to]);
        clone
    }
}

/// What git prints, with nobody's settings.
pub(crate) fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=mallory", "-c", "user.email=m@example.com"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn key(text: &str) -> ClaimKey {
    ClaimKey::try_from(text.to_owned()).unwrap()
}

pub(crate) fn note(name: &str) -> Claim {
    Claim::Note(NoteClaim {
        key: key(name),
        environment: Some("prod".parse().unwrap()),
        about: None,
        text: Text::try_from(format!("note {name}")).unwrap(),
    })
}

pub(crate) fn reservation(release: &str) -> Claim {
    Claim::Reservation(ReservationClaim {
        key: key(&format!("reserve/{release}")),
        repository: "registry.example.com/shop/api".parse().unwrap(),
        tag: "20260317-143958-uat".parse().unwrap(),
        release: release.to_owned(),
    })
}

/// The keys of all events, in the order of the record.
pub(crate) async fn keys(record: &dyn Record) -> Vec<String> {
    let events = all(record, &Question::default()).await.unwrap();
    events.iter().map(|event| event.event.claim.key().to_string()).collect()
}
