//! Events: claims with their stamp, in one spelling, and the hash under which a log keeps them.
//!
//! ```text
//! {"actor":{"name":"ada","proof":"git"},"at":"2026-03-17T14:39:58.000Z","cause":null,"claim":{…},"id":"01J…","kind":"deploy","v":1}
//! ```
//! Source: DESIGN §12, "Event": RFC 8785, leaf = SHA-256(0x00 ‖ bytes).

use crate::canonical::{CanonicalError, to_canonical};
use crate::claim::{CLAIM_BYTES_MAX, Claim};
use domain::{Actor, Digest, EventId, Proof, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The version of the format that is written.
pub const VERSION: u32 = 1;
/// The longest event, in bytes: a claim and its stamp. Source: C2SP tlog-tiles, 64 KiB an entry.
pub const EVENT_BYTES_MAX: usize = 65_535;

/// How many stamps one event has at most behind its own: so often it can move from record to record.
pub const MOVES_MAX: usize = 3;

/// What the record adds to a claim, from verified credentials and its own clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// The event's name.
    pub id: EventId,
    /// When, by the record's clock.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The event that brought this one about.
    pub cause: Option<EventId>,
    /// Of an event that was moved here from another record: its stamp there, by the word of the actor above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Box<Self>>,
}

impl Stamp {
    /// The stamp of the record that heard the claim first; its own where it was never moved.
    #[must_use]
    pub fn first(&self) -> &Self {
        self.imported.as_ref().map_or(self, |imported| imported.first())
    }

    /// Whether it was moved here from another record.
    #[must_use]
    pub fn is_imported(&self) -> bool {
        self.imported.is_some()
    }

    /// When the claim was made, by the clock of the record that heard it first.
    #[must_use]
    pub fn happened(&self) -> Timestamp {
        self.first().at
    }

    /// Who made the claim. The name is as good as [`Stamp::proof`].
    #[must_use]
    pub fn who(&self) -> &Actor {
        &self.first().actor
    }

    /// What stands behind the name: the weakest of what each record on the way had.
    #[must_use]
    pub fn proof(&self) -> Proof {
        let own = self.actor.proof();
        self.imported.as_ref().map_or(own, |imported| own.min(imported.proof()))
    }

    /// How often it was moved.
    fn moves(&self) -> usize {
        self.imported.as_ref().map_or(0, |imported| 1 + imported.moves())
    }
}

/// A claim that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What the record added.
    pub stamp: Stamp,
    /// What the caller said.
    pub claim: Claim,
}

/// An event and its place in the record; order is by this, never by a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequenced {
    /// Counted from 1.
    pub seq: u64,
    /// The event.
    pub event: Event,
}

