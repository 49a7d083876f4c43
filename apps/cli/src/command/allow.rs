//! `indelible allow DIGEST ENV --reason TEXT`

use super::block::{warn, wire};
use super::deploy::run_of;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::{Digest, EnvironmentName};
use flows::decide::Decided;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The digest
    digest: Digest,
    /// The environment
    environment: EnvironmentName,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let Arguments { digest, environment, reason } = arguments;
    let run = run_of(global);
    let decided = flows::decide::allow(&app, digest, &environment, &reason, run).await?;
    let known = flows::deploy::knowledge(&app, digest).await?;
    global.output().data("allow", &wire(global, digest, decided, known), || match decided {
        Decided::Would => format!("{digest}: would be allowed in {environment}\n"),
        Decided::New(_) | Decided::Already(_) | Decided::Never => {
            format!("{digest}: allowed in {environment}\n")
        }
    });
    warn(global, digest, known);
    Ok(Exit::Done)
}
