//! `indelible record verify`

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use clap::Subcommand;
use serde::Serialize;

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
}

#[derive(Serialize)]
struct Wire {
    place: String,
    kind: &'static str,
    events: u64,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let What::Verify = arguments.what;
    let record = app.record_to_read().await.map_err(unhinted)?;
    let place = record.place();
    let events = record.verify().await.map_err(unhinted)?;
    let wire = Wire { place: place.place.clone(), kind: place.kind, events };
    global.output().data("record verify", &wire, || {
        let place = crate::output::plain(&place.place);
        format!("{events} events at {place}: each is what was written\n")
    });
    Ok(Exit::Done)
}

/// Whoever asked already need not be told to ask.
fn unhinted(error: impl Into<Failure>) -> Failure {
    let mut failure = error.into();
    failure.hint = failure.hint.filter(|hint| hint != "indelible record verify");
    failure
}
