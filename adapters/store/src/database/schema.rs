//! The tables, as migrations that are only ever appended.
//!
//! ```text
//! PRAGMA user_version = how many of MIGRATIONS the file has; more than are known here: refused
//! ```
//! All that a file lacks run in one transaction with the new version. A test opens every earlier schema
//! with data in it.

use super::error::OpenError;
use super::observed_tables::OBSERVED;
use crate::ledger::observed;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// What marks a file as ours, in SQLite's header: "INDL".
const APPLICATION_ID: i32 = 0x494e_444c;

/// From the empty file to the newest schema, one step each.
pub(super) const MIGRATIONS: [&str; 3] = [RECORD, REGISTRY, OBSERVED];

/// The schema whose new tables are filled from the events.
const FILLED_BY_PROGRAM: usize = 3;

/// The record: events and what they are found by.
const RECORD: &str = "
CREATE TABLE event (
    seq  INTEGER PRIMARY KEY,
    id   TEXT    NOT NULL UNIQUE,
    kind TEXT    NOT NULL,
    at   INTEGER NOT NULL,
    leaf BLOB    NOT NULL,
    body BLOB    NOT NULL
) STRICT;
CREATE INDEX event_by_kind ON event (kind, seq);

CREATE TABLE claim_key (
    key TEXT    PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event_facet (
    facet INTEGER NOT NULL,
    value TEXT    NOT NULL,
    seq   INTEGER NOT NULL,
    PRIMARY KEY (facet, value, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE reservation (
    repository TEXT    NOT NULL,
    tag        TEXT    NOT NULL,
    release    TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (repository, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE marker (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The registry. `tag` keeps a row for ever: a deleted name stays burnt.
const REGISTRY: &str = "
CREATE TABLE repository (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE repo_blob (
    repository INTEGER NOT NULL,
    digest     TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX repo_blob_by_digest ON repo_blob (digest);

CREATE TABLE manifest (
    id            INTEGER PRIMARY KEY,
    repository    INTEGER NOT NULL,
    digest        TEXT    NOT NULL,
    media_type    TEXT    NOT NULL,
    size          INTEGER NOT NULL,
    subject       TEXT,
    artifact_type TEXT,
    annotations   TEXT,
    body          BLOB,
    UNIQUE (repository, digest)
) STRICT;
CREATE INDEX manifest_by_subject ON manifest (repository, subject, digest)
    WHERE subject IS NOT NULL;

CREATE TABLE manifest_ref (
    parent INTEGER NOT NULL,
    child  TEXT    NOT NULL,
    PRIMARY KEY (parent, child)
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_ref_by_child ON manifest_ref (child, parent);

CREATE TABLE tag (
    repository INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    class      TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    deleted    INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (repository, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_by_digest ON tag (repository, digest, name) WHERE deleted = 0;

CREATE TABLE rule (
    repositories TEXT    NOT NULL,
    tags         TEXT    NOT NULL,
    class        TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    PRIMARY KEY (repositories, tags)
) STRICT, WITHOUT ROWID;

CREATE TABLE unlock (
    repository TEXT    NOT NULL,
    tag        TEXT    NOT NULL,
    until      INTEGER NOT NULL,
    PRIMARY KEY (repository, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    name         TEXT    PRIMARY KEY,
    hash         BLOB    NOT NULL UNIQUE,
    rights       TEXT    NOT NULL,
    repositories TEXT    NOT NULL,
    created      INTEGER NOT NULL,
    revoked      INTEGER
) STRICT, WITHOUT ROWID;
";

/// Brings a file to the newest schema.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    // Most openings find the newest schema, and need no write lock.
    if version(connection, path)? == MIGRATIONS.len() {
        return Ok(());
    }
    let tx =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
    // Read again under the lock: another process may have migrated meanwhile.
    let has = version(&tx, path)?;
    for migration in MIGRATIONS.iter().skip(has) {
        tx.execute_batch(migration).map_err(sqlite)?;
    }
    if has < FILLED_BY_PROGRAM && has > 0 {
        let filled = observed::rebuild(&tx);
        filled.map_err(|source| OpenError::Migrate { path: path.to_owned(), source })?;
    }
    let newest = i32::try_from(MIGRATIONS.len()).expect("there are few migrations");
    tx.pragma_update(None, "user_version", newest).map_err(sqlite)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(sqlite)?;
    tx.commit().map_err(sqlite)
}

/// How many migrations a file has; a stranger's file and a newer program's are refused.
fn version(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let pragma = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })
    };
    let (found, owner) = (pragma("user_version")?, pragma("application_id")?);
    let tables = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
    let is_new = tables == 0 && found == 0 && owner == 0;
    if !is_new && owner != APPLICATION_ID {
        return Err(OpenError::NotAStore { path: path.to_owned() });
    }
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::connection;

    /// Rows for each earlier schema, by how many migrations it has; written by hand, never changed.
    const DATA: [(usize, &str); 3] = [
        (0, ""),
        (
            1,
            "INSERT INTO event VALUES (1, '01JQ3K8Z5T9V4W6X7Y8Z9A0B1C', 'note', 1, x'00', x'7b7d');
             INSERT INTO claim_key VALUES ('k', 1);
             INSERT INTO event_facet VALUES (1, 'prod', 1);
             INSERT INTO reservation VALUES ('r.example/a', 't', 'run 1', 1);
             INSERT INTO marker VALUES ('tip', 'abc');",
        ),
        (2, include_str!("schema/two.sql")),
    ];

    fn at_schema(path: &Path, has: usize, rows: &str) {
        let file = Connection::open(path).unwrap();
        for migration in &MIGRATIONS[..has] {
            file.execute_batch(migration).unwrap();
        }
        file.execute_batch(rows).unwrap();
        file.pragma_update(None, "user_version", i32::try_from(has).unwrap()).unwrap();
        if has > 0 {
            file.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        }
    }

    #[test]
    fn every_earlier_schema_is_brought_up_with_its_data() {
        assert_eq!(DATA.len(), MIGRATIONS.len(), "a new migration needs data of the one before");
        let folder = tempfile::tempdir().unwrap();
        for (has, rows) in DATA {
            let path = folder.path().join(format!("{has}.db"));
            at_schema(&path, has, rows);
            let file = connection::open(&path).unwrap();
            assert_eq!(version(&file, &path).unwrap(), MIGRATIONS.len());
            let count = |table: &str| -> usize {
                let sql = format!("SELECT count(*) FROM {table}");
                file.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap()
            };
            let rows = [0, 1, 4][has];
            for table in ["event", "claim_key"] {
                assert_eq!(count(table), rows, "{table} from schema {has}");
            }
            for table in ["event_facet", "reservation", "marker"] {
                assert_eq!(count(table), has.min(1), "{table} from schema {has}");
            }
            assert_eq!(count("tag"), 0);
            assert_eq!(count("container_run"), has / 2, "from schema {has}");
            assert_eq!(count("watched"), has / 2, "from schema {has}");
        }
    }

    #[test]
    fn what_ran_before_the_tables_of_runs_is_found_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two.db");
        let (has, rows) = DATA[2];
        at_schema(&path, has, rows);
        let file = connection::open(&path).unwrap();
        let run = |sql: &str| file.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        let pod = "SELECT pod FROM container_run WHERE lo = 1773758400000 AND hi = 1773759600000";
        assert_eq!(run(pod), "api-1");
        assert_eq!(run("SELECT name FROM watched WHERE last = 1773758520000"), "prod-eu");
    }

    #[test]
    fn a_newer_schema_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newer.db");
        at_schema(&path, MIGRATIONS.len(), "CREATE TABLE later (a);");
        let newer = i32::try_from(MIGRATIONS.len()).unwrap() + 1;
        Connection::open(&path).unwrap().pragma_update(None, "user_version", newer).unwrap();
        let error = connection::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 4, known: 3, .. }), "{error}");
        assert!(error.to_string().contains("newer.db has schema 4"), "{error}");
    }

    #[test]
    fn another_program_s_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE a (b);").unwrap();
        assert!(matches!(connection::open(&path), Err(OpenError::NotAStore { .. })));
        let text = folder.path().join("text.db");
        std::fs::write(&text, "not a database at all, but long enough to be read as one").unwrap();
        assert!(connection::open(&text).is_err());
    }
}
