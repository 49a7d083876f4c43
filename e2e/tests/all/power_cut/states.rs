//! Which states a recording can end in, and which of them are tried when not all are.

use super::disk::{Cut, Fate, can_tear, overlap, unsynced};
use super::log::Event;

/// Every cut with every fate of what was not synced then.
///
/// A cut stands right before a change or a sync: all answers up to there are promises.
pub(super) fn of(events: &[Event]) -> Vec<Cut> {
    let is_cut = |after: &usize| match events.get(*after) {
        Some(Event::Answer(_)) => false,
        Some(Event::Change(_) | Event::SyncFile { .. } | Event::SyncFolder { .. }) | None => true,
    };
    (1..=events.len())
        .filter(is_cut)
        .flat_map(|after| fates(events, after).into_iter().map(move |fate| Cut { after, fate }))
        .collect()
}

fn fates(events: &[Event], after: usize) -> Vec<Fate> {
    let open = unsynced(events, after);
    let mut fates = vec![Fate::AllKept];
    if open.is_empty() {
        return fates;
    }
    fates.push(Fate::NoneKept);
    for &at in &open {
        fates.push(Fate::Without(at));
        fates.push(Fate::Only(at));
        if can_tear(events, at) {
            fates.push(Fate::Torn(at));
        }
        let next = open.range(at + 1..).find(|next| overlap(events, at, **next));
        fates.extend(next.map(|next| Fate::Swapped(at, *next)));
    }
    fates
}

/// At most so many, the same in every run of one recording: first the harshest ones right after an
/// answer, then evenly spread ones.
pub(super) fn sample(events: &[Event], all: Vec<Cut>, max: usize) -> Vec<Cut> {
    let is_first = |cut: &Cut| {
        let follows_answer = matches!(events[cut.after - 1], Event::Answer(_));
        follows_answer && matches!(cut.fate, Fate::NoneKept | Fate::AllKept)
    };
    let (mut chosen, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_first);
    chosen.truncate(max);
    let left = max - chosen.len();
    if others.len() <= left {
        chosen.extend(others);
    } else {
        let spread = (0..left).map(|at| others[at * others.len() / left]);
        chosen.extend(spread);
    }
    chosen
}

#[test]
fn a_sample_is_as_large_as_it_may_be_and_has_what_follows_an_answer() {
    let change = || Event::SyncFile { file: 0, since: 0 };
    let mut events: Vec<_> = (0..10).map(|_| change()).collect();
    events[4] = Event::Answer(Vec::new());
    let all = of(&events);
    assert_eq!(all.len(), 9, "before an answer there is no cut");
    let chosen = sample(&events, all.clone(), 3);
    assert_eq!(chosen.len(), 3);
    assert_eq!(chosen[0].after, 5);
    assert_eq!(sample(&events, all.clone(), 100).len(), all.len());
}
