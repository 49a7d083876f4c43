//! Which lines of the files differ from where a branch began: what a pull request is about.
//!
//! ```text
//! main  ->  deploy/api.yaml: 9, 14-16    deploy/new.yaml: all of it
//! ```
//! Compared with the merge base, so that what others did on the branch meanwhile is not told. Files that git does not
//! know yet count whole; lines that are gone have no number any more.

use crate::checkout::Checkout;
use crate::error::GitError;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// What every question about differences says: no program of the repository's settings runs, no name is guessed.
const DIFF: [&str; 8] = [
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--no-relative",
    // Attributes that call a file binary hide no line of it.
    "--text",
    "--ignore-submodules=all",
    "--diff-filter=ACMT",
];

/// The lines of one file that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The file is new.
    All,
    /// These, from 1, in order.
    Some(Vec<RangeInclusive<usize>>),
}

impl Lines {
    /// Whether any of these lines differs.
    #[must_use]
    pub fn touch(&self, lines: &RangeInclusive<usize>) -> bool {
        match self {
            Self::All => true,
            Self::Some(ranges) => {
                let at = ranges.partition_point(|range| range.end() < lines.start());
                ranges.get(at).is_some_and(|range| range.start() <= lines.end())
            }
        }
    }
}

impl Checkout {
    /// The lines of the files here that differ from the merge base of HEAD and a commit, in whatever way git names it.
    /// The paths are relative to the root.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`], also where the two have no commit in common here; or when git cannot say.
    pub async fn changed_since(&self, name: &str) -> Result<BTreeMap<PathBuf, Lines>, GitError> {
        let since = self.find_commit(name).await?;
        let call = self.call("merge-base", ["merge-base"]).args([since.as_str(), "HEAD"]);
        let output = call.run().await?;
        let base = match output.code {
            Some(0) => output.line()?.to_owned(),
            // A shallow checkout often does not have it.
            Some(1) => {
                let shown = crate::said::clean(name, &[]);
                return Err(self.no_such_commit(&format!("{shown}...HEAD")));
            }
            Some(_) | None => return Err(output.failed()),
        };
        let diff = |more: &'static [&'static str]| {
            self.call("diff", ["diff"]).args(DIFF).args(more).args([base.as_str(), "--"])
        };
        let names = diff(&["--name-only", "-z"]).ok().await?.stdout;
        let patch = diff(&["--patch", "--unified=0", "--inter-hunk-context=0"]).ok().await?.stdout;
        let new = self.call("ls-files", ["ls-files", "--others", "--exclude-standard", "-z"]);
        let new = new.ok().await?.stdout;
        let mut changed = read(&names, &patch)?;
        changed.extend(paths(&new).map(|path| (path, Lines::All)));
        Ok(changed)
    }
}

fn paths(listing: &[u8]) -> impl Iterator<Item = PathBuf> {
    let names = listing.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
}

/// The names and the patch have the files in one order: so no name is read out of the patch, where it may be quoted.
fn read(names: &[u8], patch: &[u8]) -> Result<BTreeMap<PathBuf, Lines>, GitError> {
    let garbled = || GitError::garbled("diff", patch.get(..200).unwrap_or(patch));
    let mut files: Vec<Vec<RangeInclusive<usize>>> = Vec::new();
    for line in patch.split(|byte| *byte == b'\n') {
        // A line of a file begins with a blank, a plus or a minus.
        if line.starts_with(b"diff --git ") {
            files.push(Vec::new());
        } else if line.starts_with(b"@@ ") {
            let range = hunk(line).ok_or_else(garbled)?;
            let file = files.last_mut().ok_or_else(garbled)?;
            file.extend(range);
        }
    }
    let names: Vec<PathBuf> = paths(names).collect();
    if names.len() != files.len() {
        return Err(garbled());
    }
    Ok(names.into_iter().zip(files.into_iter().map(Lines::Some)).collect())
}

/// The new lines of `@@ -3,2 +9,4 @@`; the outer nothing is for another form, the inner for a hunk that only takes away.
#[expect(clippy::option_option, reason = "a hunk without new lines is no error")]
fn hunk(line: &[u8]) -> Option<Option<RangeInclusive<usize>>> {
    let text = String::from_utf8_lossy(line);
    let new = text.split(' ').nth(2)?.strip_prefix('+')?;
    let (start, count) = new.split_once(',').unwrap_or((new, "1"));
    let (start, count): (usize, usize) = (start.parse().ok()?, count.parse().ok()?);
    Some(count.checked_sub(1).map(|more| start..=start.saturating_add(more)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_the_new_lines_of_their_file() {
        let patch = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-diff --git a\n+@@ -9 +9 @@\n@@ -7,2 +8,0 @@ y\n-a\n-b\n@@ -9,0 +9 @@\n+c\ndiff --git \"a/\\303\" \"b/\\303\"\nold mode 100644\nnew mode 100755\n";
        let read = read("x\0\u{c3}\0".as_bytes(), patch).unwrap();
        assert_eq!(read[&PathBuf::from("x")], Lines::Some(vec![1..=2, 9..=9]));
        assert_eq!(read[&PathBuf::from("\u{c3}")], Lines::Some(Vec::new()));
        assert!(super::read(b"x\0", b"").is_err(), "the files changed between the two questions");
    }

    #[test]
    fn lines_touch_where_they_overlap() {
        let lines = Lines::Some(vec![2..=3, 7..=7]);
        for (asked, expected) in
            [(1..=1, false), (1..=2, true), (3..=6, true), (4..=6, false), (8..=9, false)]
        {
            assert_eq!(lines.touch(&asked), expected, "{asked:?}");
        }
        assert!(Lines::All.touch(&(1..=1)));
    }
}
