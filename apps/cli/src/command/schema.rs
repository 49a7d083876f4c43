//! `indelible schema`: the JSON Schema of the settings, for editors and for checks.

use crate::arguments::Global;
use crate::exit::{Exit, Failure};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
pub(crate) fn run(global: &Global, _: Arguments) -> Result<Exit, Failure> {
    let schema = serde_json::to_string_pretty(&flows::settings::schema())
        .expect("plain data with text keys is always JSON");
    global.output().text(&format!("{schema}\n"));
    Ok(Exit::Done)
}
