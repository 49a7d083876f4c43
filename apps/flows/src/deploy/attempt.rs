//! One try to bring images to where they run, from its beginning in the record to its end there.
//!
//! ```text
//! begin: api "begun"  ->  commit landed, prod-eu told  ->  end: api failed: half-applied: commit 9f… landed; …
//! ```
//! Whatever goes wrong in between, the end is recorded with it; where the record cannot be told, the error says both.

use super::apply::{Applied, Decision, Say, Step, claim, done};
use super::carry::Carry;
use super::error::{DeployError, InterruptedStep};
use super::in_git::key_behind;
use super::record_end::append_ends;
use super::rolling::{Came, again};
use super::step_end::{Ended, PlaceEnd, Reached, StepEnd};
use super::targets::Place;
use super::{Report, Run, alias};
use crate::app::App;
use crate::edit::Places;
use crate::seam::{RecordError, Recorded};
use crate::settings::EnvironmentSettings;
use ::record::claim::{Claim, DeployClaim, Grade, Mode, Outcome, Text};
use domain::{EventId, ImageName};

/// One try to bring images to where they run.
pub(super) struct Attempt<'a> {
    pub(super) app: &'a App,
    pub(super) environment: &'a EnvironmentSettings,
    pub(super) carry: &'a Carry,
    pub(super) mode: Mode,
    /// What git says of it, where it belongs to it: planned first, then written.
    pub(super) git: Applied,
    pub(super) places: Vec<Place>,
    /// Applications whose automatic sync it has suspended.
    pub(super) suspended: Vec<String>,
    pub(super) images: Vec<OfImage>,
    reached: Vec<PlaceEnd>,
}

/// One image of it.
pub(super) struct OfImage {
    pub(super) step: Step,
    /// The event that says that it begins; none: it was recorded before.
    begun: Option<EventId>,
    end: StepEnd,
    /// The event that says how it ended.
    event: Option<EventId>,
}

/// Why it was not carried out to its end, and what it has begun.
pub(super) struct Stopped {
    pub(super) error: Box<DeployError>,
    pub(super) left: Left,
}

/// What something that was stopped leaves in the record.
pub(super) enum Left {
    /// Nothing was changed.
    Nothing,
    /// Something was changed, and nobody knows that it failed.
    Open,
    /// It failed: the images, each with the events that are this very deploy's.
    Failed(Vec<Begun>),
}

/// One image of a deploy, and the events that are its own.
pub(super) struct Begun {
    pub(super) image: ImageName,
    pub(super) events: Vec<EventId>,
}

impl From<DeployError> for Stopped {
    fn from(error: DeployError) -> Self {
        Self { error: Box::new(error), left: Left::Nothing }
    }
}

impl From<Stopped> for DeployError {
    fn from(stopped: Stopped) -> Self {
        *stopped.error
    }
}

