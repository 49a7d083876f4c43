//! `indelible record verify|export|import`

mod export;
mod import;
mod kept;
mod verify;

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check that nothing that was recorded has been changed or removed
    Verify,
    /// Write the whole record as JSON lines, or move it into another record
    Export(export::Arguments),
    /// Take over another record, or what a cluster or git still knows of the past
    Import(import::Arguments),
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.what {
        What::Verify => verify::run(global).await,
        What::Export(arguments) => export::run(global, &arguments).await,
        What::Import(arguments) => import::run(global, &arguments).await,
    }
}
