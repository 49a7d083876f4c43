//! What digests hold: which platforms and configurations a build consists of, read while a rollout is waited for.
//!
//! ```text
//! a pod reports sha256:3…, sha256:9… was meant  ->  the registry is asked what sha256:9… holds, five times at most
//! ```
//! Reads run at once, a few at a time, each with its own deadline; what is read once is kept.

use super::patience::Reads;
use crate::app::App;
use crate::registries::Registries;
use ::record::claim::PlatformImage;
use domain::{Digest, Repository};
use futures_util::stream::{self, StreamExt as _};
use release::observed::Registered;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// One image, with all of its platforms.
const READ_WITHIN: Duration = Duration::from_secs(20);
/// Images that are read at the same time.
const IN_FLIGHT_MAX: usize = 8;

/// What digests hold, as far as it could be read.
#[derive(Default)]
pub(super) struct Known {
    pub(super) registered: Registered,
    reads: BTreeMap<(Repository, Digest), Reads>,
}

/// Whether anything more is known than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learnt {
    Something,
    Nothing,
}

impl Known {
    /// Whether any of these may still be read, now or later.
    pub(super) fn may_learn(&self, wanted: &BTreeSet<(Repository, Digest)>) -> bool {
        wanted.iter().any(|one| {
            !self.registered.contents.contains_key(&one.1)
                && self.reads.get(one).is_none_or(|reads| !reads.is_given_up())
        })
    }

    /// Reads what images hold.
    pub(super) async fn look_into(
        &mut self,
        app: &App,
        wanted: &BTreeSet<(Repository, Digest)>,
    ) -> Learnt {
        if wanted.is_empty() {
            return Learnt::Nothing;
        }
        let registries = Registries::of(app).ok();
        let read = |repository: Repository, digest: Digest| {
            let registries = registries.clone();
            async move {
                let facts = registries?.describe(&repository, digest).await.ok()?;
                Some(facts.platforms)
            }
        };
        self.read(wanted, Instant::now(), read).await
    }

    async fn read<F>(
        &mut self,
        wanted: &BTreeSet<(Repository, Digest)>,
        now: Instant,
        read: impl Fn(Repository, Digest) -> F,
    ) -> Learnt
    where
        F: Future<Output = Option<Vec<PlatformImage>>>,
    {
        let is_due = |one: &&(Repository, Digest)| {
            !self.registered.contents.contains_key(&one.1)
                && self.reads.get(*one).is_none_or(|reads| reads.is_due(now))
        };
        let due: Vec<(Repository, Digest)> = wanted.iter().filter(is_due).cloned().collect();
        let asked = due.into_iter().map(|one| {
            let asked = tokio::time::timeout(READ_WITHIN, read(one.0.clone(), one.1));
            async move { (one, asked.await.ok().flatten()) }
        });
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(IN_FLIGHT_MAX).collect().await;
        let mut learnt = Learnt::Nothing;
        for (one, answer) in answers {
            match answer {
                Some(platforms) => {
                    self.registered.contents.insert(one.1, platforms);
                    learnt = Learnt::Something;
                }
                None => self.reads.entry(one).or_default().failed(Instant::now()),
            }
        }
        learnt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn wanted() -> BTreeSet<(Repository, Digest)> {
        let digest = format!("sha256:{}", "9".repeat(64)).parse().unwrap();
        [("registry.example.com/shop/api".parse().unwrap(), digest)].into()
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_registry_could_not_tell_once_is_asked_again() {
        let (mut known, asked, wanted) = (Known::default(), Mutex::new(0), wanted());
        let read = |_, _| {
            *asked.lock().unwrap() += 1;
            let answer = (*asked.lock().unwrap() == 2).then(Vec::new);
            async move { answer }
        };
        assert_eq!(known.read(&wanted, Instant::now(), read).await, Learnt::Nothing);
        assert_eq!(known.read(&wanted, Instant::now(), read).await, Learnt::Nothing);
        assert_eq!(*asked.lock().unwrap(), 1, "not without a pause");
        assert!(known.may_learn(&wanted));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(known.read(&wanted, Instant::now(), read).await, Learnt::Something);
        assert!(!known.may_learn(&wanted), "it is known by now");
    }

    #[tokio::test(start_paused = true)]
    async fn a_registry_that_never_answers_is_given_up_and_keeps_nobody_for_long() {
        let (mut known, wanted, begun) = (Known::default(), wanted(), Instant::now());
        while known.may_learn(&wanted) {
            let never = |_, _| std::future::pending();
            assert_eq!(known.read(&wanted, Instant::now(), never).await, Learnt::Nothing);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let took = begun.elapsed().as_secs();
        assert!((100..=150).contains(&took), "five reads of 20 s, and the pauses: {took}");
    }
}
