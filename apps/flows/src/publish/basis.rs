//! What is known of a build before it has names: its source, its environment, its time, and the release it is.
//!
//! ```text
//! push of develop, run 17  ->  for uat ("branch develop matches **"), release github/17/1, at 14:39:58
//! ```
//! Names follow in [`super::names`].

use super::PublishError;
use super::names::TagRequest;
use crate::app::{App, OpenError};
use crate::settings::{Builds, ImageSettings};
use crate::source::{SourceFacts, source};
use domain::{EnvironmentName, ImageName};
use tagging::{
    Facts, RELEASE_TIME_VARIABLE, ReleaseTime, ReleaseTimeSource, Scheme, environment_of,
    release_time,
};

/// What is known of a build before it has names; gathered once, also where names are looked for again.
pub(super) struct Basis {
    /// What is being built.
    pub(super) source: SourceFacts,
    /// The environment that it is for.
    pub(super) environment: Option<EnvironmentName>,
    /// Why that one, or why none.
    pub(super) why_environment: String,
    /// The time that was handed on, or now.
    pub(super) told: ReleaseTime,
    /// The release that the names will belong to.
    pub(super) release: String,
    /// How names are made; empty where they were named.
    pub(super) schemes: Vec<Scheme>,
}

impl Basis {
    /// Gathers it.
    pub(super) async fn gather(app: &App, request: &TagRequest) -> Result<Self, PublishError> {
        let source = source(app).await?;
        let settings = image_settings(app, request);
        let schemes = if request.tags.is_empty() {
            schemes(request, settings.map(|(_, own)| own))?
        } else {
            Vec::new()
        };
        let (environment, why_environment) =
            environment(app, request, settings, &source, &schemes)?;
        let told = time_told(app, request)?;
        let release = release_of(&source, request);
        Ok(Self { source, environment, why_environment, told, release, schemes })
    }

    /// The facts that schemes use, except the time.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = Facts::at(self.told.at).with_ci(&self.source.ci);
        facts.environment.clone_from(&self.environment);
        if facts.git_tag.is_none() {
            let is_version = |name: &&String| {
                name.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit())
            };
            facts.git_tag = self.source.git_tags.iter().find(is_version).cloned();
        }
        facts
    }
}

fn schemes(
    request: &TagRequest,
    settings: Option<&ImageSettings>,
) -> Result<Vec<Scheme>, PublishError> {
    match (request.schemes.is_empty(), settings) {
        (false, _) => Ok(request.schemes.clone()),
        (true, Some(settings)) => Ok(settings.schemes.clone()),
        (true, None) => Err(PublishError::NoScheme { repository: request.repository.clone() }),
    }
}

/// The environment by law 7; a shared build is for the first of the promotion chain.
fn environment(
    app: &App,
    request: &TagRequest,
    image: Option<(&ImageName, &ImageSettings)>,
    source: &SourceFacts,
    schemes: &[Scheme],
) -> Result<(Option<EnvironmentName>, String), PublishError> {
    let needs_one = schemes.iter().any(Scheme::has_environment);
    let Some(loaded) = app.loaded().filter(|loaded| !loaded.settings.environments.is_empty())
    else {
        // Without settings there are no rules to break: a person outside of a CI may name one.
        return match (&request.environment, &source.ci.event) {
            (Some(told), tagging::Event::None) => {
                Ok((Some(told.clone()), "--env said so".to_owned()))
            }
            (Some(_), _) if needs_one => {
                Err(OpenError::NoSettings { from: app.surroundings().cwd.clone() }.into())
            }
            (Some(_) | None, _) => Ok((None, "there are no settings".to_owned())),
        };
    };
    let rules: Vec<_> = loaded.settings.environments.iter().map(|one| one.rule.clone()).collect();
    match environment_of(&source.ci, &rules, request.environment.as_ref()) {
        Ok(decision) => {
            let shared = image.filter(|(_, image)| image.builds == Builds::Shared);
            let decided = loaded.settings.environment(&decision.environment);
            if let (Some((name, _)), Some(decided)) = (shared, decided) {
                let first = &loaded.settings.first_of_chain(decided).name;
                if *first != decision.environment {
                    let why =
                        format!("{name} is shared: built for {first}, the first of the chain");
                    return Ok((Some(first.clone()), why));
                }
            }
            Ok((Some(decision.environment), decision.why.to_string()))
        }
        Err(refused) if needs_one || request.environment.is_some() => Err(refused.into()),
        Err(refused) => Ok((None, refused.to_string())),
    }
}

fn image_settings<'a>(
    app: &'a App,
    request: &TagRequest,
) -> Option<(&'a ImageName, &'a ImageSettings)> {
    let settings = &app.loaded()?.settings;
    let name = request.image.as_ref().or_else(|| settings.image_of(&request.repository));
    settings.images.get_key_value(name?)
}

fn time_told(app: &App, request: &TagRequest) -> Result<ReleaseTime, PublishError> {
    let handed_on = app.surroundings().variable(RELEASE_TIME_VARIABLE);
    match request.at {
        Some(at) => Ok(ReleaseTime { at: at.to_second(), source: ReleaseTimeSource::HandedOn }),
        None => Ok(release_time(handed_on, app.surroundings().now())?),
    }
}

/// One release: a CI's run and attempt; outside of one, these very bytes, or this commit.
fn release_of(source: &SourceFacts, request: &TagRequest) -> String {
    match (&source.ci.run, &request.digest, &source.ci.commit) {
        (Some(run), _, _) => {
            let attempt = run.attempt.map(|attempt| format!("/{attempt}")).unwrap_or_default();
            format!("{}/{}{attempt}", run.provider.name(), run.id)
        }
        (None, Some(digest), _) => format!("checkout/{digest}"),
        (None, None, Some(commit)) => format!("checkout/{commit}"),
        (None, None, None) => "checkout".to_owned(),
    }
}
