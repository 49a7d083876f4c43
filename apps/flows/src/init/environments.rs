//! Which environments a tree has: folders, files and branches that are called like one.
//!
//! ```text
//! deploy/uat/…, deploy/prod/…, branches main, prod   ->   prod: branches prod, from uat;  uat: every other branch
//! ```

use super::gather::Gathered;
use cluster::ContextName;
use domain::EnvironmentName;
use std::collections::BTreeMap;

/// Words for environments, the earliest in the chain first; words of one rank are one step.
const WORDS: [(&str, u8); 20] = [
    ("dev", 1),
    ("development", 1),
    ("develop", 1),
    ("sandbox", 1),
    ("test", 2),
    ("testing", 2),
    ("qa", 2),
    ("int", 2),
    ("integration", 2),
    ("uat", 3),
    ("acceptance", 3),
    ("acc", 3),
    ("staging", 4),
    ("stage", 4),
    ("stg", 4),
    ("preprod", 5),
    ("pre-prod", 5),
    ("prod", 6),
    ("production", 6),
    ("prd", 6),
];
/// Branches that are nobody's environment.
const TRUNKS: [&str; 3] = ["main", "master", "trunk"];

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DraftEnvironment {
    pub(super) name: EnvironmentName,
    pub(super) rank: u8,
    pub(super) folder: Option<Folder>,
    /// The branch that is called like it.
    pub(super) branch: Option<String>,
    /// A floating tag of its name in its files.
    pub(super) floating: Option<String>,
    pub(super) context: Option<ContextName>,
}

/// Where its files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) path: String,
    /// A file in it that names what runs.
    pub(super) file: String,
}

/// The environments, the last of the chain first: the first whose branch matches gets a build.
pub(super) fn guess(gathered: &Gathered) -> Vec<DraftEnvironment> {
    let mut all = BTreeMap::<&str, DraftEnvironment>::new();
    for file in &gathered.files {
        if let Some((word, path)) = of_path(file) {
            let folder = Folder { path, file: file.clone() };
            let own = entry(&mut all, word);
            // The shortest path holds most of it.
            if own.folder.as_ref().is_none_or(|known| folder.path.len() < known.path.len()) {
                own.folder = Some(folder);
            }
        }
    }
    for branch in &gathered.branches {
        if let Some(word) = word_of(branch) {
            entry(&mut all, word).branch = Some(branch.clone());
        }
    }
    let mut all: Vec<DraftEnvironment> = all.into_values().collect();
    for own in &mut all {
        let name = own.name.to_string();
        let is_in =
            |path: &str| own.folder.as_ref().is_some_and(|folder| path.starts_with(&folder.path));
        let mut runs = gathered.runs.iter().filter(|one| is_in(&one.path));
        own.floating =
            runs.find(|one| one.tag.as_deref() == Some(&name)).map(super::gather::NamedAt::place);
        own.context = context_of(&name, &gathered.contexts);
    }
    all.sort_by(|a, b| (b.rank, &a.name).cmp(&(a.rank, &b.name)));
    all
}

fn entry<'m>(
    all: &'m mut BTreeMap<&'static str, DraftEnvironment>,
    word: &'static str,
) -> &'m mut DraftEnvironment {
    all.entry(word).or_insert_with(|| DraftEnvironment {
        name: word.parse().expect("each of the words is a name"),
        rank: WORDS.iter().find(|(known, _)| *known == word).map_or(0, |(_, rank)| *rank),
        folder: None,
        branch: None,
        floating: None,
        context: None,
    })
}

/// The word that a text is.
fn word_of(text: &str) -> Option<&'static str> {
    WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(word, _)| *word)
}

/// The environment whose file this is, and the folder or file that holds it all.
fn of_path(path: &str) -> Option<(&'static str, String)> {
    let mut end = 0;
    for part in path.split('/') {
        end += part.len();
        let word = word_of(part).or_else(|| {
            // `values-prod.yaml`, `compose.uat.yml`
            let is_file = end == path.len();
            is_file.then(|| part.split(['.', '-', '_']).find_map(word_of)).flatten()
        });
        if let Some(word) = word {
            return Some((word, path[..end].to_owned()));
        }
        end += 1;
    }
    None
}

/// The one context whose name has the word as a part of its own.
fn context_of(name: &str, contexts: &[ContextName]) -> Option<ContextName> {
    let names = |one: &&ContextName| {
        one.name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|part| part.eq_ignore_ascii_case(name))
    };
    let mut found = contexts.iter().filter(names);
    // Of two nobody knows which is meant.
    found.next().filter(|_| found.next().is_none()).cloned()
}

/// Whether a branch is where work comes together.
pub(super) fn is_trunk(branch: &str) -> bool {
    TRUNKS.contains(&branch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_environment_by_a_folder_or_by_the_files_name() {
        for (path, expected) in [
            ("deploy/prod/api.yaml", Some(("prod", "deploy/prod"))),
            ("overlays/UAT/kustomization.yaml", Some(("uat", "overlays/UAT"))),
            ("chart/values-staging.yaml", Some(("staging", "chart/values-staging.yaml"))),
            ("compose.prod.yml", Some(("prod", "compose.prod.yml"))),
            ("products/api.yaml", None),
            ("compose.yaml", None),
        ] {
            let expected = expected.map(|(word, folder)| (word, folder.to_owned()));
            assert_eq!(of_path(path), expected, "{path}");
        }
    }

    #[test]
    fn a_context_is_an_environments_where_only_one_is_called_so() {
        let contexts = |names: &[&str]| -> Vec<ContextName> {
            let one = |name: &&str| ContextName { name: (*name).to_owned(), namespace: None };
            names.iter().map(one).collect()
        };
        let found = |names: &[&str]| context_of("prod", &contexts(names)).map(|one| one.name);
        assert_eq!(found(&["kind", "eks-prod"]).as_deref(), Some("eks-prod"));
        assert_eq!(found(&["eks-prod", "gke_shop_prod"]), None);
        assert_eq!(found(&["products"]), None);
    }
}
