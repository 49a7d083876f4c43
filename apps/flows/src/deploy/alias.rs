//! An environment's alias follows to what is intended there: after the files, and never instead of them.
//!
//! ```text
//! deploy, promote, rollback: files -> record -> alias, also where the same was intended before
//! ```
//! A registry that is down or refuses is a warning: what runs is decided by the files.

use super::error::DeployError;
use super::{NameDone, Report};
use crate::app::App;
use crate::publish::{AliasDone, Moved, PublishError, tag_changes};
use crate::registries::{AliasMove, Registries};
use crate::settings::EnvironmentSettings;
use crate::verdict::Explain as _;
use domain::{Digest, ImageName, Repository, Tag, TagClass};

/// Refuses before anything is written where the alias would be burnt by its first push.
pub(super) async fn check(
    registries: &Registries,
    environment: &EnvironmentSettings,
    repository: &Repository,
) -> Result<(), DeployError> {
    match &environment.alias {
        Some(alias) => check_one(registries, repository, alias).await,
        None => Ok(()),
    }
}

async fn check_one(
    registries: &Registries,
    repository: &Repository,
    alias: &Tag,
) -> Result<(), DeployError> {
    match registries.class_of(repository, alias).await? {
        Some(TagClass::Immutable) => {
            let (repository, tag) = (repository.clone(), alias.clone());
            Err(Box::new(PublishError::NoRule { repository, tag }).into())
        }
        Some(TagClass::Alias | TagClass::Append) | None => Ok(()),
    }
}

/// Moves the alias of each image; whatever is in the way is a warning, for the deploy has landed.
///
/// A person or a pipeline told it by deploying, so it may go back to an older build.
pub(super) async fn follow(
    app: &App,
    environment: &EnvironmentSettings,
    moves: &[(ImageName, Repository, Digest)],
    report: &mut Report,
) {
    let Some(alias) = &environment.alias else { return };
    for (image, repository, digest) in moves {
        let error = match move_one(app, repository, alias, *digest).await {
            Ok(moved) => {
                let own = report.images.iter_mut().find(|done| done.image == *image);
                own.into_iter().for_each(|done| done.names.extend(moved.clone()));
                continue;
            }
            Err(error) => error,
        };
        let hint = error.hint().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
        let why = chain(&error);
        let warning = format!(
            "alias `{alias}` of {repository} does not follow to {}: {why}{hint}",
            digest.short()
        );
        if let Some(done) = report.images.iter_mut().find(|done| done.image == *image) {
            done.warnings.push(warning);
        }
    }
}

/// An error with all of its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn move_one(
    app: &App,
    repository: &Repository,
    alias: &Tag,
    digest: Digest,
) -> Result<Option<NameDone>, DeployError> {
    let registries = Registries::of(app)?;
    let there = registries.resolve(repository, alias).await?;
    if there == Some(digest) {
        return Ok(None);
    }
    check_one(&registries, repository, alias).await?;
    let moved = match registries.move_alias(repository, alias, there, digest).await? {
        AliasMove::Same => return Ok(None),
        AliasMove::Moved => there.map_or(Moved::Created, Moved::From),
        AliasMove::Stale { found } => {
            let found = found.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
            let (repository, alias) = (repository.clone(), alias.clone());
            return Err(Box::new(PublishError::Stale { repository, alias, found }).into());
        }
    };
    let done = [AliasDone { alias: alias.clone(), moved }];
    let owner = registries.owner(repository).await?;
    let claims = tag_changes(app, owner, repository, digest, &[], &done).await.map_err(Box::new)?;
    if !claims.is_empty() {
        app.record().await?.append(claims).await?;
    }
    Ok(Some(NameDone::Moved { alias: alias.clone(), from: there }))
}

/// What the alias would do, for a plan; a registry that does not tell is a warning here too.
pub(super) async fn plan(
    registries: &Registries,
    environment: &EnvironmentSettings,
    repository: &Repository,
    digest: Digest,
) -> (Option<NameDone>, Option<String>) {
    let Some(alias) = &environment.alias else { return (None, None) };
    match registries.resolve(repository, alias).await {
        Ok(Some(there)) if there == digest => (None, None),
        Ok(from) => (Some(NameDone::Moved { alias: alias.clone(), from }), None),
        Err(error) => {
            let why = chain(&error);
            (None, Some(format!("could not find out what alias `{alias}` names now: {why}")))
        }
    }
}
