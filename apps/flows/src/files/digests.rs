//! What tags were said to name lately, kept for this user between commands.
//!
//! ```text
//! indelible digests 1
//! 1763747206000 sha256:9f86… nginx:1.27 docker.io/library/nginx
//! ```
//! When, what, of which reference, and who said so: an answer counts only where the same place would be asked
//! again. A file that cannot be read is as good as none, and is written anew. That a tag is absent is never kept.

use domain::{Digest, Repository, TaggedRef, Timestamp};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The most answers that are kept; the oldest go first.
pub(super) const KEPT_MAX: usize = 10_000;
/// The longest file that is read: twice what [`KEPT_MAX`] long lines come to.
pub(super) const FILE_BYTES_MAX: usize = 8 << 20;
const HEAD: &str = "indelible digests 1";
const FILE_NAME: &str = "digests";

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) at: Timestamp,
    pub(super) digest: Digest,
    pub(super) by: Repository,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Digests {
    kept: BTreeMap<TaggedRef, Kept>,
    /// Why what is there was not read.
    pub(super) trouble: Option<String>,
}

/// Where they are kept, in the folder for what may be deleted at any time.
pub(super) fn path_in(cache_home: &Path) -> PathBuf {
    cache_home.join("indelible").join(FILE_NAME)
}

impl Digests {
    /// Reads what is kept; nothing where there is no file yet.
    pub(super) fn read(path: &Path) -> Self {
        let text = match whole(path) {
            Ok(Some(text)) => text,
            Ok(None) => return Self::default(),
            Err(why) => return Self::troubled(path, &why),
        };
        match parse(&text) {
            Some(kept) => Self { kept, trouble: None },
            None => Self::troubled(path, "it is damaged"),
        }
    }

    fn troubled(path: &Path, why: &str) -> Self {
        let trouble = format!("the digests kept in {} are not used: {why}", path.display());
        Self { kept: BTreeMap::new(), trouble: Some(trouble) }
    }

    pub(super) fn get(&self, one: &TaggedRef) -> Option<&Kept> {
        self.kept.get(one)
    }
}

/// Adds answers to what is kept. What cannot be kept is asked again, and no reason to fail.
///
/// Another command that writes at the same moment wins: its answers are as good as these.
pub(super) fn keep(path: &Path, new: BTreeMap<TaggedRef, Kept>) -> std::io::Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private_folder(folder)?;
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.with_extension("lock"))?;
    if lock.try_lock().is_err() {
        return Ok(());
    }
    let mut kept = Digests::read(path).kept;
    kept.extend(new);
    let mut newest: Vec<_> = kept.into_iter().collect();
    newest.sort_by(|a, b| b.1.at.cmp(&a.1.at).then_with(|| a.0.cmp(&b.0)));
    newest.truncate(KEPT_MAX);
    let mut text = format!("{HEAD}\n");
    for (one, Kept { at, digest, by }) in newest {
        text.push_str(&format!("{} {digest} {one} {by}\n", at.as_millis()));
    }
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Names of private images are nobody else's business.
fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn whole(path: &Path) -> Result<Option<String>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    if text.len() > FILE_BYTES_MAX {
        return Err(format!("it has more than {FILE_BYTES_MAX} bytes"));
    }
    Ok(Some(text))
}

/// All or nothing: after one damaged line no other is trusted.
fn parse(text: &str) -> Option<BTreeMap<TaggedRef, Kept>> {
    let lines = text.strip_prefix(HEAD)?.strip_prefix('\n')?;
    if !lines.is_empty() && !lines.ends_with('\n') {
        return None;
    }
    lines.lines().map(line).collect()
}

fn line(text: &str) -> Option<(TaggedRef, Kept)> {
    let mut words = text.split(' ');
    let at = Timestamp::from_millis(words.next()?.parse().ok()?);
    let digest = words.next()?.parse().ok()?;
    let (one, by) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some((one, Kept { at, digest, by }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(at: i64) -> Kept {
        Kept {
            at: Timestamp::from_millis(at),
            digest: Digest::sha256(b""),
            by: "mirror.example.com/hub/library/nginx".parse().unwrap(),
        }
    }

    fn named(text: &str) -> TaggedRef {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_kept_is_read_again_and_newer_answers_replace_older_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(folder.path());
        assert!(Digests::read(&path).get(&named("nginx:1.27")).is_none());
        let both = [(named("nginx:1.27"), kept(1)), (named("localhost:5000/a:1"), kept(2))];
        keep(&path, both.into()).unwrap();
        keep(&path, [(named("docker.io/library/nginx:1.27"), kept(3))].into()).unwrap();
        let read = Digests::read(&path);
        assert_eq!(read.get(&named("nginx:1.27")), Some(&kept(3)));
        assert_eq!(read.get(&named("localhost:5000/a:1")), Some(&kept(2)));
        assert_eq!(read.trouble, None);
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none_and_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digests");
        let digest = Digest::sha256(b"");
        let good = format!("1 {digest} nginx:1 docker.io/library/nginx\n");
        for damaged in [
            "indelible digests 2\n".to_owned(),
            format!("{HEAD}\n{good}1 {digest} nginx:1"),
            format!("{HEAD}\n{good}\0\0\0\n"),
            format!("{HEAD}\n{good}1 sha256:9f nginx:1 docker.io/library/nginx\n"),
            format!("{HEAD}\n1 {digest} nginx:1 docker.io/library/nginx more\n"),
            format!("{HEAD}\n{good}{}", "x".repeat(FILE_BYTES_MAX)),
        ] {
            std::fs::write(&path, &damaged).unwrap();
            let read = Digests::read(&path);
            assert!(read.kept.is_empty(), "{damaged:.90}");
            assert!(read.trouble.unwrap().contains("are not used: it "), "{damaged:.90}");
        }
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(Digests::read(&path).trouble.is_some());
        keep(&path, [(named("nginx:1"), kept(1))].into()).unwrap();
        assert_eq!(Digests::read(&path).trouble, None);
    }

    #[test]
    fn only_so_many_are_kept_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digests");
        let many = |count: i64| (0..count).map(|n| (named(&format!("a/b:{n}")), kept(n))).collect();
        keep(&path, many(KEPT_MAX as i64)).unwrap();
        assert_eq!(Digests::read(&path).kept.len(), KEPT_MAX);
        keep(&path, [(named("a/b:newest"), kept(1 << 40))].into()).unwrap();
        let read = Digests::read(&path);
        assert_eq!(read.kept.len(), KEPT_MAX);
        assert!(read.get(&named("a/b:newest")).is_some() && read.get(&named("a/b:0")).is_none());
        assert!(std::fs::metadata(&path).unwrap().len() < FILE_BYTES_MAX as u64 / 2);
    }

    #[test]
    fn a_file_that_another_command_holds_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digests");
        let held = File::create(folder.path().join("digests.lock")).unwrap();
        held.lock().unwrap();
        keep(&path, [(named("nginx:1"), kept(1))].into()).unwrap();
        assert!(!path.exists());
    }
}
