//! One file per command: what can be typed, the flow, and how its result is shown.

pub(crate) mod allow;
mod asking;
mod beside;
pub(crate) mod block;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod exposure;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod note;
pub(crate) mod pin;
pub(crate) mod policy;
pub(crate) mod promote;
pub(crate) mod publish;
pub(crate) mod ran;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod rollback;
mod rolling;
pub(crate) mod rule;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod set;
pub(crate) mod status;
pub(crate) mod tag;
pub(crate) mod token;
pub(crate) mod trace;
pub(crate) mod unlock;
pub(crate) mod unpin;
pub(crate) mod watch;
pub(crate) mod watched;

use crate::arguments::{Arguments, Command};
use crate::exit::{Exit, Failure};

/// How a question's rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Columns for people
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values, one row a line
    Csv,
}

/// Runs what was typed.
pub(crate) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let global = arguments.global;
    match arguments.command {
        Command::Status(arguments) => status::run(&global, arguments).await,
        Command::Check(arguments) => check::run(&global, arguments).await,
        Command::Pin(arguments) => pin::run(&global, arguments).await,
        Command::Set(arguments) => set::run(&global, arguments).await,
        Command::Unpin(arguments) => unpin::run(&global, arguments).await,
        Command::Tag(arguments) => tag::run(&global, arguments).await,
        Command::Publish(arguments) => publish::run(&global, arguments).await,
        Command::Copy(arguments) => copy::run(&global, arguments).await,
        Command::Deploy(arguments) => deploy::run(&global, arguments).await,
        Command::Promote(arguments) => promote::run(&global, arguments).await,
        Command::Rollback(arguments) => rollback::run(&global, arguments).await,
        Command::Hold(arguments) => hold::hold(&global, arguments).await,
        Command::Resume(arguments) => hold::resume(&global, arguments).await,
        Command::Block(arguments) => block::run(&global, arguments).await,
        Command::Allow(arguments) => allow::run(&global, arguments).await,
        Command::Note(arguments) => note::run(&global, arguments).await,
        Command::History(arguments) => history::run(&global, arguments).await,
        Command::Ran(arguments) => ran::run(&global, arguments).await,
        Command::Diff(arguments) => diff::run(&global, arguments).await,
        Command::Trace(arguments) => trace::run(&global, arguments).await,
        Command::Exposure(arguments) => exposure::run(&global, arguments).await,
        Command::Doctor(arguments) => doctor::run(&global, arguments).await,
        Command::Schema(arguments) => schema::run(&global, arguments),
        Command::Man(arguments) => man::run(&global, arguments),
        Command::Init(arguments) => init::run(&global, arguments).await,
        Command::Watch(arguments) => watch::run(&global, arguments).await,
        Command::Watched(arguments) => watched::run(&global, arguments).await,
        Command::Policy(arguments) => policy::run(&global, arguments).await,
        Command::Rule(arguments) => rule::run(&global, arguments).await,
        Command::Unlock(arguments) => unlock::run(&global, arguments).await,
        Command::Token(arguments) => token::run(&global, arguments).await,
        Command::Serve(arguments) => serve::run(&global, arguments).await,
        Command::Record(arguments) => record::run(&global, arguments).await,
        Command::Demo(arguments) => demo::run(&global, arguments).await,
        Command::Completions(arguments) => completions::run(&global, arguments),
    }
}
