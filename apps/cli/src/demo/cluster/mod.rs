//! `indelible demo --context NAME --registry HOST`: the chain in a real cluster, down to what its pods report.
//!
//! ```text
//! says what it will make -> makes two namespaces -> the story -> removes them, also on an interrupt or a failure
//! ```
//! Nothing else in the cluster is changed. What is pushed stays in its registry, and that is said.

mod image;
mod program;
mod settings;
mod story;

use super::shell::Teller;
use super::{DemoError, folder, interrupted};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{Output, plain, say};
use domain::{Digest, Repository};
use flows::Surroundings;
use flows::demo::{Earlier, Prefix, SCENES, Stage, StageError, WORKLOAD};
use program::{Ends, SAYS_BYTES_MAX};
use std::fmt::Write as _;
use std::path::Path;
use story::{MOVES, Play};

/// The repository below the registry.
const REPOSITORY: &str = "indelible-demo";

/// What makes the demo play in a cluster.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ClusterOptions {
    /// Play in this cluster, a context of the kubeconfig: in two namespaces of the demo's own, removed at the end
    #[arg(long, value_name = "NAME", requires = "registry")]
    context: Option<String>,
    /// With --context: a registry to push to, from which the cluster's nodes can pull; HOST or HOST/PATH
    #[arg(long, value_name = "HOST", requires = "context", value_parser = repository)]
    registry: Option<Repository>,
    /// With --context: what the names of the two namespaces begin with
    #[arg(long, value_name = "NAME", requires = "context", default_value = "indelible-demo")]
    namespace: Prefix,
    /// With --context: leave the namespaces and the folder at the end
    #[arg(long, requires = "context")]
    keep: bool,
    /// With --context: remove the namespaces that an earlier demo left under these names, and begin anew
    #[arg(long, requires = "context")]
    replace: bool,
}

/// A cluster that was named, with everything that goes with it.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    context: &'a str,
    repository: &'a Repository,
    options: &'a ClusterOptions,
}

impl ClusterOptions {
    /// Whether a cluster was named.
    pub(super) fn is_wanted(&self) -> bool {
        self.asked().is_some()
    }

    /// The cluster, where one was named.
    pub(super) fn asked(&self) -> Option<Asked<'_>> {
        let (context, repository) = (self.context.as_deref()?, self.registry.as_ref()?);
        Some(Asked { context, repository, options: self })
    }
}

/// Reads `--registry`.
fn repository(text: &str) -> Result<Repository, String> {
    if text.is_empty() {
        return Err("it is empty: is the variable for the registry set?".to_owned());
    }
    let below = format!("{}/{REPOSITORY}", text.trim_end_matches('/'));
    below.parse::<Repository>().map_err(|error| error.to_string())
}

