//! Opens the store on a state, and asks for everything that had been promised.
//!
//! The store and not the whole server, because two thousand starts of a process take minutes and add
//! nothing: the server keeps no file that the store does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, ensure};
use domain::{Digest, RepositoryPath, Tag};
use e2e::sha256;
use oci::ManifestRef;
use store::{BlobLimits, DataFolder};
use tokio::runtime::{Builder, Runtime};

use super::disk::{Cut, Disk, unsynced};
use super::log::{DATA, Event};
use super::recording::{ALIAS, Pushed, REPOSITORY, Recording};

/// Files in memory, where Linux has them: thousands of states are written.
const IN_MEMORY: &str = "/dev/shm";
/// Larger blobs are not pushed here, in bytes.
const BLOB_BYTES_MAX: u64 = 16 << 20;

/// What the server had said before the power went: addresses of blobs and manifests that it created.
type Promised = BTreeSet<String>;

/// Tries each state; gives what was lost, in words.
pub(super) fn judge(recording: &Recording, events: &[Event], cuts: &[Cut]) -> Vec<String> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = cuts.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let judges: Vec<_> = cuts
            .chunks(share)
            .map(|cuts| scope.spawn(move || judge_some(recording, events, cuts)))
            .collect();
        judges.into_iter().flat_map(|judge| judge.join().unwrap()).collect()
    })
}

fn judge_some(recording: &Recording, events: &[Event], cuts: &[Cut]) -> Vec<String> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let judged = cuts.iter().filter_map(|cut| {
        let lost = try_state(&runtime, recording, events, *cut).err()?;
        Some(format!("{cut:?}, before {:?}: {lost:#}", brief(events, *cut)))
    });
    judged.collect()
}

fn brief(events: &[Event], cut: Cut) -> Option<String> {
    let event = events.get(cut.after)?;
    Some(format!("{event:?}").chars().take(200).collect())
}

fn try_state(runtime: &Runtime, recording: &Recording, events: &[Event], cut: Cut) -> Result<()> {
    let memory = PathBuf::from(IN_MEMORY);
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
    let open = unsynced(events, cut.after);
    Disk::after(events, &open, cut).write(&recording.root, folder.path());
    let promised = promised(&events[..cut.after]);
    runtime.block_on(holds(&folder.path().join(DATA), recording, &promised))
}

/// The tags of images that the whole recording does not promise: every push was answered, so none.
pub(super) fn never_promised(recording: &Recording) -> Vec<&str> {
    let promised = promised(&recording.events);
    let pushed = recording.pushed.iter();
    pushed
        .filter(|pushed| !is_promised(&promised, pushed))
        .map(|pushed| pushed.tag.as_str())
        .collect()
}

/// Reads the addresses out of the answers. `HTTP/1.1 201 Created\r\nlocation: /v2/…`
fn promised(events: &[Event]) -> Promised {
    let answers = events.iter().filter_map(|event| match event {
        Event::Answer(bytes) => Some(String::from_utf8_lossy(bytes)),
        Event::Change(_) | Event::SyncFile { .. } | Event::SyncFolder { .. } => None,
    });
    answers
        .filter(|answer| answer.starts_with("HTTP/1.1 201 "))
        .filter_map(|answer| {
            let mut headers = answer.lines().filter_map(|line| line.split_once(": "));
            let (_, location) = headers.find(|(name, _)| name.eq_ignore_ascii_case("location"))?;
            Some(location.to_owned())
        })
        .collect()
}

async fn holds(data: &Path, recording: &Recording, promised: &Promised) -> Result<()> {
    let folder = DataFolder::open(data, BlobLimits::default()).context("it does not open")?;
    let verified = folder.ledger().verify().await?;
    ensure!(verified.problems.is_empty(), "the record is damaged: {:?}", verified.problems);
    for pushed in &recording.pushed {
        for blob in pushed.image.blobs() {
            let address = format!("/v2/{REPOSITORY}/blobs/{}", blob.digest);
            if promised.contains(&address) {
                has_blob(&folder, &blob.digest).await?;
            }
        }
        if pushed.tag != ALIAS {
            has_tag(&folder, pushed, is_promised(promised, pushed)).await?;
        }
    }
    has_alias(&folder, recording, promised).await
}

