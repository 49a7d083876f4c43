//! `indelible trace pod/NAME --context CONTEXT`: each container's bytes, and where they come from.

use super::{Arguments, text as trace_text, wire as trace_wire};
use crate::arguments::Global;
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
    global.output().data("trace", &wire, || known.iter().map(text).collect());
    let is_whole = known.iter().all(|one| one.found.is_some());
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

fn text(known: &Known<'_>) -> String {
    let Known { container, digest, found } = known;
    let mut text = format!("{}  {}\n", plain(&container.name), plain(&container.reference));
    match (digest, found) {
        (_, Some(found)) => text.push_str(&trace_text(found)),
        (Some(digest), None) => {
            let _ = writeln!(text, "{digest}\n  unknown: nothing is recorded about these bytes");
        }
        (None, None) => {
            text.push_str("  unknown: it has not started, or does not report what it runs\n")
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
