//! Questions to the record, and the SQL that answers them.

use crate::database::DatabaseError;
use crate::ledger::event_row::{self, facet_number};
use domain::Timestamp;
use record::{Facet, Kind, Sequenced};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// The most events of one page. Source: DESIGN §12, limits.
pub const PAGE_MAX: usize = 1_000;

/// Which events, in which order. `Query::default()` asks for the oldest [`PAGE_MAX`] of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Only of these kinds; of all where empty.
    pub kinds: Vec<Kind>,
    /// About all of these.
    pub all_of: Vec<(Facet, String)>,
    /// About at least one of these, where there are any.
    pub any_of: Vec<(Facet, String)>,
    /// Beside those, also the events of these kinds, whatever they are about.
    pub or_kinds: Vec<Kind>,
    /// Only with a higher sequence.
    pub after: Option<u64>,
    /// Only with a lower sequence.
    pub before: Option<u64>,
    /// Only stamped then or later.
    pub from: Option<Timestamp>,
    /// Only stamped earlier than then.
    pub until: Option<Timestamp>,
    /// At most so many; [`PAGE_MAX`] is the most.
    pub limit: usize,
    /// By sequence, never by clock.
    pub order: Order,
}

/// In which order of sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the first on.
    #[default]
    OldestFirst,
    /// From the last back.
    NewestFirst,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            all_of: Vec::new(),
            any_of: Vec::new(),
            or_kinds: Vec::new(),
            after: None,
            before: None,
            from: None,
            until: None,
            limit: PAGE_MAX,
            order: Order::OldestFirst,
        }
    }
}

/// Answers a query on one connection.
pub(crate) fn events(
    connection: &Connection,
    query: &Query,
) -> Result<Vec<Sequenced>, DatabaseError> {
    let mut found = select(connection, query)?;
    if query.or_kinds.is_empty() {
        return Ok(found);
    }
    // Both halves are the first of their kind behind the same place, so the first of both are the page.
    let kinds = query.or_kinds.clone();
    let also = Query { kinds, all_of: Vec::new(), any_of: Vec::new(), ..query.clone() };
    found.extend(select(connection, &also)?);
    match query.order {
        Order::OldestFirst => found.sort_by_key(|event| event.seq),
        Order::NewestFirst => found.sort_by_key(|event| std::cmp::Reverse(event.seq)),
    }
    found.dedup_by_key(|event| event.seq);
    found.truncate(query.limit.min(PAGE_MAX));
    Ok(found)
}

fn select(connection: &Connection, query: &Query) -> Result<Vec<Sequenced>, DatabaseError> {
    let (sql, values) = Sql::of(query);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        found.push(event_row::read(row.get(0)?, bytes)?);
    }
    Ok(found)
}

/// How many events there are, of these kinds; of all where none is given.
pub(super) fn count(connection: &Connection, kinds: &[Kind]) -> Result<u64, DatabaseError> {
    let mut sql = Sql::default();
    sql.text.push_str("SELECT count(*) FROM event AS e WHERE 1");
    sql.kinds(kinds);
    let mut statement = connection.prepare_cached(&sql.text)?;
    let count: i64 = statement.query_row(params_from_iter(sql.values), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// A statement under construction: fixed text with marks, and the values for the marks.
#[derive(Default)]
struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    fn of(query: &Query) -> (String, Vec<Value>) {
        let mut sql = Self::default();
        let mut all_of: Vec<_> = query.all_of.iter().collect();
        // The rarest value leads: its rows are already in the order of their sequence.
        all_of.sort_by_key(|(facet, _)| selectivity(*facet));
        match all_of.split_first() {
            None => sql.text.push_str("SELECT e.seq, e.body FROM event AS e WHERE 1"),
            Some((first, rest)) => {
                sql.text.push_str(
                    "SELECT e.seq, e.body FROM event_facet AS f CROSS JOIN event AS e \
                     ON e.seq = f.seq WHERE (f.facet, f.value) = ",
                );
                sql.pair(first);
                rest.iter().for_each(|facet| sql.also_about(facet));
            }
        }
        let lead = if query.all_of.is_empty() { "e.seq" } else { "f.seq" };
        sql.any_of(&query.any_of);
        sql.kinds(&query.kinds);
        sql.bound(lead, ">", query.after.map(as_i64));
        sql.bound(lead, "<", query.before.map(as_i64));
        sql.bound("e.at", ">=", query.from.map(Timestamp::as_millis));
        sql.bound("e.at", "<", query.until.map(Timestamp::as_millis));
        let order = match query.order {
            Order::OldestFirst => "ASC",
            Order::NewestFirst => "DESC",
        };
        sql.text.push_str(&format!(" ORDER BY {lead} {order} LIMIT "));
        sql.value(as_i64(query.limit.min(PAGE_MAX) as u64));
        (sql.text, sql.values)
    }

    fn value(&mut self, value: impl Into<Value>) {
        self.text.push('?');
        self.values.push(value.into());
    }

    fn pair(&mut self, (facet, value): &(Facet, String)) {
        self.text.push('(');
        self.value(facet_number(*facet));
        self.text.push(',');
        self.value(value.clone());
        self.text.push(')');
    }

    fn also_about(&mut self, facet: &(Facet, String)) {
        self.text.push_str(
            " AND EXISTS (SELECT 1 FROM event_facet AS g WHERE g.seq = f.seq \
             AND (g.facet, g.value) = ",
        );
        self.pair(facet);
        self.text.push(')');
    }

    fn any_of(&mut self, any_of: &[(Facet, String)]) {
        if any_of.is_empty() {
            return;
        }
        self.text.push_str(
            " AND e.seq IN (SELECT seq FROM event_facet WHERE (facet, value) IN (VALUES ",
        );
        for (at, facet) in any_of.iter().enumerate() {
            self.text.push_str(if at > 0 { "," } else { "" });
            self.pair(facet);
        }
        self.text.push_str("))");
    }

    fn kinds(&mut self, kinds: &[Kind]) {
        if kinds.is_empty() {
            return;
        }
        self.text.push_str(" AND e.kind IN (");
        for (at, kind) in kinds.iter().enumerate() {
            self.text.push_str(if at > 0 { "," } else { "" });
            self.value(kind.name().to_owned());
        }
        self.text.push(')');
    }

    fn bound(&mut self, column: &str, operator: &str, bound: Option<i64>) {
        if let Some(bound) = bound {
            self.text.push_str(&format!(" AND {column} {operator} "));
            self.value(bound);
        }
    }
}

/// The smaller, the fewer events share one value.
fn selectivity(facet: Facet) -> u8 {
    match facet {
        Facet::Digest => 0,
        Facet::Commit => 1,
        Facet::Tag => 2,
        Facet::Repository => 3,
        Facet::Image => 4,
        Facet::Environment => 5,
        Facet::Namespace => 6,
        Facet::Cluster => 7,
    }
}

fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
