//! One connection to the file, with the settings that durability and speed rest on.

use super::LOCK_WAIT;
use super::error::OpenError;
use super::schema;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};
use std::path::Path;
use std::time::Instant;

/// How many statements each connection keeps prepared: more than there are in this crate.
const STATEMENTS_KEPT: usize = 96;
/// The write-ahead log is carried into the file after so many pages of 4 KiB.
const CHECKPOINT_PAGES: u32 = 4_000;
/// The write-ahead log is cut back to this size after a peak, in bytes.
const WAL_BYTES_KEPT: u32 = 64 << 20;

/// Opens a file for writing, makes it if needed, and brings it to the newest schema.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.busy_timeout(LOCK_WAIT).map_err(sqlite)?;
    use_write_ahead_log(&connection).map_err(sqlite)?;
    // FULL: a commit returns after its frames are on the disk; NORMAL would lose answered writes.
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(sqlite)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT).map_err(sqlite)?;
    connection.pragma_update(None, "cache_size", -8_192).map_err(sqlite)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    schema::migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens a file that [`open`] has opened before, for reading only.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.pragma_update(None, "cache_size", -2_048)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Carries the whole write-ahead log into the file and empties it: nothing later can then stand behind
/// a frame that only seemed to be written.
pub(super) fn empty_write_ahead_log(connection: &Connection) -> rusqlite::Result<Emptied> {
    let is_busy =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))?;
    Ok(if is_busy == 0 { Emptied::Yes } else { Emptied::HeldByReader })
}

/// Whether the write-ahead log is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emptied {
    Yes,
    HeldByReader,
}

fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        // SQLite does not wait for this lock by itself when two processes make one file at once.
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            other => break other?,
        }
    }
    // The file stays when the last program closes it: making it again would cost a sync of the folder.
    let mut keep = 1;
    connection.file_control(Some(MAIN_DB), rusqlite::FileControl::PersistWal(&mut keep))
}
