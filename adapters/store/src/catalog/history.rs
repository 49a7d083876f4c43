//! The history of one tag, or of all tags of a repository, out of the record.

use crate::catalog::Catalog;
use crate::database::DatabaseError;
use crate::ledger::query::{self, Order, PAGE_MAX, Query};
use domain::{RepositoryPath, Tag};
use record::{Facet, Kind, Sequenced};
use rusqlite::Connection;

impl Catalog {
    /// What happened to one tag, newest first, below a sequence number: its changes and its unlocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tag_history(
        &self,
        repository: &RepositoryPath,
        tag: &Tag,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Sequenced>, DatabaseError> {
        let about = [(Facet::Repository, repository.to_string()), (Facet::Tag, tag.to_string())];
        self.history(about.into(), before, limit).await
    }

    /// The same of every tag that the repository ever had, those that are gone too.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn repository_history(
        &self,
        repository: &RepositoryPath,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Sequenced>, DatabaseError> {
        self.history(vec![(Facet::Repository, repository.to_string())], before, limit).await
    }

    async fn history(
        &self,
        all_of: Vec<(Facet, String)>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Sequenced>, DatabaseError> {
        let kinds = vec![Kind::TagChange, Kind::Unlock];
        let order = Order::NewestFirst;
        let query = Query { kinds, all_of, before, order, ..Query::default() };
        self.database.read(move |reader| own(reader, query, limit)).await
    }
}

/// What is said of this registry's own tags: one that was only observed at another registry has the same path.
///
/// As many as are asked for: a caller that asks for one above a page, to learn whether there is more, gets it.
fn own(
    reader: &Connection,
    mut query: Query,
    limit: usize,
) -> Result<Vec<Sequenced>, DatabaseError> {
    query.limit = limit.min(PAGE_MAX);
    let mut own = Vec::new();
    while own.len() < limit {
        let page = query::events(reader, &query)?;
        let Some(last) = page.last() else {
            break;
        };
        query.before = Some(last.seq);
        own.extend(page.into_iter().filter(|said| {
            let change = said.event.claim.as_tag_change();
            change.is_none_or(|change| change.registry.is_none())
        }));
    }
    own.truncate(limit);
    Ok(own)
}
