//! A question about runs, answered from the rows: the places first, out of indexes alone, then the rows of one page.
//!
//! ```text
//! namespace shop at T  ->  (place 3, class 0, began until T) (place 3, class 1, began in the minute before T) …
//! ```
//! Every range is read in the order of its begin and only as far as a page goes; the first of all of them are the page.

use super::length_class::{self, Range};
use super::{row, watched_row};
use crate::database::DatabaseError;
use record::claim::{ClusterId, Reported, RunId};
use record::run_question::RUNS_IN_PAGE_MAX;
use record::{Run, RunPage, RunQuestion};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

const DIGEST: &str = "digest";

/// Where a run stands: its earliest moment, and its row.
type Spot = (i64, i64);

/// One page of runs behind the one with this identity.
pub(in crate::ledger) fn page(
    connection: &Connection,
    question: &RunQuestion,
    after: Option<RunId>,
) -> Result<RunPage, DatabaseError> {
    // One snapshot, so that no run is between the rows and what was watched.
    let snapshot = connection.unchecked_transaction()?;
    let watched = watched_row::stretches(&snapshot, question.cluster.as_ref())?;
    let limit = question.limit.min(RUNS_IN_PAGE_MAX);
    if limit == 0 {
        return Ok(RunPage { watched, ..RunPage::default() });
    }
    let after = match after {
        Some(run) => spot_of(&snapshot, run)?,
        None => (i64::MIN, i64::MIN),
    };
    let mut spots = spots(&snapshot, question, after, limit + 1)?;
    let is_last = spots.len() <= limit;
    spots.truncate(limit);
    let runs = spots.iter().map(|(_, seq)| row::at(&snapshot, *seq));
    let runs: Vec<Run> = runs.collect::<Result<_, _>>()?;
    let next = runs.last().map(|run| run.id).filter(|_| !is_last);
    Ok(RunPage { runs, watched, next })
}

