//! One container run as a row, there and back.

use super::{length_class, packed, words};
use crate::database::DatabaseError;
use domain::{Digest, Timestamp};
use record::claim::{ClusterId, ContainerRunClaim, Moment, Reported, RunBegan, RunId, RunRole};
use record::{Run, runs::RunEnded};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Takes a claim in; what is said of a run that nobody began is passed over.
pub(super) fn project(
    tx: &Connection,
    seq: i64,
    claim: &ContainerRunClaim,
) -> Result<(), DatabaseError> {
    let Some(place) = seq_of(tx, claim.run)? else {
        return match Run::begun(claim) {
            Some(run) => insert(tx, seq, &run),
            None => Ok(()),
        };
    };
    let there = at(tx, place)?;
    let mut run = there.clone();
    run.take(claim);
    if run == there { Ok(()) } else { update(tx, place, &run) }
}

/// The place of a run.
pub(super) fn seq_of(connection: &Connection, run: RunId) -> Result<Option<i64>, DatabaseError> {
    let mut select = connection.prepare_cached("SELECT seq FROM container_run WHERE id = ?1")?;
    Ok(select.query_row([run.to_bytes()], |row| row.get(0)).optional()?)
}

fn insert(tx: &Connection, seq: i64, run: &Run) -> Result<(), DatabaseError> {
    let began = &run.began;
    let place = words::place(tx, &run.cluster, &run.namespace)?;
    let word = |text: &Reported| words::text(tx, text.as_str());
    let digest = run.digest.map(|digest| words::text(tx, &digest.to_string())).transpose()?;
    let (precision, after, until) = split(began.began);
    let mut insert = tx.prepare_cached(
        "INSERT INTO container_run (seq, id, place, workload, digest, class, lo, pod, pod_uid, \
         container, container_id, role, node, reference, image_id, seen, began_precision, \
         began_after, began_until, created, restarts, missed, changed_in_place, node_info) VALUES (?1, ?2, \
         ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
         ?22, ?23, ?24)",
    )?;
    insert.execute(params![
        seq,
        run.id.to_bytes(),
        place,
        words::workload(tx, place, began.workload.as_str())?,
        digest,
        length_class::OPEN,
        run.earliest().as_millis(),
        began.pod.as_str(),
        packed::pack(began.pod_uid.as_str()),
        word(&began.container)?,
        packed::pack(began.container_id.as_str()),
        role_number(began.role),
        began.node.as_ref().map(word).transpose()?,
        word(&began.reference)?,
        word(&began.image_id)?,
        run.seen.as_millis(),
        precision,
        after,
        until,
        began.created.map(Timestamp::as_millis),
        began.restarts,
        began.missed,
        began.changed_in_place,
        began.node_info.as_ref().map(|info| words::text(tx, &json(info))).transpose()?,
    ])?;
    Ok(())
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("times and texts are JSON")
}

/// Writes what can change: the end, and the stretches of doubt.
fn update(tx: &Connection, seq: i64, run: &Run) -> Result<(), DatabaseError> {
    let (lo, hi) = (run.earliest().as_millis(), run.until().map(Timestamp::as_millis));
    let ended = run.ended.map(|ended| split(ended.ended));
    let doubts = match run.doubts.as_slice() {
        [] => None,
        doubts => Some(json(doubts)),
    };
    let mut update = tx.prepare_cached(
        "UPDATE container_run SET class = ?2, hi = ?3, ended_precision = ?4, ended_after = ?5, \
         exit_code = ?6, ended_seen = ?7, deleted = ?8, doubts = ?9 WHERE seq = ?1",
    )?;
    update.execute(params![
        seq,
        length_class::of(lo, hi),
        hi,
        ended.map(|(precision, ..)| precision),
        ended.and_then(|(_, after, _)| after),
        run.ended.and_then(|ended| ended.exit_code),
        run.ended.map(|ended| ended.seen.as_millis()),
        run.ended.and_then(|ended| ended.deleted).map(Timestamp::as_millis),
        doubts,
    ])?;
    Ok(())
}

