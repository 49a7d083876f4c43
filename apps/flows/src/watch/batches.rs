//! Claims on their way into the record, as many at once as it takes: what it has already and what it will never take
//! hold up nothing else.
//!
//! ```text
//! 256 claims  ->  recorded · one is known already (another watcher was first) · refused: 128, 64 … the one is found
//! ```
//! A refusal is no outage: the same claims would be refused again for ever.

use crate::seam::{Record, RecordError, Recorded};
use ::record::Claim;
use ::record::claim::CLAIMS_AT_ONCE_MAX;

/// How many are sent at once: fewer while one that is refused is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches {
    at_once: usize,
}

/// What became of the first claims that wait.
#[derive(Debug)]
pub(super) enum Sent {
    /// They are in the record.
    Recorded(Vec<Recorded>),
    /// Of the first so many, one stands there already under this key, as somebody else said it.
    Taken {
        /// So many were sent.
        count: usize,
        /// The key.
        key: String,
    },
    /// The record will never take the first of them.
    Refused(RecordError),
    /// One of them is refused; fewer are sent next.
    Narrowed,
}

impl Default for Batches {
    fn default() -> Self {
        Self { at_once: CLAIMS_AT_ONCE_MAX }
    }
}

impl Batches {
    /// Sends the first of some claims.
    ///
    /// # Errors
    /// The record cannot be used, or does not let this watcher.
    pub(super) async fn send(
        &mut self,
        record: &dyn Record,
        claims: &[Claim],
    ) -> Result<Sent, RecordError> {
        let count = claims.len().min(self.at_once);
        let sent = &claims[..count];
        match record.append(sent.to_vec()).await {
            Ok(recorded) => {
                self.at_once = self.at_once.saturating_mul(2).min(CLAIMS_AT_ONCE_MAX);
                Ok(Sent::Recorded(recorded))
            }
            Err(RecordError::KeyTaken { key, .. })
                if claims.iter().any(|claim| claim.key().as_str() == key) =>
            {
                Ok(Sent::Taken { count, key })
            }
            Err(error @ (RecordError::Refused { .. } | RecordError::Limit(_))) if count == 1 => {
                self.at_once = CLAIMS_AT_ONCE_MAX;
                Ok(Sent::Refused(error))
            }
            Err(RecordError::Refused { .. } | RecordError::Limit(_)) => {
                self.at_once = (count / 2).max(1);
                Ok(Sent::Narrowed)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record_local::LocalRecord;
    use crate::seam::{Question, all};
    use crate::surroundings::Surroundings;
    use ::record::claim::FindingChange;
    use ::record::fuzz::story::Story;
    use domain::{Actor, Proof, Timestamp};
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn record(folder: &std::path::Path) -> LocalRecord {
        let made = AtomicU64::new(1);
        let surroundings = Surroundings {
            cwd: folder.into(),
            variables: BTreeMap::new(),
            clock: Arc::new(|| Timestamp::from_millis(1_773_758_400_000)),
            entropy: Arc::new(move || u128::from(made.fetch_add(1, Ordering::Relaxed)) << 20),
        };
        let actor = Actor::new("watcher", Proof::Token).unwrap();
        LocalRecord::at(folder.join("record.db"), "local", actor, surroundings)
    }

    /// Findings of so many workloads; some say more than any record takes.
    fn claims(count: usize, too_long: &[usize]) -> Vec<Claim> {
        let mut story = Story::new();
        for number in 0..count {
            let at = story.next_time();
            story.finding_opens(&format!("api-{number}"), 1, at);
        }
        let mut claims: Vec<Claim> =
            story.events().iter().map(|event| event.event.claim.clone()).collect();
        for at in too_long {
            let Claim::Finding(finding) = &mut claims[*at] else { panic!("it is a finding") };
            let FindingChange::Opened(opened) = &mut finding.change else { panic!("it opens") };
            opened.found = vec![opened.found[0].clone(); 1_000];
        }
        claims
    }

    #[tokio::test]
    async fn what_a_record_never_takes_is_found_and_everything_else_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let record = record(folder.path());
        let mut waiting = claims(300, &[7, 8, 290]);
        let wrong: Vec<String> =
            [7, 8, 290].iter().map(|at: &usize| waiting[*at].key().to_string()).collect();
        let (mut batches, mut refused, mut sends) = (Batches::default(), Vec::new(), 0);
        while !waiting.is_empty() {
            sends += 1;
            assert!(sends < 60, "it is tried for ever");
            match batches.send(&record, &waiting).await.unwrap() {
                Sent::Recorded(recorded) => drop(waiting.drain(..recorded.len())),
                Sent::Refused(_) => refused.push(waiting.remove(0).key().to_string()),
                Sent::Taken { key, .. } => panic!("{key} is nobody's"),
                Sent::Narrowed => {}
            }
        }
        assert_eq!(refused, wrong);
        assert_eq!(all(&record, &Question::default()).await.unwrap().len(), 297);
    }

    #[tokio::test]
    async fn what_another_watcher_said_first_is_told_by_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let record = record(folder.path());
        let mut waiting = claims(2, &[]);
        record.append(vec![waiting[1].clone()]).await.unwrap();
        let Claim::Finding(finding) = &mut waiting[1] else { panic!("it is a finding") };
        finding.at = finding.at.plus_millis(1);
        let key = waiting[1].key().to_string();
        let sent = Batches::default().send(&record, &waiting).await.unwrap();
        assert!(matches!(sent, Sent::Taken { count: 2, key: taken } if taken == key));
    }
}
