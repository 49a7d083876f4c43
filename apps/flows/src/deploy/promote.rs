//! Promotion: the same digest comes to another environment, with its tag, its alias and its pin.

use super::apply::{Decision, Step, carry_out};
use super::error::DeployError;
use super::facts::{builds_of, image_named, next_key, repository_of, tag_of};
use super::{Done, ImageDone, Report, Run};
use crate::app::App;
use crate::publish::{AliasDone, Moved, PublishError, TagDone, image_claim, tag_changes};
use crate::registries::{AliasMove, Registries, TagPut};
use crate::seam::{Question, all, environment_state};
use crate::settings::{EnvironmentSettings, Settings};
use ::record::claim::{BuildClaim, DeployKind, Kind, NamedBy};
use ::record::{Facet, Sequenced};
use domain::{Digest, EnvironmentName, ImageName, PinnedRef, Repository, Tag};
use release::promote::TagStep;
use release::{PromotePlan, plan_promote};
use tagging::{Facts, Scheme, Taken, is_of};

/// What is to be promoted.
#[derive(Clone, Debug)]
pub struct PromoteRequest {
    /// From there.
    pub from: EnvironmentName,
    /// To here.
    pub to: EnvironmentName,
    /// Images by short name or repository; empty: all that run there.
    pub images: Vec<String>,
    /// Why.
    pub reason: Option<String>,
    /// A ticket.
    pub ticket: Option<String>,
    /// Carried out or shown.
    pub run: Run,
}

/// Brings what one environment intends to another.
///
/// # Errors
/// Says which image is refused and why; nothing is written unless every image may come.
pub async fn promote(app: &App, request: &PromoteRequest) -> Result<Report, DeployError> {
    let settings = app.settings()?;
    let (from, to) = (app.environment(&request.from)?, app.environment(&request.to)?);
    if to.promotes_from.as_ref() != Some(&from.name) {
        return Err(DeployError::WrongChain {
            from: from.name.clone(),
            to: to.name.clone(),
            expected: to
                .promotes_from
                .as_ref()
                .map_or_else(|| "nowhere".to_owned(), ToString::to_string),
        });
    }
    let record = app.record().await?;
    let there = environment_state(record, &from.name).await?;
    let here = environment_state(record, &to.name).await?;
    let images: Vec<ImageName> = if request.images.is_empty() {
        there
            .images()
            .into_iter()
            .filter(|image| settings.images.contains_key(*image))
            .cloned()
            .collect()
    } else {
        let named = request.images.iter().map(|text| image_named(settings, text).cloned());
        named.collect::<Result<_, _>>()?
    };
    // All plans first: one refused image must not leave the others half promoted.
    let mut plans = Vec::new();
    for image in &images {
        let plan = plan_promote(&there, &here, image, NamedBy::Rule).map_err(|source| {
            DeployError::Promote { image: image.clone(), environment: to.name.clone(), source }
        })?;
        plans.push((image.clone(), plan));
    }
    let mut decisions = Vec::new();
    for (image, plan) in plans {
        let done = |what| {
            Decision::Done(Box::new(ImageDone { image: image.clone(), what, warnings: Vec::new() }))
        };
        decisions.push(match plan {
            PromotePlan::Held(hold) => done(Done::Held(hold)),
            PromotePlan::Same { digest } => done(Done::Same { digest }),
            PromotePlan::Bring { digest, replaces, tag, .. } => {
                let bring = Bring { settings, from, to, image: &image, digest, built_as: tag };
                let tag = bring.names(app, request.run).await?;
                let repository = repository_of(settings, to, &image)?;
                Decision::Step(Box::new(Step {
                    key: next_key(&here, &image),
                    to: PinnedRef { repository: repository.clone(), tag, digest },
                    repository,
                    image: image.clone(),
                    from: replaces,
                    how: DeployKind::Promote { from: from.name.clone() },
                    named_by: NamedBy::Rule,
                    reason: crate::decide::text(request.reason.as_deref())?,
                    ticket: crate::decide::text(request.ticket.as_deref())?,
                    warnings: Vec::new(),
                }))
            }
        });
    }
    carry_out(app, to, decisions, request.run).await
}

/// One digest on its way.
struct Bring<'a> {
    settings: &'a Settings,
    from: &'a EnvironmentSettings,
    to: &'a EnvironmentSettings,
    image: &'a ImageName,
    digest: Digest,
    built_as: Option<Tag>,
}

