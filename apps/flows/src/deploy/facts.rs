//! What a plan is made from: images by name, builds by commit, tags by digest.

use super::error::DeployError;
use crate::app::App;
use crate::registries::Registries;
use crate::seam::{Question, Record, all};
use crate::settings::{EnvironmentSettings, Settings};
use crate::source::source;
use ::record::claim::{BuildClaim, ClaimKey, Kind};
use ::record::{EnvironmentState, Facet};
use domain::{CommitId, Digest, ImageName, Repository, Tag};
use std::str::FromStr;

/// A build as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// By a tag of its repository.
    Tag(Tag),
    /// By its digest.
    Digest(Digest),
}

impl FromStr for Wanted {
    type Err = domain::TagError;

    fn from_str(text: &str) -> Result<Self, domain::TagError> {
        match text.parse() {
            Ok(digest) => Ok(Self::Digest(digest)),
            Err(_) => text.parse().map(Self::Tag),
        }
    }
}

/// Whether the record has heard of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// A build, image, tag or deploy has it.
    Something,
    /// Nothing but people's decisions, if any.
    Nothing,
}

/// Looks for a digest in everything that is recorded but people's decisions about it.
///
/// # Errors
/// The record cannot be read.
pub async fn knowledge(app: &App, digest: Digest) -> Result<Knowledge, DeployError> {
    let kinds = [Kind::Build, Kind::Image, Kind::TagChange, Kind::Deploy];
    let question = Question::of(kinds).about(Facet::Digest, digest);
    let events = all(app.record().await?, &question).await?;
    Ok(if events.is_empty() { Knowledge::Nothing } else { Knowledge::Something })
}

/// An image of the settings by its short name, or by its repository.
pub(super) fn image_named<'a>(
    settings: &'a Settings,
    text: &str,
) -> Result<&'a ImageName, DeployError> {
    let by_name =
        text.parse::<ImageName>().ok().and_then(|name| settings.images.get_key_value(&name));
    let found = by_name.map(|(name, _)| name).or_else(|| settings.image_of(&text.parse().ok()?));
    found.ok_or_else(|| {
        let known: Vec<_> = settings.images.keys().map(ImageName::as_str).collect();
        DeployError::NoImage { image: text.to_owned(), known: known.join(", ") }
    })
}

/// Refuses images that the settings do not have, before a record or a registry is asked anything.
pub(super) fn check_names<'a>(
    settings: &Settings,
    texts: impl IntoIterator<Item = &'a String>,
) -> Result<(), DeployError> {
    texts.into_iter().try_for_each(|text| image_named(settings, text).map(drop))
}

/// The repository of an image in an environment.
pub(super) fn repository_of(
    settings: &Settings,
    environment: &EnvironmentSettings,
    image: &ImageName,
) -> Result<Repository, DeployError> {
    let known = || settings.images.keys().map(ImageName::as_str).collect::<Vec<_>>().join(", ");
    let missing = || DeployError::NoImage { image: image.to_string(), known: known() };
    settings.repository(environment, image).cloned().ok_or_else(missing)
}

/// All builds of an image, oldest first.
pub(super) async fn builds_of(
    record: &dyn Record,
    image: &ImageName,
) -> Result<Vec<BuildClaim>, DeployError> {
    let events = all(record, &Question::of([Kind::Build]).about(Facet::Image, image)).await?;
    Ok(events.iter().filter_map(|event| event.event.claim.as_build().cloned()).collect())
}

/// The commit that is checked out, or that the CI's run is about.
pub(super) async fn head(app: &App) -> Result<CommitId, DeployError> {
    source(app).await?.ci.commit.ok_or(DeployError::NoCommit)
}

/// The newest build of a commit for an environment.
pub(super) fn build_of<'a>(
    builds: &'a [BuildClaim],
    commit: &CommitId,
    environment: &EnvironmentSettings,
) -> Option<&'a BuildClaim> {
    builds.iter().rev().find(|build| {
        let source = build.source.as_ref();
        let is_commit = source.is_some_and(|source| {
            source.commit == *commit || source.merge_commit.as_ref() == Some(commit)
        });
        is_commit && build.environment.as_ref() == Some(&environment.name)
    })
}

/// The digest that a person named, checked against the registry, and the tag that stands beside it.
pub(super) async fn resolve(
    app: &App,
    repository: &Repository,
    wanted: &Wanted,
    builds: &[BuildClaim],
    environment: &EnvironmentSettings,
) -> Result<(Digest, Option<Tag>), DeployError> {
    let registries = Registries::of(app)?;
    match wanted {
        Wanted::Tag(tag) => {
            let found = registries.resolve(repository, tag).await?;
            let missing =
                || DeployError::NoTag { repository: repository.clone(), tag: tag.clone() };
            let digest = found.ok_or_else(missing)?;
            // An alias in a file would lie tomorrow: its build's own tag stands there instead.
            let is_alias = environment.alias.as_ref() == Some(tag)
                || builds.iter().any(|build| build.aliases.contains(tag));
            let tag =
                if is_alias { tag_of(builds, digest, environment) } else { Some(tag.clone()) };
            Ok((digest, tag))
        }
        Wanted::Digest(digest) => {
            if !registries.has(repository, *digest).await? {
                return Err(DeployError::Gone { repository: repository.clone(), digest: *digest });
            }
            Ok((*digest, tag_of(builds, *digest, environment)))
        }
    }
}

/// The tag that goes into files: of the newest build for this environment, else of any.
pub(super) fn tag_of(
    builds: &[BuildClaim],
    digest: Digest,
    environment: &EnvironmentSettings,
) -> Option<Tag> {
    let of = |build: &&BuildClaim| build.digest == digest;
    let own = |build: &&BuildClaim| build.environment.as_ref() == Some(&environment.name);
    let newest = builds.iter().rev().filter(of).find(own).or_else(|| builds.iter().rev().find(of));
    newest.and_then(|build| build.tags.first().cloned())
}

/// The key of the next deploy of an image: it names the one that it follows.
pub(super) fn next_key(state: &EnvironmentState, image: &ImageName) -> ClaimKey {
    let last = state.newest(image).map(|fact| fact.stamp.id);
    ::record::deploy_key(state.name(), image, last)
}
