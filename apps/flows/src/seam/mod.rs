//! Seams: what several real implementations have in common, and the suite that each passes.

pub mod conformance;
mod record;

pub use record::{
    Checked, CheckedBranch, Observed, PAGE, Question, Record, RecordError, RecordPlaceName,
    Recorded, all, each_run, environment_question, environment_state,
};
