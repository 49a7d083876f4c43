//! What a tree, its git repository and the kubeconfig tell: no guesses yet.

use super::pushes::{Origin, Push, pushes};
use crate::files::{Unreadable, each_file};
use crate::look::kubeconfig_of;
use crate::surroundings::Surroundings;
use cluster::ContextName;
use domain::{ImageRef, Repository};
use git::{Checkout, Git, GitError};
use pin::{Found, Purpose};
use std::path::{Path, PathBuf};

use super::InitError;

/// The most files whose names are kept.
const FILES_MAX: usize = 20_000;
/// The longest file of a pipeline that is looked through for pushes, in bytes.
const PIPELINE_BYTES_MAX: u64 = 1024 * 1024;

/// A repository that is named somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedAt {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) repository: Repository,
    pub(super) tag: Option<String>,
}

impl NamedAt {
    /// `deploy/api.yaml:12`
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.path, self.line)
    }
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    /// What runs somewhere.
    pub(super) runs: Vec<NamedAt>,
    /// What is built here, as a Compose file or the like names it.
    pub(super) built: Vec<NamedAt>,
    /// What a pipeline pushes.
    pub(super) pushed: Vec<Push>,
    /// Files that name what runs, in order.
    pub(super) files: Vec<String>,
    /// The branches, here and at `origin`, each once.
    pub(super) branches: Vec<String>,
    pub(super) origin: Option<Origin>,
    /// Whether there is a git repository at all.
    pub(super) is_repository: bool,
    pub(super) contexts: Vec<ContextName>,
    /// Files that could not be read, and why.
    pub(super) unread: Vec<String>,
}

/// The git root, else the current folder.
pub(super) async fn root(around: &Surroundings) -> Result<PathBuf, InitError> {
    Ok(checkout(around).await?.map_or_else(|| around.cwd.clone(), |one| one.root().to_owned()))
}

async fn checkout(around: &Surroundings) -> Result<Option<Checkout>, GitError> {
    let git = Git::open(around.for_git()).await?;
    match Checkout::find(&git, &around.cwd).await {
        Ok(checkout) => Ok(Some(checkout)),
        Err(GitError::NotARepository { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the tree below the root.
pub(super) async fn gather(around: &Surroundings, root: &Path) -> Result<Gathered, InitError> {
    let mut gathered = Gathered::default();
    if let Some(checkout) = checkout(around).await? {
        gathered.is_repository = true;
        gathered.branches = checkout.branches().await?;
        // An address that we do not read tells nothing; the rest of the tree does.
        let origin = checkout.origin().await.ok().flatten();
        gathered.origin = origin.and_then(|origin| Origin::of(origin.url.as_str()));
    }
    gathered.contexts = cluster::contexts(&kubeconfig_of(around)).unwrap_or_default();
    workloads(root, &mut gathered)?;
    Ok(gathered)
}

/// What one file told.
struct Told {
    path: String,
    runs: Vec<NamedAt>,
    built: Vec<NamedAt>,
    pushed: Vec<Push>,
}

fn workloads(root: &Path, gathered: &mut Gathered) -> Result<(), InitError> {
    let origin = gathered.origin.clone();
    let walked = each_file(root, &[PathBuf::from(".")], |file| {
        // A file that is no text of its format tells nothing here; `check` says why.
        let sites = file.scan().map(|scan| scan.sites).unwrap_or_default();
        let mut told = Told {
            path: file.shown.to_owned(),
            runs: Vec::new(),
            built: Vec::new(),
            pushed: Vec::new(),
        };
        for site in sites {
            let named = |repository: &Repository, tag: Option<String>| NamedAt {
                path: file.shown.to_owned(),
                line: site.line,
                repository: repository.clone(),
                tag,
            };
            match (&site.found, site.purpose) {
                (Found::BuildTarget, _) => {
                    let reference = site.text.parse::<ImageRef>().ok();
                    told.built.extend(reference.map(|one| named(one.repository(), None)));
                }
                (Found::Image(reference), Purpose::Workload) => {
                    let tag = reference.tag().map(ToString::to_string);
                    told.runs.push(named(reference.repository(), tag));
                }
                (Found::Inherits(repository), Purpose::Workload) => {
                    told.runs.push(named(repository, None));
                }
                _ => {}
            }
        }
        Ok::<_, Unreadable>(Some(told))
    })?;
    for told in walked.found {
        if !told.runs.is_empty() && gathered.files.len() < FILES_MAX {
            gathered.files.push(told.path);
        }
        gathered.runs.extend(told.runs);
        gathered.built.extend(told.built);
        gathered.pushed.extend(told.pushed);
    }
    gathered.unread =
        walked.unread.iter().map(|one| format!("{}: {}", one.shown, one.why)).collect();
    gathered.pushed.extend(pipelines(root, origin.as_ref()));
    Ok(())
}

/// Pipelines that name what they push, wherever CI systems look for them.
fn pipelines(root: &Path, origin: Option<&Origin>) -> Vec<Push> {
    const FILES: [&str; 8] = [
        ".gitlab-ci.yml",
        "azure-pipelines.yml",
        "bitbucket-pipelines.yml",
        ".drone.yml",
        ".woodpecker.yml",
        "cloudbuild.yaml",
        ".circleci/config.yml",
        "Makefile",
    ];
    const FOLDERS: [&str; 4] = [".github/workflows", ".buildkite", ".woodpecker", ".azure"];
    let mut paths: Vec<String> = FILES.iter().map(|name| (*name).to_owned()).collect();
    for folder in FOLDERS {
        let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut inside: Vec<String> = names.map(|name| format!("{folder}/{name}")).collect();
        inside.sort();
        paths.extend(inside.into_iter().take(100));
    }
    let mut all = Vec::new();
    for path in paths {
        let real = root.join(&path);
        let is_short = std::fs::metadata(&real)
            .is_ok_and(|data| data.is_file() && data.len() <= PIPELINE_BYTES_MAX);
        if let (true, Ok(text)) = (is_short, std::fs::read_to_string(&real)) {
            all.extend(pushes(&path, &text, origin));
        }
    }
    all
}
