//! What a disk may hold after a power cut, in memory, and written out for a server to open.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::log::{Change, Event, File};

/// Folders, names and contents.
#[derive(Default)]
pub(super) struct Disk {
    folders: BTreeSet<PathBuf>,
    names: BTreeMap<PathBuf, File>,
    files: HashMap<File, Vec<u8>>,
}

/// What else happened to changes that no sync had covered when the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// All of them had reached the disk.
    AllKept,
    /// None had.
    NoneKept,
    /// All but this one had.
    Without(usize),
    /// Only this one had: it overtook all others.
    Only(usize),
    /// All had, but of this one only the first half.
    Torn(usize),
    /// All had, these two in the other order.
    Swapped(usize, usize),
}

/// The power goes when this many events have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) after: usize,
    pub(super) fate: Fate,
}

/// A disk writes whole sectors. Source: ATA and NVMe, the smallest logical block.
const SECTOR_BYTES: usize = 512;

impl Disk {
    /// The disk after a cut.
    pub(super) fn after(events: &[Event], unsynced: &BTreeSet<usize>, cut: Cut) -> Self {
        let mut disk = Self::default();
        for (at, event) in events.iter().enumerate().take(cut.after) {
            let Event::Change(change) = event else {
                continue;
            };
            match cut.fate {
                Fate::NoneKept if unsynced.contains(&at) => {}
                Fate::Only(kept) if unsynced.contains(&at) && at != kept => {}
                Fate::Without(lost) if at == lost => {}
                Fate::Torn(torn) if at == torn => disk.apply(&half(change)),
                Fate::Swapped(one, other) if at == one => disk.apply(change_at(events, other)),
                Fate::Swapped(one, other) if at == other => disk.apply(change_at(events, one)),
                Fate::AllKept
                | Fate::NoneKept
                | Fate::Only(_)
                | Fate::Without(_)
                | Fate::Torn(_)
                | Fate::Swapped(..) => disk.apply(change),
            }
        }
        disk
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write { file, at, bytes } => {
                let content = self.files.entry(*file).or_default();
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(bytes);
            }
            Change::Cut { file, size } => self.files.entry(*file).or_default().resize(*size, 0),
            Change::MakeFolder { path } => {
                self.folders.insert(path.clone());
            }
            Change::Name { path, file } => {
                self.names.insert(path.clone(), *file);
            }
            Change::Rename { from, to, file } => {
                self.names.remove(from);
                self.names.insert(to.clone(), *file);
            }
            Change::Remove { path } => {
                self.names.remove(path);
            }
        }
    }

    /// Writes what stands under `root` into the folder `target`. What stands in a folder whose own name
    /// was lost cannot be reached.
    pub(super) fn write(&self, root: &Path, target: &Path) {
        let in_target = |path: &Path| {
            let inside = path.strip_prefix(root).expect("all of it is under the root");
            target.join(inside)
        };
        let mut reached = BTreeSet::from([root.to_owned()]);
        for folder in &self.folders {
            if folder.parent().is_some_and(|above| reached.contains(above)) {
                fs::create_dir(in_target(folder)).unwrap();
                reached.insert(folder.clone());
            }
        }
        for (path, file) in &self.names {
            if path.parent().is_some_and(|above| reached.contains(above)) {
                let content = self.files.get(file).map_or(&[][..], Vec::as_slice);
                fs::write(in_target(path), content).unwrap();
            }
        }
    }
}

fn change_at(events: &[Event], at: usize) -> &Change {
    match &events[at] {
        Event::Change(change) => change,
        Event::SyncFile { .. } | Event::SyncFolder { .. } | Event::Answer(_) => {
            panic!("event {at} is no change")
        }
    }
}

/// The first half of a write, in whole sectors; other changes happen or do not.
fn half(change: &Change) -> Change {
    let mut change = change.clone();
    if let Change::Write { bytes, .. } = &mut change {
        bytes.truncate(bytes.len() / 2 / SECTOR_BYTES * SECTOR_BYTES);
    }
    change
}

/// The changes among the first `after` events that no sync among them covers.
pub(super) fn unsynced(events: &[Event], after: usize) -> BTreeSet<usize> {
    let mut files: HashMap<File, usize> = HashMap::new();
    let mut folders: HashMap<&Path, usize> = HashMap::new();
    for event in &events[..after] {
        match event {
            // A later sync may have begun earlier.
            Event::SyncFile { file, since } => {
                let known = files.entry(*file).or_default();
                *known = (*known).max(*since);
            }
            Event::SyncFolder { folder, since } => {
                let known = folders.entry(folder).or_default();
                *known = (*known).max(*since);
            }
            Event::Change(_) | Event::Answer(_) => {}
        }
    }
    let is_synced = |at: usize, change: &Change| match change {
        Change::Write { file, .. } | Change::Cut { file, .. } => {
            files.get(file).is_some_and(|since| at < *since)
        }
        Change::MakeFolder { path }
        | Change::Name { path, .. }
        | Change::Remove { path }
        | Change::Rename { to: path, .. } => {
            path.parent().and_then(|folder| folders.get(folder)).is_some_and(|since| at < *since)
        }
    };
    let changes = events[..after].iter().enumerate();
    changes
        .filter_map(|(at, event)| match event {
            Event::Change(change) => (!is_synced(at, change)).then_some(at),
            Event::SyncFile { .. } | Event::SyncFolder { .. } | Event::Answer(_) => None,
        })
        .collect()
}

/// The bytes of a file that a change touches.
fn touched(change: &Change) -> Option<(File, Range<usize>)> {
    match change {
        Change::Write { file, at, bytes } => Some((*file, *at..at + bytes.len())),
        Change::Cut { file, size } => Some((*file, *size..usize::MAX)),
        Change::MakeFolder { .. }
        | Change::Name { .. }
        | Change::Rename { .. }
        | Change::Remove { .. } => None,
    }
}

/// Whether the order of two changes of contents matters.
pub(super) fn overlap(events: &[Event], one: usize, other: usize) -> bool {
    let both = touched(change_at(events, one)).zip(touched(change_at(events, other)));
    both.is_some_and(|((file, a), (other_file, b))| {
        file == other_file && a.start < b.end && b.start < a.end
    })
}

/// Whether a change is a write that a sector's border can tear.
pub(super) fn can_tear(events: &[Event], at: usize) -> bool {
    match change_at(events, at) {
        Change::Write { bytes, .. } => bytes.len() > SECTOR_BYTES,
        Change::Cut { .. }
        | Change::MakeFolder { .. }
        | Change::Name { .. }
        | Change::Rename { .. }
        | Change::Remove { .. } => false,
    }
}
