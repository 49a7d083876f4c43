//! `indelible note deploy ENV IMAGE=TAG|DIGEST…`

use super::deploy::{asker, pair, run_of};
use super::report;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use clap::Subcommand;
use domain::EnvironmentName;
use flows::deploy::NoteRequest;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Record a deploy that another tool made; files are not touched
    Deploy {
        /// The environment
        environment: EnvironmentName,
        /// Images, each with the build that the other tool brought
        #[arg(value_name = "IMAGE=TAG|DIGEST", required = true)]
        images: Vec<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let What::Deploy { environment, images, reason } = arguments.what;
    let images = images.iter().map(|text| pair(text)).collect::<Result<_, _>>()?;
    let request = NoteRequest { environment, images, reason, run: run_of(global) };
    let report = flows::deploy::note_deploy(&app, &request).await?;
    Ok(report::show(global, "note", &report, asker(&app)))
}
