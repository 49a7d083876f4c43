//! `indelible unpin`: takes the digests out again, where a tag stands beside them.
//!
//! ```text
//! shop/api:1.4@sha256:9f…  ->  shop/api:1.4
//! ```

use crate::arguments::Global;
use crate::command::pin::draft::{Draft, Outcome, Verb};
use crate::exit::{Exit, Failure};
use crate::process;
use clap::Args;
use flows::files::{self, FilesError};
use std::path::PathBuf;

/// What `unpin` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files and folders
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
}

/// Runs it.
pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let cwd = &app.surroundings().cwd;
    let draft = files::unpin(cwd, &arguments.paths)?;
    let outcome = if global.dry_run {
        Outcome::Shown
    } else {
        files::write_all(&draft.rewrites).map_err(FilesError::from)?;
        Outcome::Written
    };
    let (verb, again) = (Verb::Unpin, "indelible unpin");
    let told = Draft { verb, outcome, again, paths: &arguments.paths, draft: &draft };
    told.print(global.output(), cwd)
}
