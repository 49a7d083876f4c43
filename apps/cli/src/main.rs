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
mod progress;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout with exit 0; wrong usage is "could not find out": 2.
            let exit = if error.use_stderr() { exit::Exit::Unknown } else { exit::Exit::Done };
            if let Err(error) = error.print()
                && exit == exit::Exit::Done
            {
                output::remember(error);
            }
            return complete(exit).into();
        }
    };
    process::log_to_stderr(arguments.global.verbose);
    let is_watch = matches!(arguments.command, arguments::Command::Watch(_));
    let built = if is_watch { process::runtime_of_a_watch() } else { process::runtime() };
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => {
            output::say(&format!("error: cannot start: {error}\n"));
            return exit::Exit::Unknown.into();
        }
    };
    let exit = runtime.block_on(run(arguments));
    if exit == exit::Exit::Interrupted {
        // Nobody waits for what still runs on other threads.
        runtime.shutdown_background();
    }
    exit.into()
}

/// Runs the command until it ends or is interrupted.
async fn run(arguments: arguments::Arguments) -> exit::Exit {
    process::install_tls();
    let ended = tokio::select! {
        ended = command::run(arguments) => ended,
        () = process::interrupted() => return exit::Exit::Interrupted,
        () = process::given_up() => return exit::Exit::Interrupted,
    };
    let exit = match ended {
        Ok(exit) => exit,
        Err(failure) => {
            output::say(&failure.message());
            failure.exit
        }
    };
    complete(exit)
}

/// An answer that nobody could write down is none, whatever it was.
fn complete(exit: exit::Exit) -> exit::Exit {
    let Some(error) = output::failed() else { return exit };
    output::say(&format!("error: standard output could not be written: {error}\n"));
    match exit {
        exit::Exit::Done | exit::Exit::No | exit::Exit::Unknown => exit::Exit::Unknown,
        // These say what happened, not what was to be read.
        exit::Exit::Taken | exit::Exit::Interrupted => exit,
    }
}
