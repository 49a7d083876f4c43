//! `indelible allow DIGEST ENV --reason TEXT`

use super::block::Wire;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::{Digest, EnvironmentName};

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
    let decided = match global.dry_run {
        true => {
            app.environment(&environment)?;
            None
        }
        false => Some(flows::decide::allow(&app, digest, &environment, &reason).await?),
    };
    let new = decided.as_ref().is_some_and(|decided| decided.is_new);
    let event = decided.as_ref().map(|decided| decided.event.to_string());
    let would = if decided.is_none() { "would be " } else { "" };
    let wire = Wire { digest: digest.to_string(), event, new };
    global.output().data("allow", &wire, || format!("{digest}: {would}allowed in {environment}\n"));
    Ok(Exit::Done)
}
