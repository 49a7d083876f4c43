//! The list of mutations: `xtask/mutations/*.toml`, one file per area.
//!
//! ```toml
//! [[mutation]]
//! law = 2                                # of DESIGN §3
//! breaks = "the same digest again is an event"
//! file = "domain/src/write.rs"
//! find = "if held == wanted {"           # one whole line without its indentation, there once
//! replace = "if false {"                 # may be empty: the line is dropped
//! package = "domain"                     # whose tests must turn red
//! ```

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Where the lists are.
pub(crate) const FOLDER: &str = "xtask/mutations/";

/// One line that breaks one law.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mutation {
    /// The number of the law in DESIGN §3.
    pub(crate) law: u8,
    /// What is no longer true, in words.
    pub(crate) breaks: String,
    /// From the root of the checkout.
    pub(crate) file: String,
    /// One whole line, without its indentation.
    pub(crate) find: String,
    /// What stands there instead.
    pub(crate) replace: String,
    /// The package whose tests must turn red.
    pub(crate) package: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutation: Vec<Mutation>,
}

/// Reads all lists, in the order of their names.
///
/// # Errors
/// A list cannot be read or is no list.
pub(crate) fn read(root: &Path) -> Result<Vec<Mutation>> {
    let folder = root.join(FOLDER);
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {FOLDER}"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut mutations = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        mutations.extend(parse(&text).with_context(|| format!("in {}", path.display()))?);
    }
    Ok(mutations)
}

/// Reads one list.
///
/// # Errors
/// It is no list of mutations.
pub(crate) fn parse(text: &str) -> Result<Vec<Mutation>> {
    Ok(toml::from_str::<List>(text)?.mutation)
}

/// The line of a list at which a mutation names what it breaks.
pub(crate) fn line_of(list: &str, mutation: &Mutation) -> usize {
    let mut lines = list.lines().enumerate();
    let names_it = |line: &str| {
        line.starts_with("find =") && {
            let value = toml::from_str::<toml::Table>(line).ok();
            value.is_some_and(|table| table["find"].as_str() == Some(&mutation.find))
        }
    };
    lines.find(|(_, line)| names_it(line)).map_or(1, |(index, _)| index + 1)
}

impl Mutation {
    /// The text with the one line replaced; its indentation stays.
    ///
    /// # Errors
    /// The line is not there exactly once.
    pub(crate) fn applied_to(&self, text: &str) -> Result<String> {
        let find = self.find.trim();
        let times = text.lines().filter(|line| line.trim() == find).count();
        if times != 1 {
            bail!("the line occurs {times} times, not once");
        }
        let lines = text.lines().map(|line| match line.trim() == find {
            true => format!("{}{}\n", &line[..line.len() - line.trim_start().len()], self.replace),
            false => format!("{line}\n"),
        });
        Ok(lines.collect())
    }

    /// Broken in `domain` or `engines`.
    pub(crate) fn is_in_the_pure_layers(&self) -> bool {
        is_pure(&self.file)
    }

    /// Tested without the program: by the crate that it is in.
    pub(crate) fn is_tested_purely(&self) -> bool {
        !matches!(self.package.as_str(), "e2e" | "indelible")
    }
}

fn is_pure(path: &str) -> bool {
    path.starts_with("domain/") || path.starts_with("engines/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutation(find: &str, replace: &str) -> Mutation {
        Mutation {
            law: 1,
            breaks: "b".into(),
            file: "domain/src/a.rs".into(),
            find: find.into(),
            replace: replace.into(),
            package: "domain".into(),
        }
    }

    #[test]
    fn the_line_is_replaced_and_its_indentation_stays() {
        let broken = mutation("if a {", "if true {").applied_to("fn f() {\n    if a {\n    }\n}\n");
        assert_eq!(broken.unwrap(), "fn f() {\n    if true {\n    }\n}\n");
    }

    #[test]
    fn a_line_that_is_there_twice_is_refused() {
        let error = mutation("a();", "").applied_to("a();\na();\n").unwrap_err();
        assert_eq!(error.to_string(), "the line occurs 2 times, not once");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = "[[mutation]]\nlaw = 1\nbreaks = \"\"\nfile = \"\"\nfind = \"\"\n\
                    replace = \"\"\npackage = \"\"\ncommand = \"\"\n";
        assert!(parse(text).is_err());
        assert!(parse(&text.replace("command = \"\"\n", "")).is_ok());
    }
}