/// Bytes that are no event, or a claim that cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Too long.
    #[error(
        "an event has at most {EVENT_BYTES_MAX} bytes, and its claim {CLAIM_BYTES_MAX}, found {found}"
    )]
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// No JSON, an unknown kind, a missing or unknown member.
    #[error("the event cannot be read")]
    Shape(#[from] serde_json::Error),
    /// A newer program wrote it.
    #[error("the event has version {found}; this program reads version {VERSION}")]
    Version {
        /// The version.
        found: u64,
    },
    /// The same event has another spelling: its hash would differ.
    #[error("the event is not in canonical form")]
    NotCanonical,
    /// It was moved too often.
    #[error("an event is moved from record to record at most {MOVES_MAX} times, found {found}")]
    Moves {
        /// How often.
        found: usize,
    },
    /// A number that has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// The wire shape: see the module's example. The claim's two members are flattened in.
#[derive(Deserialize)]
struct Wire {
    id: EventId,
    at: Timestamp,
    actor: Actor,
    cause: Option<EventId>,
    imported: Option<Box<Stamp>>,
    #[serde(flatten)]
    claim: Claim,
}

/// The canonical form of a claim alone: what "the same claim" is judged by.
///
/// # Errors
/// The claim is too long or holds numbers that cannot be recorded.
pub fn canonical_claim(claim: &Claim) -> Result<String, EventError> {
    let text = to_canonical(&serde_json::to_value(claim)?)?;
    if text.len() > CLAIM_BYTES_MAX {
        return Err(EventError::Length { found: text.len() });
    }
    Ok(text)
}

impl Event {
    /// The event in its one spelling.
    ///
    /// # Errors
    /// The claim is too long or holds numbers that cannot be recorded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EventError> {
        let Stamp { id, at, actor, cause, imported } = &self.stamp;
        if self.stamp.moves() > MOVES_MAX {
            return Err(EventError::Moves { found: self.stamp.moves() });
        }
        // `{"claim":…,"kind":"…"}`: the two members stand in the event as they are, with `id` between them.
        let both = canonical_claim(&self.claim)?;
        let kind = format!(",\"kind\":\"{}\"}}", self.claim.kind().name());
        let claim = both.strip_suffix(&kind).and_then(|rest| rest.strip_prefix('{'));
        let claim = claim.expect("a claim's canonical form begins with it and ends with its kind");
        let actor = to_canonical(&serde_json::to_value(actor)?)?;
        let cause = cause.map_or_else(|| "null".to_owned(), |cause| format!("\"{cause}\""));
        let imported = match imported {
            Some(imported) => {
                format!(",\"imported\":{}", to_canonical(&serde_json::to_value(imported)?)?)
            }
            None => String::new(),
        };
        let text = format!(
            "{{\"actor\":{actor},\"at\":\"{at}\",\"cause\":{cause},{claim},\"id\":\"{id}\"{imported}{},\"v\":{VERSION}}}",
            &kind[..kind.len() - 1]
        );
        if text.len() > EVENT_BYTES_MAX {
            return Err(EventError::Length { found: text.len() });
        }
        Ok(text.into_bytes())
    }

    /// Reads an event that somebody kept; one event has one spelling.
    ///
    /// # Errors
    /// Says whether it is too long, of another version, not readable or not canonical.
    pub fn read(bytes: &[u8]) -> Result<Self, EventError> {
        if bytes.len() > EVENT_BYTES_MAX {
            return Err(EventError::Length { found: bytes.len() });
        }
        let value: serde_json::Value = serde_json::from_slice(bytes)?;
        match value.get("v").and_then(serde_json::Value::as_u64) {
            Some(found) if found != u64::from(VERSION) => {
                return Err(EventError::Version { found });
            }
            Some(_) | None => {}
        }
        let Wire { id, at, actor, cause, imported, claim } = serde_json::from_value(value)?;
        let event = Self { stamp: Stamp { id, at, actor, cause, imported }, claim };
        if event.to_bytes()? != bytes {
            return Err(EventError::NotCanonical);
        }
        Ok(event)
    }

    /// When, by the record's clock.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.stamp.at
    }
}

/// The hash of an event in a Merkle log. Source: RFC 6962, 2.1: a leaf is hashed behind one zero byte.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(bytes);
    hash.finalize().into()
}

