//! An environment's alias follows to what is intended there: after the files, and never instead of them.

use super::Report;
use super::error::DeployError;
use crate::app::App;
use crate::publish::{AliasDone, Moved, PublishError, tag_changes};
use crate::registries::{AliasMove, Registries};
use crate::settings::EnvironmentSettings;
use domain::{Digest, Repository, Tag, TagClass};

/// Refuses before anything is written where the alias would be burnt by its first push.
pub(super) async fn check(
    registries: &Registries,
    environment: &EnvironmentSettings,
    repository: &Repository,
) -> Result<(), DeployError> {
    let Some(alias) = &environment.alias else { return Ok(()) };
    match registries.class_of(repository, alias).await? {
        Some(TagClass::Immutable) => {
            let (repository, tag) = (repository.clone(), alias.clone());
            Err(Box::new(PublishError::NoRule { repository, tag }).into())
        }
        Some(TagClass::Alias | TagClass::Append) | None => Ok(()),
    }
}

/// Moves the alias in each repository; a registry that is down is a warning, for the deploy has landed.
///
/// A person told it by deploying, so it may go back to an older build.
pub(super) async fn follow(
    app: &App,
    environment: &EnvironmentSettings,
    moves: &[(Repository, Digest)],
    report: &mut Report,
) -> Result<(), DeployError> {
    let Some(alias) = &environment.alias else { return Ok(()) };
    let registries = Registries::of(app)?;
    for (repository, digest) in moves {
        if let Err(error) =
            move_one(app, &registries, environment, repository, alias, *digest).await
        {
            let warning =
                format!("alias `{alias}` of {repository} was not moved: {}", chain(&error));
            let settings = app.settings()?;
            let is_own = |done: &&mut super::ImageDone| {
                settings.repository(environment, &done.image) == Some(repository)
            };
            if let Some(done) = report.images.iter_mut().find(is_own) {
                done.warnings.push(warning);
            }
        }
    }
    Ok(())
}

/// An error with all of its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn move_one(
    app: &App,
    registries: &Registries,
    environment: &EnvironmentSettings,
    repository: &Repository,
    alias: &Tag,
    digest: Digest,
) -> Result<(), DeployError> {
    check(registries, environment, repository).await?;
    let there = registries.resolve(repository, alias).await?;
    let moved = match registries.move_alias(repository, alias, there, digest).await? {
        AliasMove::Same => return Ok(()),
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
    Ok(())
}
