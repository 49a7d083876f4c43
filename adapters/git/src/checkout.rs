//! Questions about the user's own repository; nothing in it is changed.
//!
//! ```text
//! root /home/ann/shop · HEAD 1a2b3c… on refs/heads/prod · 0 changed, 2 untracked · not shallow
//! ```
//! The repository's settings may be a stranger's: no hook, filter, monitor, signing program, external
//! difference or transport that they name is run. No connection is opened: an object that a partial
//! clone does not have is missing, not fetched.

use crate::credential::Credential;
use crate::error::GitError;
use crate::process::Output;
use crate::remote_url::RemoteUrl;
use crate::revision::Revision;
use crate::run::{Call, Git};
use domain::{CommitId, Secret, SourceRef};
use std::path::{Path, PathBuf};

/// The exit code of a process that wrote to another one which had ended.
const BROKEN_PIPE: i32 = 128 + 13;

/// A repository with files.
#[derive(Clone, Debug)]
pub struct Checkout {
    git: Git,
    root: PathBuf,
    /// Settings that switch off each filter which the repository's own settings name.
    no_filters: Vec<(String, String)>,
}

/// What is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// A branch without a commit yet.
    Unborn {
        /// The branch's full ref.
        branch: SourceRef,
    },
    /// A branch's newest commit.
    Branch {
        /// The branch's full ref.
        branch: SourceRef,
        /// The commit.
        commit: CommitId,
    },
    /// A commit, and no branch, as most CI systems leave it.
    Detached {
        /// The commit.
        commit: CommitId,
    },
}

/// How the files differ from the checked-out commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkTreeState {
    /// Tracked paths that were changed, added, removed or are in conflict. A file behind a filter
    /// (git-lfs) that was touched counts, because its filter is not run.
    pub changed: usize,
    /// Paths that git does not know and does not ignore; a whole new folder is one.
    pub untracked: usize,
}

/// Where the repository came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The address, without any password.
    pub url: RemoteUrl,
    /// The password that stood in it.
    pub credential: Option<Credential>,
}

/// Who git's settings say that the user is; nobody has proven it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// `user.name`.
    pub name: Option<String>,
    /// `user.email`.
    pub email: Option<String>,
}

impl Checkout {
    /// Finds the repository that a folder is in.
    ///
    /// # Errors
    /// [`GitError::NotARepository`], [`GitError::NotOwned`], or [`GitError::SymlinkOutside`] when its
    /// settings put the files elsewhere.
    pub async fn find(git: &Git, folder: &Path) -> Result<Self, GitError> {
        let start = folder.canonicalize().map_err(|source| {
            GitError::io(format!("cannot read the folder {}", folder.display()), source)
        })?;
        let call = git.call("rev-parse", ["rev-parse", "--show-toplevel"]).in_folder(&start);
        let output = call.setting("safe.bareRepository", "explicit").run().await?;
        if output.code != Some(0) {
            return Err(not_found(&start, &output));
        }
        let root = PathBuf::from(output.line()?);
        let is_inside = root.canonicalize().is_ok_and(|real| start.starts_with(real));
        if root.as_os_str().is_empty() || !is_inside {
            return Err(GitError::SymlinkOutside { path: start, root });
        }
        let mut checkout = Self { git: git.clone(), root, no_filters: Vec::new() };
        checkout.no_filters = checkout.filters_to_switch_off().await?;
        Ok(checkout)
    }

    /// The folder that holds the files.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is checked out.
    ///
    /// # Errors
    /// When git cannot say.
    pub async fn head(&self) -> Result<Head, GitError> {
        let output = self.call("symbolic-ref", ["symbolic-ref", "--quiet", "HEAD"]).run().await?;
        let branch = match output.code {
            Some(0) => {
                let name = output.line()?.parse::<SourceRef>();
                Some(name.map_err(|_| GitError::garbled("symbolic-ref", &output.stdout))?)
            }
            Some(1) => None,
            Some(_) | None => return Err(output.failed()),
        };
        match (branch, self.commit_of(&Revision::Head).await?) {
            (Some(branch), Some(commit)) => Ok(Head::Branch { branch, commit }),
            (Some(branch), None) => Ok(Head::Unborn { branch }),
            (None, Some(commit)) => Ok(Head::Detached { commit }),
            (None, None) => Err(self.no_such_commit("HEAD")),
        }
    }

