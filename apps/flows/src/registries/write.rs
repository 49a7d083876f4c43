//! Tags: created once, aliases moved by comparing.

use super::Registries;
use super::error::{RegistryError, failed};
use domain::{Digest, Repository, Tag};
use remote::content::ManifestBytes;
use remote::registry::{TagAt, TagWrite};

/// What became of tags that were to be created together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagsPut {
    /// All of them name the digest, in the order given.
    Made(Vec<TagMade>),
    /// One of them names other bytes; of the others nothing is said.
    Taken {
        /// Which.
        tag: Tag,
        /// What it names.
        there: Digest,
        /// Who put it there and when, as far as the registry tells.
        said: String,
    },
}

/// How a tag came to name its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagMade {
    /// It is new.
    Created,
    /// It named the digest before.
    Same,
}

/// What became of one tag that was to be created.
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
    ) -> Result<TagsPut, RegistryError> {
        let manifest = self.manifest(repository, digest).await?;
        let what = || format!("cannot tag {repository}@{}", digest.short());
        let written = self.repository(repository)?.put_manifest_tagged(&manifest, tags).await;
        let (mut made, mut untold) = (Vec::new(), None);
        for (tag, write) in tags.iter().zip(written.map_err(failed(what()))?) {
            // Not tried because another of them is taken or denied, and that one says so itself.
            if write == TagWrite::Skipped {
                untold = Some(tag);
                continue;
            }
            match self.fate(repository, tag, write).await? {
                TagPut::Created => made.push(TagMade::Created),
                TagPut::Same => made.push(TagMade::Same),
                TagPut::Taken { there, said } => {
                    return Ok(TagsPut::Taken { tag: tag.clone(), there, said });
                }
            }
        }
        match untold.or_else(|| tags.get(made.len())) {
            None => Ok(TagsPut::Made(made)),
            Some(tag) => Err(untold_of(repository, tag)),
        }
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
        let manifest = self.manifest(repository, digest).await?;
        let what = || format!("cannot tag {repository}@{}", digest.short());
        let one = std::slice::from_ref(tag);
        let written = self.repository(repository)?.put_manifest_tagged(&manifest, one).await;
        match written.map_err(failed(what()))?.pop() {
            Some(write) => self.fate(repository, tag, write).await,
            None => Err(untold_of(repository, tag)),
        }
    }

    /// What a write means: a refusal and an unknown are errors, never "it was there".
    async fn fate(
        &self,
        repository: &Repository,
        tag: &Tag,
        write: TagWrite,
    ) -> Result<TagPut, RegistryError> {
        match write {
            TagWrite::Created => Ok(TagPut::Created),
            TagWrite::Same => Ok(TagPut::Same),
            TagWrite::Taken { there } => {
                let said = self.who(repository, tag).await;
                Ok(TagPut::Taken { there, said })
            }
            TagWrite::Denied { answered } => Err(RegistryError::Denied {
                repository: repository.clone(),
                tag: tag.clone(),
                answered: answered.to_string(),
            }),
            TagWrite::Skipped => Err(untold_of(repository, tag)),
        }
    }

    /// Who put a tag where it is; a registry of others does not tell.
    pub(crate) async fn who(&self, repository: &Repository, tag: &Tag) -> String {
        let history = match self.api(repository.host()).await {
            Ok(api) => api.history(repository.path(), Some(tag), None).await.ok().flatten(),
            Err(_) => None,
        };
        // Who unlocked it put nothing there.
        let mut lines = history.iter().flat_map(|page| &page.items).map(|line| &line.entry);
        match lines.find(|entry| entry.change.names().is_some()) {
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

fn untold_of(repository: &Repository, tag: &Tag) -> RegistryError {
    RegistryError::Untold { repository: repository.clone(), tag: tag.clone() }
}
