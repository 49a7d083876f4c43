//! From the files of the branch to the rows of the cache, as far as a tip.
//!
//! ```text
//! cache at 1a2b…, branch at 9f8e…  ->  what the commits between them added is read and inserted; cache at 9f8e…
//! ```
//! What an append of our own added is not read back: its bytes were made here.

use super::files::{event_of, in_order, is_event_path};
use super::{GitRecord, Stop};
use ::record::event::Event;
use git::{AppendError, Appended, GitError, Tip};

impl GitRecord {
    /// Brings the cache up to a tip, or to a newer one that another process of this user has shown it.
    pub(super) async fn project(&self, tip: &Tip) -> Result<(), Stop> {
        let known = self.known_tip().await?;
        self.seen_before.get_or_init(|| known.commit().cloned());
        match self.project_since(&known, tip).await {
            // The cache may be ahead of us. That this tip is an ancestor of what it knows proves nothing: so is
            // the tip of a branch that somebody wound back. What the remote has now decides, for `known` was
            // read before it is asked.
            Err(Stop::Git(GitError::Rewritten { .. })) => {
                let now = self.branch.fetch().await?;
                self.project_since(&known, &now).await
            }
            other => other,
        }
    }

    async fn project_since(&self, known: &Tip, tip: &Tip) -> Result<(), Stop> {
        if known == tip {
            return Ok(());
        }
        let files = self.branch.added_since(known, tip).await?;
        let events = files.iter().filter(|file| is_event_path(&file.path)).map(event_of);
        let events = events.collect::<Result<Vec<_>, _>>()?;
        let tip = tip.commit().map(ToString::to_string);
        self.cache.insert_events(events, tip).await.map_err(|error| Stop::Cache(error.into()))?;
        Ok(())
    }

    pub(super) async fn fetch(&self) -> Result<(), Stop> {
        let tip = self.branch.fetch().await?;
        self.project(&tip).await
    }

    /// Fetches once in the life of this process; an append fetches by itself.
    pub(super) async fn fetch_once(&self) -> Result<(), Stop> {
        self.fetched.get_or_try_init(|| self.fetch()).await.copied()
    }

    /// Brings the cache up to an append of our own. What it added `on` a tip is known without asking git.
    pub(super) async fn project_appended<'a>(
        &self,
        appended: Result<Appended, AppendError<Stop>>,
        on: &Tip,
        new: impl Iterator<Item = &'a Event>,
    ) -> Result<(), Stop> {
        let commit = match appended {
            Ok(Appended::New { commit, .. }) => commit,
            Ok(Appended::Same { tip }) => return self.project(&tip).await,
            Ok(Appended::Taken { path, bytes }) => return Err(self.taken(path, &bytes)),
            Err(AppendError::Git(error)) => return Err(error.into()),
            Err(AppendError::Decide(stop)) => return Err(stop),
        };
        if self.known_tip().await? != *on {
            return self.project(&Tip::At(commit)).await;
        }
        let tip = Some(commit.to_string());
        let inserted = self.cache.insert_events(in_order(new), tip).await;
        inserted.map(drop).map_err(|error| Stop::Cache(error.into()))
    }

    /// Where the cache stands.
    async fn known_tip(&self) -> Result<Tip, Stop> {
        let known = self.cache.tip().await.map_err(|error| Stop::Cache(error.into()))?;
        Ok(match known.map(|text| text.parse()) {
            Some(Ok(commit)) => Tip::At(commit),
            Some(Err(_)) | None => Tip::Absent,
        })
    }
}
