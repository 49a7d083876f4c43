//! What follows a rollout that fails: nothing, or a rollback where that was asked for.

use super::attempt::{Begun, Left, Stopped};
use super::carry::{Carry, News};
use super::error::DeployError;
use super::rollback::{RollbackRequest, rollback_in};
use super::{Done, ImageDone};
use crate::app::App;
use crate::seam::environment_state;
use crate::settings::EnvironmentSettings;
use ::record::EnvironmentState;
use std::error::Error as _;

/// The longest reason of a rollback that nobody typed, in characters.
const REASON_LEN_MAX: usize = 400;

/// What follows a rollout that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing: a person decides.
    Stop,
    /// What failed is rolled back.
    RollBack,
}

/// Rolls back what this deploy left behind that did not land; the error that says both.
///
/// What another deploy left open, or has begun meanwhile, is none of its business.
pub(super) async fn roll_back(
    app: &App,
    environment: &EnvironmentSettings,
    stopped: Stopped,
    carry: &Carry,
) -> DeployError {
    let name = environment.name.clone();
    let says = |why| carry.listener.tell(&News::NotRolledBack { environment: name.clone(), why });
    let failed = *stopped.error;
    let begun = match stopped.left {
        Left::Nothing => return failed,
        Left::Open => {
            says("nobody knows that the deploy failed");
            return failed;
        }
        Left::Failed(begun) if begun.is_empty() => {
            says("the same build was intended before");
            return failed;
        }
        Left::Failed(begun) => begun,
    };
    let why = line_of(&failed);
    match back(app, environment, (&begun, &why), carry).await {
        Ok(back) => DeployError::RolledBack { environment: name, back, source: Box::new(failed) },
        Err(error) => {
            let source = Box::new(error);
            DeployError::NotRolledBack { environment: name, failed: why, source }
        }
    }
}

/// The error and its first cause: what follows is the log.
fn line_of(failed: &DeployError) -> String {
    match failed.source() {
        Some(cause) => format!("{failed}: {cause}"),
        None => failed.to_string(),
    }
}

async fn back(
    app: &App,
    environment: &EnvironmentSettings,
    (begun, why): (&[Begun], &str),
    carry: &Carry,
) -> Result<Vec<String>, DeployError> {
    let state = environment_state(app.record().await?, &environment.name).await?;
    let (ours, overtaken): (Vec<&Begun>, Vec<&Begun>) =
        begun.iter().partition(|one| is_newest(&state, one));
    for one in &overtaken {
        let place = format!("{} {}", environment.name, one.image);
        let what = "not rolled back: somebody has deployed it again meanwhile".to_owned();
        carry.listener.tell(&News::Line { place, what });
    }
    if let ([], Some(one)) = (ours.as_slice(), overtaken.first()) {
        let (image, environment) = (one.image.clone(), environment.name.clone());
        return Err(DeployError::Overtaken { image, environment });
    }
    let reason = format!("the deploy failed: {why}");
    let request = RollbackRequest {
        environment: environment.name.clone(),
        images: ours.iter().map(|one| one.image.to_string()).collect(),
        to: None,
        reason: Some(reason.chars().filter(|c| !c.is_control()).take(REASON_LEN_MAX).collect()),
        ticket: None,
        carry: carry.clone(),
    };
    let report = rollback_in(app, environment, &request).await?;
    let line = |done: &ImageDone| match &done.what {
        Done::Changed { to, tag: Some(tag), .. } => {
            format!("{} to {tag} ({})", done.image, to.short())
        }
        Done::Changed { to, tag: None, .. } | Done::Same { digest: to } => {
            format!("{} to {}", done.image, to.short())
        }
        Done::Held(_) | Done::Asked { .. } => format!("{} waits", done.image),
    };
    Ok(report.images.iter().map(line).collect())
}

/// Whether nobody has deployed the image since.
fn is_newest(state: &EnvironmentState, begun: &Begun) -> bool {
    state.attempted(&begun.image).is_some_and(|fact| begun.events.contains(&fact.stamp.id))
}
