//! Modes `cluster` and `git+cluster`: what runs each image is told, cluster by cluster, and waited for.
//!
//! ```text
//! look and rehearse everywhere -> record "begun" -> (push) -> tell and wait, cluster by cluster -> record how it ended
//! ```
//! Nothing is written where any place refuses. The first failure stops; clusters behind it stay as they were. A
//! commit that landed before that is in the record, and the same command finds it again: it makes no second one.

use super::apply::{Applied, Decision, Say, Step, claim, done};
use super::break_glass;
use super::carry::{Carry, News};
use super::error::DeployError;
use super::in_git::{Follows, in_git, key_behind};
use super::record_end::append_ends;
use super::rolling::{Rolling, again};
use super::step_end::{Ended, StepEnd};
use super::targets::{Place, gather, rehearse};
use super::{Report, Run, alias};
use crate::app::App;
use crate::edit::Places;
use crate::seam::{RecordError, Recorded};
use crate::settings::{DeployMode, EnvironmentSettings};
use ::record::claim::{Claim, DeployClaim, Grade, Mode, Outcome, TEXT_LEN_MAX, Text};
use cluster::TakeOver;
use domain::{CommitId, EventId};

/// What stands beside the clusters: the mode, and where git was written before them.
pub(super) struct Beside {
    pub(super) mode: Mode,
    pub(super) git: Applied,
}

impl Beside {
    /// Nothing is written yet.
    pub(super) fn of(mode: Mode) -> Self {
        Self { mode, git: Applied::default() }
    }

    /// What the files of this environment would say, where they belong to the deploy.
    async fn planned(
        app: &App,
        environment: &EnvironmentSettings,
        steps: &[&Step],
    ) -> Result<Self, DeployError> {
        let (mode, git) = match environment.deploy {
            DeployMode::GitCluster if !steps.is_empty() => {
                let planned = in_git(app, environment, steps, (Run::Dry, Follows::Plan)).await?;
                (Mode::GitCluster, planned)
            }
            DeployMode::GitCluster => (Mode::GitCluster, Applied::default()),
            DeployMode::Files | DeployMode::Git | DeployMode::Pr | DeployMode::Cluster => {
                (Mode::Cluster, Applied::default())
            }
        };
        Ok(Self { mode, git })
    }

    pub(super) fn commit(&self) -> Option<&CommitId> {
        self.git.commit.as_ref()
    }

    /// The places of a step, for people and the record: those that change, and those that say it already.
    fn places_of(&self, places: &[Place], step: usize) -> Places {
        let mut written = self.git.images.get(step).cloned().unwrap_or_default();
        for place in places {
            for container in place.containers.iter().filter(|container| container.step == step) {
                let list = if container.is_same { &mut written.same } else { &mut written.changed };
                list.push(format!("{place} {}", container.name));
            }
        }
        written
    }
}

/// Carries out all decisions of one environment in its clusters, and records how they ended.
pub(super) async fn carry_out(
    app: &App,
    environment: &EnvironmentSettings,
    decisions: Vec<Decision>,
    carry: &Carry,
) -> Result<Report, DeployError> {
    let steps: Vec<&Step> = decisions.iter().filter_map(Decision::step).collect();
    let places = gather(app, environment, &steps).await?;
    rehearse(&places, carry.take_over).await?;
    let mut beside = Beside::planned(app, environment, &steps).await?;
    let (mut ends, mut events) = (vec![StepEnd::planned(); steps.len()], vec![None; steps.len()]);
    if carry.run == Run::Real && !steps.is_empty() {
        let begun = begin(app, environment, &steps, (&places, &beside)).await?;
        if beside.mode == Mode::GitCluster {
            match in_git(app, environment, &steps, (Run::Real, Follows::Begun(&begun))).await {
                Ok(applied) => beside.git = applied,
                Err(error) => {
                    let ended = Ended::Badly(format!("{error}: its clusters were told nothing"));
                    let ends = vec![StepEnd { ended, ..StepEnd::planned() }; steps.len()];
                    end(app, environment, &steps, (&places, &beside), (&begun, &ends)).await?;
                    return Err(error);
                }
            }
        }
        if carry.take_over == TakeOver::BreakGlass {
            let how = (steps.as_slice(), begun.as_slice(), carry);
            if let Err(error) = break_glass::suspend(app, environment, &places, how).await {
                let ended = Ended::Badly(format!("{error}: its clusters were told nothing"));
                let ends = vec![StepEnd { ended, ..StepEnd::planned() }; steps.len()];
                end(app, environment, &steps, (&places, &beside), (&begun, &ends)).await?;
                return Err(error);
            }
        }
        carry.listener.tell(&News::Begins);
        let rolling = Rolling { app, environment, steps: &steps, carry };
        let (came_to, stopped) = rolling.run(&places).await;
        let ended = end(app, environment, &steps, (&places, &beside), (&begun, &came_to)).await;
        events = ended.map_err(|source| DeployError::NotRecorded {
            environment: environment.name.clone(),
            changed: changed(&places, beside.commit()),
            steps: steps.iter().map(|step| again(&environment.name, step)).collect(),
            source: Box::new(source),
        })?;
        if let Some(error) = stopped {
            return Err(error);
        }
        ends = came_to;
    }
    report(app, environment, decisions, (carry, beside), (&places, ends, events)).await
}

