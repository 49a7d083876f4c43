//! `indelible trace pod/NAME --context CONTEXT`: each container's bytes, and where they come from.

use super::{Arguments, lines, text as trace_text, wire as trace_wire};
use crate::arguments::Global;
use crate::command::Format;
use crate::exit::{Exit, Failure};
use crate::output::plain;
use crate::process;
use flows::ask::{AskError, TraceAnswer};
use flows::look::LookAt;
use flows::seam::RecordError;
use flows::{App, OpenError};
use release::observed::{Container, ImageId};
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
struct Wire {
    asked: String,
    understood: &'static str,
    context: String,
    namespace: String,
    node: Option<String>,
    workload: String,
    containers: Vec<WireContainer>,
}

#[derive(Serialize)]
struct WireContainer {
    container: String,
    reference: String,
    image_id: String,
    digest: Option<String>,
    /// Null: nothing is recorded about these bytes, or none are reported.
    trace: Option<super::Wire>,
}

/// A container, and what is recorded about what it runs.
struct Known<'a> {
    container: &'a Container,
    digest: Option<domain::Digest>,
    found: Option<TraceAnswer>,
}

pub(super) async fn run(
    global: &Global,
    arguments: &Arguments,
    name: &str,
) -> Result<Exit, Failure> {
    let Some(context) = arguments.context.clone() else {
        return Err(Failure::usage(format!(
            "which cluster is `{}` in? Name it: --context NAME",
            arguments.what
        )));
    };
    let app = process::app(global)?;
    let at = LookAt { context: context.clone(), namespace: arguments.namespace.clone() };
    let pod = flows::look::pod(&app, &at, name).await?;
    let mut known = Vec::new();
    for container in &pod.containers {
        let digest = container.has_started().then(|| ImageId::read(&container.image_id).digest());
        let digest = digest.flatten();
        let found = match digest {
            Some(digest) => recorded(&app, &digest).await?,
            None => None,
        };
        known.push(Known { container, digest, found });
    }
    let wire = Wire {
        asked: arguments.what.clone(),
        understood: "pod",
        context,
        namespace: pod.namespace.clone(),
        node: pod.node.clone(),
        workload: pod.owner.to_string(),
        containers: known.iter().map(wire_container).collect(),
    };
    match arguments.format {
        Format::Csv => global.output().text(&csv(&arguments.what, &known)),
        Format::Table | Format::Json => {
            global.output().data("trace", &wire, || known.iter().map(text).collect());
        }
    }
    let is_whole = known.iter().all(|one| one.found.as_ref().is_some_and(TraceAnswer::is_known));
    Ok(if is_whole { Exit::Done } else { Exit::Unknown })
}

/// What is recorded about some bytes; without a record, or with nothing in it about them, that is unknown.
async fn recorded(app: &App, digest: &domain::Digest) -> Result<Option<TraceAnswer>, Failure> {
    match flows::ask::trace(app, &digest.to_string()).await {
        Ok(found) => Ok(Some(found)),
        Err(
            AskError::NothingKnown { .. }
            | AskError::Record(RecordError::Missing { .. })
            | AskError::Open(OpenError::Record(RecordError::Missing { .. })),
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Each container by its name behind the pod's; one of which nothing is known is a gap.
fn csv(pod: &str, known: &[Known<'_>]) -> String {
    let found = |one: &Known<'_>| {
        let nothing = || TraceAnswer {
            understood: "pod",
            answer: record::Answer {
                basis: record::Basis::Observed,
                precision: record::Precision::Unconfirmed,
                gaps: vec![record::Gap { from: None, until: None, why: untold(one).to_owned() }],
                items: Vec::new(),
            },
            coverage: None,
        };
        let answer = one.found.clone().unwrap_or_else(nothing);
        (format!("{pod} {}", one.container.name), answer)
    };
    let all: Vec<(String, TraceAnswer)> = known.iter().map(found).collect();
    let all: Vec<(&str, &TraceAnswer)> =
        all.iter().map(|(asked, answer)| (asked.as_str(), answer)).collect();
    lines::csv(&all)
}

/// Why nothing is told of a container.
fn untold(known: &Known<'_>) -> &'static str {
    match known.digest {
        Some(_) => "nothing is recorded about these bytes",
        None => "it has not started, or does not report what it runs",
    }
}

fn text(known: &Known<'_>) -> String {
    let Known { container, digest, found } = known;
    let mut text = format!("{}  {}\n", plain(&container.name), plain(&container.reference));
    match (digest, found) {
        (_, Some(found)) => text.push_str(&trace_text(found)),
        (Some(digest), None) => {
            let _ = writeln!(text, "{digest}\n  unknown: {}", untold(known));
        }
        (None, None) => {
            let _ = writeln!(text, "  unknown: {}", untold(known));
        }
    }
    text
}

fn wire_container(known: &Known<'_>) -> WireContainer {
    let Known { container, digest, found } = known;
    let digest = digest.map(|digest| digest.to_string());
    WireContainer {
        container: container.name.clone(),
        reference: container.reference.clone(),
        image_id: container.image_id.clone(),
        trace: found.as_ref().map(|found| trace_wire(digest.as_deref().unwrap_or_default(), found)),
        digest,
    }
}
