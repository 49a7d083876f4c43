//! `indelible check`: lists what can move, and counts the rest.
//!
//! ```text
//! compose.yaml:1:25: `shop/api` has no tag: it can move
//! 1 file, 1 reference, 0 pinned
//! next: indelible pin compose.yaml
//! ```

mod github;
mod groups;
mod notes;
mod online;
mod places;
mod text;
mod wire;

use crate::arguments::Global;
use crate::command::pin::next;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::process;
use clap::Args;
use flows::files::{Asked, Baseline, Listing, Report, Requirements};
use std::path::PathBuf;

/// Findings of this many files are named in the next command; of more, the paths that were typed.
const FILES_NAMED_MAX: usize = 3;

/// What `check` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files and folders; what git ignores is passed over
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// How to print the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Told,
    /// Show every place with its line, good ones too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    online: online::Asking,
    /// A former `--format json` report; what it lists is known, and no reason to fail
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

/// What `--format` may say; the words of later versions are known, to be refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Told {
    /// For people
    Text,
    /// For programs: one document, its shape versioned
    Json,
    /// For GitHub Actions: findings become annotations
    Github,
    #[value(hide = true)]
    Sarif,
    #[value(hide = true)]
    Gitlab,
    #[value(hide = true)]
    Junit,
}

/// How the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Github,
}

impl Arguments {
    /// How to print. What another version has is refused rather than answered with less: decision 0011.
    fn format(&self) -> Result<Format, Failure> {
        let later = |word: &str| {
            Err(Failure::usage(format!("`{word}` is not in this version of `indelible check`")))
        };
        match self.format {
            Told::Text => Ok(Format::Text),
            Told::Json => Ok(Format::Json),
            Told::Github => Ok(Format::Github),
            Told::Sarif => later("--format sarif"),
            Told::Gitlab => later("--format gitlab"),
            Told::Junit => later("--format junit"),
        }
    }
}

/// Runs it.
pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let format = arguments.format()?;
    let app = process::app(global)?;
    let cwd = &app.surroundings().cwd;
    let settings = app.loaded().map(|loaded| &loaded.settings);
    let requirements = Requirements::of(settings, app.root());
    let baseline = match &arguments.baseline {
        Some(path) => Baseline::load(&cwd.join(path))?,
        None => Baseline::default(),
    };
    let listing = if arguments.all { Listing::All } else { Listing::Findings };
    let online = arguments.online.ask(&app, global, &arguments.paths, &requirements).await?;
    let asked = Asked { listing, baseline, online };
    let report = flows::files::check(cwd, &arguments.paths, &requirements, asked)?;
    let output = global.output();
    for path in &report.passed_over {
        output.talk(format_args!("{path}: no workload file that this version reads; passed over"));
    }
    if !report.passed_over.is_empty() && report.passed_over.len() == report.counts.looked_at {
        return Err(Failure::usage("none of the named files is a workload file"));
    }
    print(output, format, listing, &arguments.paths, &report);
    Ok(exit(&report))
}

fn print(output: Output, told: Format, listing: Listing, paths: &[PathBuf], report: &Report) {
    let next = next_command(report, paths);
    let format = match output.format {
        crate::output::Format::Json => Format::Json,
        crate::output::Format::Text => told,
    };
    match format {
        Format::Json => {
            let output = Output { format: crate::output::Format::Json, ..output };
            output.data("check", &wire::document(report, next.as_deref()), String::new);
        }
        Format::Text => {
            output.text(&text::lines(report, listing));
            if !output.quiet {
                output.text(&text::ending(report, next.as_deref()));
            }
        }
        Format::Github => {
            output.text(&github::lines(report));
            if !output.quiet {
                output.text(&text::ending(report, next.as_deref()));
            }
        }
    }
}

/// A finding is "no"; a file that nobody could read, or a registry that nobody could ask, is "could not find out", unless the answer is "no" already.
fn exit(report: &Report) -> Exit {
    if report.counts.findings > 0 {
        Exit::No
    } else if report.counts.unread > 0 || !report.silent.is_empty() {
        Exit::Unknown
    } else {
        Exit::Done
    }
}

/// `indelible pin` for the files with findings, where there are few of them.
fn next_command(report: &Report, paths: &[PathBuf]) -> Option<String> {
    if !report.can_be_pinned() {
        return None;
    }
    let mut files: Vec<PathBuf> = report.to_pin().map(|one| PathBuf::from(&one.path)).collect();
    files.dedup();
    let is_few = !files.is_empty() && files.len() <= FILES_NAMED_MAX;
    Some(next::command("indelible pin", if is_few { &files } else { paths }))
}
