//! Which part of the time that is asked about somebody watched: known there, and unknown outside.
//!
//! ```text
//! asked 14:00 … 19:00, watched 14:05 … 18:00   ->  known prod-eu 14:05 … 18:00      gaps … 14:05 and 18:00 …
//! ```
//! An open begin means: since somebody first watched. What was before that is a gap, and asks nobody.

use ::record::claim::Reported;
use ::record::when::length;
use ::record::{Gap, Reach, Span, Watched, covered_by, gaps_of};
use domain::Timestamp;

/// A time in which a place was watched without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// What whoever watches calls the cluster; with its namespace, where only one was watched.
    pub place: String,
    /// From then on.
    pub from: Timestamp,
    /// Until then: where it is watched still, the last sign of life.
    pub until: Timestamp,
}

/// How much of what is asked about was watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// What is known: the times that were watched.
    pub known: Vec<Covered>,
    /// Whether all that is asked about was watched.
    pub is_whole: bool,
}

/// Something that has to be watched for an answer to be whole.
pub(super) struct Scope<'a> {
    pub(super) place: String,
    pub(super) stretches: Vec<&'a Watched>,
    /// Whether the answer is not whole without it.
    pub(super) counts: Counts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Yes,
    No,
}

/// What was watched of a span, and the gaps in that; the judged part of it tells whether that is all.
pub(super) fn cover(
    scopes: &[Scope<'_>],
    (shown, judged): (&Span, &Span),
    now: Timestamp,
) -> (Coverage, Vec<Gap>) {
    let mut coverage = Coverage { known: Vec::new(), is_whole: true };
    let mut gaps = Vec::new();
    for scope in scopes {
        let place = &scope.place;
        let known = covered_by(&scope.stretches, shown, now).into_iter();
        let covered = |(from, until)| Covered { place: place.clone(), from, until };
        coverage.known.extend(known.map(covered));
        let live = live(&scope.stretches, now);
        if scope.counts == Counts::Yes {
            let mut untold = gaps_of(&scope.stretches, judged, now).into_iter();
            coverage.is_whole &= untold.all(|gap| is_as_of(gap, live));
        }
        let of_place = gaps_of(&scope.stretches, shown, now).into_iter();
        gaps.extend(of_place.map(|gap| told(place, gap, live, now)));
    }
    (coverage, gaps)
}

/// The last sign of life of whoever watches a place still: an answer about later is as of that.
pub(super) fn live(stretches: &[&Watched], now: Timestamp) -> Option<Timestamp> {
    Reach::of(stretches.iter().copied(), now).live()
}

/// Whether a gap is only that the next sign of life is not due yet.
fn is_as_of(gap: (Option<Timestamp>, Option<Timestamp>), live: Option<Timestamp>) -> bool {
    live.is_some_and(|last| gap.0.is_some_and(|from| from >= last))
}

/// A gap, in words.
pub(super) fn told(
    place: &str,
    gap_of: (Option<Timestamp>, Option<Timestamp>),
    live: Option<Timestamp>,
    now: Timestamp,
) -> Gap {
    let (from, until) = gap_of;
    match live.filter(|_| is_as_of(gap_of, live)) {
        Some(last) => {
            let before = length(now.as_millis() - last.as_millis());
            let why = format!(
                "as of {last}, the last sign of life of who watches {place}, {before} before: what happened since may not be recorded yet"
            );
            Gap { from, until, why }
        }
        None => gap(place, from, until),
    }
}

pub(super) fn gap(place: &str, from: Option<Timestamp>, until: Option<Timestamp>) -> Gap {
    Gap { from, until, why: format!("{place} was not watched") }
}

/// A place that somebody should watch, and nobody ever did.
pub(super) fn never(place: &str) -> Gap {
    Gap { from: None, until: None, why: format!("{place} was never watched") }
}

/// The same span, where its begin is open from a moment on; as it is, where nothing would be left.
pub(super) fn since(span: &Span, at: Option<Timestamp>) -> Span {
    match (span.from(), at) {
        (None, Some(at)) => Span::between(Some(at), span.until()).unwrap_or(*span),
        (Some(_), _) | (None, None) => *span,
    }
}

/// When the first of them began.
pub(super) fn first<'a>(stretches: impl IntoIterator<Item = &'a Watched>) -> Option<Timestamp> {
    stretches.into_iter().map(|one| one.from).min()
}

/// What a stretch is called: the cluster, and its namespace where it sees only that.
pub(super) fn place_of(name: &Reported, namespace: Option<&Reported>) -> String {
    match namespace {
        Some(namespace) => format!("{name}/{namespace}"),
        None => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::claim::WatchChange;
    use ::record::fuzz::story::Story;
    use ::record::watched;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-17T{text}:00Z").parse().unwrap()
    }

    fn span(from: Option<&str>, until: Option<&str>) -> Span {
        Span::between(from.map(at), until.map(at)).unwrap()
    }

    #[test]
    fn an_answer_is_whole_where_every_place_that_counts_was_watched_all_the_time() {
        let mut story = Story::new();
        let why = Reported::of("stopped");
        let watch = story.watch_began(at("14:05"));
        story.watch_says(watch, at("18:00"), WatchChange::Ended { why });
        let all = watched(story.events());
        let scope =
            |counts| Scope { place: "eu".to_owned(), stretches: all.iter().collect(), counts };
        let none = |counts| Scope { place: "us".to_owned(), stretches: Vec::new(), counts };
        let judge = |scopes: &[Scope<'_>], span: &Span| cover(scopes, (span, span), at("20:00"));
        let inside = span(Some("14:05"), Some("18:00"));
        let (coverage, gaps) = judge(&[scope(Counts::Yes)], &inside);
        assert!(coverage.is_whole && gaps.is_empty());
        let (coverage, gaps) = judge(&[scope(Counts::Yes), none(Counts::Yes)], &inside);
        assert!(!coverage.is_whole, "nobody watched us");
        assert_eq!(gaps, [gap("us", Some(at("14:05")), Some(at("18:00")))]);
        let (coverage, gaps) = judge(&[scope(Counts::Yes), none(Counts::No)], &inside);
        assert!(coverage.is_whole && gaps.len() == 1, "it is told, and asks nobody");
        for outside in [span(Some("14:04"), Some("18:00")), span(Some("14:05"), Some("18:01"))] {
            let (coverage, _) = judge(&[scope(Counts::Yes)], &outside);
            assert!(!coverage.is_whole, "{outside:?}");
            let known = Covered { place: "eu".to_owned(), from: at("14:05"), until: at("18:00") };
            assert_eq!(coverage.known, [known]);
        }
    }

    #[test]
    fn an_open_begin_is_when_somebody_first_watched() {
        let first = Some(at("14:05"));
        assert_eq!(since(&Span::ALL, first), span(Some("14:05"), None));
        assert_eq!(since(&span(None, Some("15:00")), first), span(Some("14:05"), Some("15:00")));
        // Nothing of it was watched: it is asked about as it stands.
        assert_eq!(since(&span(None, Some("14:00")), first), span(None, Some("14:00")));
        assert_eq!(since(&span(Some("13:00"), None), first), span(Some("13:00"), None));
        assert_eq!(since(&Span::ALL, None), Span::ALL);
    }
}