    /// The commit that a name stands for; `None` where there is none.
    ///
    /// # Errors
    /// When git cannot say.
    pub async fn commit_of(&self, revision: &Revision) -> Result<Option<CommitId>, GitError> {
        self.resolve(&revision.to_string()).await
    }

    /// How the files differ from the checked-out commit.
    ///
    /// # Errors
    /// When git cannot say.
    pub async fn state(&self) -> Result<WorkTreeState, GitError> {
        let args = ["status", "--porcelain=v2", "-z", "--untracked-files=normal", "--no-renames"];
        let call = self.call("status", args).arg("--ignore-submodules=dirty");
        let output = call.ok().await?;
        let mut state = WorkTreeState { changed: 0, untracked: 0 };
        for entry in output.stdout.split(|byte| *byte == 0) {
            match entry.first() {
                Some(b'1' | b'2' | b'u') => state.changed += 1,
                Some(b'?') => state.untracked += 1,
                Some(_) | None => {}
            }
        }
        Ok(state)
    }

    /// Whether the past is cut off.
    ///
    /// # Errors
    /// When git cannot say.
    pub async fn is_shallow(&self) -> Result<bool, GitError> {
        let args = ["rev-parse", "--is-shallow-repository"];
        Ok(self.call("rev-parse", args).ok().await?.line()? == "true")
    }

    /// Whether any tag is here; a CI checkout often has none.
    ///
    /// # Errors
    /// When git cannot say.
    pub async fn has_tags(&self) -> Result<bool, GitError> {
        let args = ["for-each-ref", "--count=1", "--format=%(refname)", "refs/tags/"];
        Ok(!self.call("for-each-ref", args).ok().await?.stdout.is_empty())
    }

    /// The branches, here and at `origin`, each once by its short name, in order.
    ///
    /// # Errors
    /// When git cannot say.
    pub async fn branches(&self) -> Result<Vec<String>, GitError> {
        let format = "--format=%(refname)";
        let args = ["for-each-ref", "--count=1000", format, "refs/heads/", "refs/remotes/origin/"];
        let output = self.call("for-each-ref", args).ok().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let short = |name: &str| {
            let name = name.strip_prefix("refs/heads/");
            name.map(str::to_owned)
        };
        let at_origin = |name: &str| {
            let name = name.strip_prefix("refs/remotes/origin/")?;
            (name != "HEAD").then(|| name.to_owned())
        };
        let names = text.lines().filter_map(|name| short(name).or_else(|| at_origin(name)));
        Ok(names.collect::<std::collections::BTreeSet<_>>().into_iter().collect())
    }

    /// The address called `origin`; `None` where there is none.
    ///
    /// # Errors
    /// [`GitError::Remote`] for an address that git is never given.
    pub async fn origin(&self) -> Result<Option<Origin>, GitError> {
        let args = ["config", "--get", "remote.origin.url"];
        let Some(text) = self.config(self.call("config", args)).await? else {
            return Ok(None);
        };
        match RemoteUrl::split_beside(&text, &self.root) {
            Ok((url, credential)) => Ok(Some(Origin { url, credential })),
            Err(source) => Err(GitError::Remote { name: "origin".to_owned(), source }),
        }
    }

    /// Who the settings of this repository, else those of the user, say that the user is.
    ///
    /// # Errors
    /// When git cannot say.
    pub async fn author(&self) -> Result<Author, GitError> {
        let of = async |key: &str| {
            let value = self.config(self.call("config", ["config", "--get", key])).await?;
            Ok::<_, GitError>(value.filter(|value| !value.is_empty()))
        };
        Ok(Author { name: of("user.name").await?, email: of("user.email").await? })
    }

