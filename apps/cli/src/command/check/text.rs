//! The answer of `check` for people: at most a screen, the worst first, the next command last.
//!
//! ```text
//! 87 places fail, of 24 images:
//! IMAGE          FINDING     NAMES      PLACES  FIRST
//! shop/checkout  no-tag                     14  deploy/checkout/api.yaml:21:16
//! …
//! noted, none of it fails:
//!   base images  31 of 40 can move: node:20 (9), golang:1 (6), 12 more
//! 214 files, 340 references, 12 pinned
//! next: indelible pin .
//! ```
//! Few findings have a line each; many are put together by image, and `--all` has every place.

use super::{groups, notes, places};
use crate::command::pin::next::count;
use crate::output::{plain, table};
use flows::files::{Listing, Report};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// So many failing places have a line each; more of them are put together by image.
const PLACES_MAX: usize = 10;
/// So many images are shown.
const IMAGES_MAX: usize = 10;
/// So many unread files are named; of more, how many.
const UNREAD_MAX: usize = 5;

/// What fails, then what could not be read, then what is noted.
pub(super) fn lines(report: &Report, listing: Listing) -> String {
    let mut text = match listing {
        Listing::All => places::all(report),
        Listing::Findings if report.counts.findings <= PLACES_MAX => places::few(report.failing()),
        Listing::Findings => by_image(report),
    };
    unread(&mut text, report, listing);
    silent(&mut text, report, listing);
    text
}

/// Places of which a registry could not be asked; one reason stands once for many.
fn silent(text: &mut String, report: &Report, listing: Listing) {
    if listing == Listing::All || report.silent.len() <= PLACES_MAX {
        for one in &report.silent {
            let (path, reference) = (plain(&one.path), plain(&one.reference));
            let why = plain(&one.why);
            let _ = writeln!(
                text,
                "{path}:{}:{}: `{reference}` could not be asked for: {why}",
                one.line, one.column
            );
        }
        return;
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &report.silent {
        *reasons.entry(&one.why).or_default() += 1;
    }
    for (why, places) in reasons {
        let _ = writeln!(text, "{} could not be asked for: {}", count(places, "place"), plain(why));
    }
}

fn by_image(report: &Report) -> String {
    let groups = groups::of(report.failing());
    let head = ["IMAGE", "FINDING", "NAMES", "PLACES", "FIRST"];
    let rows: Vec<Vec<String>> = groups
        .iter()
        .take(IMAGES_MAX)
        .map(|group| {
            let first = group.first;
            vec![
                group.image.to_owned(),
                group.worst.id().to_owned(),
                group.tags(),
                format!("{:>6}", group.places),
                format!("{}:{}:{}", first.path, first.line, first.column),
            ]
        })
        .collect();
    let (places, images) = (report.counts.findings, count(groups.len(), "image"));
    let mut text = format!("{places} places fail, of {images}, the worst first:\n");
    text.push_str(&table(&head, &rows));
    if let Some(more @ 1..) = groups.len().checked_sub(rows.len()) {
        let _ = writeln!(text, "and {more} more; --all shows each place with its line");
    }
    text
}

fn unread(text: &mut String, report: &Report, listing: Listing) {
    let shown = match listing {
        Listing::All => report.unread.len(),
        Listing::Findings => UNREAD_MAX,
    };
    for unread in report.unread.iter().take(shown) {
        let (path, why) = (plain(&unread.shown), plain(&unread.why.to_string()));
        let _ = writeln!(text, "{path}: could not be read: {why}");
    }
    if let Some(more @ 1..) = report.unread.len().checked_sub(shown) {
        let _ = writeln!(text, "and {more} more that could not be read");
    }
}

/// What is noted, the numbers and the next command.
pub(super) fn ending(report: &Report, next: Option<&str>) -> String {
    let counts = &report.counts;
    let mut text = notes::lines(report);
    let _ = write!(
        text,
        "{}, {}, {} pinned",
        count(counts.files, "file"),
        count(counts.references, "reference"),
        counts.pinned
    );
    let others = [
        (counts.known, "known"),
        (counts.ignored, "passed over by a comment"),
        (counts.ignored_files, "passed over by `ignore`"),
        (counts.unknown, "could not be told"),
        (counts.unread, "unread"),
        (report.silent.len(), "could not be asked for"),
    ];
    for (number, what) in others {
        if number > 0 {
            let _ = write!(text, ", {number} {what}");
        }
    }
    if counts.templated > 0 {
        let templates = count(counts.templated, "template");
        let _ = write!(text, "; of {templates} only the plain lines were read");
    }
    text.push('\n');
    if let Some(next) = next {
        let _ = writeln!(text, "next: {next}");
    }
    text
}
