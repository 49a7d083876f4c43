//! One collection followed: list, watch, watch again from where it was lost, list again where that is too long ago.

use crate::error::ClusterError;
use crate::pods::{PAGE, PAGE_WITHIN};
use futures_util::{StreamExt as _, TryStreamExt as _};
use kube::Resource;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use release::observed::Report;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// A watch is renewed so often: its server sends a bookmark shortly before, also where nothing happens.
/// Source: Kubernetes, `cacheWatcher.nextBookmarkTime`: two seconds before the end, else every minute.
const WATCH_SECONDS: u32 = 45;
/// A watch that has said nothing for so long is half dead.
const IDLE_MAX: Duration = Duration::from_secs(55);
/// The longest wait before the next try.
const WAIT_MAX_MS: u64 = 30_000;
/// The first wait.
const WAIT_MIN_MS: u64 = 250;

/// What is seen of a collection.
pub(super) enum Seen<K> {
    ListBegins,
    Listed(K),
    ListEnds,
    Changed(K),
    Deleted(K),
    Alive,
}

/// What to follow.
pub(super) struct Follow<'a, K> {
    pub(super) api: Api<K>,
    pub(super) context: &'a str,
    pub(super) what: String,
    pub(super) seed: u64,
}

/// How a watch goes on.
enum Next {
    /// From this version.
    Watch(String),
    /// The version is too old, or unusable: from a new list.
    List,
    /// Nobody listens.
    Stop,
}

/// Why a list is not complete.
enum Unlisted {
    Error(kube::Error),
    TooLate,
    Stop,
}

impl<K> Follow<'_, K>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    /// Follows until nobody listens; a first list that is refused is an error.
    pub(super) async fn run(
        self,
        mut report: impl FnMut(Seen<K>) -> Option<Report>,
        out: &Sender<Report>,
    ) -> Result<(), ClusterError> {
        let mut tell = Tell { report: &mut report, out };
        let mut pace = Pace::new(self.seed);
        let mut version = None;
        let mut has_listed = false;
        loop {
            let from = match version.take() {
                Some(version) => version,
                None => match self.list(&mut tell).await {
                    Ok(version) => {
                        has_listed = true;
                        version
                    }
                    Err(Unlisted::Stop) => return Ok(()),
                    Err(error) if has_listed || error.may_pass() => {
                        self.warn(&self.explain(error));
                        pace.wait().await;
                        continue;
                    }
                    Err(error) => return Err(self.explain(error)),
                },
            };
            match self.watch(from, &mut tell, &mut pace).await {
                Next::Watch(last) => version = Some(last),
                Next::List => {}
                Next::Stop => return Ok(()),
            }
        }
    }

    /// Lists by pages; gives the version from which changes follow.
    async fn list(&self, tell: &mut Tell<'_, K>) -> Result<String, Unlisted> {
        tell.tell(Seen::ListBegins).await.map_err(|Deaf| Unlisted::Stop)?;
        // No version is named: the answer is the most recent, agreed on by the store's majority.
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let asked = tokio::time::timeout(PAGE_WITHIN, self.api.list(&page)).await;
            let list = asked.map_err(|_| Unlisted::TooLate)?.map_err(Unlisted::Error)?;
            for item in list.items {
                tell.tell(Seen::Listed(item)).await.map_err(|Deaf| Unlisted::Stop)?;
            }
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => {
                    tell.tell(Seen::ListEnds).await.map_err(|Deaf| Unlisted::Stop)?;
                    return Ok(list.metadata.resource_version.unwrap_or_default());
                }
            }
        }
    }

    /// Watches once, until it ends in whatever way.
    async fn watch(&self, from: String, tell: &mut Tell<'_, K>, pace: &mut Pace) -> Next {
        let params = WatchParams { timeout: Some(WATCH_SECONDS), ..WatchParams::default() };
        let asked = tokio::time::timeout(PAGE_WITHIN, self.api.watch(&params, &from)).await;
        let stream = match asked {
            Ok(Ok(stream)) => stream.into_stream(),
            Ok(Err(kube::Error::Api(status))) if status.code == 410 => return Next::List,
            Ok(Err(error)) => {
                self.warn(&ClusterError::of(error, self.context, "watch", || self.what.clone()));
                pace.wait().await;
                return Next::Watch(from);
            }
            Err(_) => {
                pace.wait().await;
                return Next::Watch(from);
            }
        };
        let mut stream = std::pin::pin!(stream);
        let mut version = from;
        loop {
            let event = match tokio::time::timeout(IDLE_MAX, stream.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => {
                    // What cannot be read now cannot be read again from the same version either.
                    let is_unreadable =
                        matches!(error, kube::Error::SerdeError(_) | kube::Error::Api(_));
                    self.warn(&ClusterError::of(error, self.context, "watch", || {
                        self.what.clone()
                    }));
                    pace.wait().await;
                    return if is_unreadable { Next::List } else { Next::Watch(version) };
                }
                // Its time is over, or it is half dead: another one from here loses nothing.
                Ok(None) | Err(_) => {
                    if !pace.is_fresh() {
                        pace.wait().await;
                    }
                    pace.tire();
                    return Next::Watch(version);
                }
            };
            let (next, seen) = match event {
                WatchEvent::Added(item) | WatchEvent::Modified(item) => {
                    (item.meta().resource_version.clone(), Seen::Changed(item))
                }
                WatchEvent::Deleted(item) => {
                    (item.meta().resource_version.clone(), Seen::Deleted(item))
                }
                WatchEvent::Bookmark(mark) => (Some(mark.metadata.resource_version), Seen::Alive),
                WatchEvent::Error(status) if status.code == 410 => return Next::List,
                WatchEvent::Error(status) => {
                    let error = kube::Error::Api(status);
                    self.warn(&ClusterError::of(error, self.context, "watch", || {
                        self.what.clone()
                    }));
                    pace.wait().await;
                    return Next::List;
                }
            };
            version = next.unwrap_or(version);
            pace.rest();
            if tell.tell(seen).await.is_err() {
                return Next::Stop;
            }
        }
    }

    fn explain(&self, unlisted: Unlisted) -> ClusterError {
        match unlisted {
            Unlisted::Error(error) => {
                ClusterError::of(error, self.context, "list", || self.what.clone())
            }
            Unlisted::TooLate | Unlisted::Stop => ClusterError::TooLate {
                context: self.context.to_owned(),
                seconds: PAGE_WITHIN.as_secs(),
            },
        }
    }

    fn warn(&self, error: &ClusterError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(what = %self.what, %error, cause = cause.unwrap_or_default(), "watch: trying again");
    }
}

