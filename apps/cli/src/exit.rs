//! How a command ends, and how it says why.
//!
//! ```text
//! error: cannot deploy `api` to prod
//!   caused by: sha256:9f… may not go to prod: it was neither built for it, nor promoted to it, nor allowed
//! hint: indelible promote uat prod api
//! ```

use std::fmt::Write as _;
use std::process::ExitCode;

/// How a command ends. Source: DESIGN §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Yes, done.
    Done,
    /// No: a finding or a refusal.
    No,
    /// Could not find out; bad input; bad usage.
    Unknown,
    /// The tag is taken by other bytes.
    Taken,
    /// Stopped by Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Unknown => 2,
            Exit::Taken => 3,
            Exit::Interrupted => 130,
        })
    }
}

impl From<flows::Verdict> for Exit {
    fn from(verdict: flows::Verdict) -> Self {
        match verdict {
            flows::Verdict::Refused => Self::No,
            flows::Verdict::Unknown => Self::Unknown,
            flows::Verdict::Taken => Self::Taken,
        }
    }
}

/// An error with its exit code, and where there is one the command that fixes it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// Bad input or usage.
    pub(crate) fn usage(message: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Unknown, error: anyhow::anyhow!("{message}"), hint: None }
    }

    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The whole message, with its chain: each cause once.
    pub(crate) fn message(&self) -> String {
        let mut text = format!("error: {}\n", crate::output::plain(&self.error.to_string()));
        for cause in self.error.chain().skip(1) {
            let _ = writeln!(text, "  caused by: {}", crate::output::plain(&cause.to_string()));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "hint: {}", crate::output::plain(hint));
        }
        text
    }
}

/// An error of a flow knows how the command ends.
impl<E: flows::Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        let (exit, hint) = (error.verdict().into(), error.hint());
        Self { exit, error: anyhow::Error::new(error), hint }
    }
}
