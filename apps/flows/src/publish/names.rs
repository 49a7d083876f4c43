//! Which tags a build gets, and whose they are: computed from facts, reserved in the record.

use super::PublishError;
use crate::app::{App, OpenError};
use crate::registries::Registries;
use crate::seam::{Question, Record, RecordError, all};
use crate::settings::{Builds, ImageSettings};
use crate::source::{SourceFacts, source};
use ::record::Facet;
use ::record::claim::{Claim, ClaimKey, Kind, ReservationClaim};
use domain::{Digest, EnvironmentName, ImageName, Repository, Tag, Timestamp};
use std::collections::BTreeSet;
use tagging::{
    Facts, RELEASE_TIME_VARIABLE, Scheme, Taken, environment_of, is_of, parse_timestamp_env,
    release_time,
};

/// How often a clash with another release's reservation is answered by the next free name.
const RESERVATIONS_TRIED_MAX: usize = 20;

/// For which repository tags are wanted, and what was told.
#[derive(Clone, Debug)]
pub struct TagRequest {
    /// The repository.
    pub repository: Repository,
    /// Its short name, where settings have one.
    pub image: Option<ImageName>,
    /// Schemes that replace those of the settings; empty: the settings'.
    pub schemes: Vec<Scheme>,
    /// `--env`.
    pub environment: Option<EnvironmentName>,
    /// `--at`.
    pub at: Option<Timestamp>,
    /// The image, where it is known: its own tags are used again.
    pub digest: Option<Digest>,
}

/// What a build is called, and why.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The tags, the one for files first.
    pub tags: Vec<Tag>,
    /// The environment that it is for.
    pub environment: Option<EnvironmentName>,
    /// Why that one, or why none.
    pub why_environment: String,
    /// The release's time.
    pub at: Timestamp,
    /// What is being built.
    pub source: SourceFacts,
    /// The release that the tags belong to.
    pub release: String,
}

/// Whether the names are only computed, or also kept for this release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Only computed.
    No,
    /// Reserved in the record.
    Reserve,
}

/// Computes the tags of a build, and reserves them where told.
///
/// # Errors
/// A fact that a scheme needs is missing, no environment is decided, or the record cannot be used.
pub async fn compute_tags(
    app: &App,
    request: &TagRequest,
    keep: Keep,
) -> Result<Naming, PublishError> {
    let source = source(app).await?;
    let settings = image_settings(app, request);
    let schemes = schemes(request, settings)?;
    let (environment, why_environment) = environment(app, request, settings, &source, &schemes)?;
    let at = request_time(app, request)?;
    let release = release_of(&source, request);
    let mut naming = Naming { tags: Vec::new(), environment, why_environment, at, source, release };
    for scheme in &schemes {
        let tag = one_tag(app, request, &naming, scheme, keep).await?;
        if !naming.tags.contains(&tag) {
            naming.tags.push(tag);
        }
    }
    Ok(naming)
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
    image: Option<&ImageSettings>,
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
            let why = decision.why.to_string();
            let is_shared = image.is_some_and(|image| image.builds == Builds::Shared);
            let decided = loaded.settings.environment(&decision.environment).filter(|_| is_shared);
            let first = decided.map(|one| loaded.settings.first_of_chain(one).name.clone());
            Ok((Some(first.unwrap_or(decision.environment)), why))
        }
        Err(refused) if needs_one || request.environment.is_some() => Err(refused.into()),
        Err(refused) => Ok((None, refused.to_string())),
    }
}

/// The naming of a build whose tags were named; its environment is decided all the same.
pub(super) async fn named(
    app: &App,
    request: &TagRequest,
    tags: Vec<Tag>,
) -> Result<Naming, PublishError> {
    let source = source(app).await?;
    let settings = image_settings(app, request);
    let (environment, why_environment) = environment(app, request, settings, &source, &[])?;
    let at = request_time(app, request)?;
    let release = release_of(&source, request);
    Ok(Naming { tags, environment, why_environment, at, source, release })
}

/// Law 7 for names: a tag that reads as an environment's, or its alias, is for builds of that environment.
///
/// # Errors
/// Names the environment that the name belongs to, and why this build is not for it.
pub(super) fn check_names(app: &App, naming: &Naming, aliases: &[Tag]) -> Result<(), PublishError> {
    let Some(loaded) = app.loaded() else { return Ok(()) };
    let environments = &loaded.settings.environments;
    let known: Vec<EnvironmentName> = environments.iter().map(|one| one.name.clone()).collect();
    let of_tag = |tag: &Tag| Some((tag.clone(), parse_timestamp_env(tag, &known)?.1));
    let of_alias = |alias: &Tag| {
        let mut owners = environments.iter().filter(|one| one.alias.as_ref() == Some(alias));
        let first = owners.next()?;
        let own = environments.iter().find(|one| {
            one.alias.as_ref() == Some(alias) && naming.environment.as_ref() == Some(&one.name)
        });
        Some((alias.clone(), own.unwrap_or(first).name.clone()))
    };
    let names = naming.tags.iter().filter_map(of_tag);
    let mut names = names.chain(aliases.iter().filter_map(of_alias));
    match names.find(|(_, owner)| naming.environment.as_ref() != Some(owner)) {
        Some((name, owner)) => {
            let why = naming.why_environment.clone();
            Err(PublishError::OfAnother { name, owner, why })
        }
        None => Ok(()),
    }
}

