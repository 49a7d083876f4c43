//! `indelible completions SHELL`

use crate::arguments::{Arguments as Everything, Global};
use crate::exit::{Exit, Failure};
use clap::CommandFactory as _;
use clap_complete::Shell;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
pub(crate) fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Everything::command(), "indelible", &mut script);
    global.output().text(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
