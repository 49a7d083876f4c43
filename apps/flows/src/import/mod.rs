//! What is known elsewhere comes into a record: another record's events, and what clusters and git still know.
//!
//! ```text
//! git record -> server        every event, stamped there, with who and when of the first record inside
//! cluster, Helm, git log      what workloads were told to run, as imported facts
//! ```

mod filed;
mod kept;
mod lines;
mod moving;

pub use filed::{FiledError, HISTORY_COMMITS_MAX, import_filed};
pub use kept::{KeptError, KeptIn, KeptReport, KeptRow, UNTOLD_SHOWN_MAX, import_kept};
pub use lines::{LineError, export_lines};
pub use moving::{MoveError, Moved, PROBLEMS_SHOWN_MAX, Problem, Source, move_record};
