//! What a file must name: the level of the environment whose folder it is in, and the rules for tags.
//!
//! ```text
//! apps/prod/api.yaml, prod: {git: {path: apps/prod}, check: digest}  ->  digest, because of prod
//! anything, without settings                                        ->  tag
//! ```

use crate::settings::{CheckLevel, EnvironmentSettings, Settings};
use domain::{EnvironmentName, Pattern, Rule, RuleSet, TagClass};
use pin::Level;
use std::path::{Path, PathBuf};

/// What is asked for where nobody said anything: a name that does not move.
const LEVEL_DEFAULT: Level = Level::Tag;

/// The levels of all folders, and which tags move.
#[derive(Clone, Debug)]
pub struct Requirements {
    /// The deepest first, then the strictest.
    folders: Vec<Folder>,
    /// Which tags move.
    pub rules: RuleSet,
}

#[derive(Clone, Debug)]
struct Folder {
    path: PathBuf,
    level: Level,
    environment: EnvironmentName,
}

/// What one file must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Required<'a> {
    /// The level.
    pub level: Level,
    /// Whose level it is; none: the default.
    pub environment: Option<&'a EnvironmentName>,
}

impl Requirements {
    /// Reads them from the settings; `root` is the folder that the settings' paths are relative to.
    #[must_use]
    pub fn of(settings: Option<&Settings>, root: &Path) -> Self {
        let Some(settings) = settings else {
            return Self { folders: Vec::new(), rules: RuleSet::default() };
        };
        let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        // The files of an environment with a repository of its own are not here.
        let here = settings.environments.iter().filter(|one| one.git.repository.is_none());
        let mut folders: Vec<Folder> = here.map(|one| folder(one, &root)).collect();
        folders.sort_by_key(|one| {
            (std::cmp::Reverse(one.path.components().count()), std::cmp::Reverse(one.level))
        });
        Self { folders, rules: rules(settings) }
    }

    /// What a file must name; of folders within folders the deepest decides, of equals the strictest.
    #[must_use]
    pub fn of_file(&self, path: &Path) -> Required<'_> {
        match self.folders.iter().find(|folder| path.starts_with(&folder.path)) {
            Some(folder) => {
                Required { level: folder.level, environment: Some(&folder.environment) }
            }
            None => Required { level: LEVEL_DEFAULT, environment: None },
        }
    }
}

fn folder(environment: &EnvironmentSettings, root: &Path) -> Folder {
    let level = match environment.check {
        CheckLevel::Floating => Level::Floating,
        CheckLevel::Tag => Level::Tag,
        CheckLevel::Digest => Level::Digest,
    };
    let path = root.join(&environment.git.path);
    // A folder behind a link is compared by where it leads.
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    Folder { path, level, environment: environment.name.clone() }
}

/// The rules of the settings; behind them, the alias of an environment moves whether or not a rule says so.
fn rules(settings: &Settings) -> RuleSet {
    let mut all = settings.rules.clone();
    let aliases = settings.environments.iter().filter_map(|one| one.alias.as_ref());
    // A tag has no letter that a pattern reads otherwise.
    let patterns = aliases.filter_map(|alias| alias.as_str().parse::<Pattern>().ok());
    all.extend(patterns.map(|tags| Rule {
        repositories: Pattern::everything(),
        tags,
        class: TagClass::Alias,
    }));
    RuleSet::new(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;

    fn requirements(environments: &str) -> Requirements {
        let text = format!("version: 1\nenvironments: {environments}\n");
        Requirements::of(Some(&settings::read(&text).unwrap()), Path::new("/nowhere"))
    }

    #[test]
    fn the_deepest_folder_decides_and_of_equals_the_strictest() {
        let found = requirements(
            "{prod: {branches: [prod], check: digest, git: {path: apps}}, \
             qa: {branches: [qa], check: tag, git: {path: apps}}, \
             uat: {branches: [uat], check: floating, git: {path: apps/uat}}}",
        );
        let of = |path: &str| {
            let required = found.of_file(&Path::new("/nowhere").join(path));
            (required.level, required.environment.map(|name| name.to_string()))
        };
        assert_eq!(of("apps/uat/api.yaml"), (Level::Floating, Some("uat".to_owned())));
        assert_eq!(of("apps/api.yaml"), (Level::Digest, Some("prod".to_owned())));
        assert_eq!(of("apps-old/api.yaml"), (Level::Tag, None));
    }

    #[test]
    fn an_environments_alias_moves() {
        let found = requirements("{blue: {branches: [blue], alias: blue}}");
        let class = found.rules.class_of(&"shop/api".parse().unwrap(), &"blue".parse().unwrap());
        assert_eq!(class, TagClass::Alias);
    }

    #[test]
    fn files_of_another_repository_are_not_looked_for_here() {
        let found = requirements(
            "{prod: {branches: [prod], check: digest, git: {repository: 'https://git.example.com/x'}}}",
        );
        assert_eq!(found.of_file(Path::new("/nowhere/a")).level, Level::Tag);
    }
}
