//! Promotion: the same digest comes to another environment, with its tag, its alias and its pin.

use super::alias;
use super::apply::{Decision, Say, Step, carry_out};
use super::carry::Carry;
use super::error::DeployError;
use super::facts::{builds_of, check_names, image_named, next_key, repository_of, tag_of};
use super::pull_request::state_now;
use super::run::known;
use super::{Done, ImageDone, NameDone, Report, Run};
use crate::app::App;
use crate::publish::{PublishError, TagDone, image_claim, tag_changes};
use crate::registries::{Registries, TagPut};
use crate::seam::{Question, all, environment_state};
use crate::settings::{EnvironmentSettings, Settings};
use ::record::claim::{BuildClaim, DeployKind, Kind, NamedBy, Right};
use ::record::{EnvironmentState, Facet, Sequenced};
use domain::{Digest, EnvironmentName, ImageName, PinnedRef, Repository, Tag};
use release::promote::TagStep;
use release::{PromotePlan, plan_promote};
use tagging::{Facts, Scheme, Taken, is_of};

/// How many of an environment's newest tags are asked whether they name the digest already.
const TAGS_ASKED_MAX: usize = 10;

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
    /// How it is carried out.
    pub carry: Carry,
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
            expected: to.promotes_from.clone(),
        });
    }
    check_names(settings, &request.images)?;
    let record = app.record_to_read().await?;
    let there = environment_state(record, &from.name).await?;
    let here = state_now(app, to, &request.carry).await?;
    let images = images(settings, &there, &request.images)?;
    let unknown = left_out(settings, &there, &request.images);
    // All plans first: one refused image must not leave the others half promoted.
    let mut plans = Vec::new();
    for image in &images {
        let plan = plan_promote(&there, &here, image, NamedBy::Rule).map_err(|source| {
            DeployError::Promote { image: image.clone(), environment: to.name.clone(), source }
        })?;
        plans.push((image.clone(), plan));
    }
    // A pass that writes nothing finds a missing place before a tag is made.
    let mut planned = Vec::new();
    for (image, plan) in &plans {
        let bring = Bring { app, settings, from, to, image };
        planned.push(bring.decide(&here, plan.clone(), request, Run::Dry).await?);
    }
    let rehearsal = Carry { run: Run::Dry, ..request.carry.clone() };
    let mut report = carry_out(app, to, planned, &rehearsal).await?;
    if request.carry.run == Run::Dry {
        report.warnings.extend(unknown);
        return Ok(report);
    }
    // Neither a copy nor a tag is made for somebody who may not record it.
    app.record().await?.may(Right::Claims)?;
    let mut decisions = Vec::new();
    for (image, plan) in plans {
        let bring = Bring { app, settings, from, to, image: &image };
        decisions.push(bring.decide(&here, plan, request, Run::Real).await?);
    }
    let mut report = carry_out(app, to, decisions, &request.carry).await?;
    report.warnings.extend(unknown);
    Ok(report)
}

/// The images that were named, or all of the settings that were deployed there.
fn images(
    settings: &Settings,
    there: &EnvironmentState,
    named: &[String],
) -> Result<Vec<ImageName>, DeployError> {
    if !named.is_empty() {
        return named.iter().map(|text| image_named(settings, text).cloned()).collect();
    }
    let known = there.images().into_iter().filter(|image| settings.images.contains_key(*image));
    let known: Vec<_> = known.cloned().collect();
    if known.is_empty() {
        return Err(DeployError::NothingDeployed { environment: there.name().clone() });
    }
    Ok(known)
}

/// What is deployed there and has been taken out of the settings: it is not brought, and that is said.
fn left_out(settings: &Settings, there: &EnvironmentState, named: &[String]) -> Vec<String> {
    if !named.is_empty() {
        return Vec::new();
    }
    let unknown = there.images().into_iter().filter(|image| !settings.images.contains_key(*image));
    let said =
        |image| format!("`{image}` is deployed there and is no image of the settings: left out");
    unknown.map(said).collect()
}

/// The names that a build was given, or would be.
struct Named {
    /// The one that stands in files.
    tag: Option<Tag>,
    names: Vec<NameDone>,
    warnings: Vec<String>,
}

/// The tag of the target environment, for people.
fn of_tag(step: &TagStep) -> Option<NameDone> {
    match step {
        TagStep::Create(tag) => Some(NameDone::Created(tag.clone())),
        TagStep::Reuse(tag) => Some(NameDone::Kept(tag.clone())),
        TagStep::Keep(tag) => tag.clone().map(NameDone::Kept),
    }
}

/// One image on its way.
struct Bring<'a> {
    app: &'a App,
    settings: &'a Settings,
    from: &'a EnvironmentSettings,
    to: &'a EnvironmentSettings,
    image: &'a ImageName,
}

