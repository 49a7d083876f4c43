//! Claims: what a caller says. The record adds who, when and an id, and makes an event of it.
//!
//! ```text
//! {"key":"deploy/01JQ…","environment":"prod","image":"api","to":"sha256:…",…}
//! ```
//! One file for each family of facts. Every claim carries the key that its caller chose and repeats on a retry.

mod build;
mod decision;
mod deploy;
mod finding;
mod imported;
mod observed;
mod registry;
mod reported;

pub use build::{BuildClaim, CiRun, ImageClaim, PlatformImage, PublishedBy, Source};
pub use decision::{AllowClaim, BlockClaim, HoldClaim, HoldState, NoteClaim, ReservationClaim};
pub use deploy::{DeployClaim, DeployKind, Grade, Mode, NamedBy, Outcome};
pub use finding::{
    ChangedBy, FOUND_IMAGES_MAX, FOUND_NAMED_MAX, FindingChange, FindingClaim, FindingId,
    FindingKind, FindingOpened, FoundImage,
};
pub use imported::{ImportedClaim, ImportedResult, Keeper};
pub use observed::{
    ContainerRunClaim, Moment, NodeInfo, RunBegan, RunChange, RunRole, WatchChange, WatchedClaim,
};
pub use registry::{
    Right, RightError, RuleClaim, TagChange, TagChangeClaim, TokenClaim, TokenState, UNLOCK_MS_MAX,
    UnlockClaim, Witness,
};
pub use reported::{ClusterId, IdentityError, REPORTED_LEN_MAX, Reported, ReportedError, RunId};

use serde::{Deserialize, Serialize};
use std::fmt;

/// The most claims in one append. Source: DESIGN §12, limits.
pub const CLAIMS_AT_ONCE_MAX: usize = 256;
/// The longest claim in its canonical form. Source: DESIGN §12, limits: an entry of a tiled log is 64 KiB.
pub const CLAIM_BYTES_MAX: usize = 60 * 1024;
/// The longest key.
pub const KEY_LEN_MAX: usize = 200;
/// The longest free text (a reason, a ticket), in bytes.
pub const TEXT_LEN_MAX: usize = 2_000;

/// What a caller says; the kind stands beside it in the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "claim", rename_all = "kebab-case")]
pub enum Claim {
    /// A tag was created, moved, deleted or came back.
    TagChange(TagChangeClaim),
    /// What an image's bytes say.
    Image(ImageClaim),
    /// From what an image was built.
    Build(BuildClaim),
    /// What was decided for an environment and carried out.
    Deploy(DeployClaim),
    /// A person let a digest into an environment.
    Allow(AllowClaim),
    /// A person forbade a digest everywhere, or took that back.
    Block(BlockClaim),
    /// Automation must wait, or may go on.
    Hold(HoldClaim),
    /// A tag belongs to a release before it is pushed.
    Reservation(ReservationClaim),
    /// Which tags may move.
    Rule(RuleClaim),
    /// One immutable tag may be moved for a while.
    Unlock(UnlockClaim),
    /// A token was made or revoked; never its secret.
    Token(TokenClaim),
    /// Something for people to remember.
    Note(NoteClaim),
    /// A container began, is doubted, or ended.
    ContainerRun(ContainerRunClaim),
    /// A cluster is watched, or no longer.
    Watched(WatchedClaim),
    /// Something that should not be was seen, or is so no more.
    Finding(FindingClaim),
    /// Somebody else kept that a workload was told to run an image.
    Imported(ImportedClaim),
}

/// The kinds of claims, for queries and rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// See [`Claim::TagChange`].
    TagChange,
    /// See [`Claim::Image`].
    Image,
    /// See [`Claim::Build`].
    Build,
    /// See [`Claim::Deploy`].
    Deploy,
    /// See [`Claim::Allow`].
    Allow,
    /// See [`Claim::Block`].
    Block,
    /// See [`Claim::Hold`].
    Hold,
    /// See [`Claim::Reservation`].
    Reservation,
    /// See [`Claim::Rule`].
    Rule,
    /// See [`Claim::Unlock`].
    Unlock,
    /// See [`Claim::Token`].
    Token,
    /// See [`Claim::Note`].
    Note,
    /// See [`Claim::ContainerRun`].
    ContainerRun,
    /// See [`Claim::Watched`].
    Watched,
    /// See [`Claim::Finding`].
    Finding,
    /// See [`Claim::Imported`].
    Imported,
}

impl Kind {
    /// The word in the event.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TagChange => "tag-change",
            Self::Image => "image",
            Self::Build => "build",
            Self::Deploy => "deploy",
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Hold => "hold",
            Self::Reservation => "reservation",
            Self::Rule => "rule",
            Self::Unlock => "unlock",
            Self::Token => "token",
            Self::Note => "note",
            Self::ContainerRun => "container-run",
            Self::Watched => "watched",
            Self::Finding => "finding",
            Self::Imported => "imported",
        }
    }
}

