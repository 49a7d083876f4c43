//! What the git history of workload files says of the past comes into the record: each change of an image.
//!
//! ```text
//! prod: apps/prod on main  ->  commits, oldest first  ->  the images of each version  ->  facts that the record has not
//! ```
//! First parents only, so a merge is one change. What our own deploys wrote is counted, and not said twice. A commit says
//! what files named, not what ran; a tag without a digest stays without one.

use super::kept::{KeptReport, add, state_of};
use crate::app::{App, OpenError};
use crate::deploy::Run;
use crate::files::{Content, content};
use crate::seam::RecordError;
use crate::settings::{DeployMode, EnvironmentSettings};
use crate::verdict::{Explain, Verdict};
use ::record::EnvironmentState;
use ::record::claim::{ImportedClaim, Keeper};
use domain::{CommitId, EnvironmentName};
use git::{Begins, BlobId, GitError, Past, PastBytes, PastChanges, TRAILER_OF_OURS, TreePath};
use pin::{Format, Found, Purpose, Site};
use release::imported_files::{
    FileNow, FilesCommit, FilesOf, First, NamedImage, Names, plan_imported_files,
};
use std::collections::{BTreeMap, BTreeSet};

/// The most commits of one environment's folder that are read, the newest.
pub const HISTORY_COMMITS_MAX: u32 = 10_000;

/// How many versions of files are held at once.
const VERSIONS_AT_ONCE: usize = 200;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum FiledError {
    /// Settings or record.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The files are in no repository.
    #[error("{from} is in no git repository: its files have no past")]
    NoRepository {
        /// The folder.
        from: String,
    },
    /// The past of an environment's files.
    #[error("the history of the files of {environment} cannot be read")]
    Git {
        /// The environment.
        environment: EnvironmentName,
        /// Why.
        source: GitError,
    },
    /// No environment has files there.
    #[error("no environment of the settings has workload files{}", below_path(.path.as_deref()))]
    NoFiles {
        /// The folder that was asked for.
        path: Option<String>,
    },
    /// What was asked for is no path.
    #[error(transparent)]
    Path(#[from] git::TreePathError),
    /// Nobody can tell whose files they are.
    #[error(
        "{one} and {other} look for their files in the same place: whose they are cannot be told"
    )]
    Shared {
        /// An environment.
        one: EnvironmentName,
        /// Another.
        other: EnvironmentName,
    },
}

fn below_path(path: Option<&str>) -> String {
    path.map(|path| format!(" below {path}")).unwrap_or_default()
}

impl Explain for FiledError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Open(error) => error.verdict(),
            Self::Record(error) => error.verdict(),
            Self::NoRepository { .. }
            | Self::Git { .. }
            | Self::NoFiles { .. }
            | Self::Path(_)
            | Self::Shared { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::NoFiles { .. } | Self::Shared { .. } => Some(
                "`git: {path: FOLDER}` of an environment in indelible.yaml says which files are its own".to_owned(),
            ),
            Self::NoRepository { .. } | Self::Git { .. } | Self::Path(_) => None,
        }
    }
}

/// The files of one environment.
struct Filed<'a> {
    environment: &'a EnvironmentSettings,
    /// Relative to the settings, or to the root of the repository that they name.
    folder: String,
}

