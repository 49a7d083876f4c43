//! Mode `pr`: one branch and one pull request for each image of an environment; nothing has landed until it is merged.
//!
//! ```text
//! deploy/prod/api  --force-with-lease-->  pull request opened or written over  ->  record: open
//! later: `main` says it, or has the commit's `Deploy-Id`                        ->  record: done, with that commit
//! ```
//! The branch keeps its name, so that a newer build takes the place of one that nobody has merged yet.

use super::alias;
use super::apply::{Decision, Say, Step, claim, done};
use super::asking::{Asking, ask};
use super::carry::{Carry, News};
use super::error::DeployError;
use super::in_git::{Follows, edited, landed, new_file, still_next};
use super::message::message_for_review;
use super::places::below;
use super::{Done, ImageDone, Report, Run};
use crate::app::App;
use crate::edit::Places;
use crate::seam::{Recorded, environment_state};
use crate::settings::EnvironmentSettings;
use ::record::claim::{Claim, DeployClaim, Grade, Mode, Outcome, Text};
use ::record::{DeployFact, EnvironmentState};
use domain::{CommitId, EventId};
use git::{BranchName, Change, LandingError, Proposed, Retry, Signature, WriteBack};
use std::sync::{Mutex, PoisonError};

/// What became of one image.
struct Brought {
    places: Places,
    warnings: Vec<String>,
    end: End,
}

/// How far it came.
enum End {
    /// Its pull request is open.
    Open { commit: Option<CommitId>, address: Option<String>, event: Option<EventId> },
    /// The branch says it already: the pull request was merged.
    Landed { commit: CommitId, event: Option<EventId> },
}

/// Asks for each image's change by a pull request, or shows it.
pub(super) async fn carry_out(
    app: &App,
    environment: &EnvironmentSettings,
    decisions: Vec<Decision>,
    carry: &Carry,
) -> Result<Report, DeployError> {
    let mut report = Report {
        environment: environment.name.clone(),
        mode: Mode::Pr,
        grade: Grade::Applied,
        commit: None,
        images: Vec::new(),
        warnings: Vec::new(),
        holds: Vec::new(),
        is_dry_run: carry.run == Run::Dry,
    };
    let is_asked = |step: &&Step| step.say == Say::New;
    let asked = decisions.iter().filter_map(Decision::step).filter(is_asked);
    if carry.run == Run::Real && asked.clone().count() > 1 {
        // A pass that writes nothing: the last image without a place must not leave the first one's pull request.
        for step in asked {
            bring(app, environment, step, Run::Dry).await?;
        }
    }
    let mut moves = Vec::new();
    for decision in decisions {
        let step = match decision {
            Decision::Done(done) => {
                report.images.push(*done);
                continue;
            }
            Decision::Step(step) if step.say == Say::Known => {
                report.images.push(done(*step, Places::default(), None, carry.run));
                continue;
            }
            Decision::Step(step) => step,
        };
        let brought = bring(app, environment, &step, carry.run).await?;
        report.warnings.extend(brought.warnings);
        if let End::Landed { commit, .. } = &brought.end {
            moves.push((step.image.clone(), step.repository.clone(), step.to.digest));
            report.commit = Some(commit.clone());
        }
        report.images.push(shown(*step, brought.places, brought.end, carry.run));
    }
    if carry.run == Run::Real {
        alias::follow(app, environment, &moves, &mut report).await;
    }
    Ok(report)
}

fn shown(step: Step, places: Places, end: End, run: Run) -> ImageDone {
    match end {
        End::Landed { event, .. } => done(step, places, event, run),
        End::Open { commit, address, event } => {
            let mut image = done(step, places, event, run);
            if let Done::Changed { from, to, tag, how, condemns, places, event } = image.what {
                let asks = address;
                image.what =
                    Done::Asked { from, to, tag, how, condemns, places, event, commit, asks };
            }
            image
        }
    }
}