fn image_settings<'a>(app: &'a App, request: &TagRequest) -> Option<&'a ImageSettings> {
    let settings = &app.loaded()?.settings;
    let name = request.image.as_ref().or_else(|| settings.image_of(&request.repository));
    settings.images.get(name?)
}

fn request_time(app: &App, request: &TagRequest) -> Result<Timestamp, PublishError> {
    let handed_on = app.surroundings().variable(RELEASE_TIME_VARIABLE);
    match request.at {
        Some(at) => Ok(at.to_second()),
        None => Ok(release_time(handed_on, app.surroundings().now())?.at),
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

async fn one_tag(
    app: &App,
    request: &TagRequest,
    naming: &Naming,
    scheme: &Scheme,
    keep: Keep,
) -> Result<Tag, PublishError> {
    if scheme_needs_past(scheme)
        && naming.source.shallow == Some(true)
        && naming.source.git_tags.is_empty()
    {
        return Err(PublishError::Shallow { scheme: scheme.to_string() });
    }
    let facts = facts(naming);
    if keep == Keep::No {
        let mut taken = BTreeSet::new();
        if needs_registry(scheme) {
            taken = Registries::of(app)?.tags(&request.repository).await?;
        }
        let taken = Taken { tags: &taken, commit_digits: naming.source.commit_digits };
        return Ok(scheme.compute(&facts, &taken)?);
    }
    if let Some(mine) = mine(app, request, naming, scheme).await? {
        return Ok(mine);
    }
    let registries = Registries::of(app)?;
    let mut taken = registries.tags(&request.repository).await?;
    let record = app.record().await?;
    for _ in 0..RESERVATIONS_TRIED_MAX {
        let known = Taken { tags: &taken, commit_digits: naming.source.commit_digits };
        let tag = scheme.compute(&facts, &known)?;
        match reserve(record, request, naming, &tag).await {
            Ok(()) => return Ok(tag),
            // The next second or number; a tag named by content is the same again, and is refused for good.
            Err(RecordError::Reserved { .. }) if taken.insert(tag.clone()) && moves_on(scheme) => {}
            Err(RecordError::Reserved { .. }) if !moves_on(scheme) => return Ok(tag),
            Err(error) => return Err(error.into()),
        }
    }
    Err(PublishError::Scheme(tagging::SchemeError::NoFreeSecond {
        from: naming.at,
        tries: u32::try_from(RESERVATIONS_TRIED_MAX).unwrap_or(u32::MAX),
    }))
}

/// Whether the scheme answers a clash with another name.
fn moves_on(scheme: &Scheme) -> bool {
    scheme.has_second() || matches!(scheme, Scheme::DateBuild(_))
}

fn needs_registry(scheme: &Scheme) -> bool {
    matches!(scheme, Scheme::DateBuild(_))
}

fn scheme_needs_past(scheme: &Scheme) -> bool {
    matches!(scheme, Scheme::Semver | Scheme::SemverSha)
}

fn facts(naming: &Naming) -> Facts {
    let mut facts = Facts::at(naming.at).with_ci(&naming.source.ci);
    facts.environment.clone_from(&naming.environment);
    if facts.git_tag.is_none() {
        let is_version =
            |name: &&String| name.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
        facts.git_tag = naming.source.git_tags.iter().find(is_version).cloned();
    }
    facts
}

/// A tag of this scheme that this release reserved, or that these bytes got from this commit.
async fn mine(
    app: &App,
    request: &TagRequest,
    naming: &Naming,
    scheme: &Scheme,
) -> Result<Option<Tag>, PublishError> {
    let question = Question::of([Kind::Reservation, Kind::Build])
        .about(Facet::Repository, &request.repository);
    let events = all(app.record().await?, &question).await?;
    let fits = |tag: &Tag| is_of(scheme, naming.environment.as_ref(), tag);
    let reserved = |claim: &Claim| {
        let mine = claim.as_reservation().filter(|claim| claim.release == naming.release)?;
        fits(&mine.tag).then(|| mine.tag.clone())
    };
    let built = |claim: &Claim| {
        let build = claim.as_build().filter(|build| Some(build.digest) == request.digest)?;
        let commit = build.source.as_ref().map(|source| &source.commit);
        let is_same =
            commit == naming.source.ci.commit.as_ref() && build.environment == naming.environment;
        build.tags.iter().find(|tag| is_same && fits(tag)).cloned()
    };
    let mut claims = events.iter().rev().map(|event| &event.event.claim);
    Ok(claims.find_map(|claim| reserved(claim).or_else(|| built(claim))))
}

async fn reserve(
    record: &dyn Record,
    request: &TagRequest,
    naming: &Naming,
    tag: &Tag,
) -> Result<(), RecordError> {
    let name = format!("{}\0{tag}\0{}", request.repository, naming.release);
    let key = format!("reserve/{}", &Digest::sha256(name.as_bytes()).hex()[..40]);
    let claim = ReservationClaim {
        key: ClaimKey::try_from(key).expect("a word and hex digits make a key"),
        repository: request.repository.clone(),
        tag: tag.clone(),
        release: naming.release.clone(),
    };
    record.append(vec![Claim::Reservation(claim)]).await.map(|_| ())
}