impl<'a> Attempt<'a> {
    /// The steps among these decisions; nothing is recorded yet.
    pub(super) fn of(
        (app, environment, carry): (&'a App, &'a EnvironmentSettings, &'a Carry),
        mode: Mode,
        decisions: &[Decision],
    ) -> Self {
        let steps = decisions.iter().filter_map(Decision::step).cloned();
        let image = |step| OfImage { step, begun: None, end: StepEnd::planned(), event: None };
        Self {
            app,
            environment,
            carry,
            mode,
            git: Applied::default(),
            places: Vec::new(),
            suspended: Vec::new(),
            images: steps.map(image).collect(),
            reached: Vec::new(),
        }
    }

    pub(super) fn steps(&self) -> Vec<&Step> {
        self.images.iter().map(|image| &image.step).collect()
    }

    pub(super) fn begun(&self) -> Vec<Option<EventId>> {
        self.images.iter().map(|image| image.begun).collect()
    }

    /// The places of a step, for people and the record: those that change, and those that say it already.
    fn written(&self, step: usize) -> Places {
        let mut written = self.git.images.get(step).cloned().unwrap_or_default();
        for place in &self.places {
            for container in place.containers.iter().filter(|container| container.step == step) {
                let list = if container.is_same { &mut written.same } else { &mut written.changed };
                list.push(format!("{place} {}", container.name));
            }
        }
        written
    }

    /// Records that it begins; of two that follow the same deploy, one may.
    pub(super) async fn begin(&mut self) -> Result<(), DeployError> {
        let open = Outcome::Open { why: Text::cut("begun") };
        let new = |(at, image): (usize, &OfImage)| {
            let mut claim =
                claim(self.environment, self.mode, &image.step, &self.written(at), None);
            claim.outcome = open.clone();
            (image.step.say == Say::New).then_some(Claim::Deploy(claim))
        };
        let claims: Vec<Claim> = self.images.iter().enumerate().filter_map(new).collect();
        if claims.is_empty() {
            return Ok(());
        }
        let recorded = match self.app.record().await?.append(claims).await {
            Ok(recorded) => recorded,
            Err(RecordError::KeyTaken { .. }) => {
                let image = self.images.first().map(|image| image.step.image.clone());
                let image = image.expect("claims are made of steps, and there are some");
                let environment = self.environment.name.clone();
                return Err(DeployError::Overtaken { image, environment });
            }
            Err(error) => return Err(error.into()),
        };
        let mut ids = recorded.iter().map(Recorded::id);
        for image in self.images.iter_mut().filter(|image| image.step.say == Say::New) {
            image.begun = ids.next();
        }
        Ok(())
    }

    /// All of it ended so, and no workload was told anything.
    pub(super) fn told_nothing(&mut self, ended: &Ended) {
        for image in &mut self.images {
            image.end = StepEnd::told_nothing(ended.clone());
        }
    }

    /// How the rollouts ended; the error that stopped them.
    pub(super) fn came(&mut self, came: Came) -> Result<(), DeployError> {
        for (image, end) in self.images.iter_mut().zip(came.steps) {
            image.end = end;
        }
        self.reached = came.places;
        came.error.map_or(Ok(()), Err)
    }

    /// Stops where somebody does not want to wait any longer, before a workload is told.
    pub(super) fn may_go_on(&mut self) -> Result<(), DeployError> {
        if !self.carry.listener.is_stopped() {
            return Ok(());
        }
        let why = "stopped before its clusters were told anything".to_owned();
        self.told_nothing(&Ended::Unknown(why));
        let environment = self.environment.name.clone();
        let how_far = match &self.git.commit {
            Some(commit) => {
                format!(
                    "commit {} landed, and the clusters of {environment} were told nothing",
                    commit.short(12)
                )
            }
            None => format!("the clusters of {environment} were told nothing"),
        };
        Err(DeployError::Interrupted { how_far, steps: self.again(), environment })
    }

    pub(super) fn again(&self) -> Vec<InterruptedStep> {
        self.images.iter().map(|image| again(&self.environment.name, &image.step)).collect()
    }

    /// Records how it ended.
    ///
    /// # Errors
    /// The record cannot be told: then the error says what was changed.
    pub(super) async fn end(&mut self) -> Result<(), DeployError> {
        self.append_ends().await.map_err(|source| self.not_recorded(None, source))
    }

    /// Records what stopped it; where that fails too, the error says both.
    pub(super) async fn stopped(mut self, error: DeployError) -> Stopped {
        if let Err(source) = self.append_ends().await {
            let error = self.not_recorded(Some(Box::new(error)), source);
            return Stopped { error: Box::new(error), left: Left::Open };
        }
        let is_told = self.reached.iter().any(|end| end.reached == Reached::Told);
        let has_failed = self.images.iter().any(|image| matches!(image.end.ended, Ended::Badly(_)));
        let left = match (is_told || self.git.commit.is_some(), has_failed) {
            (false, _) => Left::Nothing,
            (true, false) => Left::Open,
            (true, true) => Left::Failed(self.images.iter().filter_map(OfImage::left).collect()),
        };
        Stopped { error: Box::new(error), left }
    }

    async fn append_ends(&mut self) -> Result<(), DeployError> {
        let claim_of = |(at, image): (usize, &OfImage)| {
            let begun = image.begun?;
            let mut written = self.written(at);
            written.changed.extend(image.end.beside.iter().cloned());
            let commit = self.git.commit.as_ref();
            let mut claim = claim(self.environment, self.mode, &image.step, &written, commit);
            claim.key = key_behind(&self.environment.name, &image.step, Some(begun));
            claim.grade = image.end.grade;
            claim.outcome = match &image.end.ended {
                Ended::Well => Outcome::Done,
                Ended::Badly(why) => Outcome::Failed { why: Text::cut(&self.half(why)) },
                Ended::Unknown(why) => Outcome::Open { why: Text::cut(&self.half(why)) },
            };
            Some(claim)
        };
        let claims: Vec<DeployClaim> =
            self.images.iter().enumerate().filter_map(claim_of).collect();
        if claims.is_empty() {
            return Ok(());
        }
        let recorded = append_ends(self.app, claims).await?;
        let mut ids = recorded.iter().map(Recorded::id);
        for image in self.images.iter_mut().filter(|image| image.begun.is_some()) {
            image.event = ids.next();
        }
        Ok(())
    }

    /// Why it did not end well; where git says it already, that it is applied by half.
    fn half(&self, why: &str) -> String {
        match &self.git.commit {
            Some(commit) => format!("half-applied: commit {} landed; {why}", commit.short(12)),
            None => why.to_owned(),
        }
    }

    fn not_recorded(&self, failed: Option<Box<DeployError>>, source: DeployError) -> DeployError {
        let commit = self.git.commit.as_ref();
        let commit = commit.map(|commit| format!("commit {}", commit.short(12)));
        let suspended = self.suspended.iter().map(|name| format!("the automatic sync of {name}"));
        let told = self.places.iter().zip(&self.reached);
        let told = told.filter(|(_, end)| end.reached == Reached::Told);
        let told = told.map(|(place, _)| place.to_string());
        DeployError::NotRecorded {
            environment: self.environment.name.clone(),
            changed: commit.into_iter().chain(suspended).chain(told).collect(),
            steps: self.again(),
            failed,
            source: Box::new(source),
        }
    }

    /// What a person is told, and the alias that follows.
    pub(super) async fn report(self, decisions: Vec<Decision>) -> Report {
        let to_follow = |image: &OfImage| {
            let step = &image.step;
            (step.image.clone(), step.repository.clone(), step.to.digest)
        };
        let moves: Vec<_> = self.images.iter().map(to_follow).collect();
        let grade = self.images.iter().map(|image| image.end.grade).max();
        let written: Vec<Places> = (0..self.images.len()).map(|at| self.written(at)).collect();
        let mut outcomes = written.into_iter().zip(self.images);
        let mut images = Vec::new();
        for decision in decisions {
            match decision {
                Decision::Done(done) => images.push(*done),
                Decision::Step(_) => {
                    let Some((places, of)) = outcomes.next() else { continue };
                    let mut image = done(of.step, places, of.event, self.carry.run);
                    image.warnings.extend(of.end.warnings.into_iter().chain(of.end.beside));
                    images.push(image);
                }
            }
        }
        let mut report = Report {
            environment: self.environment.name.clone(),
            mode: self.mode,
            grade: grade.unwrap_or(Grade::Applied),
            images,
            commit: self.git.commit,
            warnings: self.git.warnings,
            holds: Vec::new(),
            is_dry_run: self.carry.run == Run::Dry,
        };
        if self.carry.run == Run::Real {
            alias::follow(self.app, self.environment, &moves, &mut report).await;
        }
        report
    }
}

impl OfImage {
    /// What is left of an image that did not end well; none: it did, or was recorded before.
    fn left(&self) -> Option<Begun> {
        let begun = self.begun.filter(|_| self.end.ended != Ended::Well)?;
        let events = [Some(begun), self.event].into_iter().flatten().collect();
        Some(Begun { image: self.step.image.clone(), events })
    }
}