async fn bring(
    app: &App,
    environment: &EnvironmentSettings,
    step: &Step,
    run: Run,
) -> Result<Brought, DeployError> {
    let write_back = app.write_back(&environment.git).await?;
    let of_git = |source| DeployError::Git { environment: environment.name.clone(), source };
    let path = environment.git.path.as_str();
    let place =
        format!("{} on branch {} of {}", below(path), environment.git.branch, write_back.remote());
    let steps = [step];
    if run == Run::Dry {
        let tree = write_back.tree().await.map_err(of_git)?;
        let applied = edited(&tree, path, &place, &steps).await?.1;
        let places = applied.images.into_iter().next().unwrap_or_default();
        let end = End::Open { commit: None, address: None, event: None };
        return Ok(Brought { places, warnings: applied.warnings, end });
    }
    let (proposed, places, warnings) =
        propose(app, environment, step, (&write_back, &place)).await?;
    let end = match proposed {
        Proposed::Nothing { tip } => {
            let found = landed(&write_back, &environment.name, &steps).await.map_err(of_git)?;
            let commit = found.unwrap_or(tip);
            let claim = claim(environment, Mode::Pr, step, &places, Some(&commit));
            let event = append(app, claim).await?;
            End::Landed { commit, event }
        }
        Proposed::Pushed { commit } | Proposed::Same { commit } => {
            let open = open(app, environment, step, (&write_back, &commit));
            let (claim, asked) = match open.await {
                Ok(asking) => (opened(environment, step, (&places, &commit), &asking), Ok(asking)),
                Err(error) => {
                    let why =
                        format!("branch {} is pushed; {error}", branch_text(environment, step));
                    let asking = Asking { address: None, why };
                    (opened(environment, step, (&places, &commit), &asking), Err(error))
                }
            };
            let event = append_once(app, environment, claim).await?;
            let asking = asked?;
            let mut warnings = warnings;
            if asking.address.is_none() {
                warnings.push(asking.why.clone());
            }
            let address = asking.address;
            let end = End::Open { commit: Some(commit), address, event };
            return Ok(Brought { places, warnings, end });
        }
    };
    Ok(Brought { places, warnings, end })
}

/// Puts the edit on the image's own branch.
async fn propose(
    app: &App,
    environment: &EnvironmentSettings,
    step: &Step,
    (write_back, place): (&WriteBack, &str),
) -> Result<(Proposed, Places, Vec<String>), DeployError> {
    let person = app.person().await;
    let actor = person.actor(domain::Proof::Git);
    let message = message_for_review(&environment.name, &[step], &actor)?;
    let signature = Signature::new(person.name(), person.email(), app.surroundings().now())?;
    let applied = Mutex::new(super::apply::Applied::default());
    let onto = branch(environment, step)?;
    let proposed = write_back
        .propose(&onto, &signature, Retry::seeded(app.surroundings().seed()), |tree| {
            let (applied, message) = (&applied, message.clone());
            async move {
                still_next(app, &environment.name, &[step], Follows::Plan).await?;
                let (files, now) = edited(&tree, &environment.git.path, place, &[step]).await?;
                let files = files.into_iter().map(new_file).collect::<Result<Vec<_>, _>>()?;
                *applied.lock().unwrap_or_else(PoisonError::into_inner) = now;
                let change = Change { files, message };
                Ok::<_, DeployError>((!change.files.is_empty()).then_some(change))
            }
        })
        .await;
    let proposed = match proposed {
        Ok(proposed) => proposed,
        Err(LandingError::Git(source)) => {
            return Err(DeployError::Git { environment: environment.name.clone(), source });
        }
        Err(LandingError::Edit(error)) => return Err(error),
    };
    let applied = applied.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((proposed, applied.images.into_iter().next().unwrap_or_default(), applied.warnings))
}

fn branch_text(environment: &EnvironmentSettings, step: &Step) -> String {
    format!("deploy/{}/{}", environment.name, step.image)
}

fn branch(environment: &EnvironmentSettings, step: &Step) -> Result<BranchName, DeployError> {
    let name = branch_text(environment, step);
    name.parse().map_err(|source| DeployError::Branch { name: name.clone(), source })
}

/// Opens the pull request, or says where a person opens it.
async fn open(
    app: &App,
    environment: &EnvironmentSettings,
    step: &Step,
    (write_back, commit): (&WriteBack, &CommitId),
) -> Result<Asking, DeployError> {
    let actor = app.person().await.actor(domain::Proof::Git);
    let message = message_for_review(&environment.name, &[step], &actor)?.to_string();
    let (title, trailers) = message.split_once('\n').unwrap_or((message.as_str(), ""));
    let from = step.from.map_or_else(|| "nothing".to_owned(), |from| format!("`{from}`"));
    let body = format!(
        "Brings `{}` of `{}` from {from} to `{}`.\n\nCommit {commit}, made by `indelible`; the branch is written over when \
         another build is deployed.\n\n{}\n",
        step.image,
        environment.name,
        step.to,
        trailers.trim(),
    );
    let source = branch_text(environment, step);
    let target = environment.git.branch.to_string();
    let asked =
        vendors::pull_request::Asked { source: &source, target: &target, title, body: &body };
    ask(app, &environment.git, write_back.remote(), &asked).await
}

