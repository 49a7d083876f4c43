//! Deploys, and notes of deploys that another tool made.

use super::apply::{Decision, Say, Step, carry_out};
use super::carry::Carry;
use super::error::DeployError;
use super::facts::{
    Wanted, build_of, builds_of, check_names, head, image_named, next_key, repository_of, resolve,
};
use super::merged;
use super::on_failure::{OnFailure, roll_back};
use super::pull_request::state_now;
use super::{Done, ImageDone, Report, Run};
use crate::app::App;
use crate::seam::{Recorded, environment_state};
use crate::settings::{DeployMode, EnvironmentSettings, Settings};
use ::record::EnvironmentState;
use ::record::claim::{
    BuildClaim, Claim, DeployClaim, DeployKind, Grade, Mode, NamedBy, Outcome, Right, Text,
};
use domain::{CommitId, Digest, EnvironmentName, EventId, ImageName, PinnedRef, Repository, Tag};
use release::{DeployPlan, MergeEvidence, plan_deploy};

/// What is to be deployed.
#[derive(Clone, Debug)]
pub struct DeployRequest {
    /// Where to.
    pub environment: EnvironmentName,
    /// Images that were named, with their builds; empty: the builds of HEAD, for every image.
    pub images: Vec<(String, Wanted)>,
    /// Another mode than the settings'.
    pub mode: Option<DeployMode>,
    /// Why.
    pub reason: Option<String>,
    /// A ticket.
    pub ticket: Option<String>,
    /// How it is carried out.
    pub carry: Carry,
    /// What follows a rollout that fails.
    pub on_failure: OnFailure,
}

/// A build that was chosen for an image.
struct Chosen {
    image: ImageName,
    repository: Repository,
    digest: Digest,
    tag: Option<Tag>,
    named_by: NamedBy,
    merge: Option<(EnvironmentName, release::VerifiedThere, MergeEvidence)>,
}

/// Deploys builds to an environment.
///
/// # Errors
/// Says which image is refused and why; nothing is written unless every image may go.
pub async fn deploy(app: &App, request: &DeployRequest) -> Result<Report, DeployError> {
    let settings = app.settings()?;
    let mut environment = app.environment(&request.environment)?.clone();
    environment.deploy = request.mode.unwrap_or(environment.deploy);
    check_names(settings, request.images.iter().map(|(text, _)| text))?;
    let state = state_now(app, &environment, &request.carry).await?;
    let reason = crate::decide::text(request.reason.as_deref())?;
    let ticket = crate::decide::text(request.ticket.as_deref())?;
    let mut decisions = Vec::new();
    let (chosen, unbuilt) = choose(app, settings, &environment, &state, &request.images).await?;
    for chosen in chosen {
        decisions.push(decide(&environment, &state, chosen, reason.clone(), ticket.clone())?);
    }
    if request.on_failure == OnFailure::RollBack && request.carry.run == Run::Real {
        app.record().await?.may(Right::Decisions)?;
    }
    let carried = carry_out(app, &environment, decisions, &request.carry).await;
    let mut report = match (carried, request.on_failure) {
        (Err(stopped), OnFailure::RollBack) => {
            return Err(roll_back(app, &environment, stopped, &request.carry).await);
        }
        (carried, OnFailure::Stop | OnFailure::RollBack) => carried?,
    };
    let stays = |image| format!("the commit has no build of `{image}`, which stays as it is");
    report.warnings.extend(unbuilt.iter().map(stays));
    Ok(report)
}

