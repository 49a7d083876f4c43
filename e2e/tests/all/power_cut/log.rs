//! The calls of a server as what they do to a disk, in order, between the answers that it gave.
//!
//! A change takes its place where its call *ended*, a sync where it ended too but covers only what had
//! ended before it *began*, an answer where its call began: each the less favourable for the server.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::trace::Call;

/// A file, whatever its name is now.
pub(super) type File = usize;

/// One thing that happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Change(Change),
    /// All changes of this file's content before event `since` last.
    SyncFile {
        file: File,
        since: usize,
    },
    /// All changes of names in this folder before event `since` last.
    SyncFolder {
        folder: PathBuf,
        since: usize,
    },
    /// The start of what went out on a socket.
    Answer(Vec<u8>),
}

/// One change of the disk.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write {
        file: File,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        file: File,
        size: usize,
    },
    MakeFolder {
        path: PathBuf,
    },
    /// A new file, or one more name of an old one.
    Name {
        path: PathBuf,
        file: File,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
        file: File,
    },
    Remove {
        path: PathBuf,
    },
}

/// SQLite's index of the write-ahead log is mapped into memory, where no tracer sees it, and it is made
/// again at each opening: it is no part of a state.
const MADE_AGAIN: &str = "-shm";

/// The data folder; its own name is one of the names in the root.
pub(super) const DATA: &str = "data";

/// Reads the events of the data folder under `root` out of the traces of one process after the other.
pub(super) fn events(root: &Path, traces: &[Vec<Call>]) -> Vec<Event> {
    let mut reader = Reader {
        root: root.to_owned(),
        names: HashMap::new(),
        folders: BTreeSet::from([root.to_owned()]),
        files: 0,
        open: HashMap::new(),
        placed: Vec::new(),
    };
    for calls in traces {
        reader.open.clear();
        for call in calls.iter().filter(|call| call.result >= 0) {
            reader.read(call);
        }
    }
    reader.events()
}

/// An open file: which, and where the next plain write goes.
struct Open {
    file: File,
    at: usize,
}

/// An event before the others are known: syncs still name the line on which they began.
struct Placed {
    line: usize,
    began: usize,
    event: Event,
}

struct Reader {
    root: PathBuf,
    names: HashMap<PathBuf, File>,
    folders: BTreeSet<PathBuf>,
    files: usize,
    open: HashMap<i64, Open>,
    placed: Vec<Placed>,
}

impl Reader {
    fn read(&mut self, call: &Call) {
        match call.name.as_str() {
            "openat" => self.opened(call),
            "mkdir" => self.folder_made(call, 0),
            "mkdirat" => self.folder_made(call, 1),
            "rename" => self.renamed(call, 0, 1),
            "renameat" | "renameat2" => self.renamed(call, 1, 3),
            "link" => self.linked(call, 0, 1),
            "linkat" => self.linked(call, 1, 3),
            "unlink" => self.removed(call, 0),
            "unlinkat" => self.removed(call, 1),
            "write" | "writev" | "sendto" | "sendmsg" => self.written_or_answered(call),
            "pwrite64" => self.written(call, usize::try_from(call.number(3)).unwrap()),
            "ftruncate" => self.cut(call),
            "lseek" => {
                if let Some(open) = self.open.get_mut(&call.number(0)) {
                    open.at = usize::try_from(call.result).unwrap();
                }
            }
            "fsync" | "fdatasync" => self.synced(call),
            other => assert!(
                call.behind(0).is_none_or(|path| !self.is_ours(Path::new(&path))),
                "the model does not know {other}: {call:?}"
            ),
        }
    }

    /// Inside the folder that is recorded, and part of a state.
    fn is_ours(&self, path: &Path) -> bool {
        let is_inside = path == self.root || path.starts_with(self.root.join(DATA));
        is_inside && !path.to_string_lossy().ends_with(MADE_AGAIN)
    }

    fn ours(&self, call: &Call, at: usize) -> Option<PathBuf> {
        let path = PathBuf::from(call.path(at));
        self.is_ours(&path).then_some(path)
    }

    fn change(&mut self, call: &Call, change: Change) {
        self.place(call.ended, call.started, Event::Change(change));
    }

    fn place(&mut self, line: usize, began: usize, event: Event) {
        self.placed.push(Placed { line, began, event });
    }