fn is_promised(promised: &Promised, pushed: &Pushed) -> bool {
    let digest = pushed.image.digest();
    promised.contains(&format!("/v2/{REPOSITORY}/manifests/{digest}"))
}

fn repository() -> RepositoryPath {
    REPOSITORY.parse().expect("a literal")
}

async fn has_blob(folder: &DataFolder, digest: &str) -> Result<()> {
    let parsed: Digest = digest.parse()?;
    let size = folder.catalog().blob(&repository(), &parsed).await?;
    let size = size.with_context(|| format!("the repository has lost {digest}"))?;
    let bytes = folder.blobs().read(&parsed, BLOB_BYTES_MAX).await?;
    let bytes = bytes.with_context(|| format!("the file of {digest} is lost"))?;
    ensure!(sha256(&bytes) == digest && bytes.len() as u64 == size, "{digest} holds other bytes");
    Ok(())
}

/// What a tag names now, as it would be served.
async fn resolved(folder: &DataFolder, tag: &str) -> Result<Option<String>> {
    let reference = ManifestRef::Tag(tag.parse()?);
    let catalog = folder.catalog();
    let Some(found) = catalog.manifest(&repository(), &reference).await? else {
        return Ok(None);
    };
    ensure!(sha256(&found.bytes) == found.digest.to_string(), "{} holds other bytes", found.digest);
    Ok(Some(found.digest.to_string()))
}

async fn changes(folder: &DataFolder, tag: &str) -> Result<usize> {
    let tag: Tag = tag.parse()?;
    let catalog = folder.catalog();
    let history = catalog.tag_history(&repository(), &tag, None, 100).await?;
    Ok(history.len())
}

/// All of an image or nothing of it; nothing only where nothing was promised.
async fn has_tag(folder: &DataFolder, pushed: &Pushed, is_promised: bool) -> Result<()> {
    let tag = &pushed.tag;
    match resolved(folder, tag).await? {
        None => {
            ensure!(!is_promised, "tag {tag} is lost");
            ensure!(changes(folder, tag).await? == 0, "tag {tag} has a history and no image");
            Ok(())
        }
        Some(digest) => is_whole(folder, pushed, &digest, 1).await,
    }
}

async fn is_whole(
    folder: &DataFolder,
    pushed: &Pushed,
    digest: &str,
    changes_expected: usize,
) -> Result<()> {
    let tag = &pushed.tag;
    let expected = pushed.image.digest();
    ensure!(digest == expected, "tag {tag} names {digest}, not {expected}");
    let changes = changes(folder, tag).await?;
    ensure!(changes == changes_expected, "tag {tag} has {changes} changes, not {changes_expected}");
    for blob in pushed.image.blobs() {
        has_blob(folder, &blob.digest).await?;
    }
    Ok(())
}

/// The alias names the last move that was promised, or a later one, with each move in its history.
async fn has_alias(folder: &DataFolder, recording: &Recording, promised: &Promised) -> Result<()> {
    let moves = recording.pushed.iter().filter(|pushed| pushed.tag == ALIAS);
    let moves: Vec<&Pushed> = moves.collect();
    let last = moves.iter().rposition(|pushed| is_promised(promised, pushed));
    let Some(digest) = resolved(folder, ALIAS).await? else {
        ensure!(last.is_none(), "{ALIAS} is lost");
        return Ok(());
    };
    let now = moves
        .iter()
        .position(|pushed| pushed.image.digest() == digest)
        .with_context(|| format!("{ALIAS} names {digest}, which nobody pushed"))?;
    ensure!(
        last.is_none_or(|last| now >= last),
        "{ALIAS} is back at move {now}; {last:?} was promised"
    );
    is_whole(folder, moves[now], &digest, now + 1).await
}