/// The builds to bring, and the images of which the commit has none.
async fn choose(
    app: &App,
    settings: &Settings,
    environment: &EnvironmentSettings,
    state: &EnvironmentState,
    named: &[(String, Wanted)],
) -> Result<(Vec<Chosen>, Vec<ImageName>), DeployError> {
    let record = app.record().await?;
    let mut all = Vec::new();
    let mut unbuilt = Vec::new();
    if named.is_empty() {
        let commit = head(app).await?;
        let mut missing = None;
        for image in settings.images.keys() {
            let builds = builds_of(record, image).await?;
            match of_commit(app, settings, environment, image, &commit, &builds).await {
                Ok(chosen) => all.push(chosen),
                // One image of several is often not built by a commit; it stays as it is.
                Err(error @ DeployError::NoBuild { .. }) => {
                    unbuilt.push(image.clone());
                    missing = missing.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        return match (all.is_empty(), missing) {
            (true, Some(error)) => Err(error),
            (_, _) => Ok((all, unbuilt)),
        };
    }
    for (text, wanted) in named {
        let image = image_named(settings, text)?;
        let repository = repository_of(settings, environment, image)?;
        let builds = builds_of(record, image).await?;
        let (digest, mut tag) = resolve(app, &repository, wanted, &builds, environment).await?;
        // The tag that stood beside it here before, such as a promotion's, is this environment's own.
        let before = state.landed(image).find(|fact| fact.claim.to == digest);
        if let (Wanted::Digest(_), Some(fact)) = (wanted, before) {
            tag = fact.claim.tag.clone().or(tag);
        }
        let (image, named_by) = (image.clone(), NamedBy::Name);
        all.push(Chosen { image, repository, digest, tag, named_by, merge: None });
    }
    Ok((all, unbuilt))
}

async fn of_commit(
    app: &App,
    settings: &Settings,
    environment: &EnvironmentSettings,
    image: &ImageName,
    commit: &CommitId,
    builds: &[BuildClaim],
) -> Result<Chosen, DeployError> {
    let build = build_of(builds, commit, environment).ok_or_else(|| DeployError::NoBuild {
        image: image.clone(),
        environment: environment.name.clone(),
        commit: commit.to_string(),
    })?;
    let merge = match &environment.promotes_from {
        None => None,
        Some(from) => {
            let evidence = merged::evidence_of(app, from, (image, builds), commit).await?;
            Some((from.clone(), environment.verified_there, evidence))
        }
    };
    Ok(Chosen {
        image: image.clone(),
        repository: repository_of(settings, environment, image)?,
        digest: build.digest,
        tag: build.tags.first().cloned(),
        named_by: NamedBy::Rule,
        merge,
    })
}

fn decide(
    environment: &EnvironmentSettings,
    state: &EnvironmentState,
    chosen: Chosen,
    reason: Option<Text>,
    ticket: Option<Text>,
) -> Result<Decision, DeployError> {
    let Chosen { image, repository, digest, tag, named_by, merge } = chosen;
    let request = release::DeployRequest {
        image: image.clone(),
        repository: repository.clone(),
        to: digest,
        tag: tag.clone(),
        named_by,
        merge,
    };
    let plan = plan_deploy(state, &request).map_err(|source| DeployError::Deploy {
        image: image.clone(),
        environment: state.name().clone(),
        promotes_from: environment.promotes_from.clone(),
        source,
    })?;
    let done = |what| Decision::Done(Box::new(ImageDone::new(image.clone(), what, Vec::new())));
    Ok(match plan {
        DeployPlan::Held(hold) => done(Done::Held(hold)),
        DeployPlan::Same => Decision::Step(Box::new(known(state, &image, repository, tag, digest))),
        DeployPlan::Change { from, how, warnings } => Decision::Step(Box::new(Step {
            say: Say::New,
            key: next_key(state, &image),
            to: PinnedRef { repository: repository.clone(), tag, digest },
            image,
            repository,
            from,
            how,
            named_by,
            reason,
            ticket,
            warnings,
            names: Vec::new(),
        })),
    })
}

/// What is intended already, as a step that only makes files say so.
pub(super) fn known(
    state: &EnvironmentState,
    image: &ImageName,
    repository: Repository,
    tag: Option<Tag>,
    digest: Digest,
) -> Step {
    let current = state.current(image);
    let how = current.map_or(DeployKind::Deploy, |fact| fact.claim.how.clone());
    Step {
        key: current.map_or_else(|| next_key(state, image), |fact| fact.claim.key.clone()),
        to: PinnedRef { repository: repository.clone(), tag, digest },
        image: image.clone(),
        repository,
        from: None,
        how,
        named_by: NamedBy::Rule,
        reason: None,
        ticket: None,
        warnings: Vec::new(),
        names: Vec::new(),
        say: Say::Known,
    }
}

/// A deploy that another tool made.
#[derive(Clone, Debug)]
pub struct NoteRequest {
    /// Where.
    pub environment: EnvironmentName,
    /// The images, with their builds.
    pub images: Vec<(String, Wanted)>,
    /// Why.
    pub reason: Option<String>,
    /// Recorded or shown.
    pub run: Run,
}

/// Records deploys that another tool made; files are not touched.
///
/// # Errors
/// An image or build that is not known, or a record that cannot be used.
pub async fn note_deploy(app: &App, request: &NoteRequest) -> Result<Report, DeployError> {
    let settings = app.settings()?;
    let environment = app.environment(&request.environment)?;
    check_names(settings, request.images.iter().map(|(text, _)| text))?;
    let record = app.record().await?;
    let state = environment_state(record, &environment.name).await?;
    let reason = crate::decide::text(request.reason.as_deref())?;
    let mut images = Vec::new();
    let (named, _) = choose(app, settings, environment, &state, &request.images).await?;
    for chosen in named {
        let from = state.current(&chosen.image).map(|fact| fact.claim.to);
        if from == Some(chosen.digest) {
            let what = Done::Same { digest: chosen.digest };
            images.push(ImageDone::new(chosen.image, what, Vec::new()));
            continue;
        }
        let claim = noted(&state, &chosen, from, reason.clone());
        let event: Option<EventId> = match request.run {
            Run::Dry => None,
            Run::Real => record.append(vec![Claim::Deploy(claim)]).await?.first().map(Recorded::id),
        };
        // What another tool did is a fact; what speaks against it is said, not refused.
        let against = release::deploy::guard(&state, &chosen.image, &chosen.digest, NamedBy::Rule);
        let what = Done::Changed {
            from,
            to: chosen.digest,
            tag: chosen.tag,
            how: DeployKind::Noted.word(),
            condemns: None,
            places: Vec::new(),
            event,
        };
        let warnings = against.err().map(|refused| refused.to_string()).into_iter().collect();
        images.push(ImageDone::new(chosen.image, what, warnings));
    }
    let environment = environment.name.clone();
    Ok(Report {
        environment,
        mode: Mode::Other,
        grade: Grade::Applied,
        commit: None,
        images,
        warnings: Vec::new(),
        holds: Vec::new(),
        is_dry_run: request.run == Run::Dry,
    })
}

fn noted(
    state: &EnvironmentState,
    chosen: &Chosen,
    from: Option<Digest>,
    reason: Option<Text>,
) -> DeployClaim {
    DeployClaim {
        key: next_key(state, &chosen.image),
        environment: state.name().clone(),
        image: chosen.image.clone(),
        repository: chosen.repository.clone(),
        from,
        to: chosen.digest,
        tag: chosen.tag.clone(),
        how: DeployKind::Noted,
        // What another tool did names nothing: a condemnation stays until a person lifts it here.
        named_by: NamedBy::Rule,
        mode: Mode::Other,
        grade: Grade::Applied,
        outcome: Outcome::Done,
        commit: None,
        places: Vec::new(),
        reason,
        ticket: None,
    }
}
