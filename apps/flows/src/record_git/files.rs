//! The files of a record's branch: at which path an event is kept, and the event that a file holds.
//!
//! ```text
//! events/2026/03/17/01JQ….json      reserve/<sha256(repository NUL tag)>.json
//! ```

use super::{Fate, Stop};
use ::record::Claim;
use ::record::event::Event;
use domain::Digest;
use git::{AddedFile, Append, NewFile};

/// What went wrong in a file, in its own words.
type Cause = Box<dyn std::error::Error + Send + Sync>;

pub(super) fn is_event_path(path: &str) -> bool {
    path.starts_with("events/") || path.starts_with("reserve/")
}

/// The one path at which an event is kept.
fn path_of(event: &Event) -> String {
    match &event.claim {
        Claim::Reservation(claim) => {
            let name = format!("{}\0{}", claim.repository, claim.tag);
            format!("reserve/{}.json", Digest::sha256(name.as_bytes()).hex())
        }
        Claim::TagChange(_)
        | Claim::Image(_)
        | Claim::Build(_)
        | Claim::Deploy(_)
        | Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Rule(_)
        | Claim::Unlock(_)
        | Claim::Token(_)
        | Claim::Note(_)
        | Claim::ContainerRun(_)
        | Claim::Watched(_)
        | Claim::Finding(_)
        | Claim::Imported(_) => {
            let day = event.at().civil();
            let (year, month, day) = (day.year(), day.month(), day.day());
            format!("events/{year:04}/{month:02}/{day:02}/{}.json", event.stamp.id)
        }
    }
}

/// Reads the event of a file; it must stand under its own name.
pub(super) fn event_of(file: &AddedFile) -> Result<Event, Stop> {
    let wrong = |source: Cause| Stop::NotAnEvent { path: file.path.clone(), source };
    let event = Event::read(&file.bytes).map_err(|error| wrong(error.into()))?;
    let own = path_of(&event);
    if own == file.path { Ok(event) } else { Err(wrong(format!("its place is {own}").into())) }
}

/// Events of one commit in the order in which a record's branch has them: by path.
pub(super) fn in_order<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<Event> {
    let mut events: Vec<Event> = events.cloned().collect();
    events.sort_by_cached_key(path_of);
    events
}

pub(super) fn files_of(fates: &[Fate]) -> Result<Append, Stop> {
    append_of(fates.iter().filter_map(|fate| match fate {
        Fate::New(event) => Some(&**event),
        Fate::Known(_) => None,
    }))
}

/// The files of new events, and the message of their commit.
pub(super) fn append_of<'a>(events: impl Iterator<Item = &'a Event>) -> Result<Append, Stop> {
    let mut files = Vec::new();
    let mut kinds = Vec::new();
    for event in events {
        let path = path_of(event).parse().expect("dates, ids and hex digits make a plain path");
        files.push(NewFile { path, bytes: event.to_bytes()? });
        kinds.push(event.claim.kind().name());
    }
    kinds.dedup();
    let message = git::Message::new(
        &format!("record: {}", kinds.join(", ")).chars().take(100).collect::<String>(),
    );
    Ok(Append { files, message: message.expect("names of kinds make a subject") })
}