impl Bring<'_> {
    /// Copies the image where the target has its own repository, makes its tag and moves its alias.
    async fn names(&self, app: &App, run: Run) -> Result<Option<Tag>, DeployError> {
        let registries = Registries::of(app)?;
        let source = repository_of(self.settings, self.from, self.image)?;
        let target = repository_of(self.settings, self.to, self.image)?;
        let step = self.tag_step(app, &target).await?;
        if run == Run::Dry {
            return Ok(step.tag().cloned());
        }
        if source != target {
            registries.copy_between(&source, self.digest, &target).await?;
        } else if !registries.has(&target, self.digest).await? {
            return Err(DeployError::Gone { repository: target, digest: self.digest });
        }
        let tags = self.put_tag(&registries, &target, &step).await?;
        let aliases = self.move_alias(&registries, &target).await?;
        self.say(app, &registries, &target, &tags, &aliases).await?;
        Ok(step.tag().cloned())
    }

    fn scheme(&self) -> Option<&Scheme> {
        self.settings.images.get(self.image)?.schemes.first()
    }

    /// Source: DESIGN §5: a tag of that scheme and environment which the digest already has is used again.
    async fn tag_step(&self, app: &App, target: &Repository) -> Result<TagStep, DeployError> {
        let record = app.record().await?;
        let builds = builds_of(record, self.image).await?;
        let Some(scheme) = self.scheme().filter(|scheme| scheme.has_environment()) else {
            let built_as = self.built_as.clone().or_else(|| tag_of(&builds, self.digest, self.to));
            return Ok(TagStep::Keep(built_as));
        };
        let question = Question::of([Kind::Deploy]).about(Facet::Digest, self.digest);
        let deploys = all(record, &question).await?;
        let fits = |tag: &Tag| is_of(scheme, Some(&self.to.name), tag);
        if let Some(tag) = self.known_tags(&builds, &deploys).into_iter().find(fits) {
            return Ok(TagStep::Reuse(tag));
        }
        let mut facts = Facts::at(app.surroundings().now());
        facts.environment = Some(self.to.name.clone());
        let taken = Registries::of(app)?.tags(target).await?;
        let taken = Taken { tags: &taken, commit_digits: 0 };
        let tag =
            scheme.compute(&facts, &taken).map_err(|error| Box::new(PublishError::from(error)))?;
        Ok(TagStep::Create(tag))
    }

    fn known_tags(&self, builds: &[BuildClaim], deploys: &[Sequenced]) -> Vec<Tag> {
        let built = builds
            .iter()
            .filter(|build| build.digest == self.digest)
            .flat_map(|build| build.tags.clone());
        let deployed = deploys.iter().filter_map(|event| {
            event.event.claim.as_deploy().filter(|deploy| deploy.to == self.digest)?.tag.clone()
        });
        built.chain(deployed).collect()
    }

    async fn put_tag(
        &self,
        registries: &Registries,
        target: &Repository,
        step: &TagStep,
    ) -> Result<Vec<TagDone>, DeployError> {
        let Some(tag) = step.tag() else {
            return Ok(Vec::new());
        };
        match registries.create_tag(target, tag, self.digest).await? {
            TagPut::Created => Ok(vec![TagDone { tag: tag.clone(), is_new: true }]),
            TagPut::Same => Ok(vec![TagDone { tag: tag.clone(), is_new: false }]),
            TagPut::Taken { there, said } => Err(Box::new(PublishError::Taken {
                repository: target.clone(),
                tag: tag.clone(),
                there,
                new: self.digest,
                said,
            })
            .into()),
        }
    }

    async fn move_alias(
        &self,
        registries: &Registries,
        target: &Repository,
    ) -> Result<Vec<AliasDone>, DeployError> {
        match &self.to.alias {
            None => Ok(Vec::new()),
            Some(alias) => Ok(vec![move_alias(registries, target, alias, self.digest).await?]),
        }
    }

    async fn say(
        &self,
        app: &App,
        registries: &Registries,
        target: &Repository,
        tags: &[TagDone],
        aliases: &[AliasDone],
    ) -> Result<(), DeployError> {
        let facts = registries.describe(target, self.digest).await?;
        let owner = registries.owner(target).await?;
        let mut claims = vec![image_claim(&facts)];
        let changes = tag_changes(app, owner, target, self.digest, tags, aliases).await;
        claims.extend(changes.map_err(Box::new)?);
        app.record().await?.append(claims).await?;
        Ok(())
    }
}

/// Moves an environment's alias to what it intends now: a person told it by deploying, so it may go back.
pub(super) async fn move_alias(
    registries: &Registries,
    repository: &Repository,
    alias: &Tag,
    digest: Digest,
) -> Result<AliasDone, DeployError> {
    let no_rule = || {
        let (repository, tag) = (repository.clone(), alias.clone());
        Box::new(PublishError::NoRule { repository, tag })
    };
    if registries.class_of(repository, alias).await? == Some(domain::TagClass::Immutable) {
        return Err(no_rule().into());
    }
    let there = registries.resolve(repository, alias).await?;
    let moved = match registries.move_alias(repository, alias, there, digest).await? {
        AliasMove::Same => Moved::Same,
        AliasMove::Moved => there.map_or(Moved::Created, Moved::From),
        AliasMove::Stale { found } => {
            let found = found.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
            let (repository, alias) = (repository.clone(), alias.clone());
            return Err(Box::new(PublishError::Stale { repository, alias, found }).into());
        }
    };
    Ok(AliasDone { alias: alias.clone(), moved })
}
