//! What is said: claims, events with one spelling, what follows from them, and answers that say how they know.
//!
//! ```text
//! Claim (a caller says it) + Stamp (who, when, id) -> Event -> canonical bytes -> leaf hash
//! events -> EnvironmentState, intervals -> Answer { basis, precision, gaps, items }
//! ```
//! Pure: the events are handed in, in the order of their sequence; nothing is read or written here.

pub mod answer;
pub mod canonical;
pub mod claim;
pub mod event;
pub mod exposure;
pub mod facet;
pub mod findings;
pub mod fuzz;
pub mod imported;
pub mod interval;
pub mod late_end;
pub mod moved;
pub mod reach;
pub mod run_question;
pub mod runs;
pub mod sighting;
pub mod span;
pub mod state;
pub mod trace;
pub mod watched;
pub mod when;

pub use answer::{Answer, Basis, Gap, Precision};
pub use claim::{Claim, ClaimKey, ClaimKeyError, Kind};
pub use event::{Event, EventError, Sequenced, Stamp};
pub use exposure::{Contains, Exposed, exposure};
pub use facet::{Facet, facets};
pub use findings::{FindingState, FindingStates, findings};
pub use imported::{ImportedFact, unknown_bytes};
pub use interval::{Interval, intended_intervals, longest_intended, ran_at};
pub use late_end::{deploy_key, key_after, late_end_key};
pub use moved::{Expect, Landed, Moving, Take, scope, stays};
pub use reach::Reach;
pub use run_question::{RunPage, RunQuestion, RunState};
pub use runs::{Run, RunEnded, Runs, runs};
pub use sighting::{Sighting, Spot, sightings};
pub use span::{Span, SpanError};
pub use state::{Candidate, DeployFact, EligibleBecause, EnvironmentState, Hold};
pub use trace::{Trace, trace};
pub use watched::{Watched, covered_by, gaps_of, watched};
