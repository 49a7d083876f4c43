//! Rollback: a new deploy of an older digest; the build that it leaves is condemned here.

use super::apply::{Decision, Say, Step, carry_out};
use super::carry::{Carry, News};
use super::error::DeployError;
use super::facts::{builds_of, check_names, image_named, next_key, repository_of};
use super::pull_request::state_now;
use super::{Report, Run};
use crate::app::App;
use crate::ask::{SHORT_DIGEST_LEN_MIN, steadily_ran};
use crate::decide;
use crate::registries::Registries;
use crate::seam::environment_state;
use crate::settings::{DeployMode, EnvironmentSettings, Settings};
use ::record::EnvironmentState;
use ::record::claim::{BuildClaim, DeployKind, Grade, HoldState, NamedBy, Right, TEXT_LEN_MAX};
use domain::{
    CommitId, Digest, EnvironmentName, EventId, ImageName, PinnedRef, Repository, Tag, Timestamp,
};
use release::rollback::{
    Against, Demands, Least, Pullable, Told, plan_rollback, rollback_candidates,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be rolled back.
#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// Where.
    pub environment: EnvironmentName,
    /// Images by short name or repository.
    pub images: Vec<String>,
    /// A tag, digest, commit or deploy to return to.
    pub to: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// A ticket.
    pub ticket: Option<String>,
    /// How it is carried out.
    pub carry: Carry,
}

/// A build that a rollback could return to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateRow {
    /// The image.
    pub image: ImageName,
    /// The build.
    pub digest: Digest,
    /// The tag beside it.
    pub tag: Option<Tag>,
    /// When it was last deployed here.
    pub at: Timestamp,
    /// The best grade that it reached here.
    pub grade: Grade,
    /// What speaks against it.
    pub against: Option<Against>,
}

/// Rolls images of an environment back.
///
/// # Errors
/// Nothing known-good is left, or it could not be found out whether it can still be pulled.
pub async fn rollback(app: &App, request: &RollbackRequest) -> Result<Report, DeployError> {
    rollback_in(app, app.environment(&request.environment)?, request).await
}

/// As [`rollback`], in an environment whose mode may be another than the settings'.
pub(super) async fn rollback_in(
    app: &App,
    environment: &EnvironmentSettings,
    request: &RollbackRequest,
) -> Result<Report, DeployError> {
    let settings = app.settings()?;
    check_names(settings, &request.images)?;
    let state = state_now(app, environment, &request.carry).await?;
    let images = named(settings, environment, &state, &request.images)?;
    let mut decisions = Vec::new();
    for image in &images {
        let step = plan(app, settings, environment, &state, image, request).await?;
        decisions.push(Decision::Step(Box::new(step)));
    }
    // A pass that writes nothing finds what is in the way before anything is held.
    let rehearsal = Carry { run: Run::Dry, ..request.carry.clone() };
    let planned = carry_out(app, environment, decisions.clone(), &rehearsal).await?;
    let holds: Vec<ImageName> = images.clone();
    if request.carry.run == Run::Dry {
        return Ok(Report { holds, ..planned });
    }
    for right in [Right::Claims, Right::Decisions] {
        app.record().await?.may(right)?;
    }
    let stays_held = |images: &[ImageName]| {
        for image in images {
            let (environment, image) = (environment.name.clone(), image.clone());
            request.carry.listener.tell(&News::StaysHeld { environment, image });
        }
    };
    for (at, (image, decision)) in images.iter().zip(&decisions).enumerate() {
        let held = hold(app, environment, image, decision, request.reason.as_deref()).await;
        held.inspect_err(|_| stays_held(&images[..at]))?;
    }
    match carry_out(app, environment, decisions, &request.carry).await {
        Ok(report) => Ok(Report { holds, ..report }),
        Err(stopped) => {
            stays_held(&images);
            Err(stopped.into())
        }
    }
}

/// Holds what is rolled back before it is: a pipeline must not bring the bad build back meanwhile.
async fn hold(
    app: &App,
    environment: &EnvironmentSettings,
    image: &ImageName,
    decision: &Decision,
    reason: Option<&str>,
) -> Result<(), DeployError> {
    let to = decision.step().map(Step::named).unwrap_or_default();
    let why = match reason {
        Some(reason) => format!("rolled back to {to}: {reason}"),
        None => format!("rolled back to {to}"),
    };
    let why: String = why.chars().take(TEXT_LEN_MAX / 4).collect();
    let at = (&environment.name, Some(image));
    decide::hold(app, at.0, at.1, HoldState::Held, Some(&why), Run::Real).await.map(drop).map_err(
        |source| DeployError::Hold {
            image: image.clone(),
            environment: environment.name.clone(),
            source: Box::new(source),
        },
    )
}

