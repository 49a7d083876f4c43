//! `indelible init`: settings for the tree that is here.
//!
//! ```text
//! wrote indelible.yaml: 2 images, 2 environments
//! next: indelible check
//! ```

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use clap::Args;
use flows::init::{self, Existing};
use serde_json::json;

/// What `init` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print the settings instead of writing them
    #[arg(long, conflicts_with = "force")]
    stdout: bool,
    /// Replace settings that are there
    #[arg(long)]
    force: bool,
}

/// Runs it.
pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let around = process::surroundings()?;
    let is_shown = arguments.stdout || global.dry_run;
    let existing = if is_shown || arguments.force { Existing::MayGo } else { Existing::Stays };
    let draft = init::draft(&around, existing).await?;
    let output = global.output();
    for file in &draft.unread {
        output.talk(format_args!("{file}: not read, so that what it says is missing"));
    }
    if !is_shown {
        init::write(&draft)?;
    }
    let shown = draft.path.strip_prefix(&around.cwd).unwrap_or(&draft.path).display().to_string();
    let document = json!({
        "path": shown, "written": !is_shown, "settings": draft.text, "next": draft.next,
        "unread": draft.unread,
    });
    output.data("init", &document, || {
        if is_shown { draft.text.clone() } else { format!("wrote {shown}\n") }
    });
    for next in &draft.next {
        output.talk(format_args!("next: {next}"));
    }
    Ok(Exit::Done)
}
