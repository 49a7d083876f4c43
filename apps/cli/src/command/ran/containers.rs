//! Containers that were seen to run, for people and for programs.

use crate::command::asking::time_of;
use crate::output::table;
use domain::Timestamp;
use flows::ask::{BuiltFrom, ContainerRow};
use record::claim::{Moment, RunRole};
use serde::Serialize;
use std::collections::BTreeMap;

/// One container run; its first members are those of what was decided.
#[derive(Serialize)]
pub(super) struct WireContainer {
    environment: Option<String>,
    image: Option<String>,
    digest: Option<String>,
    from: String,
    until: Option<String>,
    basis: &'static str,
    precision: String,
    commit: Option<String>,
    commits: Vec<String>,
    cluster: String,
    namespace: String,
    workload: String,
    pod: String,
    container: String,
    role: RunRole,
    node: Option<String>,
    reference: String,
    /// Word for word, as the kubelet reports it.
    image_id: String,
    restarts: u32,
    /// Runs of this container right before this one that nobody saw.
    missed: u32,
    changed_in_place: bool,
    began: Moment,
    ended: Option<Moment>,
    exit_code: Option<i32>,
}

impl WireContainer {
    pub(super) fn of(row: &ContainerRow) -> Self {
        let (run, began) = (&row.run, &row.run.began);
        Self {
            environment: row.environment.as_ref().map(ToString::to_string),
            image: row.image.as_ref().map(ToString::to_string),
            digest: row.digest.map(|digest| digest.to_string()),
            from: run.from().to_string(),
            until: run.until().map(|until| until.to_string()),
            basis: "observed",
            precision: row.precision.to_string(),
            commit: row.commit.as_ref().map(|built| built.commit.to_string()),
            commits: row.commit.iter().flat_map(BuiltFrom::all).map(ToString::to_string).collect(),
            cluster: row.cluster.to_string(),
            namespace: run.namespace.to_string(),
            workload: began.workload.to_string(),
            pod: began.pod.to_string(),
            container: began.container.to_string(),
            role: began.role,
            node: began.node.as_ref().map(ToString::to_string),
            reference: began.reference.to_string(),
            image_id: began.image_id.to_string(),
            restarts: began.restarts,
            missed: began.missed,
            changed_in_place: began.changed_in_place,
            began: began.began,
            ended: run.ended.map(|ended| ended.ended),
            exit_code: run.ended.and_then(|ended| ended.exit_code),
        }
    }
}

/// Replicas that run the same bytes are one line; at a moment, or over time with the last end.
pub(super) fn containers_text(containers: &[ContainerRow], at: Option<Timestamp>) -> String {
    let mut groups = BTreeMap::<Vec<String>, Vec<&ContainerRow>>::new();
    for row in containers {
        groups.entry(place(row)).or_default().push(row);
    }
    let line = |(mut cells, rows): (Vec<String>, Vec<&ContainerRow>)| {
        let since = rows.iter().map(|row| row.run.from()).min();
        cells.push(rows.len().to_string());
        cells.push(since.map_or_else(|| "-".to_owned(), time_of));
        if at.is_none() {
            let ends: Option<Vec<_>> = rows.iter().map(|row| row.run.until()).collect();
            let last = ends.and_then(|ends| ends.into_iter().max());
            cells.push(last.map_or_else(|| "not seen to end".to_owned(), time_of));
        }
        let weakest = rows.iter().map(|row| row.precision).max();
        cells.push(weakest.map_or_else(|| "-".to_owned(), |precision| precision.to_string()));
        let commit = rows.iter().find_map(|row| row.commit.as_ref());
        cells.push(commit.map_or_else(|| "-".to_owned(), BuiltFrom::short));
        cells
    };
    let lines: Vec<_> = groups.into_iter().map(line).collect();
    if lines.is_empty() {
        return String::new();
    }
    let head = ["ENV", "CLUSTER", "NAMESPACE", "WORKLOAD", "CONTAINER", "RUNNING", "RUNS", "SINCE"];
    let until = at.is_none().then_some("UNTIL");
    let head: Vec<_> = head.into_iter().chain(until).chain(["PRECISION", "COMMIT"]).collect();
    table(&head, &lines)
}

fn place(row: &ContainerRow) -> Vec<String> {
    let began = &row.run.began;
    let container = match began.role {
        RunRole::Main => began.container.to_string(),
        RunRole::Init => format!("{} (init)", began.container),
        RunRole::Ephemeral => format!("{} (ephemeral)", began.container),
    };
    vec![
        row.environment.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        row.cluster.to_string(),
        row.run.namespace.to_string(),
        began.workload.to_string(),
        container,
        row.digest.map_or_else(|| "not reported".to_owned(), |digest| digest.short()),
    ]
}
