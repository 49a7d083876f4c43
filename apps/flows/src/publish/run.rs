//! The steps of a publish, in the order that a re-run can take up again.

use super::aliases::{self, AliasDone};
use super::basis::Basis;
use super::names::{Kept, RESERVATIONS_TRIED_MAX, no_free_name};
use super::plan::{Found, Plan, TagPlanned, find, plan, tag_request};
use super::recording::{build_claim, image_claim, tag_changes};
use super::{Bytes, PublishError};
use crate::app::App;
use crate::registries::{Registries, TagMade, TagsPut};
use crate::seam::{RecordPlaceName, Recorded};
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

/// What was published, or would be.
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
    /// The build's event; none with `--dry-run`.
    pub event: Option<EventId>,
    /// Where it is recorded.
    pub record: RecordPlaceName,
    /// The CI, for its outputs.
    pub provider: tagging::Provider,
    /// Whether it was only planned.
    pub is_dry_run: bool,
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
    let found = find(&registries, request).await?;
    let basis = Basis::gather(app, &tag_request(request, found.digest)).await?;
    for _ in 0..RESERVATIONS_TRIED_MAX {
        // Decided before a byte moves: a refused alias must not leave half a release.
        let plan = plan(app, &registries, request, &basis, found.digest).await?;
        match plan.naming.keep(app, &request.to).await? {
            Kept::All => return apply(app, &registries, request, &found, plan).await,
            // Another release took the name since it was looked for: all is decided again.
            Kept::Lost => {}
        }
    }
    Err(no_free_name(&basis))
}

/// Decides what [`publish`] would do now; writes no blob, tag, reservation or event.
///
/// # Errors
/// As [`publish`].
pub async fn preview(app: &App, request: &PublishRequest) -> Result<Published, PublishError> {
    let registries = Registries::of(app)?;
    let found = find(&registries, request).await?;
    let basis = Basis::gather(app, &tag_request(request, found.digest)).await?;
    let plan = plan(app, &registries, request, &basis, found.digest).await?;
    let tags = plan.tags.iter().map(TagPlanned::foreseen).collect();
    let moved = plan.aliases.iter().map(aliases::Planned::foreseen).collect();
    let record = app.record().await?.place();
    let published = published(request, found.digest, plan, tags, moved, record);
    Ok(Published { is_dry_run: true, ..published })
}

/// Carries a plan out: bytes, tags, aliases, record.
async fn apply(
    app: &App,
    registries: &Registries,
    request: &PublishRequest,
    found: &Found,
    plan: Plan,
) -> Result<Published, PublishError> {
    let (to, digest) = (&request.to, found.digest);
    if let Some(place) = &found.place {
        registries.copy(place, to).await?;
    }
    let facts = match &found.facts {
        Some(facts) => facts.clone(),
        None => registries.describe(to, digest).await?,
    };
    let tags = put(registries, to, &plan.naming.tags, digest).await?;
    let mut moved = Vec::new();
    for alias in &plan.aliases {
        moved.push(aliases::carry_out(registries, to, alias, digest).await?);
    }
    let owner = registries.owner(to).await?;
    let build = build_claim(request, &plan.naming, digest, &moved)?;
    let mut claims = vec![image_claim(&facts), build];
    claims.extend(tag_changes(app, owner, to, digest, &tags, &moved).await?);
    let record = app.record().await?;
    let recorded = record.append(claims).await?;
    let published = published(request, digest, plan, tags, moved, record.place());
    Ok(Published { event: recorded.get(1).map(Recorded::id), ..published })
}

fn published(
    request: &PublishRequest,
    digest: Digest,
    plan: Plan,
    tags: Vec<TagDone>,
    aliases: Vec<AliasDone>,
    record: RecordPlaceName,
) -> Published {
    Published {
        digest,
        repository: request.to.clone(),
        tags,
        aliases,
        environment: plan.naming.environment,
        why_environment: plan.naming.why_environment,
        at: plan.naming.at,
        event: None,
        record,
        provider: plan.naming.source.ci.provider,
        is_dry_run: false,
    }
}

/// Makes the tags; the same bytes are success, others an error of its own.
async fn put(
    registries: &Registries,
    repository: &Repository,
    tags: &[Tag],
    digest: Digest,
) -> Result<Vec<TagDone>, PublishError> {
    match registries.create_tags(repository, tags, digest).await? {
        TagsPut::Made(made) => {
            let done = tags.iter().zip(made);
            let done = done
                .map(|(tag, made)| TagDone { tag: tag.clone(), is_new: made == TagMade::Created });
            Ok(done.collect())
        }
        TagsPut::Taken { tag, there, said } => {
            let repository = repository.clone();
            Err(PublishError::Taken { repository, tag, there, new: digest, said })
        }
    }
}
