//! `indelible rollback ENV IMAGE… [--to TAG|DIGEST|COMMIT|DEPLOY]`

use super::deploy::asker;
use super::report;
use super::rolling::{self, ClusterArguments};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::table;
use crate::process;
use domain::EnvironmentName;
use flows::deploy::{CandidateRow, DeployError, RollbackRequest, candidates};
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The environment
    environment: EnvironmentName,
    /// Images by short name; where there are several, one must be named
    images: Vec<String>,
    /// Return to this one instead of the newest known-good
    #[arg(long, value_name = "TAG|DIGEST|COMMIT|DEPLOY")]
    to: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// A ticket
    #[arg(long, value_name = "TICKET")]
    ticket: Option<String>,
    #[command(flatten)]
    cluster: ClusterArguments,
}

#[derive(Serialize)]
struct Wire {
    candidates: Vec<WireRow>,
}

#[derive(Serialize)]
struct WireRow {
    image: String,
    digest: String,
    tag: Option<String>,
    at: String,
    grade: String,
    against: Option<String>,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let Arguments { environment, images, to, reason, ticket, cluster } = arguments;
    let carry = rolling::carry(global, cluster);
    let request =
        RollbackRequest { environment: environment.clone(), images, to, reason, ticket, carry };
    match flows::deploy::rollback(&app, &request).await {
        Ok(report) => Ok(report::show(global, "rollback", &report, asker(&app))),
        Err(error @ DeployError::WhichImage { .. }) => {
            show_candidates(global, &candidates(&app, &environment).await?);
            Err(error.into())
        }
        Err(error) => Err(rolling::failure(error)),
    }
}

fn show_candidates(global: &Global, rows: &[CandidateRow]) {
    let wire = Wire {
        candidates: rows
            .iter()
            .map(|row| WireRow {
                image: row.image.to_string(),
                digest: row.digest.to_string(),
                tag: row.tag.as_ref().map(ToString::to_string),
                at: row.at.to_string(),
                grade: row.grade.to_string(),
                against: row.against.map(|why| why.to_string()),
            })
            .collect(),
    };
    global.output().data("rollback", &wire, || {
        if rows.is_empty() {
            return "no image had another build here: there is nothing to return to\n".to_owned();
        }
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let tag = row.tag.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
                let against = row.against.map_or_else(|| "-".to_owned(), |why| why.to_string());
                vec![
                    row.image.to_string(),
                    row.digest.short(),
                    tag,
                    row.at.to_string(),
                    row.grade.to_string(),
                    against,
                ]
            })
            .collect();
        table(&["IMAGE", "DIGEST", "TAG", "DEPLOYED", "GRADE", "AGAINST"], &rows)
    });
}
