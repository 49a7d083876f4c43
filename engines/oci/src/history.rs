//! The history of a tag, as a registry of ours answers it: newest first.
//!
//! ```text
//! {"name":"shop/api","tag":"uat","history":[{"cursor":"42","at":"2026-03-17T14:39:58.000Z",
//!   "change":"moved","from":"sha256:…","digest":"sha256:…","actor":{"name":"ci-shop","proof":"token"}}]}
//! ```
//! It outlives the tag and its manifests. A plain list, as the reviewers of distribution-spec#606 ask for.

use crate::document::DocumentError;
use crate::limit::LIST_BODY_BYTES_MAX;
use domain::{Actor, Digest, RepositoryPath, Tag, Timestamp};
use serde::{Deserialize, Serialize};

/// One page of a tag's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The repository.
    pub name: RepositoryPath,
    /// The tag.
    pub tag: Tag,
    /// What happened to it, newest first.
    pub history: Vec<HistoryEntry>,
}

/// One line of a tag's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// What `last=` takes to go on after this entry.
    pub cursor: String,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub change: HistoryChange,
    /// Who; left out where the reader may not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What happened to a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum HistoryChange {
    /// It was written for the first time.
    Created {
        /// What it names since.
        digest: Digest,
    },
    /// It names something else since.
    Moved {
        /// What it named before.
        from: Digest,
        /// What it names since.
        digest: Digest,
    },
    /// It was deleted.
    Deleted {
        /// What it named last.
        from: Digest,
    },
    /// It came back after it was deleted.
    Restored {
        /// What it had named last.
        from: Digest,
        /// What it names since.
        digest: Digest,
    },
    /// An administrator let it be moved for a while, although it is immutable.
    Unlocked {
        /// Until then.
        until: Timestamp,
    },
}

impl HistoryChange {
    /// What the tag names by this; of what moves nothing, nothing.
    #[must_use]
    pub fn names(&self) -> Option<&Digest> {
        match self {
            Self::Created { digest }
            | Self::Moved { digest, .. }
            | Self::Restored { digest, .. } => Some(digest),
            Self::Deleted { .. } | Self::Unlocked { .. } => None,
        }
    }
}

/// The history of a tag, or of a whole repository: each entry with its tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagEntry {
    /// The tag.
    pub tag: Tag,
    /// What happened to it.
    #[serde(flatten)]
    pub entry: HistoryEntry,
}

impl HistoryPage {
    /// Writes the page.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("names, times and digests are always JSON")
    }

    /// Reads a page.
    ///
    /// # Errors
    /// Larger than [`LIST_BODY_BYTES_MAX`], or no such page.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let (found, max) = (bytes.len(), LIST_BODY_BYTES_MAX);
        if found > max {
            return Err(DocumentError::Size { found, max });
        }
        serde_json::from_slice(bytes)
            .map_err(|wrong| DocumentError::Json { reason: wrong.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Proof;

    #[test]
    fn a_page_is_a_plain_list_and_reads_back() {
        let (a, b) = (Digest::sha256(b"a"), Digest::sha256(b"b"));
        let at: Timestamp = "2026-03-17T14:39:58Z".parse().unwrap();
        let entry = |cursor: &str, change| HistoryEntry {
            cursor: cursor.to_owned(),
            at,
            change,
            actor: None,
            reason: None,
        };
        let mut page = HistoryPage {
            name: "shop/api".parse().unwrap(),
            tag: "uat".parse().unwrap(),
            history: vec![
                entry("5", HistoryChange::Unlocked { until: at }),
                entry("4", HistoryChange::Restored { from: b, digest: b }),
                entry("3", HistoryChange::Deleted { from: b }),
                entry("2", HistoryChange::Moved { from: a, digest: b }),
                entry("1", HistoryChange::Created { digest: a }),
            ],
        };
        page.history[1].actor = Some(Actor::new("ci-shop", Proof::Token).unwrap());
        assert_eq!(HistoryPage::read(&page.write()), Ok(page.clone()));
        let unlocked = TagEntry { tag: "1.4".parse().unwrap(), entry: page.history.remove(0) };
        let text = serde_json::to_string(&unlocked).unwrap();
        assert_eq!(
            text,
            r#"{"tag":"1.4","cursor":"5","at":"2026-03-17T14:39:58.000Z","change":"unlocked","until":"2026-03-17T14:39:58.000Z"}"#
        );
        assert_eq!(serde_json::from_str::<TagEntry>(&text).unwrap(), unlocked);
        page.history.drain(1..);
        assert_eq!(
            String::from_utf8(page.write()).unwrap(),
            format!(
                r#"{{"name":"shop/api","tag":"uat","history":[{{"cursor":"4","at":"2026-03-17T14:39:58.000Z","change":"restored","from":"{b}","digest":"{b}","actor":{{"name":"ci-shop","proof":"token"}}}}]}}"#
            )
        );
    }
}
