//! The one binary: arguments in, a flow, its result rendered.
//!
//! ```text
//! indelible deploy prod  ->  command/deploy.rs  ->  flows::deploy  ->  a table or JSON, and an exit code
//! ```
//! Only this crate reads the process's arguments, variables and clock, and only `output.rs` prints.

mod arguments;
mod command;
mod demo;
mod exit;
mod output;
mod process;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout with exit 0; wrong usage is "could not find out": 2.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    process::log_to_stderr(arguments.global.verbose);
    let runtime = match process::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::say(&format!("error: cannot start: {error}\n"));
            return exit::Exit::Unknown.into();
        }
    };
    runtime.block_on(run(arguments))
}

/// Runs the command until it ends or is interrupted.
async fn run(arguments: arguments::Arguments) -> ExitCode {
    process::install_tls();
    let ended = tokio::select! {
        ended = command::run(arguments) => ended,
        () = process::interrupted() => return exit::Exit::Interrupted.into(),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::say(&failure.message());
            failure.exit.into()
        }
    }
}
