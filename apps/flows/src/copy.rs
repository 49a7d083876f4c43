//! An image from one place to another, by digest; a tag at the target is made, never moved.

use crate::app::App;
use crate::registries::{Copied, Registries, RegistryError, TagPut};
use crate::verdict::{Explain, Verdict};
use domain::{Digest, ImageRef, Repository, Tag};
use remote::Source;

/// What is to be copied.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    /// From there.
    pub source: Source,
    /// To a registry or a layout.
    pub target: Source,
    /// Whether what is attached goes along.
    pub referrers: bool,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A place.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The tag names other bytes.
    #[error("{repository}:{tag} is taken by {there}: {said}")]
    Taken {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// What it names.
        there: Digest,
        /// Who put it there.
        said: String,
    },
    /// The digest that the target names is another.
    #[error("the target names {named}, the source is {found}")]
    OtherDigest {
        /// What the target names.
        named: Digest,
        /// What the source is.
        found: Digest,
    },
}

impl Explain for CopyError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Registry(error) => error.verdict(),
            Self::Taken { .. } => Verdict::Taken,
            Self::OtherDigest { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Taken { .. } | Self::OtherDigest { .. } => None,
        }
    }
}

/// Copies an image.
///
/// # Errors
/// A place cannot be used, or the target's tag names other bytes.
pub async fn copy(app: &App, request: &CopyRequest) -> Result<Copied, CopyError> {
    let registries = Registries::of(app)?;
    let place = registries.open_place(&request.source).await?;
    let digest = registries.digest_of(&place).await?;
    if let Source::Registry(ImageRef::Pinned(pinned)) = &request.target
        && pinned.digest != digest
    {
        return Err(CopyError::OtherDigest { named: pinned.digest, found: digest });
    }
    let copied = registries.copy_to(&place, &request.target, request.referrers).await?;
    let (repository, tag) = match &request.target {
        Source::Registry(reference) => (reference.repository(), reference.tag()),
        Source::Layout { .. }
        | Source::OciArchive { .. }
        | Source::DockerArchive { .. }
        | Source::Daemon { .. } => {
            return Ok(copied);
        }
    };
    if let Some(tag) = tag
        && let TagPut::Taken { there, said } =
            registries.create_tag(repository, tag, digest).await?
    {
        let (repository, tag) = (repository.clone(), tag.clone());
        return Err(CopyError::Taken { repository, tag, there, said });
    }
    Ok(copied)
}
