//! Power cut: whatever a disk may hold when the power goes, the server opens on it and has everything
//! that it had answered 201.
//!
//! A server is traced by strace while clients push; it is stopped and started once in between. Its
//! changes of files, its syncs and its answers, in order, are the recording. Then, for each cut:
//!
//! - **What is surely there:** contents whose file was synced (`fsync`, `fdatasync`) by a call that began
//!   after the write had ended; names (of new, renamed, removed files and new folders) whose folder was
//!   synced likewise. A rename is whole or not at all, and is the business of the folder of the new name.
//! - **What may be there:** every other change. Tried are: all of them, none, all but one, only one,
//!   one torn in its middle at a sector, two overlapping ones in the other order.
//! - **What was promised:** each answer whose first byte may have left before the cut.
//!
//! Not in the model: a disk that lies about a sync, bytes that change by themselves, more than one lost
//! change beside kept ones. A file system keeps more than this model does; a server that needs no more
//! than the model is right on all of them. The last test takes syncs out of the recording: then the
//! same judge has to find losses, so it is not blind.

mod disk;
mod judge;
mod log;
mod recording;
mod states;
mod trace;

use disk::Cut;
use log::Event;
use recording::Recording;
use testbed::peer;

/// How many states are tried without `--long`.
const STATES_MAX: usize = 2_000;

fn record(test: &str) -> Option<Recording> {
    match peer("strace") {
        Ok(strace) => {
            println!("with {}", strace.version());
            let recording = Recording::make(&strace);
            // Else nothing would be asked for, and nothing missed.
            assert_eq!(judge::never_promised(&recording), Vec::<&str>::new());
            Some(recording)
        }
        Err(missing) => {
            testbed::skip(test, missing);
            None
        }
    }
}

#[test]
fn nothing_that_was_answered_201_is_lost_by_a_power_cut() {
    let Some(recording) = record("nothing_that_was_answered_201_is_lost_by_a_power_cut") else {
        return;
    };
    let all = states::of(&recording.events);
    let count = all.len();
    let chosen =
        if testbed::long() { all } else { states::sample(&recording.events, all, STATES_MAX) };
    println!("{} events, {count} states, {} tried", recording.events.len(), chosen.len());
    let lost = judge::judge(&recording, &recording.events, &chosen);
    assert!(
        lost.is_empty(),
        "{} of {} states lose something, the first:\n{}",
        lost.len(),
        chosen.len(),
        lost[0]
    );
}

/// The cuts after each answer, with nothing kept that was not synced.
fn harshest(events: &[Event]) -> Vec<Cut> {
    let all = states::of(events);
    all.into_iter()
        .filter(|cut| cut.fate == disk::Fate::NoneKept)
        .filter(|cut| matches!(events[cut.after - 1], Event::Answer(_)))
        .collect()
}

#[test]
fn without_its_syncs_the_same_recording_loses_something() {
    let Some(recording) = record("without_its_syncs_the_same_recording_loses_something") else {
        return;
    };
    let is_file_sync = |event: &Event| matches!(event, Event::SyncFile { .. });
    let is_folder_sync = |event: &Event| matches!(event, Event::SyncFolder { .. });
    let kinds: [&dyn Fn(&Event) -> bool; 2] = [&is_file_sync, &is_folder_sync];
    for is_left_out in kinds {
        let mut events = recording.events.clone();
        for event in &mut events {
            if is_left_out(event) {
                // In the place of the sync, so that what others count by stays.
                *event = Event::Answer(Vec::new());
            }
        }
        let lost = judge::judge(&recording, &events, &harshest(&events));
        assert!(!lost.is_empty(), "the judge sees no loss without syncs");
    }
}