/// Reads the history of every environment's workload files, or of those below `path`, and records what is new.
///
/// # Errors
/// No environment has files there, git cannot say, or the record does not take it.
pub async fn import_filed(
    app: &App,
    path: Option<&str>,
    run: Run,
) -> Result<KeptReport, FiledError> {
    let settings = app.settings()?;
    let path = path.map(plain).transpose()?;
    let all = settings.environments.iter();
    let filed: Vec<_> = all.filter_map(|one| filed(one, path.as_deref())).collect();
    check_whose(&filed)?;
    if filed.is_empty() {
        return Err(FiledError::NoFiles { path });
    }
    let record = app.record().await?;
    let mut report = KeptReport::default();
    for one in &filed {
        let name = &one.environment.name;
        let of_git = |source| FiledError::Git { environment: name.clone(), source };
        let (past, below) = past_of(app, one).await?;
        let changes = past.changes(below.as_ref(), HISTORY_COMMITS_MAX).await.map_err(of_git)?;
        report.untold.extend(cut_off(name, changes.begins));
        let commits = commits(&past, &changes).await.map_err(of_git)?;
        let first = match changes.begins {
            Begins::AtFirst => First::Change,
            Begins::AtLimit | Begins::Shallow => First::Standing,
        };
        let now = app.surroundings().now();
        let of = FilesOf { environment: name, folder: &one.folder, now, first };
        let image_of = |repository: &_| settings.image_of(repository).cloned();
        let planned = plan_imported_files(&commits, &of, image_of);
        report.untold.extend(planned.untold.into_iter().map(|line| format!("{name}: {line}")));
        let state = state_of(record, name).await?;
        let own = own_commits(&state, &changes);
        let is_ours =
            |fact: &ImportedClaim| fact.commit.as_ref().is_some_and(|commit| own.contains(commit));
        let facts = planned.facts.into_iter().filter(|fact| !is_known_standing(&state, fact));
        report.rows.extend(add(record, &state, facts.collect(), run, is_ours).await?);
    }
    report.shorten();
    Ok(report)
}

/// A folder without what does not matter; empty: everything.
fn plain(path: &str) -> Result<String, git::TreePathError> {
    let path = path.trim_end_matches('/').trim_start_matches("./");
    match path {
        "" | "." => Ok(String::new()),
        path => Ok(path.parse::<TreePath>()?.to_string()),
    }
}

/// An environment's folder, as far as it is in `path`.
fn filed<'a>(environment: &'a EnvironmentSettings, path: Option<&str>) -> Option<Filed<'a>> {
    match environment.deploy {
        DeployMode::Files | DeployMode::Git | DeployMode::Pr | DeployMode::GitCluster => {}
        DeployMode::Cluster => return None,
    }
    let own = environment.git.path.as_str();
    let folder = match path {
        Some(path) if is_in(path, own) => path,
        Some(path) if is_in(own, path) => own,
        Some(_) => return None,
        None => own,
    };
    Some(Filed { environment, folder: folder.to_owned() })
}

