//! Seams: what several real implementations have in common, and the suite that each passes.

pub mod conformance;
mod record;

pub use record::{
    Checked, CheckedBranch, PAGE, Question, Record, RecordError, RecordPlaceName, Recorded, all,
    environment_question, environment_state,
};
