//! Objects that make an API server keep the rules of an environment by itself, from settings and record.
//!
//! ```text
//! prod: 120 digests of the record, 3 that run, tags of uat and dev  ->  policies, a list, bindings to namespace shop
//! ```
//! Nothing is applied: whoever owns the cluster does that. Reads only.

mod digests;
mod tags;

use crate::app::{App, OpenError};
use crate::seam::RecordError;
use crate::settings::{EnvironmentSettings, Settings};
use crate::verdict::{Explain, Verdict};
use ::record::Gap;
use domain::{Digest, EnvironmentName};
use release::policy::{About, Effect, Guarded, Objects, generate};
use std::num::NonZeroUsize;

/// Which images must be in an environment's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherImages {
    /// Every image: also those that the settings do not have must be allowed by somebody.
    Listed,
    /// Those of the settings; others need a digest, whichever it is.
    Pinned,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub struct PolicyRequest {
    /// For which environments; empty: for all that have a namespace.
    pub environments: Vec<EnvironmentName>,
    /// What happens to what breaks a rule.
    pub effect: Effect,
    /// What is asked of images that the settings do not have.
    pub others: OtherImages,
    /// Only so many of the digests that may come to an environment, the newest; what runs is always in.
    pub newest: Option<NonZeroUsize>,
}

/// The objects, and what is to be known about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The objects.
    pub objects: Objects,
    /// Each environment that is guarded.
    pub environments: Vec<PolicyEnvironment>,
    /// Environments of the settings that have no namespace, and so are guarded by nothing.
    pub without_namespace: Vec<EnvironmentName>,
}

/// One environment that is guarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyEnvironment {
    /// Its name.
    pub name: EnvironmentName,
    /// Its namespace.
    pub namespace: String,
    /// How many digests its list has.
    pub digests: usize,
    /// How many objects the list is in.
    pub parts: usize,
    /// Digests that may come there and are older than the newest that were asked for.
    pub left_out: usize,
    /// Where nobody watched what runs: what runs there and was not deployed by the record is not in the list.
    pub gaps: Vec<Gap>,
    /// Forbidden digests that are in the list, because they run.
    pub blocked_and_runs: Vec<Digest>,
    /// References without a digest that run: nothing in a list can let them be made again.
    pub unpinned: Vec<String>,
}

/// Why no policy was generated.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Settings, or the record.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An environment that says nothing of where it runs.
    #[error("{name} has no `namespace`: a policy guards a namespace")]
    NoNamespace {
        /// The environment.
        name: EnvironmentName,
    },
    /// No environment says where it runs.
    #[error("no environment of the settings has a `namespace`: a policy guards a namespace")]
    NoneHasNamespace,
    /// The objects.
    #[error("no policy can be generated")]
    Generate(#[from] release::policy::PolicyError),
}

impl Explain for PolicyError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Open(error) => error.verdict(),
            Self::Record(error) => error.verdict(),
            Self::NoNamespace { .. } | Self::NoneHasNamespace | Self::Generate(_) => {
                Verdict::Unknown
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Record(error) => error.hint(),
            Self::NoNamespace { name } => {
                Some(format!("write `namespace: NAME` below environments.{name} in indelible.yaml"))
            }
            Self::NoneHasNamespace => {
                Some("write `namespace: NAME` below an environment in indelible.yaml".to_owned())
            }
            Self::Generate(release::policy::PolicyError::TooMany { environment, .. }) => {
                Some(format!("indelible policy generate {environment} --newest 20000"))
            }
            Self::Generate(release::policy::PolicyError::OneNamespace {
                first, second, ..
            }) => Some(format!(
                "where they are in two clusters, generate a file for each: indelible policy generate {first}, \
                     and for {second}"
            )),
        }
    }
}

/// Generates the objects.
///
/// # Errors
/// The settings, the record, or there is nothing that can be guarded.
pub async fn policy(app: &App, request: &PolicyRequest) -> Result<Policy, PolicyError> {
    let (wanted, without_namespace) = wanted(app, &request.environments)?;
    let settings = app.settings()?;
    let record = app.record_to_read().await?;
    let mut guarded = Vec::new();
    let mut environments = Vec::new();
    for (environment, namespace) in wanted {
        let found = digests::found(app, record, environment, request.newest).await?;
        environments.push(PolicyEnvironment {
            name: environment.name.clone(),
            namespace: namespace.to_owned(),
            digests: found.listed.len(),
            parts: 0,
            left_out: found.left_out,
            gaps: found.gaps,
            blocked_and_runs: found.blocked_and_runs,
            unpinned: found.unpinned.into_iter().collect(),
        });
        guarded.push(Guarded {
            environment: environment.name.clone(),
            namespace: namespace.to_owned(),
            digests: found.listed,
            about: about(settings, request.others),
            own_tags: tags::own(settings, environment),
            other_tags: tags::others(settings, environment),
        });
    }
    let objects = generate(&guarded, request.effect)?;
    for environment in &mut environments {
        environment.parts = objects.parts.get(&environment.name).copied().unwrap_or(0);
    }
    Ok(Policy { objects, environments, without_namespace })
}

/// An environment and its namespace.
type Placed<'a> = (&'a EnvironmentSettings, &'a str);

/// The environments that are meant, and those that were passed over.
fn wanted<'a>(
    app: &'a App,
    names: &[EnvironmentName],
) -> Result<(Vec<Placed<'a>>, Vec<EnvironmentName>), PolicyError> {
    let placed = |one: &'a EnvironmentSettings| Some((one, one.namespace.as_deref()?));
    if names.is_empty() {
        let all = &app.settings()?.environments;
        let found: Vec<_> = all.iter().filter_map(placed).collect();
        let without = all.iter().filter(|one| one.namespace.is_none()).map(|one| one.name.clone());
        return match found.is_empty() {
            true => Err(PolicyError::NoneHasNamespace),
            false => Ok((found, without.collect())),
        };
    }
    let mut found: Vec<Placed<'a>> = Vec::new();
    for name in names {
        let environment = app.environment(name)?;
        let missing = || PolicyError::NoNamespace { name: name.clone() };
        let one = placed(environment).ok_or_else(missing)?;
        // Named twice is meant once.
        if !found.iter().any(|(known, _)| known.name == *name) {
            found.push(one);
        }
    }
    Ok((found, Vec::new()))
}

fn about(settings: &Settings, others: OtherImages) -> About {
    match others {
        OtherImages::Listed => About::Every,
        OtherImages::Pinned => {
            let own = settings.images.values().map(|image| &image.repository);
            let there = settings.environments.iter().flat_map(|one| one.images.values());
            About::Of(own.chain(there).cloned().collect())
        }
    }
}
