//! Whether the rows are what the events give: made again beside the true ones, in this connection's own scratch
//! tables, and compared.

use super::{TABLES, replay};
use crate::database::DatabaseError;
use crate::ledger::Problem;
use rusqlite::Connection;

/// The tables of which rows differ from what the events give.
pub(in crate::ledger) fn differing(connection: &Connection) -> Result<Vec<Problem>, DatabaseError> {
    // Statements that are kept were made for the true tables; a plain name means a scratch table first.
    connection.flush_prepared_statement_cache();
    let compared = compare(connection);
    for table in TABLES {
        connection.execute(&format!("DROP TABLE IF EXISTS temp.{table}"), [])?;
    }
    connection.flush_prepared_statement_cache();
    compared
}

fn compare(connection: &Connection) -> Result<Vec<Problem>, DatabaseError> {
    let snapshot = connection.unchecked_transaction()?;
    for table in TABLES {
        let find = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1";
        let made: String = snapshot.query_row(find, [table], |row| row.get(0))?;
        let scratch = made.replacen("CREATE TABLE ", "CREATE TEMP TABLE ", 1);
        snapshot.execute(&scratch, [])?;
    }
    replay(&snapshot)?;
    let mut problems = Vec::new();
    for table in TABLES {
        // The words get their numbers in the order of the events, so that the numbers are the same too.
        let sql = format!(
            "SELECT (SELECT count(*) FROM (SELECT * FROM main.{table} EXCEPT SELECT * FROM \
             temp.{table})) + (SELECT count(*) FROM (SELECT * FROM temp.{table} EXCEPT SELECT * \
             FROM main.{table}))"
        );
        let found: i64 = snapshot.query_row(&sql, [], |row| row.get(0))?;
        if found > 0 {
            problems.push(Problem::Observed { table, found: found.unsigned_abs() });
        }
    }
    Ok(problems)
}
