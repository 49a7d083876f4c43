//! What stands at some paths of a commit.
//!
//! ```text
//! events/2026/03/17/01JQ….json -> 100644 blob 1a2b…     reserve/9f….json -> nothing
//! ```
//! Each folder is read once, however many of its files are asked about: by `COMMIT:PATH` it would be read for each.

use crate::cache::Cache;
use crate::error::GitError;
use crate::objects::{self, Found};
use crate::tree_path::TreePath;
use domain::CommitId;
use std::collections::BTreeMap;

/// How many bytes of paths one process is given; the smallest limit of the systems that git runs on is 32 KiB.
const PATHS_BYTES_MAX: usize = 24 * 1024;

const WHAT: &str = "ls-tree";

/// What stands at each path, in the order of `paths`.
///
/// A file of more than `each_max` bytes is an error.
pub(crate) async fn at(
    cache: &Cache,
    commit: &CommitId,
    paths: &[&TreePath],
    each_max: usize,
) -> Result<Vec<Found>, GitError> {
    let mut there = BTreeMap::new();
    for part in parts(paths) {
        let args = ["ls-tree", "-z", "--full-tree", "--end-of-options", commit.as_str(), "--"];
        let call = cache.call(WHAT, args).args(part.iter().map(|path| path.as_str()));
        // Without it a path may begin with a pattern's words.
        let listed = call.variable("GIT_LITERAL_PATHSPECS", "1").ok().await?;
        read_listing(&listed.stdout, &mut there)?;
    }
    let object = |path: &&TreePath| there.get(path.as_str().as_bytes());
    let files: Vec<String> = paths.iter().filter_map(object).flatten().cloned().collect();
    let mut bytes =
        objects::read_files(cache.git(), cache.folder(), &files, each_max).await?.into_iter();
    let found = paths.iter().map(|path| match object(path) {
        None => Found::Missing,
        Some(None) => Found::Other,
        Some(Some(_)) => bytes.next().unwrap_or(Found::Missing),
    });
    Ok(found.collect())
}

/// Pieces that fit on one command line.
fn parts<'a, 'b>(paths: &'b [&'a TreePath]) -> Vec<&'b [&'a TreePath]> {
    let (mut parts, mut begun, mut bytes) = (Vec::new(), 0, 0);
    for (nth, path) in paths.iter().enumerate() {
        let more = path.as_str().len() + 1;
        if bytes + more > PATHS_BYTES_MAX && nth > begun {
            parts.push(&paths[begun..nth]);
            (begun, bytes) = (nth, 0);
        }
        bytes += more;
    }
    if begun < paths.len() {
        parts.push(&paths[begun..]);
    }
    parts
}

/// `MODE TYPE OBJECT TAB PATH NUL`: the object of a file, nothing of what is none.
fn read_listing(
    stdout: &[u8],
    there: &mut BTreeMap<Vec<u8>, Option<String>>,
) -> Result<(), GitError> {
    for line in stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let garbled = || GitError::garbled(WHAT, line);
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(garbled)?;
        let head = std::str::from_utf8(&line[..tab]).map_err(|_| garbled())?;
        let mut words = head.split(' ');
        let (Some(_), Some(kind), Some(object)) = (words.next(), words.next(), words.next()) else {
            return Err(garbled());
        };
        let file = (kind == "blob").then(|| object.to_owned());
        there.insert(line[tab + 1..].to_vec(), file);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_out_in_pieces_that_fit_and_a_long_one_goes_alone() {
        let path = |len: usize| "a".repeat(len).parse::<TreePath>().unwrap();
        let (long, short) = (path(4095), path(4094));
        let six = [&long; 6];
        assert_eq!(parts(&six).len(), 1, "six times 4096 is the limit");
        let seven = [&short, &long, &long, &long, &long, &long, &long];
        assert_eq!(parts(&seven).iter().map(|part| part.len()).collect::<Vec<_>>(), [6, 1]);
        assert!(parts(&[]).is_empty());
    }

    #[test]
    fn a_listing_tells_files_from_what_is_none() {
        let mut there = BTreeMap::new();
        let listed =
            b"100644 blob aa\tevents/A\x0040000 tree bb\tevents/B\x00160000 commit cc\tC\td\0";
        read_listing(listed, &mut there).unwrap();
        let of = |path: &str| there.get(path.as_bytes()).cloned();
        assert_eq!(of("events/A"), Some(Some("aa".to_owned())));
        assert_eq!((of("events/B"), of("C\td"), of("D")), (Some(None), Some(None), None));
        assert!(read_listing(b"100644 blob aa", &mut there).is_err());
    }
}
