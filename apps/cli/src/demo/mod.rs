//! `indelible demo`: the sample project walked through the whole chain, by running this same program.
//!
//! ```text
//! $ indelible publish oci:../image --to 127.0.0.1:40123/shop/api --alias uat
//! sha256:9f…  20260317-143958-uat  uat
//! ```
//! Every command is printed with what it answered, and may be typed by hand: nothing goes past the command
//! line. What is made is made in one folder, and is removed on an interrupt, on a failure and by `--once`. With
//! `--context` it is played in a real cluster instead: see `cluster`.

mod background;
mod cluster;
mod error;
mod folder;
mod image;
mod pipeline;
mod project;
mod runner;
mod server;
mod shell;
mod story;

pub(crate) use error::DemoError;

use crate::arguments::Global;
use crate::exit::Exit;
use flows::Surroundings;
use folder::Folder;
use server::Server;
use shell::Teller;
use std::path::{Path, PathBuf};

/// What `demo` may be told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DemoOptions {
    /// Stop the registry and remove everything at the end
    #[arg(long, conflicts_with = "context")]
    once: bool,
    /// Work in this folder, which is made, instead of a temporary one
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    cluster: cluster::ClusterOptions,
    #[command(subcommand)]
    part: Option<Part>,
}

impl DemoOptions {
    /// Whether it can tell what it would do: only where it does something outside of its own folder.
    pub(crate) fn has_dry_run(&self) -> bool {
        self.cluster.is_wanted()
    }
}

/// A part of the demo that is a command of its own, because a reader repeats it by hand.
#[derive(Clone, Debug, clap::Subcommand)]
enum Part {
    /// Put a folder's files into an OCI image, without a builder
    Assemble {
        /// The folder with the files
        source: PathBuf,
        /// The OCI layout to make
        layout: PathBuf,
        /// The commit, for the image's label
        #[arg(long, value_name = "COMMIT")]
        revision: String,
    },
    /// Put a program of some hundred bytes into an OCI image for amd64 and arm64: it says a line, and waits
    Program {
        /// The OCI layout to make
        layout: PathBuf,
        /// The line
        #[arg(long, value_name = "TEXT", value_parser = cluster::line)]
        says: String,
        /// End with this exit code instead of waiting
        #[arg(long, value_name = "CODE")]
        exits: Option<u8>,
    },
}

/// Runs the demo, or a part of it.
///
/// # Errors
/// A command of the story did not answer as it should; what was started is stopped and removed then.
pub(crate) async fn run(
    options: &DemoOptions,
    surroundings: &Surroundings,
    global: &Global,
) -> Result<Exit, DemoError> {
    let output = global.output();
    if let Some(part) = &options.part {
        output.text(&part.made(surroundings)?);
        return Ok(Exit::Done);
    }
    if let Some(asked) = options.cluster.asked() {
        return cluster::run(&asked, options.folder.as_deref(), surroundings, global).await;
    }
    crate::process::handles_interrupts();
    let folder = folder(options.folder.as_deref(), surroundings)?;
    let teller = Teller::new(output, folder.path())?;
    let program = teller.program().to_owned();
    let story = story::tell(teller, folder.path(), surroundings);
    // Whatever is dropped here stops what it started: the command that runs, then the server, then the folder.
    let server = tokio::select! {
        server = story => server?,
        () = interrupted() => return Ok(Exit::Interrupted),
    };
    if options.once {
        drop(server);
        drop(folder);
        output.text("\n# The registry is stopped and the folder is removed (--once).\n");
    } else {
        output.text(&farewell(server, folder, &program)?);
    }
    Ok(Exit::Done)
}

impl Part {
    /// Makes it, and says what was made.
    fn made(&self, surroundings: &Surroundings) -> Result<String, DemoError> {
        let at = |path: &Path| surroundings.cwd.join(path);
        match self {
            Self::Assemble { source, layout, revision } => {
                let made = image::assemble(&at(source), &at(layout), revision)?;
                Ok(format!("{}  {} files\n", made.digest, made.files))
            }
            Self::Program { layout, says, exits } => {
                Ok(format!("{}\n", cluster::program(&at(layout), says, *exits)?))
            }
        }
    }
}

/// The folder that was named, or a fresh one.
fn folder(named: Option<&Path>, surroundings: &Surroundings) -> Result<Folder, DemoError> {
    match named {
        Some(path) => Folder::make(&surroundings.cwd.join(path)),
        None => Folder::temporary(),
    }
}

/// Leaves the registry running and says how to look around, and how to end it.
fn farewell(server: Server, folder: Folder, program: &Path) -> Result<String, DemoError> {
    let address = server.address().to_owned();
    let id = server.leave();
    let folder = folder.keep();
    let folder = folder.display();
    let path = match program.parent() {
        Some(programs) => format!("export PATH={}:\"$PATH\" && ", programs.display()),
        None => String::new(),
    };
    Ok(format!(
        "\n# The registry runs on at http://{address}, and all of it is in {folder}.\n\
         # Look around:  . {folder}/ada/shell && {path}cd {folder}/ada/shop && indelible history prod\n\
         # End it:       kill {id} && rm -rf {folder}\n"
    ))
}

/// Resolves when a person or a pipeline stops the demo.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut asked) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = asked.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
