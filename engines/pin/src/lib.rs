//! Finds the images that a workload file names, says which can move, and pins them without touching another byte.
//!
//! ```text
//! text --scan--> sites --judge--> verdicts
//!                sites + digests --plan--> edits --apply--> the new text, proved
//! ```
//! One file per format below `format/`. What a variable or a template writes is reported and
//! never touched. Pure: text comes in, text goes out; who asks registries and writes files is the caller.

pub mod classify;
pub mod crd;
pub mod drift;
pub mod edit;
pub mod finding;
pub mod fuzz;
pub mod helm;
pub mod judge;
pub mod knowledge;
pub mod kustomization;
pub mod plan;
pub mod scan;
pub mod site;

mod collector;
mod fields;
mod format;
mod gather;
mod hcl;
mod inside;
mod jsonc;
mod literals;
mod marker;
mod moving;
mod parts;
mod place;
mod proof;
mod roots;
mod shell;
mod variable;
mod yaml;

pub use classify::{Format, Recognised, classify, is_worth_opening, prefilter, recognise};
pub use drift::{Drift, Follow, Part, Shape as ImageShape, drift, follow, missing};
pub use edit::{Edit, apply};
pub use finding::{Finding, FindingKind, Severity};
pub use judge::{Judge, Level, Locked, Verdict, judge};
pub use knowledge::{Holds, Knowledge, KnownPath};
pub use kustomization::{Kustomization, SetImage, Sets, kustomization, name_of};
pub use place::Places;
pub use plan::{Plan, Skip, Skipped, Style, plan_pin, plan_set, plan_unpin, plan_update};
pub use proof::{ProofError, prove};
pub use scan::{Scan, ScanError, scan, scan_with};
pub use site::{
    AliasPlace, Certainty, Context, Found, Marker, NoRoom, Opaque, PullPolicy, Purpose, Quote,
    Shape, Site,
};
pub use yaml::{ALIASES_MAX, ANCHORS_MAX, DEPTH_MAX, What};
