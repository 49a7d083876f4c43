//! What is true: the values that every other crate speaks in.
//!
//! ```text
//! "shop/api:20260317-143958-uat"  -> TaggedRef   may point elsewhere tomorrow
//! "shop/api@sha256:9f…"           -> PinnedRef   names these bytes for ever
//! RuleSet + TagState + Digest     -> TagDecision created, same, moved or refused, and why
//! ```
//! A string from outside becomes one of these types once, at the edge; inside, nothing is checked again.
//! Pure: no clock, network, file, thread or randomness is reached from here; they come as arguments.

pub mod actor;
pub mod commit;
pub mod digest;
pub mod environment;
pub mod fuzz;
pub mod host;
pub mod id;
pub mod name;
pub mod pattern;
pub mod platform;
pub mod reference;
pub mod repository;
pub mod rule;
pub mod secret;
pub mod tag;
pub mod tag_write;
pub mod time;

mod text;

pub use actor::{Actor, ActorError, Proof};
pub use commit::{CommitError, CommitId, SourceRef, SourceRefError};
pub use digest::{Algorithm, Digest, DigestError, DigestMismatch, Digester};
pub use environment::{EnvironmentError, EnvironmentName, environments_that_clash};
pub use host::{HostError, RegistryHost};
pub use id::{EventId, EventIdError};
pub use name::{ImageName, ImageNameError};
pub use pattern::{Pattern, PatternError};
pub use platform::{Platform, PlatformError};
pub use reference::{ImageRef, PinnedRef, RefParts, ReferenceError, TaggedRef};
pub use repository::{Repository, RepositoryError, RepositoryPath};
pub use rule::{Explained, Rule, RuleSet, TagClass};
pub use secret::Secret;
pub use tag::{Tag, TagError};
pub use tag_write::{Expect, Extends, TagDecision, TagRefusal, TagState, Unlock, decide_tag_write};
pub use time::{Timestamp, TimestampError};
