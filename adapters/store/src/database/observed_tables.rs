//! The tables of what was seen to run: projections of events, one row a container run and one a watched stretch.
//!
//! ```text
//! container_run: seq of the event that began it · words as numbers · [lo, hi) · length class
//! ```
//! `lo` is the first moment at which it may have run, `hi` the first at which it did not any more (null: open). The
//! class says how long it is at most, so that a question about a moment reads one short range of each class. Source
//! of the classes: `ledger/length_class.rs`; why no R*Tree: DESIGN §8.

/// The third migration; what events say already is filled in by the program in the same transaction.
pub(super) const OBSERVED: &str = "
CREATE TABLE run_text (
    id    INTEGER PRIMARY KEY,
    value TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE run_place (
    id        INTEGER PRIMARY KEY,
    cluster   TEXT    NOT NULL,
    namespace TEXT    NOT NULL,
    UNIQUE (cluster, namespace)
) STRICT;

CREATE TABLE run_workload (
    id    INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    name  TEXT    NOT NULL,
    UNIQUE (place, name)
) STRICT;
CREATE INDEX run_workload_by_name ON run_workload (name);

CREATE TABLE container_run (
    seq              INTEGER PRIMARY KEY,
    id               BLOB    NOT NULL UNIQUE,
    place            INTEGER NOT NULL,
    workload         INTEGER NOT NULL,
    digest           INTEGER,
    class            INTEGER NOT NULL,
    lo               INTEGER NOT NULL,
    hi               INTEGER,
    pod              TEXT    NOT NULL,
    pod_uid          ANY     NOT NULL,
    container        INTEGER NOT NULL,
    container_id     ANY     NOT NULL,
    role             INTEGER NOT NULL,
    node             INTEGER,
    reference        INTEGER NOT NULL,
    image_id         INTEGER NOT NULL,
    seen             INTEGER NOT NULL,
    began_precision  INTEGER NOT NULL,
    began_after      INTEGER,
    began_until      INTEGER NOT NULL,
    created          INTEGER,
    restarts         INTEGER NOT NULL,
    missed           INTEGER NOT NULL,
    changed_in_place INTEGER NOT NULL,
    node_info        INTEGER,
    ended_precision  INTEGER,
    ended_after      INTEGER,
    exit_code        INTEGER,
    ended_seen       INTEGER,
    deleted          INTEGER,
    doubts           TEXT
) STRICT;
CREATE INDEX container_run_by_place ON container_run (place, class, lo, hi);
CREATE INDEX container_run_by_workload ON container_run (workload, class, lo, hi);
CREATE INDEX container_run_by_digest ON container_run (digest, class, lo, hi)
    WHERE digest IS NOT NULL;

CREATE TABLE watched (
    watch         TEXT    PRIMARY KEY,
    cluster       TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    namespace     TEXT,
    began         INTEGER NOT NULL,
    last          INTEGER NOT NULL,
    ended         TEXT,
    sign_every_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX watched_by_cluster ON watched (cluster, began);
";
