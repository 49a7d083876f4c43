//! The steps of a publish, in the order that a re-run can take up again.

use super::aliases::{self, AliasDone};
use super::names::{Keep, Naming, TagRequest, check_names, compute_tags};
use super::recording::{build_claim, image_claim, tag_changes};
use super::{Bytes, PublishError};
use crate::app::{App, OpenError};
use crate::registries::{Registries, TagPut};
use crate::seam::RecordPlaceName;
use domain::{Digest, EnvironmentName, EventId, ImageName, PinnedRef, Repository, Tag, Timestamp};
use release::alias::AliasTold;
use tagging::Scheme;

/// What is to be published.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// The bytes.
    pub bytes: Bytes,
    /// Where they go, or are.
    pub to: Repository,
    /// The image's short name, where settings have one.
    pub image: Option<ImageName>,
    /// Tags that were named; empty: computed by the schemes.
    pub tags: Vec<Tag>,
    /// Schemes that replace those of the settings.
    pub schemes: Vec<Scheme>,
    /// Aliases to be moved.
    pub aliases: Vec<Tag>,
    /// `--env`.
    pub environment: Option<EnvironmentName>,
    /// `--at`.
    pub at: Option<Timestamp>,
    /// Whether aliases may go back.
    pub alias_told: AliasTold,
    /// Whether a changed work tree is fine.
    pub dirty: Dirty,
}

/// Whether tracked files may differ from the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dirty {
    /// No: the commit would not say what was built.
    Refused,
    /// Yes; the record says so.
    Allowed,
}

/// One tag of the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagDone {
    /// The tag.
    pub tag: Tag,
    /// Whether this run made it.
    pub is_new: bool,
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The image.
    pub digest: Digest,
    /// Where it is.
    pub repository: Repository,
    /// Its tags, the one for files first.
    pub tags: Vec<TagDone>,
    /// Its aliases.
    pub aliases: Vec<AliasDone>,
    /// The environment that it was built for.
    pub environment: Option<EnvironmentName>,
    /// Why that one, or why none.
    pub why_environment: String,
    /// The release's time.
    pub at: Timestamp,
    /// The build's event.
    pub event: Option<EventId>,
    /// Where it is recorded.
    pub record: RecordPlaceName,
    /// The CI, for its outputs.
    pub provider: tagging::Provider,
}

impl Published {
    /// The reference for files.
    #[must_use]
    pub fn reference(&self) -> PinnedRef {
        let tag = self.tags.first().map(|done| done.tag.clone());
        PinnedRef { repository: self.repository.clone(), tag, digest: self.digest }
    }
}

/// Publishes a build.
///
/// # Errors
/// A tag that is taken by other bytes, an alias that would go back, or a place that cannot be used.
pub async fn publish(app: &App, request: &PublishRequest) -> Result<Published, PublishError> {
    let registries = Registries::of(app)?;
    let (place, digest) = match &request.bytes {
        Bytes::Pushed(digest) => (None, *digest),
        Bytes::From(source) => {
            let place = registries.open_place(source).await?;
            let digest = registries.digest_of(&place).await?;
            (Some(place), digest)
        }
    };
    aliases::check_rules(&registries, &request.to, &request.aliases).await?;
    let naming = naming(app, request, Some(digest)).await?;
    check_names(app, &naming, &request.aliases)?;
    // Decided before a byte moves: a refused alias must not leave half a release.
    let coming =
        aliases::Coming { digest, tags: &naming.tags, commit: naming.source.ci.commit.as_ref() };
    let (to, told) = (&request.to, request.alias_told);
    let planned = aliases::plan(app, &registries, to, &request.aliases, &coming, told).await?;
    if let Some(place) = &place {
        registries.copy(place, &request.to).await?;
    }
    let facts = registries.describe(&request.to, digest).await?;
    let tags = put(&registries, &request.to, &naming.tags, digest).await?;
    let mut moved = Vec::new();
    for plan in &planned {
        moved.push(aliases::carry_out(&registries, &request.to, plan, digest).await?);
    }
    let owner = registries.owner(&request.to).await?;
    let mut claims = vec![image_claim(&facts), build_claim(request, &naming, digest, &moved)];
    claims.extend(tag_changes(app, owner, &request.to, digest, &tags, &moved).await?);
    let record = app.record().await?;
    let recorded = record.append(claims).await?;
    Ok(Published {
        digest,
        repository: request.to.clone(),
        tags,
        aliases: moved,
        environment: naming.environment,
        why_environment: naming.why_environment,
        at: naming.at,
        event: recorded.get(1).map(crate::seam::Recorded::id),
        record: record.place(),
        provider: naming.source.ci.provider,
    })
}

/// The tags that were named, or those of the schemes, kept for this release.
async fn naming(
    app: &App,
    request: &PublishRequest,
    digest: Option<Digest>,
) -> Result<Naming, PublishError> {
    let schemes = if request.tags.is_empty() { request.schemes.clone() } else { Vec::new() };
    let wanted = TagRequest {
        repository: request.to.clone(),
        image: request.image.clone(),
        schemes,
        environment: request.environment.clone(),
        at: request.at,
        digest,
    };
    // Before a name is reserved: a refused build must not keep one.
    if request.dirty == Dirty::Refused && is_dirty(app).await? {
        return Err(PublishError::Dirty);
    }
    if request.tags.is_empty() {
        compute_tags(app, &wanted, Keep::Reserve).await
    } else {
        super::names::named(app, &wanted, request.tags.clone()).await
    }
}

async fn is_dirty(app: &App) -> Result<bool, PublishError> {
    let of = OpenError::from;
    Ok(match app.checkout().await.map_err(of)? {
        Some(checkout) => checkout.state().await.map_err(of)?.is_dirty(),
        None => false,
    })
}

/// Makes the tags; the same bytes are success, others an error of its own.
async fn put(
    registries: &Registries,
    repository: &Repository,
    tags: &[Tag],
    digest: Digest,
) -> Result<Vec<TagDone>, PublishError> {
    let puts = registries.create_tags(repository, tags, digest).await?;
    let done = tags.iter().zip(puts).map(|(tag, put)| match put {
        TagPut::Created => Ok(TagDone { tag: tag.clone(), is_new: true }),
        TagPut::Same => Ok(TagDone { tag: tag.clone(), is_new: false }),
        TagPut::Taken { there, said } => Err(PublishError::Taken {
            repository: repository.clone(),
            tag: tag.clone(),
            there,
            new: digest,
            said,
        }),
    });
    done.collect()
}
