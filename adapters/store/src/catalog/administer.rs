//! What an administrator sets: rules, unlocks, tokens. Each change is an event in the same transaction.

use crate::catalog::{
    Catalog, NewToken, RuleError, Token, TokenError, TokenHash, UnlockError, UnlockTag, rules,
    tag_row, tokens, unlock,
};
use crate::database::DatabaseError;
use crate::stamping::Stamping;
use domain::{RepositoryPath, Rule, RuleSet, Tag, Timestamp};
use rusqlite::Connection;
use std::sync::Arc;

impl Catalog {
    /// The rules that somebody set.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rules(&self) -> Result<RuleSet, DatabaseError> {
        self.database.read(rules::read).await
    }

    /// Sets a rule: it is asked first. The same rule in first place again is no event.
    ///
    /// # Errors
    /// There are too many rules.
    pub async fn set_rule(&self, rule: Rule, by: Stamping) -> Result<(), RuleError> {
        self.database.write(move |tx| rules::set(tx, &rule, &by)).await
    }

    /// Opens one immutable tag for a while.
    ///
    /// # Errors
    /// The tag is not immutable, was never written, or the span is longer than an hour.
    pub async fn unlock(&self, unlock: UnlockTag, by: Stamping) -> Result<(), UnlockError> {
        self.database.write(move |tx| unlock::unlock(tx, &unlock, &by)).await
    }

    /// Keeps a new token's hash.
    ///
    /// # Errors
    /// The name was used before.
    pub async fn create_token(&self, token: NewToken, by: Stamping) -> Result<(), TokenError> {
        self.database.write(move |tx| tokens::create(tx, &token, &by)).await
    }

    /// Makes a token useless; again is no event.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn revoke_token(&self, name: &str, by: Stamping) -> Result<(), TokenError> {
        let (hot, name) = (Arc::clone(&self.hot), name.to_owned());
        let revoke = move |tx: &Connection| tokens::revoke(tx, &name, &by);
        self.database.write_then(revoke, move || hot.tokens.forget_all()).await
    }

    /// All tokens, by name, revoked ones included.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, DatabaseError> {
        self.database.read(tokens::all).await
    }

    /// The token whose secret has this hash, unless it was revoked.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn token(&self, hash: TokenHash) -> Result<Option<Token>, DatabaseError> {
        let key = hash.0.iter().map(|byte| char::from(*byte)).collect::<String>();
        let ticket = match self.hot.tokens.get(&key) {
            Ok(token) => return Ok(Some(token)),
            Err(ticket) => ticket,
        };
        let found = self.database.read(move |reader| tokens::by_hash(reader, hash)).await?;
        if let Some(token) = &found {
            self.hot.tokens.keep(ticket, key, token.clone(), 1);
        }
        Ok(found)
    }

    /// Until when a tag was unlocked last, if it ever was; the moment may be over.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unlocked_until(
        &self,
        repository: &RepositoryPath,
        tag: &Tag,
    ) -> Result<Option<Timestamp>, DatabaseError> {
        let (path, tag) = (repository.clone(), tag.clone());
        self.database.read(move |reader| tag_row::unlocked_until(reader, &path, &tag)).await
    }
}