    fn opened(&mut self, call: &Call) {
        // The number may have belonged to another file before.
        self.open.remove(&call.result);
        let Some(path) = self.ours(call, 1) else {
            return;
        };
        assert!(!call.has(2, "O_TMPFILE"), "the model does not know {call:?}");
        if self.folders.contains(&path) {
            return;
        }
        let file = match self.names.get(&path) {
            Some(file) => *file,
            None => {
                assert!(call.has(2, "O_CREAT"), "a file from nowhere: {call:?}");
                let file = self.files;
                self.files += 1;
                self.names.insert(path.clone(), file);
                self.change(call, Change::Name { path, file });
                file
            }
        };
        if call.has(2, "O_TRUNC") {
            self.change(call, Change::Cut { file, size: 0 });
        }
        assert!(!call.has(2, "O_APPEND"), "the model does not know {call:?}");
        self.open.insert(call.result, Open { file, at: 0 });
    }

    fn folder_made(&mut self, call: &Call, at: usize) {
        if let Some(path) = self.ours(call, at) {
            self.folders.insert(path.clone());
            self.change(call, Change::MakeFolder { path });
        }
    }

    fn renamed(&mut self, call: &Call, from: usize, to: usize) {
        if let (Some(from), Some(to)) = (self.ours(call, from), self.ours(call, to)) {
            let file = self.names.remove(&from).expect("a file that has a name");
            self.names.insert(to.clone(), file);
            self.change(call, Change::Rename { from, to, file });
        }
    }

    fn linked(&mut self, call: &Call, from: usize, to: usize) {
        if let (Some(from), Some(path)) = (self.ours(call, from), self.ours(call, to)) {
            let file = self.names[&from];
            self.names.insert(path.clone(), file);
            self.change(call, Change::Name { path, file });
        }
    }

    fn removed(&mut self, call: &Call, at: usize) {
        if let Some(path) = self.ours(call, at) {
            self.names.remove(&path);
            self.change(call, Change::Remove { path });
        }
    }

    fn written_or_answered(&mut self, call: &Call) {
        let behind = call.behind(0).unwrap_or_default();
        if behind.starts_with("socket:") || behind.starts_with("TCP") {
            let answer = Event::Answer(call.bytes(1));
            self.place(call.started, call.started, answer);
        } else if self.is_ours(Path::new(&behind)) {
            let open = self.open.get(&call.number(0)).expect("an open file");
            self.written(call, open.at);
        }
    }

    fn written(&mut self, call: &Call, at: usize) {
        let behind = call.behind(0).unwrap_or_default();
        if !self.is_ours(Path::new(&behind)) {
            return;
        }
        let mut bytes = call.bytes(1);
        bytes.truncate(usize::try_from(call.result).unwrap());
        let open = self.open.get_mut(&call.number(0)).expect("an open file");
        let file = open.file;
        if call.name != "pwrite64" {
            open.at = at + bytes.len();
        }
        self.change(call, Change::Write { file, at, bytes });
    }

    fn cut(&mut self, call: &Call) {
        let behind = call.behind(0).unwrap_or_default();
        if self.is_ours(Path::new(&behind)) {
            let file = self.open[&call.number(0)].file;
            let size = usize::try_from(call.number(1)).unwrap();
            self.change(call, Change::Cut { file, size });
        }
    }

    fn synced(&mut self, call: &Call) {
        let folder = PathBuf::from(call.behind(0).unwrap_or_default());
        if !self.is_ours(&folder) {
            return;
        }
        // Where it stands among the events is known at the end only.
        let since = 0;
        let event = if self.folders.contains(&folder) {
            Event::SyncFolder { folder, since }
        } else {
            let file = self.open[&call.number(0)].file;
            Event::SyncFile { file, since }
        };
        self.place(call.ended, call.started, event);
    }

    fn events(mut self) -> Vec<Event> {
        self.placed.sort_by_key(|placed| placed.line);
        let lines: Vec<usize> = self.placed.iter().map(|placed| placed.line).collect();
        let since_of = |began: usize| lines.partition_point(|line| *line < began);
        self.placed
            .into_iter()
            .map(|placed| match placed.event {
                Event::SyncFile { file, .. } => {
                    Event::SyncFile { file, since: since_of(placed.began) }
                }
                Event::SyncFolder { folder, .. } => {
                    Event::SyncFolder { folder, since: since_of(placed.began) }
                }
                other @ (Event::Change(_) | Event::Answer(_)) => other,
            })
            .collect()
    }
}