impl Unlisted {
    /// Whether another try may do better: an old snapshot; anything else is told to who asked first.
    fn may_pass(&self) -> bool {
        matches!(self, Self::Error(kube::Error::Api(status)) if status.code == 410)
    }
}

/// Nobody listens any more.
struct Deaf;

/// What is seen, cut down and handed on.
struct Tell<'a, K> {
    report: &'a mut dyn FnMut(Seen<K>) -> Option<Report>,
    out: &'a Sender<Report>,
}

impl<K> Tell<'_, K> {
    async fn tell(&mut self, seen: Seen<K>) -> Result<(), Deaf> {
        match (self.report)(seen) {
            Some(report) => self.out.send(report).await.map_err(|_| Deaf),
            None if self.out.is_closed() => Err(Deaf),
            None => Ok(()),
        }
    }
}

/// Waits that grow, each somewhere in its upper half: many watchers of a server that comes back come one by one.
struct Pace {
    tries: u32,
    state: u64,
}

impl Pace {
    fn new(seed: u64) -> Self {
        Self { tries: 0, state: seed | 1 }
    }

    fn is_fresh(&self) -> bool {
        self.tries == 0
    }

    /// Something came: the next wait is short again.
    fn rest(&mut self) {
        self.tries = 0;
    }

    /// Another try without anything having come.
    fn tire(&mut self) {
        self.tries = self.tries.saturating_add(1);
    }

    async fn wait(&mut self) {
        let longest = WAIT_MIN_MS.saturating_mul(1 << self.tries.min(10)).min(WAIT_MAX_MS);
        self.tire();
        // Source: Marsaglia, "Xorshift RNGs", 2003: good enough to spread waits.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let wait = longest / 2 + self.state % (longest / 2 + 1);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}
