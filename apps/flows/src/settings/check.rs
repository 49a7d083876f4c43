//! What the values of the settings must be together.

use super::{DeployMode, Settings, SettingsError};
use domain::environments_that_clash;
use std::collections::BTreeSet;

pub(super) fn check(settings: &Settings) -> Result<(), SettingsError> {
    names(settings)?;
    promotion(settings)?;
    images(settings)?;
    clusters(settings)
}

fn wrong(key: String, why: String) -> SettingsError {
    SettingsError::Value { key, why }
}

/// Modes `cluster` and `git+cluster` need to know which cluster, where in it, and what runs there.
fn clusters(settings: &Settings) -> Result<(), SettingsError> {
    for environment in &settings.environments {
        let key = |what: &str| format!("environments.{}.{what}", environment.name);
        if let Some(image) =
            environment.workloads.keys().find(|image| !settings.images.contains_key(*image))
        {
            let known: Vec<_> = settings.images.keys().map(domain::ImageName::as_str).collect();
            let why = format!("there is no image `{image}`, only {}", known.join(", "));
            return Err(wrong(key("workloads"), why));
        }
        let word = match environment.deploy {
            DeployMode::Cluster => "cluster",
            DeployMode::GitCluster => "git+cluster",
            DeployMode::Files | DeployMode::Git | DeployMode::Pr => continue,
        };
        if let Some(missing) = environment.missing() {
            return Err(wrong(key(missing), format!("`deploy: {word}` needs it")));
        }
    }
    Ok(())
}

fn names(settings: &Settings) -> Result<(), SettingsError> {
    let names: Vec<_> = settings.environments.iter().map(|environment| &environment.name).collect();
    if let Some((long, short)) = environments_that_clash(&names) {
        let why = format!(
            "the name ends in `-{short}`, another environment: their tags could not be told apart"
        );
        return Err(wrong(format!("environments.{long}"), why));
    }
    Ok(())
}

fn promotion(settings: &Settings) -> Result<(), SettingsError> {
    for environment in &settings.environments {
        let key = format!("environments.{}.promotes-from", environment.name);
        let mut seen = BTreeSet::from([&environment.name]);
        let mut at = environment;
        while let Some(from) = &at.promotes_from {
            let Some(before) = settings.environment(from) else {
                let known: Vec<_> =
                    settings.environments.iter().map(|one| one.name.as_str()).collect();
                let known = known.join(", ");
                return Err(wrong(key, format!("there is no environment `{from}`, only {known}")));
            };
            if !seen.insert(&before.name) {
                return Err(wrong(
                    key,
                    format!("the chain comes back to `{from}`: it has to begin somewhere"),
                ));
            }
            at = before;
        }
    }
    Ok(())
}

fn images(settings: &Settings) -> Result<(), SettingsError> {
    for environment in &settings.environments {
        if let Some(image) =
            environment.images.keys().find(|image| !settings.images.contains_key(*image))
        {
            let key = format!("environments.{}.images.{image}", environment.name);
            let known: Vec<_> = settings.images.keys().map(domain::ImageName::as_str).collect();
            let known = if known.is_empty() { "none at all".to_owned() } else { known.join(", ") };
            return Err(wrong(key, format!("there is no image `{image}`, only {known}")));
        }
    }
    for (name, image) in &settings.images {
        if image.schemes.is_empty() {
            return Err(wrong(
                format!("images.{name}.tags"),
                "a build needs at least one tag".to_owned(),
            ));
        }
        let twin = settings
            .images
            .iter()
            .find(|(other, that)| *other != name && that.repository == image.repository);
        if let Some((twin, _)) = twin {
            let why = format!("`{twin}` has the same repository: one image, one name");
            return Err(wrong(format!("images.{name}.repository"), why));
        }
    }
    Ok(())
}
