//! Why a registry, or another place of images, did not do it.

use crate::verdict::{Explain, Verdict};
use domain::{Repository, Tag};
use remote::RemoteError;
use remote::credentials::CredentialsError;
use vendors::ApiError;

/// How somebody becomes known to a server of ours.
const TOKEN_WAY: &str = "set INDELIBLE_TOKEN to a token of it; the administrator's is in admin.token in its data folder";

/// Why a registry, or another place of images, did not do it.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The protocol.
    #[error("{what}")]
    Remote {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: RemoteError,
    },
    /// The registry refused a tag.
    #[error("{repository}:{tag} was not written: {answered}")]
    Denied {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// What the registry said.
        answered: String,
    },
    /// A tag was not written, and no other one of the same request says why.
    #[error("{repository}:{tag} was not written, and the registry does not say why")]
    Untold {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
    },
    /// Our server's API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The docker config.
    #[error("the docker config {path} cannot be used")]
    Config {
        /// The file.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A credential helper.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// `DOCKER_HOST`.
    #[error("DOCKER_HOST cannot be used")]
    DockerHost(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A place that is only read.
    #[error(
        "{place} cannot be written to, only a registry (docker://REPOSITORY) or an OCI layout (oci:DIR)"
    )]
    NotWritable {
        /// The place.
        place: String,
    },
    /// The API of a git host.
    #[error("the git host at {api} is not asked: {why}")]
    GitHost {
        /// Its address.
        api: String,
        /// Why.
        why: &'static str,
    },
    /// The name in a layout is none.
    #[error("`{name}` names no image in a layout", name = name.escape_debug())]
    LayoutName {
        /// The name.
        name: String,
        /// Why not.
        source: domain::TagError,
    },
}

impl Explain for RegistryError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Denied { .. } => Verdict::Refused,
            Self::Remote { source: RemoteError::Denied { .. }, .. } => Verdict::Refused,
            Self::Api(ApiError::Refused { status, .. })
                if matches!(status.as_u16(), 403 | 409 | 412 | 422) =>
            {
                Verdict::Refused
            }
            Self::Remote { .. }
            | Self::Api(_)
            | Self::Config { .. }
            | Self::Credentials(_)
            | Self::DockerHost(_)
            | Self::Untold { .. }
            | Self::GitHost { .. }
            | Self::LayoutName { .. }
            | Self::NotWritable { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Remote { source: RemoteError::Unauthorized { answered, .. }, .. } => {
                let host = &answered.host;
                Some(format!(
                    "docker login {host}; or, where it is an Indelible server, {TOKEN_WAY}"
                ))
            }
            Self::Api(ApiError::Refused { status, .. }) if status.as_u16() == 401 => {
                Some(TOKEN_WAY.to_owned())
            }
            Self::Remote { .. }
            | Self::Denied { .. }
            | Self::Api(_)
            | Self::Config { .. }
            | Self::Credentials(_)
            | Self::DockerHost(_)
            | Self::Untold { .. }
            | Self::GitHost { .. }
            | Self::LayoutName { .. }
            | Self::NotWritable { .. } => None,
        }
    }
}

pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(RemoteError) -> RegistryError {
    let what = what.into();
    move |source| RegistryError::Remote { what, source }
}
