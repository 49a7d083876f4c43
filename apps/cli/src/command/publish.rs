//! `indelible publish SOURCE --to REPOSITORY` and `indelible publish --pushed REPO@DIGEST`

mod outputs;

use super::deploy::asker;
use super::report::Asker;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use domain::{EnvironmentName, PinnedRef, Repository, Tag, Timestamp};
use flows::App;
use flows::publish::{Bytes, Dirty, Moved, PublishRequest, Published, preview, publish};
use outputs::Outputs;
use release::alias::AliasTold;
use remote::Source;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use tagging::Scheme;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// oci:DIR, oci:DIR:REF, oci-archive:FILE, docker-archive:FILE, docker-daemon:IMAGE or docker://REF
    #[arg(required_unless_present = "pushed", conflicts_with = "pushed")]
    source: Option<String>,
    /// Adopt what another tool pushed: its bytes are read and verified, nothing is moved
    #[arg(long, value_name = "REPO@DIGEST", value_parser = pushed)]
    pushed: Option<PinnedRef>,
    /// The repository that it goes to
    #[arg(long, value_name = "REPOSITORY", required_unless_present = "pushed", value_parser = repository)]
    to: Option<Repository>,
    /// A tag instead of the schemes'
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,
    /// A tag that may move; it is moved here
    #[arg(long, value_name = "TAG")]
    alias: Vec<Tag>,
    /// A scheme instead of the settings'
    #[arg(long, value_name = "NAME", conflicts_with = "tag")]
    scheme: Vec<Scheme>,
    /// The environment that it was built for
    #[arg(long, value_name = "ENV")]
    env: Option<EnvironmentName>,
    /// The release's time instead of now or INDELIBLE_RELEASE_TIME
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// Move aliases also to an older build, or where nothing tells which is older
    #[arg(long)]
    move_alias_back: bool,
    /// Publish although tracked files differ from the commit; the record says so
    #[arg(long)]
    allow_dirty: bool,
    /// Where the outputs for later CI steps go, instead of where this CI reads them
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
}

/// Reads `--to`. An empty value is what a pipeline leaves of a variable that is not set.
fn repository(text: &str) -> Result<Repository, String> {
    if text.is_empty() {
        return Err("it is empty: is the variable for the repository set?".to_owned());
    }
    text.parse::<Repository>().map_err(|error| error.to_string())
}

/// Reads `--pushed`, in which the digest is usually a variable too.
fn pushed(text: &str) -> Result<PinnedRef, String> {
    if text.is_empty() || text.ends_with('@') {
        return Err("it has no digest: is the variable for the digest set?".to_owned());
    }
    text.parse::<PinnedRef>().map_err(|error| error.to_string())
}

#[derive(Serialize)]
struct Wire {
    digest: String,
    repository: String,
    reference: String,
    tags: Vec<WireTag>,
    aliases: Vec<WireAlias>,
    environment: Option<String>,
    release_time: String,
    event: Option<String>,
    record: String,
    dry_run: bool,
}

#[derive(Serialize)]
struct WireTag {
    tag: String,
    new: bool,
}

#[derive(Serialize)]
struct WireAlias {
    alias: String,
    moved: bool,
    from: Option<String>,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let to = match (&arguments.to, &arguments.pushed) {
        (Some(to), Some(pushed)) if *to != pushed.repository => {
            return Err(Failure::usage(
                "--pushed names another repository than --to: adopting moves no bytes",
            ));
        }
        (_, Some(pushed)) => pushed.repository.clone(),
        (Some(to), None) => to.clone(),
        (None, None) => return Err(Failure::usage("name the repository: --to REPOSITORY")),
    };
    let app = process::app_at(global, [to.host().clone()])?;
    let request = request(&app, &arguments, to)?;
    // What cannot be handed on is found out before anything is published.
    let outputs = Outputs::open(global, &app, arguments.output_file.as_deref())?;
    let published = match global.dry_run {
        true => preview(&app, &request).await?,
        false => publish(&app, &request).await?,
    };
    global.output().data("publish", &wire(&published), || text(&published));
    global.output().talk(format_args!("environment: {}", published.why_environment));
    if published.is_dry_run {
        global.output().talk("nothing was written: this is what `publish` would do now");
        return Ok(Exit::Done);
    }
    if published.record.kind == "local" && asker(&app) == Asker::Pipeline {
        global.output().talk("the record is on this runner and ends with it: `record: git` in indelible.yaml keeps it");
    }
    outputs.write(global, &app, &published)?;
    Ok(Exit::Done)
}

fn request(app: &App, arguments: &Arguments, to: Repository) -> Result<PublishRequest, Failure> {
    let bytes = match (&arguments.source, &arguments.pushed) {
        (_, Some(pushed)) => Bytes::Pushed(pushed.digest),
        (Some(source), None) => Bytes::From(source.parse::<Source>().map_err(Failure::usage)?),
        (None, None) => return Err(Failure::usage("name a source, or --pushed REPO@DIGEST")),
    };
    let image = app.loaded().and_then(|loaded| loaded.settings.image_of(&to).cloned());
    Ok(PublishRequest {
        bytes,
        image,
        to,
        tags: arguments.tag.clone(),
        schemes: arguments.scheme.clone(),
        aliases: arguments.alias.clone(),
        environment: arguments.env.clone(),
        at: arguments.at,
        alias_told: if arguments.move_alias_back { AliasTold::Yes } else { AliasTold::No },
        dirty: if arguments.allow_dirty { Dirty::Allowed } else { Dirty::Refused },
    })
}

fn text(published: &Published) -> String {
    let would = if published.is_dry_run { "would be " } else { "" };
    let mut text = format!("digest {}\n", published.digest);
    for done in &published.tags {
        let state = match (done.is_new, published.is_dry_run) {
            (true, true) => " (would be made)",
            (true, false) => "",
            (false, _) => " (was there)",
        };
        let _ = writeln!(text, "tag    {}:{}{state}", published.repository, done.tag);
    }
    for done in &published.aliases {
        let state = match done.moved {
            Moved::Created => format!("{would}made"),
            Moved::Same => "was there".to_owned(),
            Moved::From(from) => format!("{would}moved from {}", from.short()),
        };
        let _ = writeln!(text, "alias  {}:{} ({state})", published.repository, done.alias);
    }
    let _ = writeln!(text, "pinned {}", published.reference());
    text
}

fn wire(published: &Published) -> Wire {
    Wire {
        digest: published.digest.to_string(),
        repository: published.repository.to_string(),
        reference: published.reference().to_string(),
        tags: published
            .tags
            .iter()
            .map(|done| WireTag { tag: done.tag.to_string(), new: done.is_new })
            .collect(),
        aliases: published
            .aliases
            .iter()
            .map(|done| WireAlias {
                alias: done.alias.to_string(),
                moved: done.moved != Moved::Same,
                from: match done.moved {
                    Moved::From(from) => Some(from.to_string()),
                    Moved::Created | Moved::Same => None,
                },
            })
            .collect(),
        environment: published.environment.as_ref().map(ToString::to_string),
        release_time: published.at.to_string(),
        event: published.event.map(|id| id.to_string()),
        record: published.record.place.clone(),
        dry_run: published.is_dry_run,
    }
}
