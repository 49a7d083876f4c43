//! One stretch in which a cluster was watched, as a row: signs of life only move its end.

use crate::database::DatabaseError;
use domain::{EventId, Timestamp};
use record::Watched;
use record::claim::{ClusterId, Reported, WatchedClaim};
use rusqlite::{Connection, OptionalExtension, Row, params};

const COLUMNS: &str = "watch, cluster, name, namespace, began, last, ended, sign_every_ms";

/// Takes a claim in; what is said of a stretch that nobody began is passed over.
pub(super) fn project(tx: &Connection, claim: &WatchedClaim) -> Result<(), DatabaseError> {
    let watch = claim.watch.to_string();
    let sql = format!("SELECT {COLUMNS} FROM watched WHERE watch = ?1");
    let there = tx.prepare_cached(&sql)?.query_row([&watch], columns).optional()?;
    let Some(there) = there else {
        return match Watched::begun(claim) {
            Some(begun) => insert(tx, &begun),
            None => Ok(()),
        };
    };
    let mut one = there.read()?;
    one.take(claim);
    let sql = "UPDATE watched SET last = ?2, ended = ?3 WHERE watch = ?1";
    let ended = one.ended.as_ref().map(Reported::as_str);
    tx.prepare_cached(sql)?.execute(params![watch, one.last.as_millis(), ended])?;
    Ok(())
}

fn insert(tx: &Connection, one: &Watched) -> Result<(), DatabaseError> {
    let sql = format!("INSERT INTO watched ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    tx.prepare_cached(&sql)?.execute(params![
        one.watch.to_string(),
        one.cluster.as_str(),
        one.name.as_str(),
        one.namespace.as_ref().map(Reported::as_str),
        one.from.as_millis(),
        one.last.as_millis(),
        one.ended.as_ref().map(Reported::as_str),
        one.sign_every_ms,
    ])?;
    Ok(())
}

/// The stretches of one cluster, or of all, the earliest first.
pub(super) fn stretches(
    connection: &Connection,
    cluster: Option<&ClusterId>,
) -> Result<Vec<Watched>, DatabaseError> {
    let of = if cluster.is_some() { "WHERE cluster = ?1" } else { "WHERE ?1 IS NULL" };
    let sql = format!("SELECT {COLUMNS} FROM watched {of} ORDER BY began, watch");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([cluster.map(ClusterId::as_str)])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(columns(row)?.read()?);
    }
    Ok(all)
}

struct Columns {
    watch: String,
    cluster: String,
    name: String,
    namespace: Option<String>,
    began: i64,
    last: i64,
    ended: Option<String>,
    sign_every_ms: i64,
}

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok(Columns {
        watch: row.get(0)?,
        cluster: row.get(1)?,
        name: row.get(2)?,
        namespace: row.get(3)?,
        began: row.get(4)?,
        last: row.get(5)?,
        ended: row.get(6)?,
        sign_every_ms: row.get(7)?,
    })
}

impl Columns {
    fn read(self) -> Result<Watched, DatabaseError> {
        let wrong = |what: &str| DatabaseError::unreadable("a watched stretch", what);
        let text = |text: String| Reported::try_from(text).map_err(|_| wrong("a text in it"));
        Ok(Watched {
            watch: self.watch.parse::<EventId>().map_err(|_| wrong("its identity"))?,
            cluster: ClusterId::try_from(self.cluster).map_err(|_| wrong("its cluster"))?,
            name: text(self.name)?,
            namespace: self.namespace.map(text).transpose()?,
            from: Timestamp::from_millis(self.began),
            last: Timestamp::from_millis(self.last),
            ended: self.ended.map(text).transpose()?,
            sign_every_ms: self.sign_every_ms,
        })
    }
}
