//! Workload files: found, judged, edited, written.
//!
//! ```text
//! paths -> walk -> check: what can move, by the level of each folder
//!               -> pin, set, unpin: a draft, every edit proved  -> write: all files or none
//! ```
//! What a reference is and where one stands is `engines/pin`'s to say. Nothing is printed here.

mod baseline;
mod check;
mod content;
mod digests;
mod draft;
mod error;
mod explain;
mod held;
mod kustomized;
mod learned;
mod level;
mod lock;
mod look_up;
mod moves;
mod online;
mod origin;
mod pin;
mod relock;
mod resolve;
mod restart;
mod set;
mod walk;
mod write;

pub use self::pin::{Sources, filter, locked, plan, read};
pub use baseline::{BASELINE_BYTES_MAX, Baseline, BaselineError};
pub use check::{
    Answer, Asked, Changes, ChangesError, Checked, Counts, Listing, Replacement, Report,
    SNIPPET_CHARS_MAX, Snippet, check,
};
pub(crate) use content::{Content, Guess, content};
pub use draft::{Changed, Draft, Left, Why};
pub use error::FilesError;
pub use explain::{Explanation, explain};
pub use held::{Conditions, Held, UnknownAge, hold_back};
pub use level::{Required, Requirements};
pub use lock::{LOCK_BYTES_MAX, LOCK_FILE, Lock, LockError, Locked};
pub use look_up::{Ask, Basis, Found, MAX_AGE_MS_DEFAULT, look_up};
pub use moves::{Moves, NotMoved, moves, tag_of};
pub use online::{Online, RunsIn, Silent, online};
pub use relock::{Named, Others, Relocked, relock};
pub use resolve::{
    Answers, AskedFor, HOSTS_AT_ONCE_MAX, IN_FLIGHT_HUB_MAX, IN_FLIGHT_MAX, Progress, resolve,
};
pub use set::{Target, set, unpin};
pub use walk::{FileText, Unread, Unreadable, Walked, each_file, text_files};
pub use write::{Rewrite, WriteError, write_all};