impl Claim {
    /// Which kind of fact this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::TagChange(_) => Kind::TagChange,
            Self::Image(_) => Kind::Image,
            Self::Build(_) => Kind::Build,
            Self::Deploy(_) => Kind::Deploy,
            Self::Allow(_) => Kind::Allow,
            Self::Block(_) => Kind::Block,
            Self::Hold(_) => Kind::Hold,
            Self::Reservation(_) => Kind::Reservation,
            Self::Rule(_) => Kind::Rule,
            Self::Unlock(_) => Kind::Unlock,
            Self::Token(_) => Kind::Token,
            Self::Note(_) => Kind::Note,
            Self::ContainerRun(_) => Kind::ContainerRun,
            Self::Watched(_) => Kind::Watched,
            Self::Finding(_) => Kind::Finding,
            Self::Imported(_) => Kind::Imported,
        }
    }

    /// The build, where this is one.
    #[must_use]
    pub fn as_build(&self) -> Option<&BuildClaim> {
        if let Self::Build(claim) = self { Some(claim) } else { None }
    }

    /// The deploy, where this is one.
    #[must_use]
    pub fn as_deploy(&self) -> Option<&DeployClaim> {
        if let Self::Deploy(claim) = self { Some(claim) } else { None }
    }

    /// The tag change, where this is one.
    #[must_use]
    pub fn as_tag_change(&self) -> Option<&TagChangeClaim> {
        if let Self::TagChange(claim) = self { Some(claim) } else { None }
    }

    /// The reservation, where this is one.
    #[must_use]
    pub fn as_reservation(&self) -> Option<&ReservationClaim> {
        if let Self::Reservation(claim) = self { Some(claim) } else { None }
    }

    /// The key that the caller chose.
    #[must_use]
    pub fn key(&self) -> &ClaimKey {
        match self {
            Self::TagChange(claim) => &claim.key,
            Self::Image(claim) => &claim.key,
            Self::Build(claim) => &claim.key,
            Self::Deploy(claim) => &claim.key,
            Self::Allow(claim) => &claim.key,
            Self::Block(claim) => &claim.key,
            Self::Hold(claim) => &claim.key,
            Self::Reservation(claim) => &claim.key,
            Self::Rule(claim) => &claim.key,
            Self::Unlock(claim) => &claim.key,
            Self::Token(claim) => &claim.key,
            Self::Note(claim) => &claim.key,
            Self::ContainerRun(claim) => &claim.key,
            Self::Watched(claim) => &claim.key,
            Self::Finding(claim) => &claim.key,
            Self::Imported(claim) => &claim.key,
        }
    }
}

/// The caller's name for a claim: the same key and claim again is no event, another claim is an error.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClaimKey(String);

/// The text is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a claim's key has 1 to {KEY_LEN_MAX} visible ASCII characters")]
pub struct ClaimKeyError;

impl ClaimKey {
    /// The key as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClaimKey {
    type Error = ClaimKeyError;

    fn try_from(text: String) -> Result<Self, ClaimKeyError> {
        let fits =
            (1..=KEY_LEN_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(ClaimKeyError) }
    }
}

impl From<ClaimKey> for String {
    fn from(key: ClaimKey) -> Self {
        key.0
    }
}

impl fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Free text of a person: a reason, a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

/// The text is too long or holds control characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a text of the record has at most {TEXT_LEN_MAX} bytes and no control characters but line ends"
)]
pub struct TextError;

impl Text {
    /// A text of a program, made fit: control characters become spaces, and what is too long is cut.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        // A character has at most four bytes.
        Self(plain.take(TEXT_LEN_MAX / 4).collect())
    }

    /// The text as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Text {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let is_bad = |c: char| c.is_control() && c != '\n';
        if text.len() > TEXT_LEN_MAX || text.contains(is_bad) {
            Err(TextError)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_at_and_above() {
        assert!(ClaimKey::try_from("k".repeat(200)).is_ok());
        assert!(ClaimKey::try_from("k".repeat(201)).is_err());
        assert!(ClaimKey::try_from(String::new()).is_err());
        assert!(ClaimKey::try_from("a b".to_owned()).is_err());
        assert!(Text::try_from("t".repeat(2_000)).is_ok());
        assert!(Text::try_from("t".repeat(2_001)).is_err());
        assert!(Text::try_from("a\u{1b}[31m".to_owned()).is_err());
    }

    #[test]
    fn a_text_of_a_program_is_cut_to_what_the_record_takes() {
        assert_eq!(Text::cut("it ended\u{1b}[31m\nbadly").as_str(), "it ended [31m badly");
        assert_eq!(Text::cut(&"\u{1f980}".repeat(500)).as_str().len(), 2_000);
        let longer = Text::cut(&"\u{1f980}".repeat(501));
        assert!(Text::try_from(longer.as_str().to_owned()).is_ok_and(|text| text == longer));
    }
}
