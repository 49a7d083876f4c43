//! What follows a rollout that fails: nothing, or a rollback where that was asked for.

use super::carry::Carry;
use super::error::DeployError;
use super::rollback::{RollbackRequest, rollback_in};
use super::{Done, ImageDone};
use crate::app::App;
use crate::seam::environment_state;
use crate::settings::EnvironmentSettings;
use ::record::claim::Outcome;
use domain::ImageName;
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

/// Rolls back what a deploy left behind that did not land; the error that says both.
pub(super) async fn roll_back(
    app: &App,
    environment: &EnvironmentSettings,
    failed: DeployError,
    carry: &Carry,
) -> DeployError {
    let name = environment.name.clone();
    let why = match failed.source() {
        Some(cause) => format!("{failed}: {cause}"),
        None => failed.to_string(),
    };
    match back(app, environment, &why, carry).await {
        Ok(back) => DeployError::RolledBack { environment: name, back, source: Box::new(failed) },
        Err(error) => {
            let source = Box::new(error);
            DeployError::NotRolledBack { environment: name, failed: why, source }
        }
    }
}

async fn back(
    app: &App,
    environment: &EnvironmentSettings,
    why: &str,
    carry: &Carry,
) -> Result<Vec<String>, DeployError> {
    let reason = format!("the deploy failed: {why}");
    let request = RollbackRequest {
        environment: environment.name.clone(),
        images: unsettled(app, environment).await?.iter().map(ToString::to_string).collect(),
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

/// The images whose newest deploy did not land.
async fn unsettled(
    app: &App,
    environment: &EnvironmentSettings,
) -> Result<Vec<ImageName>, DeployError> {
    let state = environment_state(app.record().await?, &environment.name).await?;
    let is_open = |image: &&ImageName| {
        state.attempted(image).is_some_and(|fact| fact.claim.outcome != Outcome::Done)
    };
    Ok(state.images().into_iter().filter(is_open).cloned().collect())
}
