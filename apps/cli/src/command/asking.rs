//! What questions have in common: the time that they ask about, and how intervals, names and gaps are shown.
//!
//! ```text
//! --from 2026-03-01 --to "2h ago"  ->  Span      basis intended, precision unconfirmed, names claimed (proof git)
//! ```

use crate::arguments::Global;
use crate::exit::Failure;
use crate::output::plain;
use crate::process;
use domain::{Proof, Timestamp};
use flows::App;
use flows::ask::{Coverage, Covered};
use record::when::{echo, parse_when};
use record::{Answer, Gap, Interval, Span, Stamp};
use serde::Serialize;
use std::fmt::Write as _;

/// The time that a question is about.
#[derive(Debug, clap::Args)]
pub(crate) struct SpanArguments {
    /// From then on
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Until then
    #[arg(long, value_name = "T")]
    to: Option<String>,
}

impl SpanArguments {
    /// Whether a time was named at all.
    pub(crate) fn is_given(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    /// Reads both ends; a span without a moment that has been is wrong usage.
    pub(crate) fn read(&self, app: &App, global: &Global) -> Result<Span, Failure> {
        let from = when(app, global, self.from.as_deref())?;
        let until = when(app, global, self.to.as_deref())?;
        Span::new(from, until, app.surroundings().now()).map_err(Failure::usage)
    }
}

/// Where, what and when, for programs.
#[derive(Serialize)]
pub(crate) struct WireInterval {
    pub(crate) environment: String,
    pub(crate) image: String,
    pub(crate) digest: String,
    pub(crate) tag: Option<String>,
    pub(crate) from: String,
    pub(crate) until: Option<String>,
    pub(crate) basis: String,
    pub(crate) precision: String,
}

impl WireInterval {
    pub(crate) fn of(interval: &Interval) -> Self {
        Self {
            environment: interval.environment.to_string(),
            image: interval.image.to_string(),
            digest: interval.digest.to_string(),
            tag: interval.tag.as_ref().map(ToString::to_string),
            from: interval.from.to_string(),
            until: interval.until.map(|until| until.to_string()),
            basis: interval.basis.to_string(),
            precision: interval.precision.to_string(),
        }
    }
}

/// A time that is known because somebody watched, for programs.
#[derive(Serialize)]
pub(crate) struct WireCovered {
    place: String,
    from: String,
    until: String,
}

impl WireCovered {
    pub(crate) fn of(one: &Covered) -> Self {
        Self { place: one.place.clone(), from: one.from.to_string(), until: one.until.to_string() }
    }

    /// Null: nobody ever watched.
    pub(crate) fn all(coverage: Option<&Coverage>) -> Option<Vec<Self>> {
        Some(coverage?.known.iter().map(Self::of).collect())
    }
}

/// Who moved an event here from another record, and when; for programs.
#[derive(Serialize)]
pub(crate) struct Moved {
    by: String,
    proof: Proof,
    at: String,
    /// Its name in the record that heard it first.
    event: String,
}

impl Moved {
    /// `None`: it was said to this record.
    pub(crate) fn of(stamp: &Stamp) -> Option<Self> {
        stamp.is_imported().then(|| Self {
            by: stamp.actor.to_string(),
            proof: stamp.actor.proof(),
            at: stamp.at.to_string(),
            event: stamp.first().id.to_string(),
        })
    }
}

/// Reads a moment, and says how it was understood.
pub(crate) fn when(
    app: &App,
    global: &Global,
    text: Option<&str>,
) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let when =
        parse_when(text, app.surroundings().now(), &process::zone()).map_err(Failure::usage)?;
    global.output().talk(format_args!("{text} is {}", when.echo));
    Ok(Some(when.at))
}

/// A moment in this machine's zone, for people.
pub(crate) fn time_of(at: Timestamp) -> String {
    echo(at, &process::zone())
}

/// The end of an interval, for people.
pub(crate) fn end_of(interval: &Interval) -> String {
    interval.until.map_or_else(|| "now".to_owned(), time_of)
}

/// Which part is known, where not all of what was asked about was watched.
pub(crate) fn unknown_text(coverage: Option<&Coverage>) -> String {
    match coverage {
        Some(coverage) if !coverage.is_whole => partly_text(&coverage.known),
        Some(_) | None => String::new(),
    }
}

fn partly_text(known: &[Covered]) -> String {
    if known.is_empty() {
        return "unknown: nothing of that time was watched\n".to_owned();
    }
    format!("unknown: only a part of that time was watched\n{}", known_text(known))
}

/// The times that are known, a line each.
pub(crate) fn known_text(known: &[Covered]) -> String {
    known.iter().fold(String::new(), |mut text, one| {
        let (from, until) = (time_of(one.from), time_of(one.until));
        let _ = writeln!(text, "known: {} from {from} until {until}", plain(&one.place));
        text
    })
}

/// How an answer is known, a line, and what it does not cover, a line each.
pub(crate) fn basis_text<T>(answer: &Answer<T>, names: &str) -> String {
    let mut text = format!("basis {}, precision {}{names}\n", answer.basis, answer.precision);
    text.push_str(&gaps_text(&answer.gaps));
    text
}

/// What stands behind the names of an answer: the weakest proof of theirs, in the words of `docs/record.md`.
pub(crate) fn names_text(proofs: impl Iterator<Item = Proof>) -> &'static str {
    match proofs.min() {
        None => "",
        Some(Proof::None) => ", names claimed (proof none)",
        Some(Proof::Git) => ", names claimed by who may push (proof git)",
        Some(Proof::Token) => ", names proven (token)",
        Some(Proof::Oidc) => ", names proven (oidc)",
    }
}

/// What an answer does not cover, a line each.
pub(crate) fn gaps_text(gaps: &[Gap]) -> String {
    gaps.iter().fold(String::new(), |mut text, gap| {
        let from = gap.from.map(|from| format!("from {from} ")).unwrap_or_default();
        let until = gap.until.map(|until| format!("until {until} ")).unwrap_or_default();
        let _ = writeln!(text, "gap: {from}{until}{}", plain(&gap.why));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weakest_proof_stands_for_all_names() {
        assert_eq!(names_text([].into_iter()), "");
        let both = [Proof::Token, Proof::Git].into_iter();
        assert_eq!(names_text(both), ", names claimed by who may push (proof git)");
        assert_eq!(
            names_text([Proof::Git, Proof::None].into_iter()),
            ", names claimed (proof none)"
        );
    }
}
