//! `indelible trace DIGEST|TAG|COMMIT|IMAGEID|pod/NAME`

mod lines;
mod pod;
mod seen;

use super::Format;
use super::asking::{WireCovered, WireInterval, basis_text, end_of, time_of, unknown_text};
use super::history::WireTag;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::plain;
use crate::process;
use domain::ImageRef;
use flows::ask::{BuiltFrom, TagHistoryRow, TraceAnswer, Traced};
use record::claim::{BuildClaim, TagChange};
use record::{Answer, Stamp};
use seen::WireSeen;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A digest, a tag (TAG or REPO:TAG), a commit, an imageID as a pod reports it, or a pod
    #[arg(value_name = "DIGEST|TAG|COMMIT|IMAGEID|pod/NAME")]
    what: String,
    /// The context of the kubeconfig that the pod is in
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The pod's namespace, instead of the context's
    #[arg(short, long, value_name = "NAMESPACE", requires = "context")]
    namespace: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

#[derive(Serialize)]
struct Wire {
    asked: String,
    understood: &'static str,
    /// Whether it is known where it ran.
    known: bool,
    /// What was watched since the record first heard of it; null: nobody ever watched.
    covered: Option<Vec<WireCovered>>,
    #[serde(flatten)]
    answer: Answer<WireItem>,
}

#[derive(Serialize)]
struct WireItem {
    digest: String,
    part: Option<String>,
    image: Option<record::claim::ImageClaim>,
    builds: Vec<BuildClaim>,
    tag_changes: Vec<record::claim::TagChangeClaim>,
    registry_tags: Vec<WireRegistryTag>,
    deploys: Vec<record::claim::DeployClaim>,
    intervals: Vec<WireInterval>,
    /// Where and when it was seen to run.
    seen: Vec<WireSeen>,
    checkout: Option<String>,
    /// Whether that commit is not all that was built.
    dirty: bool,
    /// Of all recorded builds of these bytes, the one to check out first.
    commits: Vec<String>,
}

/// What a registry of ours tells about a tag of the image.
#[derive(Serialize)]
struct WireRegistryTag {
    repository: String,
    #[serde(flatten)]
    row: WireTag,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let mut global = global.clone();
    global.json |= arguments.format == Format::Json;
    let global = &global;
    if let Some(name) = arguments.what.strip_prefix("pod/") {
        return pod::run(global, &arguments, name).await;
    }
    // A host that is written out is the one that is asked: it gets the token, as in `history`.
    let host = match arguments.what.parse::<ImageRef>() {
        Ok(ImageRef::Tagged(tagged)) => Some(tagged.repository.host().clone()),
        Ok(ImageRef::Bare(_) | ImageRef::Pinned(_)) | Err(_) => None,
    };
    let named = host.filter(|host| !host.is_docker_hub());
    let app = process::app_at(global, named)?;
    let found = flows::ask::trace(&app, &arguments.what).await?;
    match arguments.format {
        Format::Csv => global.output().text(&lines::csv(&[(&arguments.what, &found)])),
        Format::Table | Format::Json => {
            global.output().data("trace", &wire(&arguments.what, &found), || text(&found));
        }
    }
    Ok(if found.is_known() { Exit::Done } else { Exit::Unknown })
}

fn text(found: &TraceAnswer) -> String {
    let mut text = String::new();
    for traced in &found.answer.items {
        one(traced, &mut text);
    }
    text.push_str(&unknown_text(found.coverage.as_ref()));
    text.push_str(&basis_text(&found.answer, ""));
    checkout_lines(&found.answer.items, &mut text);
    text
}

/// Each commit once, with what `git checkout` of it does not bring.
fn checkout_lines(items: &[Traced], text: &mut String) {
    let mut said = BTreeSet::new();
    for traced in items {
        let Some(built) = traced.built.as_ref().filter(|built| said.insert(&built.commit)) else {
            continue;
        };
        if let Some(others) = others_of(built) {
            let _ = writeln!(text, "the same bytes were also built from {others}");
        }
        if built.is_dirty {
            let _ = writeln!(text, "built with changes that are not in its commit:");
        }
        let _ = writeln!(text, "git checkout {}", built.commit);
    }
}

