//! `indelible block DIGEST --reason TEXT`

use super::deploy::run_of;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::Digest;
use flows::decide::{Block, Decided};
use flows::deploy::Knowledge;
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
    /// Whether anything but decisions is recorded for the digest.
    pub(super) known: bool,
    pub(super) dry_run: bool,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let Arguments { digest, reason, lift } = arguments;
    let (block, word) = if lift {
        (Block::Lifted, "no longer blocked")
    } else {
        (Block::Set, "blocked in every environment")
    };
    let decided = flows::decide::block(&app, digest, block, &reason, run_of(global)).await?;
    let known = flows::deploy::knowledge(&app, digest).await?;
    global.output().data("block", &wire(global, digest, decided, known), || match decided {
        Decided::Would => format!("{digest}: would be {word}\n"),
        Decided::New(_) => format!("{digest}: {word}\n"),
        Decided::Already(_) | Decided::Never if lift => format!("{digest}: was not blocked\n"),
        Decided::Already(_) | Decided::Never => format!("{digest}: {word} already\n"),
    });
    warn(global, digest, known);
    Ok(Exit::Done)
}

/// A digest that nobody has heard of is probably one that was typed wrongly.
pub(super) fn warn(global: &Global, digest: Digest, known: Knowledge) {
    if known == Knowledge::Nothing {
        global.output().talk(format_args!(
            "warning: no build, image, tag or deploy with the digest {digest} is recorded; is it the one that you mean?"
        ));
    }
}

pub(super) fn wire(global: &Global, digest: Digest, decided: Decided, known: Knowledge) -> Wire {
    Wire {
        digest: digest.to_string(),
        event: decided.event().map(|event| event.to_string()),
        new: matches!(decided, Decided::New(_)),
        known: known == Knowledge::Something,
        dry_run: global.dry_run,
    }
}
