//! Modes `cluster` and `git+cluster`: what runs each image is told, cluster by cluster, and waited for.
//!
//! ```text
//! look and rehearse everywhere -> record "begun" -> (push) -> tell and wait, cluster by cluster -> record how it ended
//! ```
//! Nothing is written where any place refuses. The first failure stops; clusters behind it stay as they were. A
//! commit that landed before that is in the record, and the same command finds it again: it makes no second one.

use super::apply::{Applied, Decision, Step};
use super::attempt::{Attempt, Stopped};
use super::break_glass;
use super::carry::{Carry, News};
use super::error::DeployError;
use super::in_git::{Follows, in_git};
use super::patience::Patience;
use super::rolling::Rolling;
use super::step_end::{Ended, Ends};
use super::targets::{gather, rehearse};
use super::{Report, Run};
use crate::app::App;
use crate::settings::{DeployMode, EnvironmentSettings};
use ::record::claim::Mode;
use cluster::TakeOver;

/// Carries out all decisions of one environment in its clusters, and records how they ended.
pub(super) async fn carry_out(
    app: &App,
    environment: &EnvironmentSettings,
    decisions: Vec<Decision>,
    carry: &Carry,
) -> Result<Report, Stopped> {
    let steps: Vec<&Step> = decisions.iter().filter_map(Decision::step).collect();
    let places = gather(app, environment, &steps).await?;
    rehearse(&places, carry.take_over).await?;
    let (mode, git) = planned(app, environment, &steps).await?;
    let mut attempt = Attempt::of((app, environment, carry), mode, &decisions);
    (attempt.places, attempt.git) = (places, git);
    if carry.run == Run::Real && !attempt.images.is_empty() {
        // From here on the record hears of it, so whoever stops the command is listened to.
        carry.listener.tell(&News::Begins);
        attempt.begin().await?;
        if let Err(error) = bring(&mut attempt).await {
            return Err(attempt.stopped(error).await);
        }
        attempt.end().await?;
    }
    Ok(attempt.report(decisions).await)
}

/// What the files of this environment would say, where they belong to the deploy.
async fn planned(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
) -> Result<(Mode, Applied), DeployError> {
    Ok(match environment.deploy {
        DeployMode::GitCluster if !steps.is_empty() => {
            let planned = in_git(app, environment, steps, (Run::Dry, Follows::Plan)).await?;
            (Mode::GitCluster, planned)
        }
        DeployMode::GitCluster => (Mode::GitCluster, Applied::default()),
        DeployMode::Files | DeployMode::Git | DeployMode::Pr | DeployMode::Cluster => {
            (Mode::Cluster, Applied::default())
        }
    })
}

/// Pushes, suspends, tells and waits; the attempt knows how each image ended.
async fn bring(attempt: &mut Attempt<'_>) -> Result<(), DeployError> {
    let (app, environment, carry) = (attempt.app, attempt.environment, attempt.carry);
    attempt.may_go_on()?;
    if attempt.mode == Mode::GitCluster {
        let (steps, begun) = (attempt.steps(), attempt.begun());
        match in_git(app, environment, &steps, (Run::Real, Follows::Begun(&begun))).await {
            Ok(applied) => attempt.git = applied,
            Err(error) => {
                let why = format!("{error}: its clusters were told nothing");
                attempt.told_nothing(&Ended::Badly(why));
                return Err(error);
            }
        }
        attempt.may_go_on()?;
    }
    if carry.take_over == TakeOver::BreakGlass {
        if let Err(error) = break_glass::suspend(attempt).await {
            return Err(not_suspended(attempt, error));
        }
        attempt.may_go_on().map_err(|error| still_suspended(attempt, error))?;
    }
    let came = {
        let steps = attempt.steps();
        let (places, ends) = (attempt.places.as_slice(), Ends::of(attempt.places.len()));
        let (steps, patience) = (steps.as_slice(), Patience::begins(carry.timeout));
        Rolling { app, environment, steps, places, carry, patience, ends }.run().await
    };
    attempt.came(came)
}

/// An Application could not be suspended: those before it still are.
fn not_suspended(attempt: &mut Attempt<'_>, error: DeployError) -> DeployError {
    let mut why = format!("{error}: its clusters were told nothing");
    if !attempt.suspended.is_empty() {
        let names = attempt.suspended.join(", ");
        why = format!("{why}; the automatic sync of {names} stays suspended");
    }
    attempt.told_nothing(&Ended::Badly(why));
    still_suspended(attempt, error)
}

fn still_suspended(attempt: &Attempt<'_>, error: DeployError) -> DeployError {
    if attempt.suspended.is_empty() {
        return error;
    }
    DeployError::StaysSuspended {
        environment: attempt.environment.name.clone(),
        suspended: attempt.suspended.clone(),
        source: Box::new(error),
    }
}