impl Bring<'_> {
    async fn decide(
        &self,
        here: &EnvironmentState,
        plan: PromotePlan,
        request: &PromoteRequest,
        run: Run,
    ) -> Result<Decision, DeployError> {
        let done = |what| {
            let image = self.image.clone();
            Ok(Decision::Done(Box::new(ImageDone::new(image, what, Vec::new()))))
        };
        match plan {
            PromotePlan::Held(hold) => done(Done::Held(hold)),
            PromotePlan::Same { digest } => {
                let repository = repository_of(self.settings, self.to, self.image)?;
                let tag = here.current(self.image).and_then(|fact| fact.claim.tag.clone());
                let step = known(here, self.image, repository, tag, digest);
                Ok(Decision::Step(Box::new(step)))
            }
            PromotePlan::Bring { digest, replaces, tag, .. } => {
                let Named { tag, names, warnings } = self.names(digest, tag, request, run).await?;
                let repository = repository_of(self.settings, self.to, self.image)?;
                Ok(Decision::Step(Box::new(Step {
                    key: next_key(here, self.image),
                    to: PinnedRef { repository: repository.clone(), tag, digest },
                    repository,
                    image: self.image.clone(),
                    from: replaces,
                    how: DeployKind::Promote { from: self.from.name.clone() },
                    named_by: NamedBy::Rule,
                    reason: crate::decide::text(request.reason.as_deref())?,
                    ticket: crate::decide::text(request.ticket.as_deref())?,
                    warnings,
                    names,
                    say: Say::New,
                })))
            }
        }
    }

    /// Copies the image where the target has its own repository, and makes its tag; the alias comes last.
    async fn names(
        &self,
        digest: Digest,
        built_as: Option<Tag>,
        request: &PromoteRequest,
        run: Run,
    ) -> Result<Named, DeployError> {
        let registries = Registries::of(self.app)?;
        let source = repository_of(self.settings, self.from, self.image)?;
        let target = repository_of(self.settings, self.to, self.image)?;
        let step = self.tag_step(digest, built_as, &target).await?;
        if run == Run::Dry {
            // The pass before the real one is not shown, and need not know where the alias is.
            let (moved, warning) = match request.carry.run {
                Run::Dry => alias::plan(&registries, self.to, &target, digest).await,
                Run::Real => (None, None),
            };
            let names = of_tag(&step).into_iter().chain(moved).collect();
            let warnings = warning.into_iter().collect();
            return Ok(Named { tag: step.tag().cloned(), names, warnings });
        }
        alias::check(&registries, self.to, &target).await?;
        if source != target {
            registries.copy_between(&source, digest, &target).await?;
        } else if !registries.has(&target, digest).await? {
            return Err(DeployError::Gone { repository: target, digest });
        }
        let tags = put_tag(&registries, &target, &step, digest).await?;
        self.say(&registries, &target, digest, &tags).await?;
        let names = of_tag(&step).into_iter().collect();
        Ok(Named { tag: step.tag().cloned(), names, warnings: Vec::new() })
    }

    fn scheme(&self) -> Option<&Scheme> {
        self.settings.images.get(self.image)?.schemes.first()
    }

    /// Source: DESIGN §5: a tag of that scheme and environment which the digest already has is used again.
    async fn tag_step(
        &self,
        digest: Digest,
        built_as: Option<Tag>,
        target: &Repository,
    ) -> Result<TagStep, DeployError> {
        let app = self.app;
        let record = app.record().await?;
        let builds = builds_of(record, self.image).await?;
        let Some(scheme) = self.scheme().filter(|scheme| scheme.has_environment()) else {
            let built_as = built_as.or_else(|| tag_of(&builds, digest, self.to));
            return Ok(TagStep::Keep(built_as));
        };
        let question = Question::of([Kind::Deploy]).about(Facet::Digest, digest);
        let deploys = all(record, &question).await?;
        let fits = |tag: &Tag| is_of(scheme, Some(&self.to.name), tag);
        if let Some(tag) = known_tags(digest, &builds, &deploys).into_iter().find(fits) {
            return Ok(TagStep::Reuse(tag));
        }
        let mut facts = Facts::at(app.surroundings().now());
        facts.environment = Some(self.to.name.clone());
        let registries = Registries::of(app)?;
        let taken = registries.tags(target).await?;
        // A promotion that was cut off may have made the tag already.
        for tag in taken.iter().rev().filter(|tag| fits(tag)).take(TAGS_ASKED_MAX) {
            if registries.resolve(target, tag).await? == Some(digest) {
                return Ok(TagStep::Reuse(tag.clone()));
            }
        }
        let taken = Taken { tags: &taken, commit_digits: 0 };
        let tag =
            scheme.compute(&facts, &taken).map_err(|error| Box::new(PublishError::from(error)))?;
        Ok(TagStep::Create(tag))
    }

    async fn say(
        &self,
        registries: &Registries,
        target: &Repository,
        digest: Digest,
        tags: &[TagDone],
    ) -> Result<(), DeployError> {
        let facts = registries.describe(target, digest).await?;
        let owner = registries.owner(target).await?;
        let mut claims = vec![image_claim(&facts)];
        let changes = tag_changes(self.app, owner, target, digest, tags, &[]).await;
        claims.extend(changes.map_err(Box::new)?);
        self.app.record().await?.append(claims).await?;
        Ok(())
    }
}

fn known_tags(digest: Digest, builds: &[BuildClaim], deploys: &[Sequenced]) -> Vec<Tag> {
    let built =
        builds.iter().filter(|build| build.digest == digest).flat_map(|build| build.tags.clone());
    let deployed = deploys.iter().filter_map(|event| {
        event.event.claim.as_deploy().filter(|deploy| deploy.to == digest)?.tag.clone()
    });
    built.chain(deployed).collect()
}

async fn put_tag(
    registries: &Registries,
    target: &Repository,
    step: &TagStep,
    digest: Digest,
) -> Result<Vec<TagDone>, DeployError> {
    let Some(tag) = step.tag() else { return Ok(Vec::new()) };
    match registries.create_tag(target, tag, digest).await? {
        TagPut::Created => Ok(vec![TagDone { tag: tag.clone(), is_new: true }]),
        TagPut::Same => Ok(vec![TagDone { tag: tag.clone(), is_new: false }]),
        TagPut::Taken { there, said } => {
            let (repository, tag) = (target.clone(), tag.clone());
            let taken = PublishError::Taken { repository, tag, there, new: digest, said };
            Err(Box::new(taken).into())
        }
    }
}
