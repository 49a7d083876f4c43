//! The bytes of files out of a repository without files.
//!
//! ```text
//! -> 1a2b3c…            one name a line
//! <- 1a2b3c… blob 42    then 42 bytes and a line's end; or `NAME missing`
//! ```
//! The answer is read as it comes: a huge file is refused by its first line, before its bytes are kept.
//! Source: git-cat-file(1), "Batch output".

use crate::error::GitError;
use crate::run::Git;
use std::path::Path;

/// The largest file that is read or written, in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most bytes that one answer of files may have together.
pub(crate) const FILES_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// The longest first line of an answer: a path that was asked for, and a word.
const HEADER_LEN_MAX: usize = 16 * 1024;

const WHAT: &str = "cat-file";

/// Something that `cat-file` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Missing,
    File(Vec<u8>),
    /// It is there, but a folder, a commit or a tag.
    Other,
}

/// Reads files by their object names, in the order of `names`.
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
    let mut batch = Batch::of(names, each_max);
    let call = git.call(WHAT, [WHAT, "--batch", "--buffer"]).on_bare(repository).stdin(input);
    call.ok_into(&mut |bytes| batch.take(bytes)).await?;
    batch.finish()
}

/// The answers to `names`, as far as they have come.
struct Batch<'a> {
    names: &'a [String],
    each_max: usize,
    /// The bytes of all files together.
    total: usize,
    found: Vec<Found>,
    header: Vec<u8>,
    body: Option<Body>,
}

/// The bytes behind a header, and the line's end behind them.
struct Body {
    kept: Option<Vec<u8>>,
    left: usize,
}

impl<'a> Batch<'a> {
    fn of(names: &'a [String], each_max: usize) -> Self {
        let (found, header) = (Vec::with_capacity(names.len()), Vec::new());
        Self { names, each_max, total: 0, found, header, body: None }
    }

    fn take(&mut self, mut chunk: &[u8]) -> Result<(), GitError> {
        while !chunk.is_empty() {
            chunk = match self.body.take() {
                Some(body) => self.take_body(body, chunk),
                None => self.take_header(chunk)?,
            };
        }
        Ok(())
    }

    fn take_body<'b>(&mut self, mut body: Body, chunk: &'b [u8]) -> &'b [u8] {
        let (now, later) = chunk.split_at(body.left.min(chunk.len()));
        body.left -= now.len();
        if let Some(kept) = &mut body.kept {
            kept.extend_from_slice(now);
        }
        if body.left > 0 {
            self.body = Some(body);
        } else {
            let file = body.kept.map(|mut bytes| {
                bytes.pop();
                Found::File(bytes)
            });
            self.found.push(file.unwrap_or(Found::Other));
        }
        later
    }

    fn take_header<'b>(&mut self, chunk: &'b [u8]) -> Result<&'b [u8], GitError> {
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let (now, later) = match end {
            Some(end) => (&chunk[..end], &chunk[end + 1..]),
            None => (chunk, &chunk[chunk.len()..]),
        };
        self.header.extend_from_slice(now);
        if self.header.len() > HEADER_LEN_MAX || self.found.len() == self.names.len() {
            return Err(GitError::garbled(WHAT, &self.header));
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.header);
            self.begin(read_header(&line)?)?;
        }
        Ok(later)
    }

    fn begin(&mut self, header: Header<'_>) -> Result<(), GitError> {
        match header {
            Header::Missing => self.found.push(Found::Missing),
            Header::Submodule => self.found.push(Found::Other),
            Header::Object { kind: "blob", size } => {
                self.check_size(size)?;
                self.body = Some(Body { kept: Some(Vec::with_capacity(size + 1)), left: size + 1 });
            }
            Header::Object { size, .. } => {
                self.body = Some(Body { kept: None, left: size.saturating_add(1) });
            }
        }
        Ok(())
    }

    fn check_size(&mut self, size: usize) -> Result<(), GitError> {
        if size > self.each_max {
            let name = self.names.get(self.found.len()).map(String::as_str).unwrap_or_default();
            let what = format!("file {name}");
            return Err(GitError::TooLarge { what, limit: self.each_max });
        }
        self.total = self.total.saturating_add(size);
        if self.total > FILES_BYTES_MAX {
            let what = format!("{} files together", self.names.len());
            return Err(GitError::TooLarge { what, limit: FILES_BYTES_MAX });
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Found>, GitError> {
        if self.found.len() == self.names.len() && self.header.is_empty() {
            return Ok(self.found);
        }
        Err(GitError::garbled(WHAT, &self.header))
    }
}

enum Header<'a> {
    Missing,
    /// Another repository's commit; said by newer versions of git where older ones say missing.
    Submodule,
    Object {
        kind: &'a str,
        size: usize,
    },
}

fn read_header(line: &[u8]) -> Result<Header<'_>, GitError> {
    let garbled = || GitError::garbled(WHAT, line);
    let text = std::str::from_utf8(line).map_err(|_| garbled())?;
    if text.ends_with(" missing") {
        return Ok(Header::Missing);
    }
    if text.ends_with(" submodule") {
        return Ok(Header::Submodule);
    }
    let mut words = text.rsplit(' ');
    let size = words.next().and_then(|size| size.parse().ok()).ok_or_else(garbled)?;
    let kind = words.next().ok_or_else(garbled)?;
    Ok(Header::Object { kind, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|nth| format!("name-{nth}")).collect()
    }

    fn read(answer: &[u8], count: usize, chunk: usize) -> Result<Vec<Found>, GitError> {
        let names = names(count);
        let mut batch = Batch::of(&names, 3);
        for chunk in answer.chunks(chunk) {
            batch.take(chunk)?;
        }
        batch.finish()
    }

    #[test]
    fn a_batch_is_read_by_sizes_not_by_lines_in_whatever_pieces_it_comes() {
        let answer =
            b"aa blob 3\na\nb\nc:x y missing\nbb tree 2\n\0\n\ndd submodule\ncc blob 0\n\n";
        for chunk in 1..=answer.len() {
            let found = read(answer, 5, chunk).unwrap();
            let (file, empty) = (Found::File(b"a\nb".to_vec()), Found::File(Vec::new()));
            assert_eq!(found, [file, Found::Missing, Found::Other, Found::Other, empty], "{chunk}");
        }
    }

    #[test]
    fn an_answer_that_is_cut_short_or_too_long_is_an_error() {
        for answer in ["", "aa blob 3\na", "aa blob 3\nabc", "aa blob", "aa missing\nbb missing\n"]
        {
            assert!(read(answer.as_bytes(), 1, 4).is_err(), "{answer}");
        }
    }

    #[test]
    fn a_file_over_its_limit_is_refused_by_its_header_and_named() {
        let names = names(2);
        let mut batch = Batch::of(&names, 3);
        batch.take(b"aa blob 3\nabc\n").unwrap();
        let refused = batch.take(b"bb blob 4\n");
        let Err(GitError::TooLarge { what, limit: 3 }) = refused else { panic!("{refused:?}") };
        assert_eq!(what, "file name-1");
        assert!(batch.body.is_none());
    }

    #[test]
    fn a_header_at_its_longest_is_read_and_one_byte_more_is_an_error() {
        let line = |len: usize| format!("{} missing\n", "x".repeat(len - " missing".len()));
        assert!(read(line(HEADER_LEN_MAX).as_bytes(), 1, 1000).is_ok());
        assert!(read(line(HEADER_LEN_MAX + 1).as_bytes(), 1, 1000).is_err());
    }
}
