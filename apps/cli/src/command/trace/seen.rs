//! Where and when bytes were seen to run, for people and for programs.
//!
//! ```text
//!   seen   prod-eu shop/deployment/api api from 14:10 until 16:12, 3 pods (observed, exact)
//! ```

use crate::command::asking::time_of;
use crate::output::plain;
use flows::ask::SeenWhere;
use record::claim::RunRole;
use serde::Serialize;
use std::fmt::Write as _;

/// The same bytes in one container of a workload.
#[derive(Serialize)]
pub(super) struct WireSeen {
    pub(super) environment: Option<String>,
    pub(super) cluster: String,
    pub(super) namespace: String,
    pub(super) workload: String,
    pub(super) container: String,
    pub(super) role: RunRole,
    pub(super) reference: String,
    pub(super) from: String,
    pub(super) until: Option<String>,
    pub(super) pods: usize,
    pub(super) runs: usize,
    pub(super) basis: &'static str,
    pub(super) precision: String,
}

impl WireSeen {
    pub(super) fn of(one: &SeenWhere) -> Self {
        let (sighting, spot) = (&one.sighting, &one.sighting.spot);
        Self {
            environment: one.environment.as_ref().map(ToString::to_string),
            cluster: one.cluster.to_string(),
            namespace: spot.namespace.to_string(),
            workload: spot.workload.to_string(),
            container: spot.container.to_string(),
            role: sighting.role,
            reference: sighting.reference.to_string(),
            from: sighting.from.to_string(),
            until: sighting.until.map(|until| until.to_string()),
            pods: sighting.pods,
            runs: sighting.runs,
            basis: "observed",
            precision: sighting.precision.to_string(),
        }
    }
}

/// A line each.
pub(super) fn lines(seen: &[SeenWhere], text: &mut String) {
    for one in seen {
        let (sighting, spot) = (&one.sighting, &one.sighting.spot);
        let environment = one.environment.as_ref().map(|name| format!("{name} "));
        let role = match sighting.role {
            RunRole::Main => "",
            RunRole::Init => " (init)",
            RunRole::Ephemeral => " (ephemeral)",
        };
        let until = sighting.until.map_or_else(|| "not seen to end".to_owned(), time_of);
        let line = format!(
            "{}{} {}/{} {}{role} from {} until {until}, {} (observed, {})",
            environment.unwrap_or_default(),
            one.cluster,
            spot.namespace,
            spot.workload,
            spot.container,
            time_of(sighting.from),
            pods(sighting.pods),
            sighting.precision
        );
        let _ = writeln!(text, "  seen   {}", plain(&line));
    }
}

fn pods(count: usize) -> String {
    if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") }
}
