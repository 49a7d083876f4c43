//! Tags: created once, aliases moved by comparing.

use super::Registries;
use super::error::{RegistryError, failed};
use domain::{Digest, Repository, Tag};
use remote::content::ManifestBytes;
use remote::registry::{TagAt, TagWrite};

/// What became of a tag that was to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagPut {
    /// It is new.
    Created,
    /// It named the digest before.
    Same,
    /// It names other bytes.
    Taken {
        /// What it names.
        there: Digest,
        /// Who put it there and when, as far as the registry tells.
        said: String,
    },
}

/// What became of an alias that was to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasMove {
    /// It names the digest now.
    Moved,
    /// It named the digest before.
    Same,
    /// It is not where it was expected.
    Stale {
        /// What it names.
        found: Option<Digest>,
    },
}

impl Registries {
    async fn manifest(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<ManifestBytes, RegistryError> {
        let what = || format!("cannot read {repository}@{digest}");
        self.repository(repository)?.manifest(&digest).await.map_err(failed(what()))
    }

    /// Creates tags for a manifest that is there: in one request where the registry can.
    ///
    /// # Errors
    /// The registry refuses, or it could not be found out where a tag points.
    pub async fn create_tags(
        &self,
        repository: &Repository,
        tags: &[Tag],
        digest: Digest,
    ) -> Result<Vec<TagPut>, RegistryError> {
        let manifest = self.manifest(repository, digest).await?;
        let what = || format!("cannot tag {repository}@{}", digest.short());
        let written = self.repository(repository)?.put_manifest_tagged(&manifest, tags).await;
        let mut puts = Vec::new();
        for (tag, write) in tags.iter().zip(written.map_err(failed(what()))?) {
            match write {
                TagWrite::Created => puts.push(TagPut::Created),
                TagWrite::Same => puts.push(TagPut::Same),
                TagWrite::Taken { there } => {
                    let said = self.who(repository, tag).await;
                    puts.push(TagPut::Taken { there, said });
                }
                TagWrite::Denied { answered } => {
                    let (repository, tag) = (repository.clone(), tag.clone());
                    return Err(RegistryError::Denied {
                        repository,
                        tag,
                        answered: answered.to_string(),
                    });
                }
                // Another tag of the same request is taken, and that one is an error for the caller.
                TagWrite::Skipped => puts.push(TagPut::Same),
            }
        }
        Ok(puts)
    }

    /// Creates one tag.
    ///
    /// # Errors
    /// As [`Registries::create_tags`].
    pub async fn create_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        digest: Digest,
    ) -> Result<TagPut, RegistryError> {
        let mut puts = self.create_tags(repository, std::slice::from_ref(tag), digest).await?;
        Ok(puts.pop().unwrap_or(TagPut::Same))
    }

    /// Who put a tag where it is; a registry of others does not tell.
    async fn who(&self, repository: &Repository, tag: &Tag) -> String {
        let history = match self.api(repository.host()).await {
            Ok(api) => api.tag_history(repository.path(), tag, None).await.ok().flatten(),
            Err(_) => None,
        };
        match history.as_ref().and_then(|page| page.history.first()) {
            Some(entry) => {
                let who = entry.actor.as_ref().map_or("somebody", |actor| actor.name());
                format!("put there by {who} at {}", entry.at)
            }
            None => "the registry does not tell who put it there".to_owned(),
        }
    }

    /// Moves an alias to a manifest that is there, if it still points where it is expected to.
    ///
    /// # Errors
    /// The registry refuses, or it could not be found out where the alias points.
    pub async fn move_alias(
        &self,
        repository: &Repository,
        alias: &Tag,
        from: Option<Digest>,
        to: Digest,
    ) -> Result<AliasMove, RegistryError> {
        use remote::registry::AliasMove as Said;
        let manifest = self.manifest(repository, to).await?;
        let expected = from.map_or(TagAt::Absent, TagAt::Digest);
        let what = || format!("cannot move {repository}:{alias}");
        let moved = self.repository(repository)?.move_alias(&manifest, alias, expected).await;
        match moved.map_err(failed(what()))? {
            Said::Moved { .. } => Ok(AliasMove::Moved),
            Said::Same => Ok(AliasMove::Same),
            Said::Elsewhere { there: TagAt::Absent } => Ok(AliasMove::Stale { found: None }),
            Said::Elsewhere { there: TagAt::Digest(found) } => {
                Ok(AliasMove::Stale { found: Some(found) })
            }
            Said::Denied { answered } => Err(RegistryError::Denied {
                repository: repository.clone(),
                tag: alias.clone(),
                answered: answered.to_string(),
            }),
        }
    }
}
