//! Words that many runs share, kept once: namespaces, workloads, images, nodes.

use crate::database::DatabaseError;
use record::claim::{ClusterId, Reported};
use rusqlite::{Connection, OptionalExtension, Params, params};

/// The number of a word; made where it is new.
pub(super) fn text(tx: &Connection, value: &str) -> Result<i64, DatabaseError> {
    number(
        tx,
        "SELECT id FROM run_text WHERE value = ?1",
        "INSERT INTO run_text (value) VALUES (?1)",
        [value],
    )
}

/// The number of a namespace of a cluster.
pub(super) fn place(
    tx: &Connection,
    cluster: &ClusterId,
    namespace: &Reported,
) -> Result<i64, DatabaseError> {
    number(
        tx,
        "SELECT id FROM run_place WHERE cluster = ?1 AND namespace = ?2",
        "INSERT INTO run_place (cluster, namespace) VALUES (?1, ?2)",
        [cluster.as_str(), namespace.as_str()],
    )
}

/// The number of a workload in its place.
pub(super) fn workload(tx: &Connection, place: i64, name: &str) -> Result<i64, DatabaseError> {
    number(
        tx,
        "SELECT id FROM run_workload WHERE place = ?1 AND name = ?2",
        "INSERT INTO run_workload (place, name) VALUES (?1, ?2)",
        params![place, name],
    )
}

fn number<P: Params + Clone>(
    tx: &Connection,
    select: &str,
    insert: &str,
    values: P,
) -> Result<i64, DatabaseError> {
    let found =
        tx.prepare_cached(select)?.query_row(values.clone(), |row| row.get(0)).optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    Ok(tx.prepare_cached(insert)?.insert(values)?)
}
