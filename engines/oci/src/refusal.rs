//! The answer to a tag write that is refused: for people, for old clients, and for programs.
//!
//! ```text
//! 409 DENIED  tag `1.4` of shop/api cannot be overwritten because the tag is immutable:
//!             it names sha256:9f…, put by ci-shop at 2026-03-17T14:39:58.000Z
//! ```
//! `DENIED` ends the retries of Docker's engine; the sentence is what kaniko looks for.
//! Source: moby `distribution/errors.go`; kaniko#3481.

use crate::error_code::{ErrorCode, ErrorEntry, RemoteError};
use domain::{Digest, RepositoryPath, Tag, TagRefusal, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// Why a tag was not written, with what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedWrite {
    /// Why.
    pub reason: RefusedReason,
    /// Where.
    pub repository: RepositoryPath,
    /// Which tag.
    pub tag: Tag,
    /// What it names, or named last; `None`: nothing.
    pub existing: Option<Digest>,
    /// What was to be written.
    pub incoming: Digest,
    /// Who put the existing one, where that may be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Why a tag was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefusedReason {
    /// The immutable tag names other bytes.
    Taken,
    /// The immutable tag was deleted; its name stays burnt.
    Burnt,
    /// The append tag would lose entries.
    Drops,
    /// The writer's condition does not hold.
    Stale,
}

impl RefusedWrite {
    /// The answer to a refusal of the one decision about tag writes.
    ///
    /// `put` is who put the existing digest, and when, where the reader may know it.
    #[must_use]
    pub fn new(
        refusal: TagRefusal,
        repository: RepositoryPath,
        tag: Tag,
        incoming: Digest,
        put: Option<(String, Timestamp)>,
    ) -> Self {
        let (reason, existing) = match refusal {
            TagRefusal::Taken { digest } => (RefusedReason::Taken, Some(digest)),
            TagRefusal::Burnt { digest } => (RefusedReason::Burnt, Some(digest)),
            TagRefusal::Drops { digest } => (RefusedReason::Drops, Some(digest)),
            TagRefusal::Stale { found } => (RefusedReason::Stale, found),
        };
        let (by, at) = put.unzip();
        Self { reason, repository, tag, existing, incoming, by, at }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.reason {
            RefusedReason::Taken | RefusedReason::Burnt | RefusedReason::Drops => {
                StatusCode::CONFLICT
            }
            RefusedReason::Stale => StatusCode::PRECONDITION_FAILED,
        }
    }

    /// The error of the answer, with this value as its detail.
    #[must_use]
    pub fn entry(&self) -> ErrorEntry {
        ErrorEntry {
            code: ErrorCode::Denied,
            message: self.to_string(),
            detail: serde_json::to_value(self).ok(),
        }
    }

    /// Reads the detail of an error that a registry of ours sent.
    #[must_use]
    pub fn read(error: &RemoteError) -> Option<Self> {
        Self::deserialize(error.detail.as_ref()?).ok()
    }
}

impl std::fmt::Display for RefusedWrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let existing = match &self.existing {
            None => "nothing".to_owned(),
            Some(digest) => digest.to_string(),
        };
        let (repository, tag) = (&self.repository, &self.tag);
        write!(f, "tag `{tag}` of {repository} ")?;
        let immutable = "cannot be overwritten because the tag is immutable";
        match self.reason {
            RefusedReason::Taken => write!(f, "{immutable}: it names {existing}"),
            RefusedReason::Burnt => {
                write!(f, "{immutable}: it was deleted, and last named {existing}")
            }
            RefusedReason::Drops => {
                write!(f, "only grows, and the new manifest drops entries of {existing}")
            }
            RefusedReason::Stale => {
                write!(f, "is not what the condition of this write says: it names {existing}")
            }
        }?;
        if let Some(by) = &self.by {
            write!(f, ", put by {by}")?;
        }
        self.at.map_or(Ok(()), |at| write!(f, " at {at}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error_code::{read_errors, write_errors};

    fn refused(refusal: TagRefusal) -> RefusedWrite {
        let at = "2026-03-17T14:39:58Z".parse().unwrap();
        RefusedWrite::new(
            refusal,
            "shop/api".parse().unwrap(),
            "1.4".parse().unwrap(),
            Digest::sha256(b"b"),
            Some(("ci-shop".to_owned(), at)),
        )
    }

    #[test]
    fn a_taken_tag_is_answered_with_what_is_there_who_put_it_and_when() {
        let digest = Digest::sha256(b"a");
        let taken = refused(TagRefusal::Taken { digest });
        assert_eq!(
            taken.to_string(),
            format!(
                "tag `1.4` of shop/api cannot be overwritten because the tag is immutable: it names {digest}, put by ci-shop at 2026-03-17T14:39:58.000Z"
            )
        );
        assert_eq!(taken.status(), StatusCode::CONFLICT);
        assert_eq!(taken.entry().code, ErrorCode::Denied);
    }

    #[test]
    fn the_detail_reads_back_for_every_reason() {
        let digest = Digest::sha256(b"a");
        for refusal in [
            TagRefusal::Taken { digest },
            TagRefusal::Burnt { digest },
            TagRefusal::Drops { digest },
            TagRefusal::Stale { found: None },
        ] {
            let sent = refused(refusal);
            let body = write_errors(&[sent.entry()]);
            assert_eq!(RefusedWrite::read(&read_errors(&body)[0]), Some(sent));
        }
    }

    #[test]
    fn only_a_condition_answers_412() {
        let stale = refused(TagRefusal::Stale { found: None });
        assert_eq!(stale.status(), StatusCode::PRECONDITION_FAILED);
        let digest = Digest::sha256(b"a");
        for refusal in [TagRefusal::Burnt { digest }, TagRefusal::Drops { digest }] {
            assert_eq!(refused(refusal).status(), StatusCode::CONFLICT);
        }
        let burnt = refused(TagRefusal::Burnt { digest }).to_string();
        assert!(burnt.contains("cannot be overwritten because the tag is immutable"));
    }
}