/// The images that were named, or the only one that there is.
fn named(
    settings: &Settings,
    environment: &EnvironmentSettings,
    state: &EnvironmentState,
    texts: &[String],
) -> Result<Vec<ImageName>, DeployError> {
    if !texts.is_empty() {
        return texts.iter().map(|text| image_named(settings, text).cloned()).collect();
    }
    let images: Vec<ImageName> = state.images().into_iter().cloned().collect();
    match images.as_slice() {
        [] => Err(DeployError::NothingDeployed { environment: environment.name.clone() }),
        [only] => Ok(vec![only.clone()]),
        several => Err(DeployError::WhichImage {
            environment: environment.name.clone(),
            images: several.iter().map(ToString::to_string).collect(),
        }),
    }
}

async fn plan(
    app: &App,
    settings: &Settings,
    environment: &EnvironmentSettings,
    state: &EnvironmentState,
    image: &ImageName,
    request: &RollbackRequest,
) -> Result<Step, DeployError> {
    let repository = repository_of(settings, environment, image)?;
    let builds = builds_of(app.record().await?, image).await?;
    let told = match &request.to {
        None => Told::Image,
        Some(text) => Told::Digest(target(app, state, image, &builds, text).await?),
    };
    let demands = demands(app, environment, (state, image)).await?;
    let known = pullable(app, state, image, &repository, (told, &demands)).await?;
    let ask = |digest: &Digest| known.get(digest).copied().unwrap_or(Pullable::Unknown);
    let plan = plan_rollback(state, image, told, &demands, &ask).map_err(|source| {
        DeployError::Rollback {
            image: image.clone(),
            environment: environment.name.clone(),
            source,
        }
    })?;
    let named_by = if told == Told::Image { NamedBy::Rule } else { NamedBy::Name };
    let passed_over = plan.passed_over.iter();
    let mut warnings: Vec<String> = passed_over
        .map(|(digest, why)| format!("{} is passed over: {why}", digest.short()))
        .collect();
    if ask(&plan.to) == Pullable::Unknown {
        warnings
            .push(format!("could not find out whether {} can still be pulled", plan.to.short()));
    }
    Ok(Step {
        key: next_key(state, image),
        to: PinnedRef { repository: repository.clone(), tag: plan.tag, digest: plan.to },
        repository,
        image: image.clone(),
        from: Some(plan.condemns),
        how: DeployKind::Rollback { condemns: plan.condemns, returns_to: Some(plan.returns_to) },
        named_by,
        reason: crate::decide::text(request.reason.as_deref())?,
        ticket: crate::decide::text(request.ticket.as_deref())?,
        warnings,
        names: Vec::new(),
        say: Say::New,
    })
}

async fn demands(
    app: &App,
    environment: &EnvironmentSettings,
    (state, image): (&EnvironmentState, &ImageName),
) -> Result<Demands, DeployError> {
    let (least, now) = (least(environment), app.surroundings().now());
    let seen = match least {
        Least::Anything => BTreeSet::new(),
        Least::Observed => {
            let others = state.candidates(image).into_iter();
            let others = others.filter(|candidate| candidate.grade != Grade::Observed);
            let others: BTreeSet<Digest> =
                others.map(|candidate| candidate.deploy.claim.to).collect();
            steadily_ran(app.record_to_read().await?, environment, others).await?
        }
    };
    Ok(Demands { least, soak_ms: environment.soak_ms, seen, now })
}

/// Where there are clusters pods can be observed, and nothing less is chosen by itself. Source: DESIGN, law 6.
fn least(environment: &EnvironmentSettings) -> Least {
    match environment.deploy {
        DeployMode::Cluster | DeployMode::GitCluster => Least::Observed,
        DeployMode::Files | DeployMode::Git | DeployMode::Pr => {
            if environment.clusters.is_empty() {
                Least::Anything
            } else {
                Least::Observed
            }
        }
    }
}

