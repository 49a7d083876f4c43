//! `indelible demo [--once]`

use crate::arguments::Global;
pub(crate) use crate::demo::DemoOptions as Arguments;
use crate::exit::{Exit, Failure};
use crate::process;

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    Ok(crate::demo::run(&arguments, &process::surroundings()?, global.output()).await?)
}
