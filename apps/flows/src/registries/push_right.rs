//! Whether a registry takes our pushes, and as whom it is asked.

use super::error::failed;
use super::{Registries, RegistryError};
use domain::{RegistryHost, Repository};
use remote::RemoteError;
use remote::credentials::Explained;

/// What a registry said to an upload that was opened and ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushable {
    /// It takes pushes.
    Yes,
    /// It does not let us, in its words.
    No(String),
}

impl Registries {
    /// Whether a repository takes pushes of ours; nothing is sent.
    ///
    /// # Errors
    /// It could not be found out.
    pub async fn may_push(&self, repository: &Repository) -> Result<Pushable, RegistryError> {
        match self.repository(repository)?.may_push().await {
            Ok(()) => Ok(Pushable::Yes),
            Err(error @ (RemoteError::Unauthorized { .. } | RemoteError::Denied { .. })) => {
                Ok(Pushable::No(error.to_string()))
            }
            Err(error) => Err(failed(format!("cannot push to {repository}"))(error)),
        }
    }

    /// Which credential a host is asked with, and why others are not.
    ///
    /// # Errors
    /// A credential helper cannot be asked.
    pub async fn explain(&self, host: &RegistryHost) -> Result<Explained, RegistryError> {
        let told = self.inner.opener.registry.credentials.explain(host).await;
        told.map_err(|error| failed(format!("cannot find credentials for {host}"))(error.into()))
    }
}
