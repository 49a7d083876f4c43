//! Why a build did not get its names.

use crate::app::OpenError;
use crate::registries::RegistryError;
use crate::seam::RecordError;
use crate::source::SourceError;
use crate::verdict::{Explain, Verdict};
use domain::{Digest, EnvironmentName, Repository, Tag};
use tagging::{EnvironmentRefused, ReleaseTimeError, SchemeError};

/// Why a build did not get its names.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Settings, record or git.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is being built.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A registry or another place of images.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The branch decides no environment.
    #[error("no environment for this build")]
    Environment(#[from] EnvironmentRefused),
    /// A scheme.
    #[error("no tag for this build")]
    Scheme(#[from] SchemeError),
    /// The release's time.
    #[error(transparent)]
    ReleaseTime(#[from] ReleaseTimeError),
    /// No scheme and no `--tag`.
    #[error("`{repository}` is in no settings, so no scheme gives it a tag")]
    NoScheme {
        /// The repository.
        repository: Repository,
    },
    /// The tag names other bytes.
    #[error("{repository}:{tag} is taken by {there}, this is {new}: {said}")]
    Taken {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// What it names.
        there: Digest,
        /// What was to be named.
        new: Digest,
        /// The registry's own words.
        said: String,
    },
    /// Adopting what is not there.
    #[error("{repository} has no {digest}: nothing was pushed there under that digest")]
    NotPushed {
        /// The repository.
        repository: Repository,
        /// The digest.
        digest: Digest,
    },
    /// A name that may move was to be a build's own tag.
    #[error("`{tag}` is an alias in {repository}: a build's own tag never moves")]
    IsAlias {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
    },
    /// One name is to be both.
    #[error(
        "`{name}` cannot be a tag of this build and its alias: a tag never moves, an alias does"
    )]
    TagAndAlias {
        /// The name.
        name: Tag,
    },
    /// The name belongs to an environment that this build is not for.
    #[error("`{name}` belongs to {owner}, and this build is not for {owner}: {why}")]
    OfAnother {
        /// The tag or alias.
        name: Tag,
        /// Whose it is.
        owner: EnvironmentName,
        /// For what the build is, or why for nothing.
        why: String,
    },
    /// The alias would go back.
    #[error(transparent)]
    Alias(#[from] release::AliasRefused),
    /// The tag is no alias at our registry: its first push would burn the name.
    #[error("`{tag}` is no alias in {repository}: pushing it would make it immutable for ever")]
    NoRule {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
    },
    /// Somebody else moved the alias meanwhile.
    #[error("alias `{alias}` of {repository} was moved to {found} by somebody else meanwhile")]
    Stale {
        /// The repository.
        repository: Repository,
        /// The alias.
        alias: Tag,
        /// What it names now.
        found: String,
    },
    /// Tracked files differ from the commit.
    #[error("tracked files differ from the commit: a tag from it would name something else")]
    Dirty,
    /// The past is cut off, and the scheme needs it.
    #[error("this is a shallow clone, and scheme `{scheme}` needs the whole past")]
    Shallow {
        /// The scheme.
        scheme: String,
    },
}

impl Explain for PublishError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Open(error) => error.verdict(),
            Self::Source(error) => error.verdict(),
            Self::Record(error) => error.verdict(),
            Self::Registry(error) => error.verdict(),
            Self::Taken { .. } => Verdict::Taken,
            // A name that nobody knows is wrong input; what the rules say no to is a refusal.
            Self::Environment(EnvironmentRefused::NoSuchEnvironment { .. }) => Verdict::Unknown,
            Self::OfAnother { .. }
            | Self::IsAlias { .. }
            | Self::Environment(_)
            | Self::Alias(_)
            | Self::NoRule { .. }
            | Self::Stale { .. } => Verdict::Refused,
            Self::Scheme(_)
            | Self::ReleaseTime(_)
            | Self::NoScheme { .. }
            | Self::NotPushed { .. }
            | Self::TagAndAlias { .. }
            | Self::Dirty
            | Self::Shallow { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Source(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::NoScheme { repository } => Some(format!(
                "name the tag (--tag TAG), or add {repository} to `images` in indelible.yaml"
            )),
            Self::Taken { repository, tag, .. } => Some(format!(
                "indelible history {repository}:{tag}; publish never overwrites, also no tag that is unlocked: push it with another client"
            )),
            Self::IsAlias { tag, .. } => Some(format!("to move it to this build: --alias {tag}")),
            Self::Alias(_) => Some("to move it all the same: --move-alias-back".to_owned()),
            Self::NoRule { repository, tag } => Some(format!(
                "indelible rule set '{}' '{tag}' alias --registry {}",
                repository.path(),
                repository.host()
            )),
            Self::Stale { .. } => Some("run the command again".to_owned()),
            Self::Dirty => Some("commit the changes, or say --allow-dirty".to_owned()),
            Self::Shallow { .. } => Some("git fetch --unshallow --tags".to_owned()),
            Self::OfAnother { .. }
            | Self::Environment(_)
            | Self::NotPushed { .. }
            | Self::TagAndAlias { .. }
            | Self::Scheme(_)
            | Self::ReleaseTime(_) => None,
        }
    }
}
