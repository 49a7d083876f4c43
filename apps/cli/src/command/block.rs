//! `indelible block DIGEST --reason TEXT`

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::Digest;
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The digest
    digest: Digest,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Take the block back
    #[arg(long)]
    lift: bool,
}

#[derive(Serialize)]
pub(super) struct Wire {
    pub(super) digest: String,
    pub(super) event: Option<String>,
    pub(super) new: bool,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let Arguments { digest, reason, lift } = arguments;
    let word = if lift { "no longer blocked" } else { "blocked" };
    let decided = match global.dry_run {
        true => None,
        false => Some(flows::decide::block(&app, digest, !lift, &reason).await?),
    };
    let new = decided.as_ref().is_some_and(|decided| decided.is_new);
    let event = decided.as_ref().map(|decided| decided.event.to_string());
    let wire = Wire { digest: digest.to_string(), event, new };
    global.output().data("block", &wire, || match &decided {
        None => format!("{digest}: would be {word} in every environment\n"),
        Some(decided) if decided.is_new => format!("{digest}: {word} in every environment\n"),
        Some(_) => format!("{digest}: {word} already\n"),
    });
    Ok(Exit::Done)
}
