//! `indelible promote FROM TO IMAGE…`

use super::deploy::asker;
use super::report;
use super::rolling::{self, ClusterArguments};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::EnvironmentName;
use flows::deploy::PromoteRequest;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// From this environment
    from: EnvironmentName,
    /// To this one
    to: EnvironmentName,
    /// Images by short name; none: all that were deployed there
    images: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// A ticket
    #[arg(long, value_name = "TICKET")]
    ticket: Option<String>,
    #[command(flatten)]
    cluster: ClusterArguments,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let Arguments { from, to, images, reason, ticket, cluster } = arguments;
    let carry = rolling::carry(global, cluster);
    let request = PromoteRequest { from, to, images, reason, ticket, carry };
    let report = flows::deploy::promote(&app, &request).await.map_err(rolling::failure)?;
    Ok(report::show(global, "promote", &report, asker(&app)))
}
