//! A record as JSON lines: one event a line, in its one spelling, in the order of the record.
//!
//! ```text
//! {"actor":{"name":"ada","proof":"git"},"at":"2026-03-17T14:39:58.000Z",…,"v":1}
//! ```
//! The bytes are the record's own, so that each line's leaf hash is that of its event.

use crate::seam::{PAGE, Question, Record, RecordError};
use ::record::event::{EVENT_BYTES_MAX, EventError};
use ::record::{Event, Sequenced};
use std::io::{BufRead, Read as _, Write};

/// Why lines could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The file or pipe.
    #[error("the lines cannot be read or written")]
    Io(#[from] std::io::Error),
    /// A line that is no event.
    #[error("line {number} is no event of a record")]
    NoEvent {
        /// Counted from 1.
        number: u64,
        /// What is wrong with it.
        source: EventError,
    },
    /// A line that is longer than any event.
    #[error("line {number} is longer than any event: {EVENT_BYTES_MAX} bytes")]
    TooLong {
        /// Counted from 1.
        number: u64,
    },
    /// An event of the record cannot be spelled.
    #[error("an event cannot be written")]
    Event(#[source] EventError),
}

/// Writes every event that can be read, oldest first; gives how many.
///
/// # Errors
/// The record cannot be read, or the lines cannot be written.
pub async fn export_lines(
    record: &dyn Record,
    to: &mut (dyn Write + Send),
) -> Result<u64, LineError> {
    let question = Question::default();
    let (mut last, mut count): (Option<Sequenced>, u64) = (None, 0);
    loop {
        let page = record.events(&question, last.as_ref()).await?;
        let is_last = page.len() < PAGE;
        for event in &page {
            to.write_all(&event.event.to_bytes().map_err(LineError::Event)?)?;
            to.write_all(b"\n")?;
            count += 1;
        }
        last = page.into_iter().next_back().or(last);
        if is_last {
            to.flush()?;
            return Ok(count);
        }
    }
}

/// Events, read line by line; never more than one line in memory.
pub(super) struct Lines {
    from: Box<dyn BufRead + Send>,
    number: u64,
}

impl Lines {
    pub(super) fn new(from: Box<dyn BufRead + Send>) -> Self {
        Self { from, number: 0 }
    }

    /// The next event; `None`: that was all.
    pub(super) fn next_event(&mut self) -> Result<Option<Event>, LineError> {
        loop {
            let mut line = Vec::new();
            let longest = EVENT_BYTES_MAX as u64 + 2;
            let read = (&mut self.from).take(longest).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            let number = self.number;
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.len() > EVENT_BYTES_MAX {
                return Err(LineError::TooLong { number });
            }
            if !text.is_empty() {
                let event = Event::read(text);
                return event.map(Some).map_err(|source| LineError::NoEvent { number, source });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::claim::{DeployKind, NamedBy};
    use ::record::fuzz::story::Story;

    fn lines(text: &str) -> Lines {
        Lines::new(Box::new(std::io::Cursor::new(text.to_owned())))
    }

    fn events() -> Vec<String> {
        let mut story = Story::new();
        let a = story.build("api", "a", "prod");
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        let text = |event: &Sequenced| String::from_utf8(event.event.to_bytes().unwrap()).unwrap();
        story.events().iter().map(text).collect()
    }

    #[test]
    fn lines_are_events_with_either_line_end_and_a_last_one_without() {
        let events = events();
        let mut lines = lines(&format!("{}\r\n\n{}", events[0], events[1]));
        for event in &events {
            assert_eq!(lines.next_event().unwrap().unwrap().to_bytes().unwrap(), event.as_bytes());
        }
        assert!(lines.next_event().unwrap().is_none());
    }

    #[test]
    fn what_is_no_event_is_named_by_its_line() {
        let mut broken = lines(&format!("{}\n{{}}\n", events()[0]));
        broken.next_event().unwrap();
        assert!(matches!(broken.next_event(), Err(LineError::NoEvent { number: 2, .. })));
        let mut longest = lines(&format!("{}\n", "x".repeat(EVENT_BYTES_MAX)));
        assert!(matches!(longest.next_event(), Err(LineError::NoEvent { number: 1, .. })));
        let mut longer = lines(&format!("{}\n", "x".repeat(EVENT_BYTES_MAX + 1)));
        assert!(matches!(longer.next_event(), Err(LineError::TooLong { number: 1 })));
    }
}
