//! What people do: gather facts, plan, apply, record. Prints nothing and reads no arguments.
//!
//! ```text
//! deploy prod  ->  state of prod + build of HEAD -> plan -> one commit -> one event
//! ```
//! The one layer that sees two adapters at once. Decisions are made by `engines/release`, not here.

pub mod app;
pub mod ask;
pub mod copy;
pub mod decide;
pub mod demo;
pub mod deploy;
pub mod doctor;
pub mod edit;
pub mod files;
pub mod import;
pub mod init;
pub mod look;
pub mod person;
pub mod policy;
pub mod publish;
pub mod record_git;
pub mod record_http;
pub mod record_local;
pub mod registries;
pub mod seam;
pub mod settings;
pub mod source;
pub mod surroundings;
pub mod verdict;
pub mod watch;
mod writers;

pub use app::{App, OpenError, Options};
pub use surroundings::Surroundings;
pub use verdict::{Explain, Verdict};
