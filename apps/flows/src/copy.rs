//! An image from one place to another, by digest; a registry's tag at the target is made, never moved.
//!
//! ```text
//! oci:build/api -> docker://registry.example.com/shop/api:17     17 absent: bytes, then the tag
//!                                                                17 names other bytes: nothing is sent
//! ```

use crate::app::App;
use crate::registries::{Copied, Registries, RegistryError, TagPut, WritablePlace};
use crate::verdict::{Explain, Verdict};
use domain::{Digest, Repository, Tag};
use remote::place::Place;
use remote::{ReferrersToo, Source};

/// What is to be copied.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    /// From there.
    pub source: Source,
    /// To there.
    pub target: WritablePlace,
    /// Whether what is attached goes along.
    pub referrers: ReferrersToo,
}

/// What a copy will do: decided before anything is written.
pub struct CopyPlan {
    /// The image.
    pub digest: Digest,
    /// The tag at a registry.
    pub tag: Option<TagPlan>,
    place: Place,
}

/// The target's tag, and what is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagPlan {
    /// There is none of that name.
    Create(Tag),
    /// It names these bytes already.
    Same(Tag),
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
            Self::Taken { repository, tag, .. } => Some(format!(
                "indelible history {repository}:{tag}; copy never overwrites, also no tag that is unlocked: push it with another client"
            )),
            Self::OtherDigest { .. } => None,
        }
    }
}

/// Decides about a copy; writes nothing.
///
/// # Errors
/// A place cannot be used, or the target's tag names other bytes.
pub async fn plan_copy(app: &App, request: &CopyRequest) -> Result<CopyPlan, CopyError> {
    let registries = Registries::of(app)?;
    let place = registries.open_place(&request.source).await?;
    let digest = registries.digest_of(&place).await?;
    registries.check_whole(&place, digest).await?;
    let reference = match &request.target {
        WritablePlace::Registry(reference) => reference,
        WritablePlace::Layout { .. } => return Ok(CopyPlan { digest, tag: None, place }),
    };
    if let Some(named) = reference.digest()
        && *named != digest
    {
        return Err(CopyError::OtherDigest { named: *named, found: digest });
    }
    let (repository, Some(tag)) = (reference.repository(), reference.tag()) else {
        return Ok(CopyPlan { digest, tag: None, place });
    };
    let tag = match registries.resolve(repository, tag).await? {
        None => TagPlan::Create(tag.clone()),
        Some(there) if there == digest => TagPlan::Same(tag.clone()),
        Some(there) => {
            let said = registries.who(repository, tag).await;
            let (repository, tag) = (repository.clone(), tag.clone());
            return Err(CopyError::Taken { repository, tag, there, said });
        }
    };
    Ok(CopyPlan { digest, tag: Some(tag), place })
}

/// Carries a copy out.
///
/// # Errors
/// The target does not take it, or its tag names other bytes by now.
pub async fn copy(app: &App, request: &CopyRequest, plan: &CopyPlan) -> Result<Copied, CopyError> {
    let registries = Registries::of(app)?;
    let copied = registries.copy_to(&plan.place, &request.target, request.referrers).await?;
    let repository = match &request.target {
        WritablePlace::Registry(reference) => reference.repository(),
        WritablePlace::Layout { .. } => return Ok(copied),
    };
    let Some(TagPlan::Create(tag) | TagPlan::Same(tag)) = &plan.tag else {
        return Ok(copied);
    };
    match registries.create_tag(repository, tag, plan.digest).await? {
        TagPut::Created | TagPut::Same => Ok(copied),
        TagPut::Taken { there, said } => {
            let (repository, tag) = (repository.clone(), tag.clone());
            Err(CopyError::Taken { repository, tag, there, said })
        }
    }
}
