//! How environments stand: desired, decided, running and verified, side by side, with holds and open findings.
//!
//! ```text
//! files of prod  +  deploys to prod  +  containers of prod  ->  api: B, B, B ×3      web: C, B, unknown
//! ```
//! Reads only. Where nobody could look the answer is unknown, never "not running".

mod desired;
mod running;

pub use running::SeenBy;

use super::AskError;
use super::commits::{BuiltFrom, builds_of};
use crate::app::App;
use crate::seam::{Question, all, environment_state};
use crate::settings::DeployMode;
use crate::settings::{EnvironmentSettings, Settings};
use ::record::claim::{Kind, Mode};
use ::record::{Basis, Facet, FindingState, Gap, Hold, Precision, findings};
use domain::{EnvironmentName, ImageName};
use release::standing::{Running, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// One image of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageStatus {
    /// What is desired, decided and running.
    pub standing: Standing,
    /// What the decided build was made from.
    pub commit: Option<BuiltFrom>,
}

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentStatus {
    /// Which.
    pub environment: EnvironmentName,
    /// How it is deployed.
    pub mode: Mode,
    /// Its images, in the order of their names.
    pub images: Vec<ImageStatus>,
    /// What automation waits for: the whole environment (none), or an image.
    pub holds: BTreeMap<Option<ImageName>, Hold>,
    /// What a watcher found and nobody has mended, worst first.
    pub findings: Vec<FindingState>,
    /// Who says what runs.
    pub seen_by: SeenBy,
    /// How what runs is known; intended: nobody looks.
    pub basis: Basis,
    /// How sharp that is.
    pub precision: Precision,
    /// What the answer does not cover.
    pub gaps: Vec<Gap>,
}

impl EnvironmentStatus {
    /// Whether anything differs, or was found.
    #[must_use]
    pub fn differs(&self) -> bool {
        !self.findings.is_empty()
            || self.images.iter().any(|one| !one.standing.differences.is_empty())
    }

    /// Whether anything could not be found out, also that nothing was ever decided.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let is_unknown =
            |one: &ImageStatus| !one.standing.unknown.is_empty() || one.standing.decided.is_none();
        self.images.iter().any(is_unknown)
    }
}

/// How one environment stands, or all of the settings.
///
/// # Errors
/// The settings do not have the environment, or the record cannot be read.
pub async fn status(
    app: &App,
    environment: Option<&EnvironmentName>,
) -> Result<Vec<EnvironmentStatus>, AskError> {
    let settings = app.settings()?;
    let chosen: Vec<&EnvironmentSettings> = match environment {
        Some(name) => vec![app.environment(name)?],
        None => settings.environments.iter().collect(),
    };
    let mut all = Vec::new();
    for environment in chosen {
        all.push(one(app, settings, environment).await?);
    }
    Ok(all)
}

async fn one(
    app: &App,
    settings: &Settings,
    environment: &EnvironmentSettings,
) -> Result<EnvironmentStatus, AskError> {
    let record = app.record_to_read().await?;
    let mut state = environment_state(record, &environment.name).await?;
    let unsure = match crate::deploy::settle(app, environment, &state).await {
        Ok(merged) => {
            if !merged.is_empty() {
                state = environment_state(record, &environment.name).await?;
            }
            None
        }
        Err(error) => {
            let why = format!("whether a pull request was merged could not be found out: {error}");
            Some(Gap { from: None, until: None, why })
        }
    };
    let files = desired::files(app, environment).await;
    let containers = running::containers(app, record, settings, environment).await?;
    let mut images = Vec::new();
    for (image, own) in &settings.images {
        let repository = settings.repository(environment, image).unwrap_or(&own.repository);
        let desired = desired::desired(&files, repository);
        let running = containers.of(app, record, (image, repository), &state).await?;
        let standing = Standing::of(&state, image, desired, running);
        if !is_there(&standing, environment) {
            continue;
        }
        let digests: BTreeSet<_> = standing.decided.iter().map(|fact| fact.claim.to).collect();
        let builds = builds_of(record, &digests).await?;
        let decided = standing.decided.as_ref();
        let commit = decided.and_then(|fact| builds.built(&fact.claim.to, fact.claim.tag.as_ref()));
        images.push(ImageStatus { standing, commit });
    }
    let mut gaps = containers.gaps.clone();
    if containers.by == SeenBy::Nobody && gaps.is_empty() {
        let why = format!(
            "nothing observes {}: this is what was decided, not what was seen to run",
            environment.name
        );
        gaps.push(Gap { from: None, until: None, why });
    }
    gaps.extend(record.left_out());
    gaps.extend(unsure);
    let (basis, precision) = known(&images, containers.by);
    Ok(EnvironmentStatus {
        environment: environment.name.clone(),
        mode: mode(environment.deploy),
        images,
        holds: state.holds().clone(),
        findings: open_findings(record, environment).await?,
        seen_by: containers.by,
        basis,
        precision,
        gaps,
    })
}

/// An image that no file, no deploy, no workload and no container has to do with this environment is not of it.
fn is_there(standing: &Standing, environment: &EnvironmentSettings) -> bool {
    use release::standing::{Desired, Seen};
    let is_desired = !matches!(&standing.desired, Desired::Says(places) if places.is_empty())
        && standing.desired != Desired::NotKept;
    let is_seen = match &standing.running {
        Running::Seen(seen) | Running::Unknown { known: seen, .. } => *seen != Seen::default(),
        Running::NotObserved => false,
    };
    let is_named = environment.workloads.contains_key(&standing.image);
    is_desired
        || is_seen
        || is_named
        || standing.decided.is_some()
        || !standing.differences.is_empty()
}

fn mode(mode: DeployMode) -> Mode {
    match mode {
        DeployMode::Files => Mode::Files,
        DeployMode::Git => Mode::Git,
        DeployMode::Pr => Mode::Pr,
        DeployMode::Cluster => Mode::Cluster,
        DeployMode::GitCluster => Mode::GitCluster,
    }
}

/// How what runs is known, and the weakest precision of it.
fn known(images: &[ImageStatus], by: SeenBy) -> (Basis, Precision) {
    let builds = images.iter().filter_map(|one| match &one.standing.running {
        Running::Seen(seen) => Some(seen.builds.values().map(|build| build.precision).max()),
        Running::Unknown { .. } | Running::NotObserved => None,
    });
    match by {
        SeenBy::Watcher | SeenBy::Clusters => {
            (Basis::Observed, builds.flatten().max().unwrap_or(Precision::Exact))
        }
        SeenBy::Nobody => (Basis::Intended, Precision::Unconfirmed),
    }
}

/// What watchers found in the environment and is so still, worst first.
async fn open_findings(
    record: &dyn crate::seam::Record,
    environment: &EnvironmentSettings,
) -> Result<Vec<FindingState>, AskError> {
    let question = Question::of([Kind::Finding]).about(Facet::Environment, &environment.name);
    let mut open = findings(&all(record, &question).await?);
    open.retain(FindingState::is_open);
    open.sort_by_key(|finding| (finding.what, finding.from));
    Ok(open)
}
