//! What a file must name: the level of the environment whose folder it is in, and the rules for tags.
//!
//! ```text
//! apps/prod/api.yaml, prod: {git: {path: apps/prod}, check: digest}  ->  digest, because of prod
//! anything, without settings                                        ->  tag
//! apps/prod/api.yaml, shop/api:20260317-143958-uat                  ->  an image of another environment
//! ```

use super::origin::Origins;
use crate::settings::{
    CheckLevel, EnvironmentSettings, IgnoreEntry, RecordPlace, Settings, Then, deciding,
};
use domain::{EnvironmentName, ImageRef, Pattern, RegistryHost, Rule, RuleSet, TagClass};
use pin::{Finding, FindingKind, Found, Judge, Level, Purpose, Site};
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
    /// A registry of ours: the server of ours that holds the record is one.
    own_registry: Option<RegistryHost>,
    /// Which environment an image is of.
    origins: Origins,
    /// The folder that the patterns below are relative to.
    root: PathBuf,
    ignore: Vec<IgnoreEntry>,
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
            return Self {
                folders: Vec::new(),
                rules: RuleSet::default(),
                own_registry: None,
                origins: Origins::default(),
                root: PathBuf::new(),
                ignore: Vec::new(),
            };
        };
        let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        // The files of an environment with a repository of its own are not here.
        let here = settings.environments.iter().filter(|one| one.git.repository.is_none());
        let mut folders: Vec<Folder> = here.map(|one| folder(one, &root)).collect();
        folders.sort_by_key(|one| {
            (std::cmp::Reverse(one.path.components().count()), std::cmp::Reverse(one.level))
        });
        let own_registry = match &settings.record {
            RecordPlace::Server(server) => Some(server.host.clone()),
            RecordPlace::Local | RecordPlace::File(_) | RecordPlace::Git(_) => None,
        };
        let origins = Origins::of(settings);
        let ignore = settings.ignore.clone();
        Self { folders, rules: rules(settings), own_registry, origins, root, ignore }
    }

    /// The pattern of `ignore` that decides about a file.
    pub(super) fn ignore_entry(&self, path: &Path) -> Option<&IgnoreEntry> {
        if self.ignore.is_empty() {
            return None;
        }
        let inside = path.strip_prefix(&self.root).ok()?.to_string_lossy();
        let inside = match std::path::MAIN_SEPARATOR {
            '/' => inside,
            _ => inside.replace('\\', "/").into(),
        };
        deciding(&self.ignore, &inside)
    }

    /// Whether the settings pass over a file.
    #[must_use]
    pub fn ignores(&self, path: &Path) -> bool {
        self.ignore_entry(path).is_some_and(|entry| entry.then == Then::PassOver)
    }

    /// What judges the places of a file with this level.
    #[must_use]
    pub fn judge(&self, level: Level) -> Judge<'_> {
        Judge { level, rules: &self.rules, own_registry: self.own_registry.as_ref() }
    }

    /// That an image in an environment's file is another environment's, where its name tells it.
    pub(super) fn foreign(
        &self,
        site: &Site,
        environment: Option<&EnvironmentName>,
    ) -> Option<Finding> {
        let environment = environment?;
        let Found::Image(reference) = &site.found else {
            return None;
        };
        if site.purpose != Purpose::Workload || site.marker.is_some() {
            return None;
        }
        let message = self.foreign_message(reference, environment)?;
        Some(Finding::new(FindingKind::OtherEnvironment, site.purpose, message))
    }

    fn foreign_message(
        &self,
        reference: &ImageRef,
        environment: &EnvironmentName,
    ) -> Option<String> {
        let (other, why) = self.origins.other(reference, environment)?;
        Some(format!("`{reference}` is an image of {other} ({why}) in files of {environment}"))
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

/// An entry of `ignore` as the settings write it.
pub(super) fn written(entry: &IgnoreEntry) -> String {
    match entry.then {
        Then::PassOver => entry.paths.as_str().to_owned(),
        Then::LookAt => format!("!{}", entry.paths.as_str()),
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

/// The rules of the settings; behind them, the alias of an environment, its name and its branches move whether or
/// not a rule says so.
fn rules(settings: &Settings) -> RuleSet {
    let mut all = settings.rules.clone();
    let names = settings.environments.iter().flat_map(|one| {
        let branches = one.rule.branches.iter().map(Pattern::as_str);
        // A branch that is a pattern of several is no name, and one with a slash is no tag.
        let branches = branches.filter(|branch| domain::reference::is_tag(branch));
        one.alias.iter().map(domain::Tag::as_str).chain([one.name.as_str()]).chain(branches)
    });
    // A tag has no letter that a pattern reads otherwise.
    let patterns = names.filter_map(|name| name.parse::<Pattern>().ok());
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
    fn an_environments_name_and_its_branches_move_as_tags() {
        let found = requirements("{blue: {branches: [green, 'x/y', 'a*']}}");
        for (tag, class) in [
            ("blue", TagClass::Alias),
            ("green", TagClass::Alias),
            ("y", TagClass::Immutable),
            ("ab", TagClass::Immutable),
        ] {
            let found = found.rules.class_of(&"shop/api".parse().unwrap(), &tag.parse().unwrap());
            assert_eq!(found, class, "{tag}");
        }
    }

    #[test]
    fn files_of_another_repository_are_not_looked_for_here() {
        let found = requirements(
            "{prod: {branches: [prod], check: digest, git: {repository: 'https://git.example.com/x'}}}",
        );
        assert_eq!(found.of_file(Path::new("/nowhere/a")).level, Level::Tag);
    }
}