    /// The header that a CI system left in this repository's settings for an address, as
    /// `actions/checkout` does.
    ///
    /// # Errors
    /// When git cannot say.
    pub async fn credential_for(&self, remote: &RemoteUrl) -> Result<Option<Credential>, GitError> {
        if remote.host().is_none() {
            return Ok(None);
        }
        let args = ["config", "--get-urlmatch", "http.extraheader", remote.as_str()];
        let header = self.config(self.call("config", args)).await?;
        let is_header = |text: &String| text.contains(':') && !text.chars().any(char::is_control);
        Ok(header.filter(is_header).map(|text| Credential::Header(Secret::new(text))))
    }

    pub(crate) fn git(&self) -> &Git {
        &self.git
    }

    pub(crate) fn call<const N: usize>(&self, what: &'static str, args: [&str; N]) -> Call<'_> {
        let call = self.git.call(what, args).in_folder(&self.root);
        let call = call.setting("safe.bareRepository", "explicit");
        self.no_filters.iter().fold(call, |call, (key, value)| call.setting(key, value))
    }

    pub(crate) async fn resolve(&self, name: &str) -> Result<Option<CommitId>, GitError> {
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let call = self.call("rev-parse", args).arg(format!("{name}^{{commit}}"));
        let output = call.run().await?;
        match output.code {
            Some(0) => {
                let id = output.line()?.parse();
                id.map(Some).map_err(|_| GitError::garbled("rev-parse", &output.stdout))
            }
            // 1 with --quiet; 128 for a full id that is here but names no commit; the last when git
            // before 2.44 dies of the fetch that it is not allowed to make in a partial clone.
            Some(1 | 128 | BROKEN_PIPE) => Ok(None),
            Some(_) | None => Err(output.failed()),
        }
    }

    /// A setting's value; `None` where it is not set.
    async fn config(&self, call: Call<'_>) -> Result<Option<String>, GitError> {
        let output = call.run().await?;
        match output.code {
            Some(0) => Ok(Some(output.line()?.to_owned())),
            Some(1) => Ok(None),
            Some(_) | None => Err(output.failed()),
        }
    }

    async fn filters_to_switch_off(&self) -> Result<Vec<(String, String)>, GitError> {
        let args = ["config", "--includes", "--name-only", "-z", "--get-regexp", r"^filter\."];
        let names = self.config(self.call("config", args)).await?.unwrap_or_default();
        let mut settings = Vec::new();
        for name in names.split('\0').filter(|name| !name.is_empty()) {
            let Some((filter, _)) = name.rsplit_once('.') else {
                continue;
            };
            for (key, value) in
                [("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")]
            {
                settings.push((format!("{filter}.{key}"), value.to_owned()));
            }
        }
        settings.dedup();
        Ok(settings)
    }

    pub(crate) fn no_such_commit(&self, name: &str) -> GitError {
        GitError::NoSuchCommit { name: name.to_owned(), place: self.root.display().to_string() }
    }
}

impl Head {
    /// The commit, where there is one.
    #[must_use]
    pub fn commit(&self) -> Option<&CommitId> {
        match self {
            Self::Unborn { .. } => None,
            Self::Branch { commit, .. } | Self::Detached { commit } => Some(commit),
        }
    }

    /// The branch's full ref, where one is checked out.
    #[must_use]
    pub fn branch(&self) -> Option<&SourceRef> {
        match self {
            Self::Unborn { branch } | Self::Branch { branch, .. } => Some(branch),
            Self::Detached { .. } => None,
        }
    }
}

impl WorkTreeState {
    /// Whether a tracked file differs from the commit.
    #[must_use]
    pub fn is_dirty(self) -> bool {
        self.changed > 0
    }
}

fn not_found(folder: &Path, output: &Output) -> GitError {
    let said = output.said(&[]);
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("dubious ownership") || text.contains("unsafe repository") {
        GitError::NotOwned { path: folder.display().to_string(), said }
    } else {
        GitError::NotARepository { path: folder.to_owned(), said }
    }
}