/// The run in this place.
pub(super) fn at(connection: &Connection, seq: i64) -> Result<Run, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT r.id, p.cluster, p.namespace, w.name AS workload, d.value AS digest, r.pod, \
         r.pod_uid, c.value AS container, r.container_id, r.role, n.value AS node, \
         f.value AS reference, i.value AS image_id, r.seen, r.began_precision, r.began_after, \
         r.began_until, r.created, r.restarts, r.missed, r.changed_in_place, r.hi, \
         r.ended_precision, r.ended_after, r.exit_code, r.ended_seen, r.deleted, r.doubts, \
         k.value AS node_info \
         FROM container_run AS r JOIN run_place AS p ON p.id = r.place \
         JOIN run_workload AS w ON w.id = r.workload LEFT JOIN run_text AS d ON d.id = r.digest \
         JOIN run_text AS c ON c.id = r.container LEFT JOIN run_text AS n ON n.id = r.node \
         LEFT JOIN run_text AS k ON k.id = r.node_info \
         JOIN run_text AS f ON f.id = r.reference JOIN run_text AS i ON i.id = r.image_id \
         WHERE r.seq = ?1",
    )?;
    let mut rows = select.query([seq])?;
    match rows.next()? {
        Some(row) => read(row),
        None => Err(DatabaseError::unreadable("a container run", format!("row {seq} is missing"))),
    }
}

fn read(row: &Row<'_>) -> Result<Run, DatabaseError> {
    let cluster = ClusterId::try_from(row.get::<_, String>("cluster")?);
    let text = |column: &str| -> Result<Reported, DatabaseError> {
        Reported::try_from(row.get::<_, String>(column)?).map_err(|_| wrong(column))
    };
    let node = match row.get::<_, Option<String>>("node")? {
        Some(_) => Some(text("node")?),
        None => None,
    };
    let digest = row.get::<_, Option<String>>("digest")?;
    let digest = digest.map(|text| text.parse::<Digest>().map_err(|_| wrong("digest")));
    Ok(Run {
        id: RunId::of_bytes(row.get("id")?),
        cluster: cluster.map_err(|_| wrong("cluster"))?,
        namespace: text("namespace")?,
        digest: digest.transpose()?,
        seen: Timestamp::from_millis(row.get("seen")?),
        began: RunBegan {
            pod: text("pod")?,
            pod_uid: packed::unpack(row.get_ref("pod_uid")?)?,
            workload: text("workload")?,
            container: text("container")?,
            role: role(row.get("role")?)?,
            container_id: packed::unpack(row.get_ref("container_id")?)?,
            node,
            reference: text("reference")?,
            image_id: text("image_id")?,
            began: joined(
                row.get("began_precision")?,
                time(row, "began_after")?,
                Timestamp::from_millis(row.get("began_until")?),
            )?,
            created: time(row, "created")?,
            restarts: row.get("restarts")?,
            missed: row.get("missed")?,
            changed_in_place: row.get("changed_in_place")?,
            node_info: from_json(row, "node_info")?,
        },
        ended: ended(row)?,
        doubts: from_json(row, "doubts")?.unwrap_or_default(),
    })
}

fn ended(row: &Row<'_>) -> Result<Option<RunEnded>, DatabaseError> {
    let Some(until) = time(row, "hi")? else { return Ok(None) };
    Ok(Some(RunEnded {
        ended: joined(row.get("ended_precision")?, time(row, "ended_after")?, until)?,
        exit_code: row.get("exit_code")?,
        seen: Timestamp::from_millis(row.get("ended_seen")?),
        deleted: time(row, "deleted")?,
    }))
}

fn from_json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
) -> Result<Option<T>, DatabaseError> {
    let text = row.get::<_, Option<String>>(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| wrong(column))).transpose()
}

fn time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>, DatabaseError> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

fn wrong(what: &str) -> DatabaseError {
    DatabaseError::unreadable("a container run", format!("its {what}"))
}

/// A moment as three columns; the numbers are in files and never change their meaning.
fn split(moment: Moment) -> (i64, Option<i64>, i64) {
    let millis = |after: Option<Timestamp>| after.map(Timestamp::as_millis);
    match moment {
        Moment::Exact { at } => (0, None, at.as_millis()),
        Moment::Bounded { after, until } => (1, millis(after), until.as_millis()),
        Moment::Unconfirmed { after, until } => (2, millis(after), until.as_millis()),
    }
}

fn joined(
    precision: i64,
    after: Option<Timestamp>,
    until: Timestamp,
) -> Result<Moment, DatabaseError> {
    match precision {
        0 => Ok(Moment::Exact { at: until }),
        1 => Ok(Moment::Bounded { after, until }),
        2 => Ok(Moment::Unconfirmed { after, until }),
        other => Err(wrong(&format!("precision {other}"))),
    }
}

fn role_number(role: RunRole) -> i64 {
    match role {
        RunRole::Main => 0,
        RunRole::Init => 1,
        RunRole::Ephemeral => 2,
    }
}

fn role(number: i64) -> Result<RunRole, DatabaseError> {
    match number {
        0 => Ok(RunRole::Main),
        1 => Ok(RunRole::Init),
        2 => Ok(RunRole::Ephemeral),
        other => Err(wrong(&format!("role {other}"))),
    }
}
