//! `indelible record verify`: is it whole?

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::plain;
use crate::process;
use domain::CommitId;
use flows::seam::CheckedBranch;
use serde::Serialize;

#[derive(Serialize)]
struct Wire {
    place: String,
    kind: &'static str,
    events: u64,
    /// The newest commit of its branch, where it is kept on one.
    tip: Option<String>,
    /// What the newest commit was when the branch was seen from here before.
    seen_before: Option<String>,
}

pub(super) async fn run(global: &Global) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let record = app.record_to_read().await.map_err(unhinted)?;
    let place = record.place();
    let checked = record.verify().await.map_err(unhinted)?;
    let of = |commit: fn(&CheckedBranch) -> &Option<CommitId>| {
        checked.branch.as_ref().and_then(|branch| commit(branch).as_ref()).map(CommitId::to_string)
    };
    let wire = Wire {
        place: place.place.clone(),
        kind: place.kind,
        events: checked.events,
        tip: of(|branch| &branch.tip),
        seen_before: of(|branch| &branch.seen_before),
    };
    global.output().data("record verify", &wire, || text(&plain(&place.place), &wire));
    Ok(Exit::Done)
}

/// What was found whole, and against what: a branch alone cannot tell that it was wound back.
fn text(place: &str, wire: &Wire) -> String {
    let events = match wire.events {
        1 => "1 event".to_owned(),
        many => format!("{many} events"),
    };
    match (&wire.tip, &wire.seen_before) {
        (None, _) => format!("{events} at {place}: each is what was written\n"),
        (Some(tip), Some(before)) => format!(
            "{events} at {place}: each is what was written\n\
             tip {tip}; it goes on from {before}, which was seen from here before\n"
        ),
        (Some(tip), None) => format!(
            "{events} at {place}: none was changed or removed in what the branch holds\n\
             tip {tip}; nothing older is known here to compare with: of a branch that was wound back, what is \
             gone would not be missed\n"
        ),
    }
}

/// Whoever asked already need not be told to ask.
fn unhinted(error: impl Into<Failure>) -> Failure {
    let mut failure = error.into();
    failure.hint = failure.hint.filter(|hint| hint != "indelible record verify");
    failure
}
