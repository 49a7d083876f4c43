//! When clusters were watched, and the gaps in that.
//!
//! ```text
//! watched --from 13:00 --to 15:00   ->  prod-eu 14:00 … 14:04     gaps 13:00 … 14:00 and 14:04 … 15:00, exit 2
//! ```
//! Without a time it is asked about what was watched, and that is known whatever it is.

use super::AskError;
use super::coverage::{Coverage, cover, first, never, since};
use super::wherever::{Asked, Everywhere};
use crate::app::App;
use ::record::{Gap, Span, Watched};

/// The stretches that touch the time that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedAnswer {
    /// The earliest begin first.
    pub stretches: Vec<Watched>,
    /// Where nobody watched.
    pub gaps: Vec<Gap>,
    /// Each stretch without a break, and whether they are all of what was asked about.
    pub coverage: Coverage,
}

/// The stretches in which clusters were watched, those of one context only where it is named.
///
/// # Errors
/// The record cannot be read.
pub async fn watched(
    app: &App,
    context: Option<&str>,
    span: &Span,
) -> Result<WatchedAnswer, AskError> {
    let record = app.record_to_read().await?;
    let everywhere = match Everywhere::of(record).await? {
        Some(all) => all.only(context),
        None => None,
    };
    let Some(everywhere) = everywhere else {
        let gaps = context.map(never).into_iter().collect();
        return Ok(WatchedAnswer { stretches: Vec::new(), gaps, coverage: Coverage::default() });
    };
    let begin = first(everywhere.stretches());
    let scopes = everywhere.scopes(Asked::All);
    let shown = since(span, begin);
    let (coverage, gaps) = cover(&scopes, (&shown, &shown), app.surroundings().now());
    let touches = |one: &&Watched| {
        one.from == one.last && span.holds(one.from) || span.touches(one.from, Some(one.last))
    };
    let stretches = everywhere.stretches().filter(touches).cloned().collect();
    Ok(WatchedAnswer { stretches, gaps, coverage })
}
