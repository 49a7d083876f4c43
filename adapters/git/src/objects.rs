//! The bytes of files out of a repository without files.
//!
//! ```text
//! -> 1a2b3c…            one name a line
//! <- 1a2b3c… blob 42    then 42 bytes and a line's end; or `NAME missing`
//! ```
//! Sizes are asked first, so that one huge file is refused before it is read. Source: git-cat-file(1).

use crate::error::GitError;
use crate::run::Git;
use std::path::Path;

/// The largest file that is read or written, in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most bytes that one answer of files may have together.
pub(crate) const FILES_BYTES_MAX: usize = 1024 * 1024 * 1024;

const WHAT: &str = "cat-file";

/// Something that `cat-file` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Missing,
    File(Vec<u8>),
    /// It is there, but a folder, a commit or a tag.
    Other,
}

/// Reads files by their object names or by `COMMIT:PATH`, in the order of `names`.
///
/// A file of more than `each_max` bytes is an error that names `names[i]`.
pub(crate) async fn read_files(
    git: &Git,
    repository: &Path,
    names: &[String],
    each_max: usize,
) -> Result<Vec<Found>, GitError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut input = names.join("\n").into_bytes();
    input.push(b'\n');
    let call = git.call(WHAT, [WHAT, "--batch-check"]).on_bare(repository);
    let checked = call.stdin(input.clone()).ok().await?;
    let mut total = 0_usize;
    let mut lines = checked.stdout.split(|byte| *byte == b'\n');
    for name in names {
        let line = lines.next().unwrap_or_default();
        if let Header::Object { kind: "blob", size } = read_header(line)? {
            if size > each_max {
                return Err(GitError::TooLarge { what: format!("file {name}"), limit: each_max });
            }
            total = total.saturating_add(size);
        }
    }
    if total > FILES_BYTES_MAX {
        let what = format!("{} files together", names.len());
        return Err(GitError::TooLarge { what, limit: FILES_BYTES_MAX });
    }
    let call = git.call(WHAT, [WHAT, "--batch"]).on_bare(repository);
    let most = FILES_BYTES_MAX.saturating_mul(2);
    let output = call.stdin(input).stdout_max(most).ok().await?;
    read_batch(&output.stdout, names.len())
}

enum Header<'a> {
    Missing,
    Object { kind: &'a str, size: usize },
}

fn read_header(line: &[u8]) -> Result<Header<'_>, GitError> {
    let garbled = || GitError::garbled(WHAT, line);
    let text = std::str::from_utf8(line).map_err(|_| garbled())?;
    if text.ends_with(" missing") {
        return Ok(Header::Missing);
    }
    let mut words = text.rsplit(' ');
    let size = words.next().and_then(|size| size.parse().ok()).ok_or_else(garbled)?;
    let kind = words.next().ok_or_else(garbled)?;
    Ok(Header::Object { kind, size })
}

fn read_batch(mut rest: &[u8], count: usize) -> Result<Vec<Found>, GitError> {
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        let garbled = || GitError::garbled(WHAT, rest);
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(garbled)?;
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        match read_header(line)? {
            Header::Missing => {
                found.push(Found::Missing);
                rest = after;
            }
            Header::Object { kind, size } => {
                let bytes = after.get(..size).ok_or_else(garbled)?;
                let is_file = kind == "blob";
                found.push(if is_file { Found::File(bytes.to_vec()) } else { Found::Other });
                rest = after.get(size + 1..).ok_or_else(garbled)?;
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_by_sizes_not_by_lines() {
        let answer = b"aa blob 3\na\nb\nc:x y missing\nbb tree 2\n\0\n\ncc blob 0\n\n";
        assert_eq!(
            read_batch(answer, 4).unwrap(),
            [Found::File(b"a\nb".to_vec()), Found::Missing, Found::Other, Found::File(Vec::new()),]
        );
        assert!(read_batch(b"aa blob 3\na", 1).is_err());
        assert!(read_batch(b"", 1).is_err());
    }
}
