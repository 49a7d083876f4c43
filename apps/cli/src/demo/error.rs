//! Why the demo stopped in the middle.

use flows::demo::StageError;
use flows::{Explain, Verdict};
use std::path::{Path, PathBuf};

/// Why the demo stopped in the middle.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// A file or folder.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder is there already, and might be somebody's.
    #[error("{} exists already: the demo makes a folder of its own", path.display())]
    FolderExists {
        /// The folder.
        path: PathBuf,
    },
    /// The folder of an image holds something that is not a plain file.
    #[error("{} is not a plain file", path.display())]
    NotAFile {
        /// What it is instead.
        path: PathBuf,
    },
    /// More than the demo puts into an image.
    #[error("{} holds more than the {most} {what} that an image of the demo takes", path.display())]
    TooMuch {
        /// The folder.
        path: PathBuf,
        /// How many.
        most: u64,
        /// Of what.
        what: &'static str,
    },
    /// A program that is not there.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A command ended otherwise than the story tells.
    #[error("`{command}` ended with {ended}, the story expects exit {expected}")]
    Exit {
        /// The command, as it was printed.
        command: String,
        /// How it ended.
        ended: String,
        /// How it should have.
        expected: i32,
    },
    /// A command that does not end.
    #[error("`{command}` did not end within {seconds} s")]
    Timeout {
        /// The command, as it was printed.
        command: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A command that ended well without saying what the story needs.
    #[error("`{command}` did not say {missing}")]
    Silent {
        /// The command.
        command: String,
        /// What was looked for.
        missing: &'static str,
    },
    /// The demo's namespaces.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// What is to run in the background did not come up.
    #[error("`{command}` is not ready: {why}; it printed: {printed}")]
    NotReady {
        /// The command.
        command: &'static str,
        /// Why.
        why: String,
        /// The end of its output.
        printed: String,
    },
}

impl DemoError {
    /// An error about one path.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

impl Explain for DemoError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Exit { .. } => Verdict::Refused,
            Self::Stage(error) => error.verdict(),
            Self::Io { .. }
            | Self::FolderExists { .. }
            | Self::NotAFile { .. }
            | Self::TooMuch { .. }
            | Self::Start { .. }
            | Self::Timeout { .. }
            | Self::Silent { .. }
            | Self::NotReady { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Start { program, .. } if program == "git" => {
                Some("the demo needs the git program: apt-get install git".to_owned())
            }
            Self::Stage(error) => error.hint(),
            Self::FolderExists { .. } => Some("indelible demo --folder NEW-FOLDER".to_owned()),
            Self::Start { .. }
            | Self::Io { .. }
            | Self::NotAFile { .. }
            | Self::TooMuch { .. }
            | Self::Exit { .. }
            | Self::Timeout { .. }
            | Self::Silent { .. }
            | Self::NotReady { .. } => None,
        }
    }
}
