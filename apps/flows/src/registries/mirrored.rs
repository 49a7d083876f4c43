//! What a tag names, by the mirrors of its registry first.
//!
//! ```text
//! nginx:1.27   mirror.example.com/hub/library/nginx has none or is silent   ->   docker.io/library/nginx is asked
//! ```
//! A mirror's word that there is no such tag is none: it may not have fetched it yet.

use super::Registries;
use super::error::RegistryError;
use domain::{Digest, Repository, Tag};

/// A digest, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What the tag names.
    pub digest: Digest,
    /// The repository that was asked.
    pub by: Repository,
}

impl Registries {
    /// The places at which a repository is asked for, in order; the last is the repository itself.
    #[must_use]
    pub fn places_of(&self, repository: &Repository) -> Vec<Repository> {
        let mirrors = self.inner.mirrors.get(repository.host()).into_iter().flatten();
        let mut places: Vec<Repository> =
            mirrors.filter_map(|mirror| mirror.of(repository)).collect();
        places.push(repository.clone());
        places
    }

    /// What a tag names, by the first place that knows; `None` where it is certain that there is no such tag.
    ///
    /// # Errors
    /// The registry itself could not be asked, and no mirror knew.
    pub async fn resolve_by_mirrors(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<Said>, RegistryError> {
        let mut places = self.places_of(repository);
        let own = places.pop();
        for by in places {
            if let Ok(Some(digest)) = self.resolve(&by, tag).await {
                return Ok(Some(Said { digest, by }));
            }
        }
        let by = own.unwrap_or_else(|| repository.clone());
        let digest = self.resolve(&by, tag).await?;
        Ok(digest.map(|digest| Said { digest, by }))
    }
}
