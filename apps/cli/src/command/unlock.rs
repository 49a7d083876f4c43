//! `indelible unlock REPO:TAG --reason TEXT`

use super::rule::{api, of_api};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use domain::TaggedRef;
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The one tag
    #[arg(value_name = "REPO:TAG")]
    reference: TaggedRef,
    /// Why; the history keeps it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// For how long, in minutes, at most 60
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    minutes: u32,
}

#[derive(Serialize)]
struct Wire {
    reference: String,
    until: String,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { reference, reason, minutes } = arguments;
    if global.dry_run {
        return Err(Failure::usage("`unlock` has no dry run: it only opens, and closes by itself"));
    }
    let api = api(global, reference.repository.host()).await?;
    let done = api
        .unlock(reference.repository.path(), &reference.tag, &reason, minutes)
        .await
        .map_err(of_api)?;
    let wire = Wire { reference: reference.to_string(), until: done.until.to_string() };
    global.output().data("unlock", &wire, || {
        format!(
            "{reference} may be moved until {}; the history keeps both digests and the reason\n",
            done.until
        )
    });
    Ok(Exit::Done)
}