/// Reads the line that a program is to say.
pub(super) fn line(text: &str) -> Result<String, String> {
    match text.len() {
        length if length > SAYS_BYTES_MAX => {
            Err(format!("a line of at most {SAYS_BYTES_MAX} bytes, not {length}"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Makes an image whose program says a line, and waits or ends.
pub(super) fn program(layout: &Path, says: &str, exits: Option<u8>) -> Result<Digest, DemoError> {
    image::assemble(layout, says, exits.map_or(Ends::Never, Ends::With))
}

/// Says what will be made, plays the story, and removes what was made.
///
/// # Errors
/// The names are taken, the cluster does not answer, or a command of the story did not answer as it should.
pub(super) async fn run(
    asked: &Asked<'_>,
    named: Option<&Path>,
    surroundings: &Surroundings,
    global: &Global,
) -> Result<Exit, DemoError> {
    let output = global.output();
    let prefix = asked.options.namespace.clone();
    let stage = Stage::open(surroundings, asked.context, prefix).await?;
    let earlier = if asked.options.replace { Earlier::Replaced } else { Earlier::Stays };
    let replaced = stage.check(earlier).await?;
    if global.dry_run {
        output.text(&announced(asked, &stage, &replaced, None));
        return Ok(Exit::Done);
    }
    crate::process::handles_interrupts();
    let folder = folder(named, surroundings)?;
    output.text(&announced(asked, &stage, &replaced, Some(folder.path())));
    let teller = Teller::new(output, folder.path())?.for_rollouts();
    let play = Play {
        teller,
        shell: settings::shell(folder.path(), surroundings)?,
        stage: &stage,
        context: asked.context,
        repository: asked.repository.to_string(),
        plain_http: global.plain_http.iter().map(ToString::to_string).collect(),
        surroundings,
    };
    // Whatever is dropped here stops what it started: the command that runs, and the watcher.
    let told = tokio::select! {
        told = play.tell() => told.map(|()| Exit::Done),
        () = interrupted() => Ok(Exit::Interrupted),
    };
    if asked.options.keep {
        let folder = folder.keep();
        output.text(&kept(asked, &stage, &folder));
        return told;
    }
    let removed = removed(&stage, output).await;
    drop(folder);
    match (told, removed) {
        (Ok(exit), Ok(())) => {
            output.text(&format!(
                "# The folder is removed. The images stay in {}.\n",
                asked.repository
            ));
            Ok(exit)
        }
        (Ok(_), Err(error)) => Err(error),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(left)) => {
            say(&Failure::from(left).message());
            Err(error)
        }
    }
}

/// Removes what this run made, unless it is told a second time to stop.
async fn removed(stage: &Stage, output: Output) -> Result<(), DemoError> {
    let names = stage.namespaces().join(" and ");
    output.text(&format!("\n# The namespaces {names} are removed with all that is in them ...\n"));
    tokio::select! {
        removed = stage.remove() => removed?,
        () = interrupted() => {
            let (context, names) = (stage.context().to_owned(), stage.namespaces());
            return Err(StageError::Interrupted { context, names }.into());
        }
    }
    output.text("# ... and are gone.\n");
    Ok(())
}

/// Everything that will be made, before anything is.
fn announced(
    asked: &Asked<'_>,
    stage: &Stage,
    replaced: &[String],
    folder: Option<&Path>,
) -> String {
    let mut text = format!(
        "# This is Indelible in the cluster {}, {}. It will\n",
        plain(asked.context),
        plain(stage.server())
    );
    for name in replaced {
        let _ = writeln!(text, "#   remove  namespace {name}, which an earlier demo left");
    }
    for scene in SCENES {
        let (name, replicas) = (stage.namespace(scene), scene.replicas);
        let pods = if replicas == 1 { "1 pod".to_owned() } else { format!("{replicas} pods") };
        let _ = writeln!(text, "#   make    namespace {name} with deployment/{WORKLOAD}, {pods}");
    }
    let _ = writeln!(
        text,
        "#   push    to {} four images of about 1 KB under tags of their time; the tag `{MOVES}` there is moved",
        asked.repository
    );
    let folder =
        folder.map_or("a folder for temporary files".to_owned(), |path| path.display().to_string());
    let _ = writeln!(text, "#   write   its settings and its record to {folder}");
    text.push_str(match asked.options.keep {
        true => "# and change nothing else. All of it is left there at the end (--keep).\n",
        false => {
            "# and change nothing else. Namespaces and folder are removed at the end, after Ctrl-C and after a failure;\n\
             # the images stay.\n"
        }
    });
    text
}

/// What is left, how to look around, and how to end it.
fn kept(asked: &Asked<'_>, stage: &Stage, folder: &Path) -> String {
    let folder = folder.display();
    let (context, names) = (plain(asked.context), stage.namespaces().join(" "));
    format!(
        "\n# The namespaces {names} stay, and all else is in {folder}.\n\
         # Look around:  cd {folder} && indelible history prod\n\
         # End it:       kubectl --context {context} delete namespace {names} && rm -rf {folder}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_a_host_with_or_without_a_path() {
        let named = |text| repository(text).map(|found| found.to_string());
        assert_eq!(named("127.0.0.1:5000").unwrap(), "127.0.0.1:5000/indelible-demo");
        assert_eq!(named("ghcr.io/ada/").unwrap(), "ghcr.io/ada/indelible-demo");
        for bad in ["", "https://ghcr.io", "ghcr.io/ADA", "a b"] {
            assert!(named(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_longest_line_is_taken_and_one_byte_more_is_not() {
        assert!(line(&"x".repeat(SAYS_BYTES_MAX)).is_ok());
        assert!(line(&"x".repeat(SAYS_BYTES_MAX + 1)).is_err());
    }
}
