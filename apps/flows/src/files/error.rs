//! Why nothing could be done with files at all. What befalls one file among many is listed in the report instead.

use super::walk::Unreadable;
use super::write::WriteError;
use crate::edit::{SeenAt, maybe_named};
use crate::verdict::{Explain, Verdict};
use pin::scan::FILE_BYTES_MAX;
use pin::{ProofError, ScanError};
use std::path::PathBuf;

/// Why the command cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A path that was named is not there, or closed to us.
    #[error("cannot open {}", path.display())]
    NoSuchPath {
        /// As it was named.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A device, a socket or a pipe.
    #[error("{} is neither a file nor a folder", path.display())]
    NotAFile {
        /// As it was named.
        path: PathBuf,
    },
    /// A file that must be known in full.
    #[error("cannot read {path}")]
    Unread {
        /// The path for people.
        path: String,
        /// Why.
        source: Unreadable,
    },
    /// No place names what is to be set.
    #[error("nothing in {files} names {repositories}{}", maybe_named(unsure))]
    NotNamed {
        /// The repositories that were looked for.
        repositories: String,
        /// Where.
        files: String,
        /// Places that another program fills in, so that nobody can tell what they name.
        unsure: Vec<SeenAt>,
    },
    /// Standard input ended at once: what should have written it failed.
    #[error("standard input is empty")]
    EmptyInput,
    /// Standard input is more than is read.
    #[error("standard input has more than {FILE_BYTES_MAX} bytes")]
    InputSize,
    /// Standard input is no text.
    #[error("standard input is not UTF-8 text")]
    InputEncoding,
    /// Standard input is none of the formats.
    #[error(
        "standard input is no workload file: neither Kubernetes objects, a kustomization, Compose nor a Dockerfile"
    )]
    InputFormat,
    /// Standard input is broken.
    #[error("cannot read standard input")]
    Input(#[source] ScanError),
    /// The edit cannot be proved.
    #[error("{path} cannot be edited safely")]
    Proof {
        /// The path for people.
        path: String,
        /// Why.
        source: ProofError,
    },
    /// Files could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Explain for FilesError {
    fn verdict(&self) -> Verdict {
        Verdict::Unknown
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotNamed { .. } => {
                Some("`indelible check --all` lists what the files name".to_owned())
            }
            Self::Write(error) => error.hint(),
            Self::Unread { source: Unreadable::Encoding, .. } => {
                Some("save the file as UTF-8".to_owned())
            }
            Self::NoSuchPath { .. }
            | Self::NotAFile { .. }
            | Self::Unread { .. }
            | Self::EmptyInput
            | Self::InputSize
            | Self::InputEncoding
            | Self::InputFormat
            | Self::Input(_)
            | Self::Proof { .. } => None,
        }
    }
}
