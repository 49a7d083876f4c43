//! Carrying a plan out: files of this work tree, or one commit on the environment's branch; then the record.

use super::alias;
use super::attempt::Stopped;
use super::carry::Carry;
use super::error::DeployError;
use super::in_cluster;
use super::in_git::{Follows, in_git};
use super::places::{below, edit, pass_over};
use super::pull_request;
use super::rolling::again;
use super::synced::{self, is_worth_waiting};
use super::{Done, ImageDone, NameDone, Report, Run};
use crate::app::App;
use crate::edit::{Places, TextFile};
use crate::files::{Rewrite, text_files, write_all};
use crate::settings::{DeployMode, EnvironmentSettings};
use ::record::DeployFact;
use ::record::claim::{
    Claim, ClaimKey, DeployClaim, DeployKind, Grade, Mode, NamedBy, Outcome, Right, Text,
};
use cluster::TakeOver;
use domain::{CommitId, Digest, EventId, ImageName, PinnedRef, Repository};

/// The most places of one deploy that the record keeps.
const PLACES_MAX: usize = 100;

/// One image's change, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The image.
    pub(super) image: ImageName,
    /// Its repository here.
    pub(super) repository: Repository,
    /// What is intended until then.
    pub(super) from: Option<Digest>,
    /// What files are to say.
    pub(super) to: PinnedRef,
    /// How it is recorded.
    pub(super) how: DeployKind,
    /// Who chose the build.
    pub(super) named_by: NamedBy,
    /// The claim's key, which also stands in the commit. It names the deploy that this one follows: of two
    /// that follow the same, one is recorded.
    pub(super) key: ClaimKey,
    /// Why.
    pub(super) reason: Option<Text>,
    /// A ticket.
    pub(super) ticket: Option<Text>,
    /// What a person should know.
    pub(super) warnings: Vec<String>,
    /// Names in a registry that it was given, or would be.
    pub(super) names: Vec<NameDone>,
    /// Whether the record hears of it.
    pub(super) say: Say,
}

/// Whether a step is new to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// It is a deploy.
    New,
    /// The record says it already; only files that say something else are written.
    Known,
}

impl Step {
    /// A step that says again what is recorded, for a look at files.
    pub(super) fn of_fact(fact: &DeployFact) -> Self {
        let claim = &fact.claim;
        let (repository, tag, digest) = (claim.repository.clone(), claim.tag.clone(), claim.to);
        Self {
            image: claim.image.clone(),
            to: PinnedRef { repository: repository.clone(), tag, digest },
            repository,
            from: claim.from,
            how: claim.how.clone(),
            named_by: claim.named_by,
            key: claim.key.clone(),
            reason: claim.reason.clone(),
            ticket: claim.ticket.clone(),
            warnings: Vec::new(),
            names: Vec::new(),
            say: Say::Known,
        }
    }

    pub(super) fn named(&self) -> String {
        match &self.to.tag {
            Some(tag) => format!("{} {tag}", self.image),
            None => format!("{} {}", self.image, self.to.digest.short()),
        }
    }

    pub(super) fn verb(&self) -> &'static str {
        match &self.how {
            DeployKind::Rollback { .. } => "rollback",
            DeployKind::Promote { .. } => "promote",
            DeployKind::Deploy
            | DeployKind::PromotedByMerge { .. }
            | DeployKind::Noted
            | DeployKind::Imported => "deploy",
        }
    }

    pub(super) fn condemns(&self) -> Option<Digest> {
        match &self.how {
            DeployKind::Rollback { condemns, .. } => Some(*condemns),
            DeployKind::Deploy
            | DeployKind::Promote { .. }
            | DeployKind::PromotedByMerge { .. }
            | DeployKind::Noted
            | DeployKind::Imported => None,
        }
    }
}

/// What was written where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    /// The commit that says it, where git was written.
    pub(super) commit: Option<CommitId>,
    /// The places of each step, in the order of the steps.
    pub(super) images: Vec<Places>,
    /// Files that were passed over, each with the reason.
    pub(super) warnings: Vec<String>,
}