fn others_of(built: &BuiltFrom) -> Option<String> {
    let others: Vec<&str> = built.others.iter().map(|commit| commit.short(12)).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

fn one(traced: &Traced, text: &mut String) {
    let trace = &traced.trace;
    let _ = writeln!(text, "{}", trace.digest);
    if trace.asked != trace.digest {
        let _ = writeln!(text, "  part   {}", trace.asked);
    }
    let _ = writeln!(text, "  image  {}", image_line(traced));
    for (stamp, build) in &trace.builds {
        let _ = writeln!(text, "  build  {}", plain(&build_line(stamp, build)));
    }
    tag_lines(traced, text);
    for interval in &traced.intervals {
        let until = end_of(interval);
        let how = interval.began_by.claim.how.word();
        let (environment, image) = (&interval.environment, &interval.image);
        let (from, basis) = (time_of(interval.from), interval.basis);
        let _ = writeln!(
            text,
            "  ran    {environment} {image} from {from} until {until} ({how}, {basis})"
        );
    }
    seen::lines(&traced.seen, text);
}

fn image_line(traced: &Traced) -> String {
    let Some(image) = &traced.trace.image else { return "its bytes are not recorded".to_owned() };
    let name = |one: &record::claim::PlatformImage| {
        one.platform.as_ref().map_or_else(|| "unknown platform".to_owned(), ToString::to_string)
    };
    let platforms: Vec<String> = image.platforms.iter().map(name).collect();
    format!("manifest of {} bytes, {}", image.size, platforms.join(", "))
}

fn tag_lines(traced: &Traced, text: &mut String) {
    let trace = &traced.trace;
    for (stamp, change) in &trace.tag_changes {
        let (tag, at) = (&change.tag, time_of(stamp.happened()));
        let what = match &change.change {
            TagChange::Created { .. } => format!("{tag} was made"),
            TagChange::Moved { to, .. } if *to == trace.digest => format!("{tag} was moved here"),
            TagChange::Moved { to, .. } => format!("{tag} was moved away to {}", to.short()),
            TagChange::Deleted { .. } => format!("{tag} was deleted"),
            TagChange::Restored { .. } => format!("{tag} came back"),
        };
        let _ = writeln!(text, "  tag    {at} {what} by {}", plain(stamp.who().name()));
    }
    for (repository, row) in &traced.tags {
        // What left this digest behind is not always another one: a tag can also be gone.
        let what = match row.to {
            Some(to) if to != trace.digest => "moved away",
            Some(_) | None => row.change,
        };
        let by = row.actor.as_ref().map_or("somebody", domain::Actor::name);
        let (at, tag) = (time_of(row.at), &row.tag);
        let _ = writeln!(text, "  tag    {at} {repository}:{tag} {what} by {}", plain(by));
    }
}

fn build_line(stamp: &Stamp, build: &BuildClaim) -> String {
    let tags: Vec<&str> = build.tags.iter().map(domain::Tag::as_str).collect();
    let environment =
        build.environment.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
    let source = match &build.source {
        Some(source) => {
            let branch =
                source.source_ref.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
            let dirty = if source.dirty { " with changes" } else { "" };
            format!("commit {}{branch}{dirty}", source.commit.short(12))
        }
        None => "no commit is recorded".to_owned(),
    };
    format!(
        "{} {source}{environment}, tags {} in {}",
        time_of(stamp.happened()),
        tags.join(", "),
        build.repository
    )
}

fn wire(asked: &str, found: &TraceAnswer) -> Wire {
    let answer = found.answer.map(item);
    Wire {
        asked: asked.to_owned(),
        understood: found.understood,
        known: found.is_known(),
        covered: WireCovered::all(found.coverage.as_ref()),
        answer,
    }
}

fn item(traced: &Traced) -> WireItem {
    let trace = &traced.trace;
    let registry_tag = |(repository, row): &(domain::Repository, TagHistoryRow)| WireRegistryTag {
        repository: repository.to_string(),
        row: WireTag::of(row),
    };
    WireItem {
        digest: trace.digest.to_string(),
        part: (trace.asked != trace.digest).then(|| trace.asked.to_string()),
        image: trace.image.clone(),
        builds: trace.builds.iter().map(|(_, build)| build.clone()).collect(),
        tag_changes: trace.tag_changes.iter().map(|(_, change)| change.clone()).collect(),
        registry_tags: traced.tags.iter().map(registry_tag).collect(),
        deploys: trace.deploys.iter().map(|deploy| deploy.claim.clone()).collect(),
        intervals: traced.intervals.iter().map(WireInterval::of).collect(),
        seen: traced.seen.iter().map(WireSeen::of).collect(),
        checkout: traced.built.as_ref().map(|built| format!("git checkout {}", built.commit)),
        dirty: traced.built.as_ref().is_some_and(|built| built.is_dirty),
        commits: traced.built.iter().flat_map(BuiltFrom::all).map(ToString::to_string).collect(),
    }
}
