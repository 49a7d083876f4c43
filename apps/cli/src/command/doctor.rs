//! `indelible doctor`: what deploy and publish will need, tried.
//!
//! ```text
//! good     history: all of it is here
//! wrong    push to registry.example.com/shop/api: 401 …   fix: docker login registry.example.com
//! ```

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use clap::Args;
use flows::doctor::{Checked, Outcome, checkup};
use serde_json::json;
use std::fmt::Write as _;

/// What `doctor` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Runs it.
pub(crate) async fn run(global: &Global, _: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let all = checkup(&app).await;
    let rows: Vec<_> = all.iter().map(row).collect();
    global.output().data("doctor", &json!({ "checks": rows }), || text(&all));
    Ok(exit(&all))
}

fn row(one: &Checked) -> serde_json::Value {
    json!({ "what": one.what, "outcome": one.outcome.name(), "seen": one.seen, "fix": one.fix })
}

fn text(all: &[Checked]) -> String {
    all.iter().fold(String::new(), |mut text, one| {
        let _ = writeln!(text, "{:<8} {}: {}", one.outcome.name(), one.what, one.seen);
        if let Some(fix) = &one.fix {
            let _ = writeln!(text, "         fix: {fix}");
        }
        text
    })
}

/// What will not work is "no"; what nobody could tell is "could not find out".
fn exit(all: &[Checked]) -> Exit {
    if all.iter().any(|one| one.outcome == Outcome::Wrong) {
        Exit::No
    } else if all.iter().any(|one| one.outcome == Outcome::Unknown) {
        Exit::Unknown
    } else {
        Exit::Done
    }
}