/// What one image's decision came to.
#[derive(Clone)]
pub(super) enum Decision {
    Step(Box<Step>),
    Done(Box<ImageDone>),
}

impl Decision {
    pub(super) fn step(&self) -> Option<&Step> {
        match self {
            Self::Step(step) => Some(step.as_ref()),
            Self::Done(_) => None,
        }
    }
}

/// Carries out all decisions of one environment, records them, and lets its alias follow.
pub(super) async fn carry_out(
    app: &App,
    environment: &EnvironmentSettings,
    decisions: Vec<Decision>,
    carry: &Carry,
) -> Result<Report, Stopped> {
    let steps: Vec<&Step> = decisions.iter().filter_map(Decision::step).collect();
    may_record(app, &steps, carry).await?;
    let run = carry.run;
    match environment.deploy {
        DeployMode::Files => {
            let applied = match steps.as_slice() {
                [] => Applied::default(),
                steps => in_files(app, environment, steps, run)?,
            };
            Ok(written(app, (environment, Mode::Files), decisions, (applied, run)).await?)
        }
        DeployMode::Git => {
            let mut unwatched = None;
            if is_worth_waiting(&decisions, run) && !environment.clusters.is_empty() {
                match synced::look(app, environment, &steps).await {
                    Ok(watched) => {
                        let how = (carry, &watched);
                        return synced::carry_out(app, environment, decisions, how).await;
                    }
                    Err(why) => unwatched = Some(format!("nobody waits for the pods: {why}")),
                }
            }
            let mut applied = match steps.as_slice() {
                [] => Applied::default(),
                steps => in_git(app, environment, steps, (run, Follows::Plan)).await?,
            };
            applied.warnings.extend(unwatched);
            Ok(written(app, (environment, Mode::Git), decisions, (applied, run)).await?)
        }
        DeployMode::Pr => Ok(pull_request::carry_out(app, environment, decisions, carry).await?),
        DeployMode::Cluster | DeployMode::GitCluster => {
            in_cluster::carry_out(app, environment, decisions, carry).await
        }
    }
}

/// Whoever may not record what is new is told so before anything is written.
async fn may_record(app: &App, steps: &[&Step], carry: &Carry) -> Result<(), DeployError> {
    if carry.run == Run::Real && steps.iter().any(|step| step.say == Say::New) {
        app.record().await?.may(Right::Claims)?;
        // What breaks the glass is noted.
        if carry.take_over == TakeOver::BreakGlass {
            app.record().await?.may(Right::Decisions)?;
        }
    }
    Ok(())
}

/// Records what was written, and lets the alias follow.
async fn written(
    app: &App,
    (environment, mode): (&EnvironmentSettings, Mode),
    decisions: Vec<Decision>,
    (applied, run): (Applied, Run),
) -> Result<Report, DeployError> {
    let steps: Vec<&Step> = decisions.iter().filter_map(Decision::step).collect();
    let events = match run {
        Run::Dry => vec![None; steps.len()],
        Run::Real => record(app, environment, mode, &steps, &applied)
            .await
            .map_err(|source| not_recorded(environment, &steps, &applied, source))?,
    };
    let to_follow = |step: &&Step| (step.image.clone(), step.repository.clone(), step.to.digest);
    let moves: Vec<_> = steps.iter().map(to_follow).collect();
    let mut outcomes = applied.images.into_iter().zip(events);
    let images = decisions.into_iter().map(|decision| match decision {
        Decision::Done(done) => *done,
        Decision::Step(step) => {
            let (places, event) = outcomes.next().unwrap_or_default();
            done(*step, places, event, run)
        }
    });
    let mut report = Report {
        environment: environment.name.clone(),
        mode,
        grade: Grade::Applied,
        images: images.collect(),
        commit: applied.commit,
        warnings: applied.warnings,
        holds: Vec::new(),
        is_dry_run: run == Run::Dry,
    };
    if run == Run::Real {
        alias::follow(app, environment, &moves, &mut report).await;
    }
    Ok(report)
}