fn spot_of(connection: &Connection, run: RunId) -> Result<Spot, DatabaseError> {
    let mut select =
        connection.prepare_cached("SELECT lo, seq FROM container_run WHERE id = ?1")?;
    let found = select.query_row([run.to_bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
    let missing = || DatabaseError::unreadable("a container run", format!("{run} is missing"));
    found.optional()?.ok_or_else(missing)
}

/// The first spots behind a spot, in order.
fn spots(
    connection: &Connection,
    question: &RunQuestion,
    after: Spot,
    limit: usize,
) -> Result<Vec<Spot>, DatabaseError> {
    if !question.ids.is_empty() {
        return named(connection, question, after, limit);
    }
    let mut found = Vec::new();
    let (lead, keys) = lead(connection, question)?;
    let asked = Asked { question, after, limit };
    for key in keys {
        for range in length_class::ranges(&question.when, question.state) {
            lead.read(connection, key, &range, &asked, &mut found)?;
        }
        // Whatever stands behind a full page is not needed.
        if found.len() > limit * 16 {
            first(&mut found, limit);
        }
    }
    first(&mut found, limit);
    Ok(found)
}

fn first(found: &mut Vec<Spot>, limit: usize) {
    found.sort_unstable();
    found.truncate(limit);
}

/// Runs by name: few, each looked at.
fn named(
    connection: &Connection,
    question: &RunQuestion,
    after: Spot,
    limit: usize,
) -> Result<Vec<Spot>, DatabaseError> {
    let mut found = Vec::new();
    for id in &question.ids {
        let Some(seq) = row::seq_of(connection, *id)? else { continue };
        let run = row::at(connection, seq)?;
        let spot = (run.earliest().as_millis(), seq);
        if question.holds(&run) && spot > after {
            found.push(spot);
        }
    }
    first(&mut found, limit);
    Ok(found)
}

/// The column whose index is read.
#[derive(Clone, Copy)]
enum Lead {
    Digest,
    Workload,
    Place,
}

/// What narrows the question most, and its numbers.
fn lead(
    connection: &Connection,
    question: &RunQuestion,
) -> Result<(Lead, Vec<i64>), DatabaseError> {
    let (cluster, namespace) = in_place(question);
    if !question.digests.is_empty() {
        let mut select = connection.prepare_cached("SELECT id FROM run_text WHERE value = ?1")?;
        let mut numbers = Vec::new();
        for digest in &question.digests {
            let number = select.query_row([digest.to_string()], |row| row.get::<_, i64>(0));
            numbers.extend(number.optional()?);
        }
        return Ok((Lead::Digest, numbers));
    }
    let (lead, sql, name) = match &question.workload {
        Some(name) => (
            Lead::Workload,
            "SELECT w.id FROM run_workload AS w JOIN run_place AS p ON p.id = w.place WHERE \
             w.name = ?3 AND (?1 IS NULL OR p.cluster = ?1) AND (?2 IS NULL OR p.namespace = ?2)",
            Some(name.as_str()),
        ),
        None => (
            Lead::Place,
            "SELECT id FROM run_place WHERE ?3 IS NULL AND (?1 IS NULL OR cluster = ?1) AND \
             (?2 IS NULL OR namespace = ?2)",
            None,
        ),
    };
    let mut select = connection.prepare_cached(sql)?;
    let numbers = select.query_map(params![cluster, namespace, name], |row| row.get(0))?;
    Ok((lead, numbers.collect::<Result<_, _>>()?))
}

fn in_place(question: &RunQuestion) -> (Option<&str>, Option<&str>) {
    (
        question.cluster.as_ref().map(ClusterId::as_str),
        question.namespace.as_ref().map(Reported::as_str),
    )
}

impl Lead {
    fn index(self) -> (&'static str, &'static str) {
        match self {
            Self::Digest => ("container_run_by_digest", DIGEST),
            Self::Workload => ("container_run_by_workload", "workload"),
            Self::Place => ("container_run_by_place", "place"),
        }
    }

    /// Adds the spots of one range, as many as a page can need.
    fn read(
        self,
        connection: &Connection,
        key: i64,
        range: &Range,
        asked: &Asked<'_>,
        found: &mut Vec<Spot>,
    ) -> Result<(), DatabaseError> {
        let (index, column) = self.index();
        let (sql, values) = asked.sql(index, column, key, range);
        let mut select = connection.prepare_cached(&sql)?;
        let spot = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        for spot in select.query_map(params_from_iter(values), spot)? {
            found.push(spot?);
        }
        Ok(())
    }
}

/// A question, and which part of its answer is wanted.
struct Asked<'a> {
    question: &'a RunQuestion,
    after: Spot,
    limit: usize,
}

impl Asked<'_> {
    fn sql(&self, index: &str, column: &str, key: i64, range: &Range) -> (String, Vec<Value>) {
        let mut sql = format!(
            "SELECT lo, seq FROM container_run INDEXED BY {index} WHERE {column} = ? \
             AND class = ? AND lo > ? AND lo < ? AND lo >= ? AND (lo, seq) > (?, ?)"
        );
        let (lo, seq) = self.after;
        let numbers = [key, range.class, range.after, range.before, lo, lo, seq];
        let mut values = numbers.map(Value::from).to_vec();
        if let Some(ends_after) = range.ends_after {
            sql.push_str(" AND hi > ?");
            values.push(ends_after.into());
        }
        let mut only = |condition: &str, text: Option<&str>| {
            if let Some(text) = text {
                sql.push_str(condition);
                values.push(text.to_owned().into());
            }
        };
        // What the index leads by is not asked again.
        if column == DIGEST {
            let (cluster, namespace) = in_place(self.question);
            let workload = self.question.workload.as_ref().map(Reported::as_str);
            only(" AND place IN (SELECT id FROM run_place WHERE cluster = ?)", cluster);
            only(" AND place IN (SELECT id FROM run_place WHERE namespace = ?)", namespace);
            only(" AND workload IN (SELECT id FROM run_workload WHERE name = ?)", workload);
        }
        sql.push_str(" ORDER BY lo, seq LIMIT ?");
        values.push(i64::try_from(self.limit).unwrap_or(i64::MAX).into());
        (sql, values)
    }
}