/// What a person is told, and the alias that follows.
pub(super) async fn report(
    app: &App,
    environment: &EnvironmentSettings,
    decisions: Vec<Decision>,
    (carry, beside): (&Carry, Beside),
    (places, ends, events): (&[Place], Vec<StepEnd>, Vec<Option<EventId>>),
) -> Result<Report, DeployError> {
    let steps: Vec<&Step> = decisions.iter().filter_map(Decision::step).collect();
    let moves: Vec<_> = steps
        .iter()
        .map(|step| (step.image.clone(), step.repository.clone(), step.to.digest))
        .collect();
    let grade = ends.iter().map(|end| end.grade).max().unwrap_or(Grade::Applied);
    let written: Vec<Places> = (0..steps.len()).map(|at| beside.places_of(places, at)).collect();
    let mut outcomes = written.into_iter().zip(ends).zip(events);
    let mut images = Vec::new();
    for decision in decisions {
        match decision {
            Decision::Done(done) => images.push(*done),
            Decision::Step(step) => {
                let Some(((places, end), event)) = outcomes.next() else { continue };
                let mut image = done(*step, places, event, carry.run);
                image.warnings.extend(end.warnings.into_iter().chain(end.beside));
                images.push(image);
            }
        }
    }
    let mut report = Report {
        environment: environment.name.clone(),
        mode: beside.mode,
        grade,
        images,
        commit: beside.git.commit,
        warnings: beside.git.warnings,
        holds: Vec::new(),
        is_dry_run: carry.run == Run::Dry,
    };
    if carry.run == Run::Real {
        alias::follow(app, environment, &moves, &mut report).await;
    }
    Ok(report)
}

/// Records that the deploys begin; of two that follow the same one, one may.
pub(super) async fn begin(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
    (places, beside): (&[Place], &Beside),
) -> Result<Vec<Option<EventId>>, DeployError> {
    let open = Outcome::Open { why: short("begun") };
    let new = |(at, step): (usize, &&Step)| {
        let written = beside.places_of(places, at);
        let mut claim = claim(environment, beside.mode, step, &written, None);
        claim.outcome = open.clone();
        (step.say == Say::New).then_some(Claim::Deploy(claim))
    };
    let claims: Vec<Claim> = steps.iter().enumerate().filter_map(new).collect();
    if claims.is_empty() {
        return Ok(vec![None; steps.len()]);
    }
    let recorded = match app.record().await?.append(claims).await {
        Ok(recorded) => recorded,
        Err(RecordError::KeyTaken { .. }) => {
            let image = steps.first().map(|step| step.image.clone());
            let image = image.expect("claims are made of steps, and there are some");
            return Err(DeployError::Overtaken { image, environment: environment.name.clone() });
        }
        Err(error) => return Err(error.into()),
    };
    let mut ids = recorded.iter().map(Recorded::id);
    Ok(steps.iter().map(|step| (step.say == Say::New).then(|| ids.next()).flatten()).collect())
}

/// Records how the deploys ended.
pub(super) async fn end(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
    (places, beside): (&[Place], &Beside),
    (begun, ends): (&[Option<EventId>], &[StepEnd]),
) -> Result<Vec<Option<EventId>>, DeployError> {
    let claim_of = |at: usize, step: &Step, begun: EventId| {
        let mut written = beside.places_of(places, at);
        written.changed.extend(ends[at].beside.iter().cloned());
        let mut claim = claim(environment, beside.mode, step, &written, beside.commit());
        claim.key = key_behind(&environment.name, step, Some(begun));
        claim.grade = ends[at].grade;
        claim.outcome = match &ends[at].ended {
            Ended::Well => Outcome::Done,
            Ended::Badly(why) => Outcome::Failed { why: short(&half(beside, why)) },
            Ended::Unknown(why) => Outcome::Open { why: short(&half(beside, why)) },
        };
        claim
    };
    let claims: Vec<DeployClaim> = steps
        .iter()
        .enumerate()
        .filter_map(|(at, step)| Some(claim_of(at, step, begun[at]?)))
        .collect();
    if claims.is_empty() {
        return Ok(vec![None; steps.len()]);
    }
    let recorded = append_ends(app, claims).await?;
    let mut ids = recorded.iter().map(Recorded::id);
    Ok(begun.iter().map(|begun| begun.and_then(|_| ids.next())).collect())
}

/// Why it did not end well; where git says it already, that it is applied by half.
fn half(beside: &Beside, why: &str) -> String {
    match beside.commit() {
        Some(commit) => format!("half-applied: commit {} landed; {why}", commit.short(12)),
        None => why.to_owned(),
    }
}

/// What was told to whom, for the one who has to know it where the record does not.
fn changed(places: &[Place], commit: Option<&CommitId>) -> Vec<String> {
    let commit = commit.map(|commit| format!("commit {}", commit.short(12)));
    let told = places.iter().filter(|place| !place.to_set().is_empty());
    commit.into_iter().chain(told.map(ToString::to_string)).collect()
}

/// A text of the record, cut to what one may hold.
pub(super) fn short(text: &str) -> Text {
    let plain: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_LEN_MAX / 4).collect();
    Text::try_from(plain).expect("a quarter of the length in characters of at most four bytes fits")
}
