//! Rows copied inside the database: other identities and digests, a period later each time.

use std::path::Path;

use anyhow::Result;
use domain::Digest;
use rusqlite::{Connection, params};

/// What was made.
pub(super) struct Copies {
    pub(super) rows: u32,
    pub(super) bytes_each: f64,
    /// Digests to ask about, of the first runs and of all copies.
    pub(super) digests: Vec<Digest>,
}

/// The columns that a copy takes over as they are.
const SAME: &str = "place, workload, class, pod, container, role, node, reference, image_id, began_precision, \
                    restarts, missed, changed_in_place, node_info, ended_precision, exit_code, doubts";

/// Copies the rows of the first runs until there are so many.
pub(super) fn multiply(path: &Path, first: u32, runs: u32) -> Result<Copies> {
    let before = std::fs::metadata(path)?.len();
    let file = Connection::open(path)?;
    // Nothing here must outlive a power cut.
    file.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;
         CREATE TEMP TABLE ranked AS SELECT id, row_number() OVER (ORDER BY id) AS rank FROM run_text
             WHERE value LIKE 'sha256:%';
         CREATE UNIQUE INDEX temp.ranked_by_id ON ranked (id);",
    )?;
    let (lowest, highest): (i64, i64) =
        file.query_row("SELECT min(lo), max(lo) FROM container_run", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let last: i64 = file.query_row("SELECT max(seq) FROM container_run", [], |row| row.get(0))?;
    let copies = runs / first;
    for copy in 1..copies {
        let copy = i64::from(copy);
        let after: i64 = file.query_row("SELECT max(id) FROM run_text", [], |row| row.get(0))?;
        file.execute_batch("BEGIN")?;
        file.execute(
            "INSERT INTO run_text (id, value) SELECT ?1 + rank, 'sha256:' || lower(hex(randomblob(32))) FROM ranked",
            [after],
        )?;
        let sql = format!(
            "INSERT INTO container_run (seq, id, digest, lo, hi, pod_uid, container_id, seen, began_until, created, \
             ended_seen, deleted, {SAME}) SELECT seq + ?1, randomblob(16), ?2 + (SELECT rank FROM ranked \
             WHERE ranked.id = digest), lo + ?3, hi + ?3, randomblob(16), randomblob(32), seen + ?3, began_until + ?3, \
             created + ?3, ended_seen + ?3, deleted + ?3, {SAME} FROM container_run WHERE seq <= ?4 ORDER BY seq"
        );
        let period = highest - lowest + 1;
        file.execute(&sql, params![copy * last, after, copy * period, last])?;
        file.execute_batch("COMMIT")?;
    }
    file.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    let mut select = file.prepare(
        "SELECT value FROM run_text WHERE value LIKE 'sha256:%' ORDER BY id % 997 LIMIT 5000",
    )?;
    let digests = select.query_map([], |row| row.get::<_, String>(0))?;
    let digests = digests.map(|text| Ok(text?.parse()?)).collect::<Result<Vec<Digest>>>()?;
    let rows = first * copies.saturating_sub(1);
    let grown = std::fs::metadata(path)?.len().saturating_sub(before);
    Ok(Copies { rows, bytes_each: grown as f64 / f64::from(rows.max(1)), digests })
}
