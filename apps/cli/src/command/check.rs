//! `indelible check`: lists what can move, and counts the rest.
//!
//! ```text
//! compose.yaml:1:25: `shop/api` has no tag: it can move
//! 1 file, 1 reference, 0 pinned
//! next: indelible pin compose.yaml
//! ```

mod explain;
mod fingerprint;
mod github;
mod gitlab;
mod groups;
mod junit;
mod notes;
mod online;
mod patch;
mod places;
mod sarif;
mod text;
mod wire;

use crate::arguments::Global;
use crate::command::pin::next;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::process;
use clap::Args;
use flows::files::{Asked, Baseline, Changes, Listing, Lock, Report, Requirements};
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
    format: Format,
    /// Show every place with its line, good ones too
    #[arg(long)]
    all: bool,
    /// Only places on lines that differ from where the branch began: the merge base of HEAD and this commit
    #[arg(long, value_name = "REF", conflicts_with = "online")]
    changed_since: Option<String>,
    /// Say what a file was read as and why, whose level it has, and what became of each place
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "all", "changed_since", "online", "paths"])]
    explain: Option<PathBuf>,
    /// Say nothing of named files that are no workload files, as a pre-commit hook needs it
    #[arg(long)]
    pass_over_others: bool,
    #[command(flatten)]
    online: online::Asking,
    /// A former `--format json` report; what it lists is known, and no reason to fail
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

/// How the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: one document, its shape versioned
    Json,
    /// SARIF 2.1.0, with fixes where images.lock knows the digest
    Sarif,
    /// For GitHub Actions: findings become annotations
    Github,
    /// For GitLab: a Code Quality report
    Gitlab,
    /// JUnit XML: a test case for each finding
    Junit,
    /// A patch of what `pin` would write, as far as images.lock knows the digests
    Diff,
}

impl Arguments {
    /// How to print.
    fn format(&self, output: Output) -> Format {
        match output.format {
            crate::output::Format::Json => Format::Json,
            crate::output::Format::Text => self.format,
        }
    }
}

/// Runs it.
pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let output = global.output();
    let format = arguments.format(output);
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
    let lock = Lock::find(app.root())?.unwrap_or_default();
    let changes = match &arguments.changed_since {
        Some(name) => Some(Changes::since(&app, name).await?),
        None => None,
    };
    let asked = Asked { listing, baseline, online, lock, changes };
    if let Some(path) = &arguments.explain {
        let explanation = flows::files::explain(cwd, path, &requirements, asked)?;
        explain::print(output, path, &explanation);
        return Ok(exit(&explanation.report));
    }
    let report = flows::files::check(cwd, &arguments.paths, &requirements, asked)?;
    if !arguments.pass_over_others {
        tell_others(output, &report)?;
    }
    if format == Format::Diff {
        patch::print(&app, output, &arguments.paths, &requirements)?;
    }
    print(output, format, listing, &arguments.paths, &report);
    Ok(exit(&report))
}

fn print(output: Output, format: Format, listing: Listing, paths: &[PathBuf], report: &Report) {
    let next = next_command(report, paths);
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
        Format::Sarif => output.text(&sarif::document(report)),
        Format::Gitlab => output.text(&gitlab::document(report)),
        Format::Junit => output.text(&junit::document(report)),
        // Printed from the files themselves, before.
        Format::Diff => {
            for line in text::ending(report, next.as_deref()).lines() {
                output.talk(line);
            }
        }
    }
}

/// Names what is no workload file; where nothing else was named, that is bad input.
fn tell_others(output: Output, report: &Report) -> Result<(), Failure> {
    for path in &report.passed_over {
        output.talk(format_args!("{path}: no workload file that this version reads; passed over"));
    }
    if !report.passed_over.is_empty() && report.passed_over.len() == report.counts.looked_at {
        return Err(Failure::usage("none of the named files is a workload file"));
    }
    Ok(())
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