fn is_in(inner: &str, outer: &str) -> bool {
    outer.is_empty()
        || inner == outer
        || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// Refuses folders of two environments that hold each other: each file would count for both.
fn check_whose(filed: &[Filed<'_>]) -> Result<(), FiledError> {
    let in_tree = |one: &Filed<'_>| one.environment.deploy == DeployMode::Files;
    for (number, one) in filed.iter().enumerate() {
        for other in &filed[number + 1..] {
            let (here, there) = (&one.environment.git, &other.environment.git);
            let is_one_branch = match (in_tree(one), in_tree(other)) {
                (true, true) => true,
                (false, false) => {
                    (&here.repository, &here.branch) == (&there.repository, &there.branch)
                }
                (true, false) | (false, true) => false,
            };
            if is_one_branch
                && (is_in(&one.folder, &other.folder) || is_in(&other.folder, &one.folder))
            {
                let (one, other) = (one.environment.name.clone(), other.environment.name.clone());
                return Err(FiledError::Shared { one, other });
            }
        }
    }
    Ok(())
}

/// The past of an environment's branch, or of the work tree where files are edited, and the folder in it.
async fn past_of(app: &App, filed: &Filed<'_>) -> Result<(Past, Option<TreePath>), FiledError> {
    let target = &filed.environment.git;
    let of_git = |source| FiledError::Git { environment: filed.environment.name.clone(), source };
    let (past, folder) = match filed.environment.deploy {
        DeployMode::Files => {
            let nowhere = || FiledError::NoRepository { from: app.root().display().to_string() };
            let checkout = app.checkout().await.map_err(of_git)?.ok_or_else(nowhere)?;
            let root = app.root().canonicalize().map_err(|_| nowhere())?;
            let inside = root.strip_prefix(checkout.root()).map_err(|_| nowhere())?;
            let inside = inside.to_str().ok_or_else(nowhere)?.replace('\\', "/");
            let parts = [inside.as_str(), filed.folder.as_str()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            (Past::of_checkout(checkout), parts.join("/"))
        }
        DeployMode::Git | DeployMode::Pr | DeployMode::GitCluster | DeployMode::Cluster => {
            let (remote, credential) = app.remote(target.repository.as_ref()).await?;
            // Not the copy that deploys use: theirs has the newest commits only.
            let mut cache = app.cache_of(&remote, &target.branch).into_os_string();
            cache.push("-past");
            let git = app.git().await.map_err(of_git)?;
            let branch = target.branch.clone();
            let past = Past::of_branch(git, remote, credential, branch, cache.as_ref());
            (past, filed.folder.clone())
        }
    };
    let below = if folder.is_empty() { None } else { Some(folder.parse()?) };
    Ok((past, below))
}

fn cut_off(environment: &EnvironmentName, begins: Begins) -> Option<String> {
    match begins {
        Begins::AtFirst => None,
        Begins::AtLimit => Some(format!(
            "{environment}: more than {HISTORY_COMMITS_MAX} commits changed its files: what was before the newest {HISTORY_COMMITS_MAX}"
        )),
        Begins::Shallow => Some(format!(
            "{environment}: this clone is shallow: what was before its first commit; `git fetch --unshallow` brings it"
        )),
    }
}

/// Commits that a recorded deploy made: what the record has itself is not said a second time.
fn own_commits(state: &EnvironmentState, changes: &PastChanges) -> BTreeSet<CommitId> {
    let keys: BTreeSet<&str> = state.deploys().iter().map(|one| one.claim.key.as_str()).collect();
    let is_own = |commit: &git::Commit| {
        commit.trailers.all(TRAILER_OF_OURS).any(|key| keys.contains(key))
            || state.deploys().iter().any(|one| one.claim.commit.as_ref() == Some(&commit.id))
    };
    let commits = changes.commits.iter().map(|one| &one.commit);
    commits.filter(|commit| is_own(commit)).map(|commit| commit.id.clone()).collect()
}

/// What stood where a past was cut off, as the record's last word before it has it: the cut moves with every commit.
fn is_known_standing(state: &EnvironmentState, fact: &ImportedClaim) -> bool {
    if fact.commit.is_some() {
        return false;
    }
    let is_before = |known: &&ImportedClaim| {
        (known.kept_by, &known.image, &known.place) == (Keeper::Git, &fact.image, &fact.place)
            && known.from() <= fact.from()
    };
    let known = state.imported().iter().map(|known| &known.claim).filter(is_before);
    known.max_by_key(|known| known.from()).is_some_and(|known| {
        let said = |claim: &ImportedClaim| {
            (claim.repository.clone(), claim.tag.clone(), claim.digest, claim.result)
        };
        known.key != fact.key && said(known) == said(fact)
    })
}

/// Reads each version of each file once.
async fn commits(past: &Past, changes: &PastChanges) -> Result<Vec<FilesCommit>, GitError> {
    let versions: BTreeSet<(&BlobId, &str)> = changes
        .commits
        .iter()
        .flat_map(|one| &one.files)
        .filter(|file| pin::is_worth_opening(&file.path))
        .filter_map(|file| Some((file.blob.as_ref()?, file.path.as_str())))
        .collect();
    let versions: Vec<_> = versions.into_iter().collect();
    let mut known = BTreeMap::<(&BlobId, &str), Names>::new();
    for some in versions.chunks(VERSIONS_AT_ONCE) {
        let blobs: Vec<BlobId> = some.iter().map(|(blob, _)| (*blob).clone()).collect();
        let read = past.read(&blobs).await?;
        known.extend(some.iter().zip(read).map(|(one, bytes)| (*one, names_in(one.1, &bytes))));
    }
    let now = |file: &git::PastFile| {
        let version = file.blob.as_ref().and_then(|blob| known.get(&(blob, file.path.as_str())));
        let names = version.cloned().unwrap_or_else(|| Names::Only(Vec::new()));
        FileNow { path: file.path.clone(), names }
    };
    let of = |one: &git::PastCommit| FilesCommit {
        id: one.commit.id.clone(),
        at: one.commit.committed,
        by: one.commit.author_name.clone(),
        files: one.files.iter().map(now).collect(),
    };
    Ok(changes.commits.iter().map(of).collect())
}

fn names_in(path: &str, bytes: &PastBytes) -> Names {
    let bytes = match bytes {
        PastBytes::Read(bytes) => bytes,
        PastBytes::TooLarge => return Names::Unknown("the file is too large".to_owned()),
        PastBytes::Missing => {
            return Names::Unknown("this clone does not have the file".to_owned());
        }
    };
    match content(path, bytes) {
        Content::Silent | Content::Other => Names::Only(Vec::new()),
        // What an image is built from, or a pipeline runs in, is not what is deployed.
        Content::Workload { format, .. } if format.purpose() != Purpose::Workload => {
            Names::Only(Vec::new())
        }
        Content::Unread { why, .. } => Names::Unknown(why.to_string()),
        Content::Workload { text, format } => match pin::scan(format, text) {
            Ok(scan) => {
                let named = scan.sites.iter().filter_map(|site| named(format, site)).collect();
                if scan.is_templated { Names::AtLeast(named) } else { Names::Only(named) }
            }
            Err(error) => Names::Unknown(error.to_string()),
        },
    }
}

fn named(format: Format, site: &Site) -> Option<NamedImage> {
    let reference = match &site.found {
        Found::Image(reference) => Some(reference.clone()),
        Found::Opaque(_) | Found::Malformed(_) | Found::Inherits(_) => None,
        Found::BuildTarget | Found::Stage | Found::Scratch => return None,
    };
    let context = &site.context;
    let container = context.container.as_deref().unwrap_or(&site.path);
    let kind = context.kind.as_deref().unwrap_or(format.name()).to_lowercase();
    let parts = [Some(kind.as_str()), context.workload.as_deref(), Some(container)];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    Some(NamedImage { at: parts.join("/"), reference })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str, text: &str) -> Names {
        names_in(name, &PastBytes::Read(text.as_bytes().to_vec()))
    }

    fn named(at: &str, reference: &str) -> NamedImage {
        NamedImage { at: at.to_owned(), reference: reference.parse().ok() }
    }

    #[test]
    fn a_place_is_the_workload_and_container_whatever_the_format() {
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {template: {spec: {containers: [{name: web, image: shop/api:v1}]}}}\n";
        assert_eq!(
            at("x.yaml", deployment),
            Names::Only(vec![named("deployment/api/web", "shop/api:v1")])
        );
        let compose = "services: {api: {image: shop/api:v1}, db: {image: \"${DB}\"}}\n";
        let both = vec![named("service/api", "shop/api:v1"), named("service/db", "${DB}")];
        assert_eq!(at("compose.yaml", compose), Names::Only(both));
        assert_eq!(at("Dockerfile", "FROM shop/api:v1\n"), Names::Only(Vec::new()));
        assert!(matches!(at("compose.yaml", "services: [\nimage"), Names::Unknown(_)));
        assert!(matches!(names_in("x.yaml", &PastBytes::TooLarge), Names::Unknown(_)));
    }

    #[test]
    fn a_folder_is_in_another_by_whole_names() {
        for (inner, outer, expected) in [
            ("a/b", "a", true),
            ("a", "a", true),
            ("ab", "a", false),
            ("a", "", true),
            ("a", "a/b", false),
        ] {
            assert_eq!(is_in(inner, outer), expected, "{inner} in {outer}");
        }
        assert_eq!(plain("./apps/prod/").unwrap(), "apps/prod");
        assert_eq!(plain(".").unwrap(), "");
        for bad in ["../x", "/etc", "a/../b", ".git/x"] {
            assert!(plain(bad).is_err(), "{bad}");
        }
    }
}