/// Asks the registry for every candidate; no answer is "unknown", never "gone".
async fn pullable(
    app: &App,
    state: &EnvironmentState,
    image: &ImageName,
    repository: &Repository,
    (told, demands): (Told, &Demands),
) -> Result<BTreeMap<Digest, Pullable>, DeployError> {
    let registries = Registries::of(app)?;
    let mut known = BTreeMap::new();
    for (candidate, against) in rollback_candidates(state, image, demands) {
        let digest = candidate.deploy.claim.to;
        // Only what may be chosen is asked for: the build that was named, else one that nothing speaks against.
        let may_be_chosen = match told {
            Told::Digest(named) => named == digest,
            Told::Image => against.is_none(),
        };
        if !may_be_chosen {
            continue;
        }
        let answer = match registries.has(repository, digest).await {
            Ok(true) => Pullable::Yes,
            Ok(false) => Pullable::No,
            Err(_) => Pullable::Unknown,
        };
        known.insert(digest, answer);
        // The first that can be returned to decides; asking on would only take time in an incident.
        if answer != Pullable::No {
            break;
        }
    }
    Ok(known)
}

/// The digest that `--to` means: a digest, a deploy's event, a tag beside it, or a commit.
async fn target(
    app: &App,
    state: &EnvironmentState,
    image: &ImageName,
    builds: &[BuildClaim],
    text: &str,
) -> Result<Digest, DeployError> {
    if let Ok(digest) = text.parse::<Digest>() {
        return Ok(digest);
    }
    let by_event = text.parse::<EventId>().ok();
    let by_deploy = state.landed(image).find(|fact| {
        Some(fact.stamp.id) == by_event
            || fact.claim.key.as_str() == text
            || fact.claim.tag.as_ref().is_some_and(|tag| tag.as_str() == text)
    });
    if let Some(fact) = by_deploy {
        return Ok(fact.claim.to);
    }
    if let Some(digest) = begun(state, image, text) {
        return Ok(digest);
    }
    let tagged =
        builds.iter().rev().find(|build| build.tags.iter().any(|tag| tag.as_str() == text));
    if let Some(build) = tagged {
        return Ok(build.digest);
    }
    let none = || DeployError::NoTarget {
        text: text.to_owned(),
        image: image.clone(),
        environment: state.name().clone(),
    };
    let commit = match text.parse::<CommitId>() {
        Ok(commit) => commit,
        Err(_) => {
            let checkout =
                app.checkout().await.map_err(crate::app::OpenError::from)?.ok_or_else(none)?;
            match checkout.find_commit(text).await {
                Ok(commit) => commit,
                Err(git::GitError::NoSuchCommit { .. }) => return Err(none()),
                Err(error) => return Err(crate::app::OpenError::from(error).into()),
            }
        }
    };
    let of = |build: &&BuildClaim| {
        let is_commit = build.source.as_ref().is_some_and(|source| source.commit == commit);
        is_commit && state.landed(image).any(|fact| fact.claim.to == build.digest)
    };
    builds.iter().rev().find(of).map(|build| build.digest).ok_or_else(none)
}

/// The one digest of those that were here that begins as tables show it.
fn begun(state: &EnvironmentState, image: &ImageName, text: &str) -> Option<Digest> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    if digits.len() < SHORT_DIGEST_LEN_MIN {
        return None;
    }
    let begins = |digest: &Digest| digest.hex().starts_with(digits);
    let all: BTreeSet<Digest> = state.landed(image).map(|fact| fact.claim.to).collect();
    let mut found = all.into_iter().filter(begins);
    found.next().filter(|_| found.next().is_none())
}

/// What a rollback could return to, in the order in which it would.
///
/// # Errors
/// The record cannot be read.
pub async fn candidates(
    app: &App,
    environment: &EnvironmentName,
) -> Result<Vec<CandidateRow>, DeployError> {
    let settings = app.environment(environment)?;
    let state = environment_state(app.record_to_read().await?, environment).await?;
    let mut rows = Vec::new();
    for image in state.images() {
        let demands = demands(app, settings, (&state, image)).await?;
        for (candidate, against) in rollback_candidates(&state, image, &demands) {
            rows.push(CandidateRow {
                image: image.clone(),
                digest: candidate.deploy.claim.to,
                tag: candidate.deploy.claim.tag.clone(),
                at: candidate.deploy.at(),
                grade: candidate.grade,
                against,
            });
        }
    }
    Ok(rows)
}