/// The leaf hash in the spelling of a digest, for people and files.
#[must_use]
pub fn leaf_digest(bytes: &[u8]) -> Digest {
    let mut prefixed = Vec::with_capacity(bytes.len() + 1);
    prefixed.push(0);
    prefixed.extend_from_slice(bytes);
    Digest::sha256(&prefixed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{ClaimKey, NoteClaim, Text};

    fn note(text: &str) -> Event {
        let at: Timestamp = "2026-03-17T14:39:58Z".parse().unwrap();
        let text = Text::try_from(text.to_owned()).unwrap();
        let key = ClaimKey::try_from("k".to_owned()).unwrap();
        Event {
            stamp: Stamp {
                id: EventId::new(at, 1),
                at,
                actor: Actor::new("ada", Proof::Git).unwrap(),
                cause: None,
                imported: None,
            },
            claim: Claim::Note(NoteClaim { key, environment: None, about: None, text }),
        }
    }

    #[test]
    fn an_event_has_the_design_s_spelling() {
        let event = note("héllo");
        let text = String::from_utf8(event.to_bytes().unwrap()).unwrap();
        let id = event.stamp.id;
        assert_eq!(
            text,
            format!(
                r#"{{"actor":{{"name":"ada","proof":"git"}},"at":"2026-03-17T14:39:58.000Z","cause":null,"claim":{{"about":null,"environment":null,"key":"k","text":"héllo"}},"id":"{id}","kind":"note","v":1}}"#
            )
        );
        assert_eq!(Event::read(text.as_bytes()).unwrap(), event);
    }

    #[test]
    fn another_spelling_of_the_same_event_is_refused() {
        let text = String::from_utf8(note("x").to_bytes().unwrap()).unwrap();
        let spaced = text.replacen("{\"actor\"", "{ \"actor\"", 1);
        assert!(matches!(Event::read(spaced.as_bytes()), Err(EventError::NotCanonical)));
        let newer = text.replace("\"v\":1", "\"v\":2");
        assert!(matches!(Event::read(newer.as_bytes()), Err(EventError::Version { found: 2 })));
        let unknown = text.replace("\"kind\":\"note\"", "\"kind\":\"guess\"");
        assert!(matches!(Event::read(unknown.as_bytes()), Err(EventError::Shape(_))));
        let more = text.replace("\"v\":1}", "\"v\":1,\"w\":2}");
        assert!(Event::read(more.as_bytes()).is_err());
        assert!(matches!(
            Event::read(&[b' '; EVENT_BYTES_MAX + 1]),
            Err(EventError::Length { .. })
        ));
    }

    /// The event as a record keeps it that it was moved to, so many times.
    fn moved(times: u32) -> Event {
        let mut event = note("x");
        for number in 1..=times {
            let at = event.stamp.at.plus_millis(1_000);
            let actor = Actor::new(&format!("mover {number}"), Proof::Token).unwrap();
            let id = EventId::new(at, 1);
            let imported = Some(Box::new(event.stamp));
            event.stamp = Stamp { id, at, actor, cause: None, imported };
        }
        event
    }

    #[test]
    fn a_moved_event_keeps_who_and_when_of_the_first_record_inside_the_mover_s_own_stamp() {
        let event = moved(1);
        let text = String::from_utf8(event.to_bytes().unwrap()).unwrap();
        let (id, first) = (event.stamp.id, event.stamp.first().id);
        assert_eq!(
            text,
            format!(
                r#"{{"actor":{{"name":"mover 1","proof":"token"}},"at":"2026-03-17T14:39:59.000Z","cause":null,"claim":{{"about":null,"environment":null,"key":"k","text":"x"}},"id":"{id}","imported":{{"actor":{{"name":"ada","proof":"git"}},"at":"2026-03-17T14:39:58.000Z","cause":null,"id":"{first}"}},"kind":"note","v":1}}"#
            )
        );
        assert_eq!(Event::read(text.as_bytes()).unwrap(), event);
        assert_eq!(event.stamp.who().name(), "ada");
        assert_eq!(event.stamp.happened().to_string(), "2026-03-17T14:39:58.000Z");
        // A chain is as good as its weakest part, whoever moved it.
        assert_eq!(event.stamp.proof(), Proof::Git);
        let more = text.replace("\"imported\":{", "\"imported\":{\"more\":1,");
        assert!(Event::read(more.as_bytes()).is_err());
        assert!(
            Event::read(text.replace(",\"imported\":{", ",\"imported\":null,\"x\":{").as_bytes())
                .is_err()
        );
    }

    #[test]
    fn an_event_moves_three_times_and_not_four() {
        let bytes = moved(3).to_bytes().unwrap();
        assert_eq!(Event::read(&bytes).unwrap().stamp.who().name(), "ada");
        assert!(matches!(moved(4).to_bytes(), Err(EventError::Moves { found: 4 })));
    }

    #[test]
    fn a_leaf_is_hashed_behind_a_zero_byte() {
        // Source: RFC 6962 test vector, the hash of the empty leaf.
        let hex: String = leaf_hash(b"").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(leaf_digest(b"").hex(), hex);
    }
}
