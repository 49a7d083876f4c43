//! Why something that flows work with cannot be opened.

use crate::record_http::ServerAddress;
use crate::registries::RegistryError;
use crate::seam::RecordError;
use crate::settings::{FindError, SettingsError};
use crate::verdict::{Explain, Verdict};
use domain::EnvironmentName;
use git::GitError;
use oci::client::url::Scheme;
use std::path::PathBuf;

/// Why the app cannot be opened, or something that it needs.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The settings.
    #[error("the settings cannot be used")]
    Settings(#[from] FindError),
    /// `--record`.
    #[error("`--record` cannot be used")]
    RecordOption(#[source] SettingsError),
    /// There are no settings, and the command needs them.
    #[error("no indelible.yaml in {} or above it", from.display())]
    NoSettings {
        /// Where the search began.
        from: PathBuf,
    },
    /// The settings have no such environment.
    #[error("the settings have no environment `{name}`; they have {known}")]
    NoEnvironment {
        /// What was named.
        name: EnvironmentName,
        /// Those that there are.
        known: String,
    },
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The server of the record is spoken to in another way than its address says.
    #[error("`record: {address}` cannot be used: {host} is spoken to over {spoken}", host = address.host)]
    Scheme {
        /// The address.
        address: ServerAddress,
        /// How its host is spoken to.
        spoken: &'static str,
    },
    /// The client for the record's server.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No variable tells where data is kept.
    #[error("neither XDG_DATA_HOME nor HOME is set, so there is no place for the local record")]
    NoHome,
    /// `record: git` outside of a repository.
    #[error("`record: git` needs a git repository, and {} is in none", from.display())]
    NoRepository {
        /// The folder.
        from: PathBuf,
    },
}

impl Explain for OpenError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Record(error) => error.verdict(),
            Self::Registry(error) => error.verdict(),
            Self::Scheme { .. }
            | Self::Settings(_)
            | Self::RecordOption(_)
            | Self::NoSettings { .. }
            | Self::NoEnvironment { .. }
            | Self::Git(_)
            | Self::NoHome
            | Self::NoRepository { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Record(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Scheme { address, .. } => Some(match address.scheme {
                Scheme::Http => format!(
                    "write https://{host}, or allow clear text: --plain-http {host}",
                    host = address.host
                ),
                Scheme::Https => format!(
                    "write http://{}: this machine and `--plain-http` are clear text",
                    address.host
                ),
            }),
            Self::NoHome => Some("name the file of the record: --record file:PATH".to_owned()),
            Self::NoRepository { .. } => Some("name the repository: --record git:URL".to_owned()),
            Self::Settings(_)
            | Self::RecordOption(_)
            | Self::NoSettings { .. }
            | Self::NoEnvironment { .. }
            | Self::Git(_) => None,
        }
    }
}
