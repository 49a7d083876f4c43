//! One server under strace, and the clients that push to it meanwhile.

use std::path::{Path, PathBuf};
use std::thread;

use e2e::{Blob, Http, Image, Server, push};
use testbed::Peer;

use super::log::{self, DATA, Event};
use super::trace;

/// Everything that changes a file, sends an answer, or makes changes last.
const CALLS: &str = "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,\
    symlinkat,unlink,unlinkat,rmdir,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendfile,\
    copy_file_range,splice,ftruncate,truncate,fallocate,lseek,fsync,fdatasync,sync_file_range,msync";
/// A manifest that is too large for its row is a file.
const LARGE_MANIFEST_BYTES: usize = 70_000;
/// A layer that comes in more than one piece, in bytes before it is packed.
const LARGE_LAYER_BYTES: usize = 700_000;
/// The name that moves; a built-in rule makes it an alias.
pub(super) const ALIAS: &str = "latest";
pub(super) const REPOSITORY: &str = "shop/api";

/// An image that a client pushed, and the name that it gave it.
pub(super) struct Pushed {
    pub(super) tag: String,
    pub(super) image: Image,
}

/// What happened on the disk, and what was pushed in the meantime.
pub(super) struct Recording {
    /// The folder that held the data folder.
    pub(super) root: PathBuf,
    pub(super) events: Vec<Event>,
    /// In no order, but the moves of the alias in theirs.
    pub(super) pushed: Vec<Pushed>,
}

impl Recording {
    /// Starts a server on a new folder, pushes, stops it; and once more on the same folder.
    pub(super) fn make(strace: &Peer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // As the kernel names it, which is how the trace names it.
        let root = folder.path().canonicalize().unwrap().join("disk");
        std::fs::create_dir(&root).unwrap();
        let mut pushed = Vec::new();
        let mut traces = Vec::new();
        let mut lines = 0;
        for run in 0..2 {
            let file = folder.path().join(format!("trace-{run}"));
            let server = Server::start_traced(&root.join(DATA), strace, CALLS, &file).unwrap();
            pushed.extend(push_all(&server, run));
            server.stop_traced(&file).unwrap();
            let text = read(&file);
            traces.push(trace::read(&text, lines));
            lines += text.lines().count();
        }
        let events = log::events(&root, &traces);
        Self { root, events, pushed }
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).expect("a trace in hexadecimal is text")
}

/// Two clients at once: one makes new tags, the other moves the alias between them.
fn push_all(server: &Server, run: usize) -> Vec<Pushed> {
    thread::scope(|scope| {
        let tags = scope.spawn(|| push_each(server, new_tags(run)));
        let moves = scope.spawn(|| push_each(server, moves(run)));
        let mut pushed = tags.join().unwrap();
        pushed.extend(moves.join().unwrap());
        pushed
    })
}

fn push_each(server: &Server, all: Vec<Pushed>) -> Vec<Pushed> {
    let mut http: Http = server.connect().unwrap();
    for Pushed { tag, image } in &all {
        push(&mut http, REPOSITORY, tag, image).unwrap();
    }
    all
}

fn new_tags(run: usize) -> Vec<Pushed> {
    let mut all: Vec<_> = (0..3)
        .map(|number| format!("{run}.{number}"))
        .map(|tag| Pushed { image: Image::oci(&tag).unwrap(), tag })
        .collect();
    all.push(Pushed {
        tag: format!("{run}.large-layer"),
        image: Image::oci(&scattered_text(run)).unwrap(),
    });
    all.push(Pushed { tag: format!("{run}.large-manifest"), image: with_large_manifest(run) });
    all
}

fn moves(run: usize) -> Vec<Pushed> {
    let image = |number| Image::oci(&format!("{ALIAS} {run}.{number}")).unwrap();
    (0..4).map(|number| Pushed { tag: ALIAS.to_owned(), image: image(number) }).collect()
}

/// Text that does not pack well, the same in every run.
fn scattered_text(seed: usize) -> String {
    let blocks = (0..LARGE_LAYER_BYTES / 64)
        .map(|block| Blob::new(format!("{seed} {block}").into_bytes()).digest[7..].to_owned());
    blocks.collect()
}

fn with_large_manifest(run: usize) -> Image {
    let mut image = Image::oci(&format!("large manifest {run}")).unwrap();
    let text = String::from_utf8(image.manifest).unwrap();
    let open = text.strip_suffix('}').unwrap();
    let words = "x".repeat(LARGE_MANIFEST_BYTES);
    image.manifest = format!(r#"{open},"annotations":{{"words":"{words}"}}}}"#).into_bytes();
    image
}
