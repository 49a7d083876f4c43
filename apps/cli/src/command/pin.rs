//! `indelible pin`: writes the digest beside each tag, in files or in a stream.
//!
//! ```text
//! indelible pin deploy                                     files, all or none
//! kustomize build . | indelible pin - | kubectl apply -f -  a filter: its output is complete, or empty
//! ```

mod conditions;
pub(crate) mod draft;
mod lock;
pub(crate) mod lookup;
pub(crate) mod next;
mod wire;

use super::status::narrowed;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::process;
use clap::Args;
use conditions::Conditions;
use draft::{Draft, Outcome, Verb};
use flows::App;
use flows::files::{self, Answers, Lock, Progress, Requirements, Sources};
use flows::look::{LookAt, NotRunning};
use lock::NewLock;
use lookup::Lookup;
use pin::scan::FILE_BYTES_MAX;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What `pin` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Files and folders; `-` reads standard input and writes standard output
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Print the change as a patch, and write nothing
    #[arg(long)]
    diff: bool,
    /// Fail if anything would change, or is not what images.lock names; asks no registry
    #[arg(long, conflicts_with = "diff")]
    locked: bool,
    /// Write images.lock too: what each tag names, for which platforms, since when, and who said so
    #[arg(long, conflicts_with_all = ["locked", "running", "offline", "diff"])]
    lock: bool,
    /// Move pins whose tag names another digest by now
    #[arg(long, conflicts_with_all = ["locked", "running", "offline"])]
    update: bool,
    #[command(flatten)]
    conditions: Conditions,
    /// Write what the pods of a cluster run, so that a merge changes nothing; needs --context
    #[arg(long, requires = "context", conflicts_with_all = ["locked", "offline"])]
    running: bool,
    /// The context of the kubeconfig, for --running
    #[arg(long, value_name = "NAME", requires = "running")]
    context: Option<String>,
    /// One namespace of it only
    #[arg(short, long, value_name = "NAMESPACE", requires = "running")]
    namespace: Option<String>,
    /// What no pod runs gets what its registry has now, which may be a change
    #[arg(long, requires = "running")]
    as_of_now: bool,
    /// What to write
    #[arg(long, value_name = "STYLE", default_value = "tag-digest")]
    style: Style,
    #[command(flatten)]
    lookup: Lookup,
}

/// How a pin is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Style {
    /// name:tag@digest
    TagDigest,
    /// name@digest
    Digest,
}

impl From<Style> for pin::Style {
    fn from(style: Style) -> Self {
        match style {
            Style::TagDigest => Self::TagDigest,
            Style::Digest => Self::Digest,
        }
    }
}

impl Arguments {
    fn told<'a>(&'a self, outcome: Outcome, draft: &'a files::Draft) -> Draft<'a> {
        let again = match (self.style, self.update) {
            (Style::TagDigest, false) => "indelible pin",
            (Style::Digest, false) => "indelible pin --style digest",
            (Style::TagDigest, true) => "indelible pin --update",
            (Style::Digest, true) => "indelible pin --update --style digest",
        };
        Draft { verb: Verb::Pin, outcome, again, paths: &self.paths, draft }
    }
}

/// Runs it.
pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let output = global.output();
    let is_stream = |path: &PathBuf| path == Path::new("-");
    if arguments.paths.iter().any(is_stream) {
        if arguments.paths.len() > 1 {
            return Err(Failure::usage(
                "`-` stands for all of standard input; it is the only path",
            ));
        }
        return filter(&app, global, &arguments).await;
    }
    let sources = files::read(&app.surroundings().cwd, &arguments.paths)?;
    let (draft, outcome) = if arguments.locked {
        (locked(&app, sources, &arguments)?, Outcome::Locked)
    } else {
        let Planned { draft, lock } = planned(&app, global, sources, &arguments).await?;
        if global.dry_run || arguments.diff {
            (draft, Outcome::Shown)
        } else {
            files::write_all(&draft.rewrites).map_err(files::FilesError::from)?;
            lock.write(&app, output)?;
            (draft, Outcome::Written)
        }
    };
    let told = arguments.told(outcome, &draft);
    told.print(output, &app.surroundings().cwd)
}

