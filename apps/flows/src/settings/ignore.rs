//! Files that nobody is asked about: patterns of paths, the last one that fits decides.
//!
//! ```yaml
//! ignore: ["vendor/**", "**/testdata/**", "!vendor/ours/**"]
//! ```
//! Relative to the settings. A path in front of which `!` stands is looked at after all.

use super::SettingsError;
use domain::Pattern;

/// The most patterns that are read.
pub const IGNORE_MAX: usize = 256;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreEntry {
    /// The paths that it is about.
    pub paths: Pattern,
    /// What becomes of them.
    pub then: Then,
}

/// What becomes of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is passed over.
    PassOver,
    /// It is looked at, whatever an entry before says.
    LookAt,
}

/// Reads the entries.
pub(super) fn read(entries: Vec<String>) -> Result<Vec<IgnoreEntry>, SettingsError> {
    let wrong = |why: String| SettingsError::Value { key: "ignore".to_owned(), why };
    if entries.len() > IGNORE_MAX {
        return Err(wrong(format!("at most {IGNORE_MAX} patterns are read")));
    }
    let entry = |text: String| {
        let (then, pattern) = match text.strip_prefix('!') {
            Some(rest) => (Then::LookAt, rest),
            None => (Then::PassOver, text.as_str()),
        };
        let paths = pattern.parse::<Pattern>().map_err(|error| wrong(error.to_string()))?;
        Ok(IgnoreEntry { paths, then })
    };
    entries.into_iter().map(entry).collect()
}

/// The entry that decides about a path, where one does.
pub(crate) fn deciding<'a>(entries: &'a [IgnoreEntry], path: &str) -> Option<&'a IgnoreEntry> {
    entries.iter().rev().find(|entry| entry.paths.matches(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(texts: &[&str]) -> Vec<IgnoreEntry> {
        read(texts.iter().map(|text| (*text).to_owned()).collect()).unwrap()
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let entries = entries(&["vendor/**", "**/testdata/**", "!vendor/ours/**"]);
        let then = |path: &str| deciding(&entries, path).map(|entry| entry.then);
        assert_eq!(then("vendor/a/b.yaml"), Some(Then::PassOver));
        assert_eq!(then("vendor/ours/b.yaml"), Some(Then::LookAt));
        assert_eq!(then("a/testdata/b.yaml"), Some(Then::PassOver));
        assert_eq!(then("a/vendor/b.yaml"), None);
    }

    #[test]
    fn so_many_patterns_are_read_and_no_more_and_a_wrong_one_is_named() {
        let many = |number: usize| read(vec!["a/**".to_owned(); number]);
        assert_eq!(many(IGNORE_MAX).unwrap().len(), IGNORE_MAX);
        assert!(many(IGNORE_MAX + 1).is_err());
        let error = read(vec!["!a[b]".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("ignore"), "{error}");
    }
}
