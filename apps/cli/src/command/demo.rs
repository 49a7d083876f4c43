//! `indelible demo [--once]` and `indelible demo --context NAME --registry HOST`

use crate::arguments::Global;
pub(crate) use crate::demo::DemoOptions as Arguments;
use crate::exit::{Exit, Failure};
use crate::process;

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    if global.dry_run && !arguments.has_dry_run() {
        return Err(Failure::usage(
            "`demo` has no dry run: it works in a folder of its own; with --once it removes it",
        ));
    }
    Ok(crate::demo::run(&arguments, &process::surroundings()?, global).await?)
}
