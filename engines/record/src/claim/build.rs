//! Images and builds: what the bytes say, and a claim about where they came from.

use super::ClaimKey;
use domain::{CommitId, Digest, EnvironmentName, ImageName, Platform, Repository, SourceRef, Tag};
use serde::{Deserialize, Serialize};

/// What an image's bytes say; written by whoever verified them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// The digest that people use: the index's, or the only manifest's.
    pub digest: Digest,
    /// The media type of those bytes.
    pub media_type: String,
    /// Their size in bytes.
    pub size: u64,
    /// What the index lists, or the manifest itself; attestations are left out.
    pub platforms: Vec<PlatformImage>,
}

/// One platform of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformImage {
    /// Left out where neither index nor configuration tells.
    pub platform: Option<Platform>,
    /// The platform manifest.
    pub manifest: Digest,
    /// The image configuration; some runtimes report this one.
    pub config: Option<Digest>,
}

/// From what an image was built, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// The image.
    pub digest: Digest,
    /// Where it was pushed.
    pub repository: Repository,
    /// Its short name in the settings.
    pub image: Option<ImageName>,
    /// Create-only tags, the one that goes into files first.
    pub tags: Vec<Tag>,
    /// Aliases that were moved to it.
    pub aliases: Vec<Tag>,
    /// The environment that it was built for; none means shared.
    pub environment: Option<EnvironmentName>,
    /// The source.
    pub source: Option<Source>,
    /// The run that built it; none on a laptop.
    pub run: Option<CiRun>,
    /// Whether we pushed the bytes or adopted what was there.
    pub published_by: PublishedBy,
}

/// The state of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Where the source lives, without credentials.
    pub repository: Option<String>,
    /// The commit.
    pub commit: CommitId,
    /// The commit that CI merged for the run, where it is another one.
    pub merge_commit: Option<CommitId>,
    /// The full ref.
    pub source_ref: Option<SourceRef>,
    /// Whether tracked files differed from the commit.
    pub dirty: bool,
}

/// A pipeline's run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CiRun {
    /// `github`, `gitlab`, `azure`.
    pub provider: String,
    /// The run's id, unchanged when it is run again.
    pub id: String,
    /// Counted from 1.
    pub attempt: Option<String>,
    /// Where people see it.
    pub url: Option<String>,
}

/// Who moved the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublishedBy {
    /// `publish` copied them.
    Publish,
    /// Another tool had pushed them; `publish --pushed` read and verified them.
    Adopted,
}