pub(super) fn done(step: Step, places: Places, event: Option<EventId>, run: Run) -> ImageDone {
    let (image, mut warnings, digest) = (step.image.clone(), step.warnings.clone(), step.to.digest);
    warnings.extend(places.skipped.iter().map(|(seen, why)| format!("{seen} stays: {why}")));
    if step.say == Say::Known {
        if !places.changed.is_empty() {
            let written = match run {
                Run::Real => "were written",
                Run::Dry => "would be written",
            };
            let places = places.changed.join(", ");
            warnings.push(format!("files said something else and {written}: {places}"));
        }
        return ImageDone::new(image, Done::Same { digest }, warnings);
    }
    let what = Done::Changed {
        from: step.from,
        to: digest,
        condemns: step.condemns(),
        how: step.how.word(),
        tag: step.to.tag,
        places: places.changed,
        event,
    };
    ImageDone { image, what, warnings, names: step.names }
}

fn in_files(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
    run: Run,
) -> Result<Applied, DeployError> {
    let path = &environment.git.path;
    let (files, unread) = text_files(app.root(), path)?;
    let unread = unread.into_iter().map(|one| (one.shown, one.why, one.guess));
    let unread = pass_over(unread, steps)?;
    let (edited, applied) = edit(&files, unread, &below(path), steps)?;
    if run == Run::Real {
        let rewrite = |file: &TextFile| {
            let old = files.iter().find(|old| old.path == file.path)?;
            Some(Rewrite {
                path: app.root().join(&file.path),
                shown: file.path.clone(),
                old: old.text.clone(),
                new: file.text.clone(),
            })
        };
        write_all(&edited.iter().filter_map(rewrite).collect::<Vec<_>>())?;
    }
    Ok(applied)
}

/// Records the steps that are new; the `Deploy-Id` in the commit's trailers is the key of the claim.
async fn record(
    app: &App,
    environment: &EnvironmentSettings,
    mode: Mode,
    steps: &[&Step],
    applied: &Applied,
) -> Result<Vec<Option<EventId>>, DeployError> {
    let is_new = |step: &Step| step.say == Say::New;
    let new = steps.iter().zip(&applied.images).filter(|(step, _)| is_new(step));
    let commit = applied.commit.as_ref();
    let claims: Vec<Claim> = new
        .map(|(step, places)| Claim::Deploy(claim(environment, mode, step, places, commit)))
        .collect();
    if claims.is_empty() {
        return Ok(vec![None; steps.len()]);
    }
    let recorded = app.record().await?.append(claims).await?;
    let mut ids = recorded.iter().map(crate::seam::Recorded::id);
    Ok(steps.iter().map(|step| is_new(step).then(|| ids.next()).flatten()).collect())
}

/// What was written all the same, and the commands that do what is left.
fn not_recorded(
    environment: &EnvironmentSettings,
    steps: &[&Step],
    applied: &Applied,
    source: DeployError,
) -> DeployError {
    let places = || applied.images.iter().flat_map(|places| places.changed.iter().cloned());
    let changed = match &applied.commit {
        Some(commit) => {
            vec![format!("branch {} (commit {})", environment.git.branch, commit.short(12))]
        }
        None => places().collect(),
    };
    let new = steps.iter().filter(|step| step.say == Say::New);
    DeployError::NotRecorded {
        environment: environment.name.clone(),
        changed,
        steps: new.map(|step| again(&environment.name, step)).collect(),
        failed: None,
        source: Box::new(source),
    }
}

/// What the record hears of a step that landed.
pub(super) fn claim(
    environment: &EnvironmentSettings,
    mode: Mode,
    step: &Step,
    places: &Places,
    commit: Option<&CommitId>,
) -> DeployClaim {
    DeployClaim {
        key: step.key.clone(),
        environment: environment.name.clone(),
        image: step.image.clone(),
        repository: step.repository.clone(),
        from: step.from,
        to: step.to.digest,
        tag: step.to.tag.clone(),
        how: step.how.clone(),
        named_by: step.named_by,
        mode,
        grade: Grade::Applied,
        outcome: Outcome::Done,
        commit: commit.cloned(),
        places: places.changed.iter().chain(&places.same).take(PLACES_MAX).cloned().collect(),
        reason: step.reason.clone(),
        ticket: step.ticket.clone(),
    }
}