fn opened(
    environment: &EnvironmentSettings,
    step: &Step,
    (places, commit): (&Places, &CommitId),
    asking: &Asking,
) -> DeployClaim {
    let mut claim = claim(environment, Mode::Pr, step, places, Some(commit));
    claim.outcome = Outcome::Open { why: Text::cut(&asking.why) };
    claim
}

async fn append(app: &App, claim: DeployClaim) -> Result<Option<EventId>, DeployError> {
    let recorded = app.record().await?.append(vec![Claim::Deploy(claim)]).await?;
    Ok(recorded.first().map(Recorded::id))
}

/// The same pull request for the same commit is said once.
async fn append_once(
    app: &App,
    environment: &EnvironmentSettings,
    claim: DeployClaim,
) -> Result<Option<EventId>, DeployError> {
    let state = environment_state(app.record().await?, &environment.name).await?;
    let newest = state.deploys().iter().rev().find(|fact| fact.claim.image == claim.image);
    let is_said = |fact: &&DeployFact| {
        let said = &fact.claim;
        (said.mode, said.to, &said.commit, &said.outcome)
            == (claim.mode, claim.to, &claim.commit, &claim.outcome)
    };
    match newest.filter(is_said) {
        Some(fact) => Ok(Some(fact.stamp.id)),
        None => append(app, claim).await,
    }
}

/// The state of an environment, after the merged ones of its pull requests are recorded as landed.
pub(super) async fn state_now(
    app: &App,
    environment: &EnvironmentSettings,
    carry: &Carry,
) -> Result<EnvironmentState, DeployError> {
    let state = environment_state(app.record_to_read().await?, &environment.name).await?;
    if carry.run == Run::Dry {
        return Ok(state);
    }
    let merged = settle(app, environment, &state).await?;
    if merged.is_empty() {
        return Ok(state);
    }
    for (place, what) in merged {
        carry.listener.tell(&News::Line { place, what });
    }
    Ok(environment_state(app.record().await?, &environment.name).await?)
}

/// Looks whether open pull requests of an environment were merged, and records those as landed.
///
/// Gives what a person is told of each: which image, and the commit.
///
/// # Errors
/// The repository or the record cannot be used.
pub async fn settle(
    app: &App,
    environment: &EnvironmentSettings,
    state: &EnvironmentState,
) -> Result<Vec<(String, String)>, DeployError> {
    let mut told = Vec::new();
    for image in state.images() {
        let of_image = state.deploys().iter().rev().filter(|fact| fact.claim.image == *image);
        let asked: Vec<&DeployFact> = of_image.take_while(|fact| fact.claim.is_asked()).collect();
        let Some(newest) = asked.first() else { continue };
        let same = asked.iter().take_while(|fact| fact.claim.to == newest.claim.to);
        let keys: Vec<&str> = same.map(|fact| fact.claim.key.as_str()).collect();
        let Some(commit) = merged(app, environment, newest, &keys).await? else { continue };
        let mut claim = newest.claim.clone();
        claim.key = super::facts::next_key(state, image);
        claim.outcome = Outcome::Done;
        claim.commit = Some(commit.clone());
        match app.record().await?.append(vec![Claim::Deploy(claim)]).await {
            // Another one has seen it first.
            Ok(_) | Err(crate::seam::RecordError::KeyTaken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let what = format!("its pull request was merged: commit {}", commit.short(12));
        told.push((format!("{} {image}", environment.name), what));
    }
    Ok(told)
}

/// The commit by which a pull request landed: it carries the deploy's name, or the branch says the same by now.
async fn merged(
    app: &App,
    environment: &EnvironmentSettings,
    fact: &DeployFact,
    keys: &[&str],
) -> Result<Option<CommitId>, DeployError> {
    let of_git = |source| DeployError::Git { environment: environment.name.clone(), source };
    let write_back = app.write_back(&environment.git).await?;
    let log = write_back.log_with_merged(super::in_git::LOOK_BACK).await.map_err(of_git)?;
    let is_it = |commit: &&git::Commit| {
        commit.trailers.all(git::TRAILER_OF_OURS).any(|key| keys.contains(&key))
    };
    if let Some(commit) = log.commits.iter().find(is_it) {
        return Ok(Some(commit.id.clone()));
    }
    // A squash may have lost the trailers; what counts is what stands there.
    let step = Step::of_fact(fact);
    let tree = write_back.tree().await.map_err(of_git)?;
    let says = match edited(&tree, &environment.git.path, "there", &[&step]).await {
        Ok((files, applied)) => {
            files.is_empty() && applied.images.iter().any(|places| !places.same.is_empty())
        }
        Err(DeployError::NoPlace { .. } | DeployError::LeftAlone { .. }) => false,
        Err(error) => return Err(error),
    };
    Ok(says.then(|| tree.commit().clone()))
}
