//! `indelible trace DIGEST|TAG|COMMIT|IMAGEID`

use super::ran::{gaps_text, time_of};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::plain;
use crate::process;
use flows::App;
use flows::ask::{TraceAnswer, Traced};
use record::claim::{BuildClaim, TagChange};
use record::{Gap, Stamp};
use serde::Serialize;
use std::fmt::Write as _;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A digest, a tag (TAG or REPO:TAG), a commit, or an imageID as a pod reports it
    #[arg(value_name = "DIGEST|TAG|COMMIT|IMAGEID")]
    what: String,
}

#[derive(Serialize)]
struct Wire {
    asked: String,
    understood: &'static str,
    basis: String,
    precision: String,
    gaps: Vec<Gap>,
    items: Vec<WireItem>,
}

#[derive(Serialize)]
struct WireItem {
    digest: String,
    part: Option<String>,
    image: Option<record::claim::ImageClaim>,
    builds: Vec<BuildClaim>,
    tag_changes: Vec<record::claim::TagChangeClaim>,
    deploys: Vec<record::claim::DeployClaim>,
    intervals: Vec<WireInterval>,
    checkout: Option<String>,
}

#[derive(Serialize)]
struct WireInterval {
    environment: String,
    image: String,
    from: String,
    until: Option<String>,
    basis: String,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let found = flows::ask::trace(&app, &arguments.what).await?;
    global.output().data("trace", &wire(&arguments.what, &found), || text(&app, &found));
    Ok(Exit::Done)
}

fn text(app: &App, found: &TraceAnswer) -> String {
    let mut text = String::new();
    for traced in &found.answer.items {
        one(app, traced, &mut text);
    }
    let _ = writeln!(text, "basis {}, precision {}", found.answer.basis, found.answer.precision);
    text.push_str(&gaps_text(&found.answer.gaps));
    for traced in &found.answer.items {
        if let Some(commit) = traced.trace.commit() {
            let _ = writeln!(text, "git checkout {commit}");
        }
    }
    text
}

fn one(app: &App, traced: &Traced, text: &mut String) {
    let trace = &traced.trace;
    let _ = writeln!(text, "{}", trace.digest);
    if trace.asked != trace.digest {
        let _ = writeln!(text, "  part   {}", trace.asked);
    }
    let _ = writeln!(text, "  image  {}", image_line(traced));
    for (stamp, build) in &trace.builds {
        let _ = writeln!(text, "  build  {}", plain(&build_line(app, stamp, build)));
    }
    tag_lines(app, traced, text);
    for interval in &traced.intervals {
        let until = interval.until.map_or_else(|| "now".to_owned(), |until| time_of(app, until));
        let how = interval.began_by.claim.how.word();
        let (environment, image) = (&interval.environment, &interval.image);
        let (from, basis) = (time_of(app, interval.from), interval.basis);
        let _ = writeln!(
            text,
            "  ran    {environment} {image} from {from} until {until} ({how}, {basis})"
        );
    }
}

fn image_line(traced: &Traced) -> String {
    let Some(image) = &traced.trace.image else { return "its bytes are not recorded".to_owned() };
    let name = |one: &record::claim::PlatformImage| {
        one.platform.as_ref().map_or_else(|| "unknown platform".to_owned(), ToString::to_string)
    };
    let platforms: Vec<String> = image.platforms.iter().map(name).collect();
    format!("manifest of {} bytes, {}", image.size, platforms.join(", "))
}

fn tag_lines(app: &App, traced: &Traced, text: &mut String) {
    let trace = &traced.trace;
    for (stamp, change) in &trace.tag_changes {
        let (tag, at) = (&change.tag, time_of(app, stamp.at));
        let what = match &change.change {
            TagChange::Created { .. } => format!("{tag} was made"),
            TagChange::Moved { to, .. } if *to == trace.digest => format!("{tag} was moved here"),
            TagChange::Moved { to, .. } => format!("{tag} was moved away to {}", to.short()),
            TagChange::Deleted { .. } => format!("{tag} was deleted"),
            TagChange::Restored { .. } => format!("{tag} came back"),
        };
        let _ = writeln!(text, "  tag    {at} {what} by {}", plain(stamp.actor.name()));
    }
    for (repository, row) in &traced.tags {
        let what = if row.to == Some(trace.digest) { row.change } else { "moved away" };
        let by = row.actor.as_deref().unwrap_or("somebody");
        let (at, tag) = (time_of(app, row.at), &row.tag);
        let _ = writeln!(text, "  tag    {at} {repository}:{tag} {what} by {}", plain(by));
    }
}

fn build_line(app: &App, stamp: &Stamp, build: &BuildClaim) -> String {
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
        time_of(app, stamp.at),
        tags.join(", "),
        build.repository
    )
}

fn wire(asked: &str, found: &TraceAnswer) -> Wire {
    Wire {
        asked: asked.to_owned(),
        understood: found.understood,
        basis: found.answer.basis.to_string(),
        precision: found.answer.precision.to_string(),
        gaps: found.answer.gaps.clone(),
        items: found.answer.items.iter().map(item).collect(),
    }
}

fn item(traced: &Traced) -> WireItem {
    let trace = &traced.trace;
    WireItem {
        digest: trace.digest.to_string(),
        part: (trace.asked != trace.digest).then(|| trace.asked.to_string()),
        image: trace.image.clone(),
        builds: trace.builds.iter().map(|(_, build)| build.clone()).collect(),
        tag_changes: trace.tag_changes.iter().map(|(_, change)| change.clone()).collect(),
        deploys: trace.deploys.iter().map(|deploy| deploy.claim.clone()).collect(),
        intervals: traced
            .intervals
            .iter()
            .map(|interval| WireInterval {
                environment: interval.environment.to_string(),
                image: interval.image.to_string(),
                from: interval.from.to_string(),
                until: interval.until.map(|until| until.to_string()),
                basis: interval.basis.to_string(),
            })
            .collect(),
        checkout: trace.commit().map(|commit| format!("git checkout {commit}")),
    }
}