/// What would change, asked of nobody.
fn locked(app: &App, sources: Sources, arguments: &Arguments) -> Result<files::Draft, Failure> {
    let lock = Lock::find(app.root())?;
    Ok(files::locked(sources, arguments.style.into(), lock.as_ref()))
}

/// A drafted change.
struct Planned {
    draft: files::Draft,
    lock: NewLock,
}

/// Asks for every digest, and drafts the change.
async fn planned(
    app: &App,
    global: &Global,
    sources: Sources,
    arguments: &Arguments,
) -> Result<Planned, Failure> {
    let output = global.output();
    let pins = if arguments.update { sources.pins() } else { BTreeSet::new() };
    let mut found = match &arguments.context {
        Some(context) => running(app, global, &sources, context, arguments).await?.into(),
        None => {
            let tags = pins.iter().filter_map(files::tag_of);
            let wanted = sources.wanted().into_iter().chain(tags).collect();
            arguments.lookup.find(app, output, wanted).await?
        }
    };
    if !arguments.lookup.offline {
        arguments.conditions.hold_back(app, output, &mut found).await?;
    }
    let progress = Progress::default();
    let moves = files::moves(app, &pins, &found, &progress);
    let moves = crate::progress::shown(output, &progress, moves).await?;
    let lock = match arguments.lock {
        true => NewLock::of(app, output, &sources, &found, &moves, &arguments.paths).await?,
        false => NewLock::default(),
    };
    let settings = app.loaded().map(|loaded| &loaded.settings);
    let rules = Requirements::of(settings, app.root()).rules;
    let draft = files::plan(sources, &found, &moves, arguments.style.into(), &rules);
    Ok(Planned { draft, lock })
}

/// What the pods of a cluster run.
async fn running(
    app: &App,
    global: &Global,
    sources: &Sources,
    context: &str,
    arguments: &Arguments,
) -> Result<Answers, Failure> {
    let at = LookAt { context: context.to_owned(), namespace: arguments.namespace.clone() };
    let otherwise = match arguments.as_of_now {
        true => NotRunning::AsOfNow,
        false => NotRunning::LeftAlone,
    };
    let running = flows::look::running(app, &at, &sources.wanted(), otherwise).await?;
    narrowed(global, running.denied.as_deref(), running.only_in.as_deref());
    Ok(running.answers)
}

/// Reads standard input, writes standard output; all talk goes to standard error.
async fn filter(app: &App, global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    if global.json {
        let message = "`pin -` writes the text to standard output, where no JSON has a place";
        return Err(Failure::usage(message));
    }
    let sources = files::filter(standard_input().await?)?;
    let text = sources.text().to_owned();
    let (draft, outcome) = if arguments.locked {
        (locked(app, sources, arguments)?, Outcome::Locked)
    } else if arguments.lock {
        return Err(Failure::usage("`pin -` writes no file, so that --lock has no place there"));
    } else {
        (planned(app, global, sources, arguments).await?.draft, Outcome::Streamed)
    };
    let told = arguments.told(outcome, &draft);
    let exit = told.exit();
    let output = global.output();
    if !output.quiet || exit != Exit::Done {
        output::say(&told.lines());
    }
    if exit != Exit::Done {
        return Err(Failure::usage(
            "nothing was written to standard output: it would not be complete",
        )
        .with_exit(exit));
    }
    let changed = draft.rewrites.first();
    let new = changed.map_or(text.as_str(), |rewrite| &rewrite.new);
    if arguments.diff || global.dry_run {
        output.text(&told.diff());
    } else {
        output.text(new);
    }
    Ok(exit)
}

/// On a thread of its own, so that an interrupt ends a read that waits.
async fn standard_input() -> Result<Vec<u8>, Failure> {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes);
        // Nobody waits any more after an interrupt.
        let _ = send.send(read.map(|_| bytes));
    });
    let read = receive.await.map_err(|_| Failure::usage("cannot read standard input"))?;
    read.map_err(|error| Failure::usage(format_args!("cannot read standard input: {error}")))
}
