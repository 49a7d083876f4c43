//! Tokens: the hash of a secret, what it may do and where. The secret itself is never here.

use crate::catalog::rules::read_pattern;
use crate::catalog::{NewToken, TOKEN_NAME_LEN_MAX, TOKENS_MAX, Token, TokenError, TokenHash};
use crate::database::DatabaseError;
use crate::ledger::event_row::Prepared;
use crate::stamping::Stamping;
use domain::Timestamp;
use record::claim::{Right, TokenClaim, TokenState};
use record::{Claim, ClaimKey, Event};
use rusqlite::{Connection, OptionalExtension, Row, params};

struct Raw {
    name: String,
    rights: String,
    repositories: String,
    created: i64,
    revoked: Option<i64>,
}

impl Raw {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get(0)?,
            rights: row.get(1)?,
            repositories: row.get(2)?,
            created: row.get(3)?,
            revoked: row.get(4)?,
        })
    }

    fn read(self) -> Result<Token, DatabaseError> {
        let rights = self.rights.split(',').filter(|word| !word.is_empty());
        let rights = rights
            .map(|word| word.parse::<Right>())
            .collect::<Result<_, _>>()
            .map_err(|why| DatabaseError::unreadable("right of a token", why))?;
        Ok(Token {
            name: self.name,
            rights,
            repositories: read_pattern(&self.repositories)?,
            created: Timestamp::from_millis(self.created),
            revoked: self.revoked.map(Timestamp::from_millis),
        })
    }
}

/// All tokens, by name.
pub(super) fn all(connection: &Connection) -> Result<Vec<Token>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT name, rights, repositories, created, revoked FROM token ORDER BY name",
    )?;
    let rows = select.query_map([], Raw::of)?;
    rows.map(|row| row?.read()).collect()
}

/// The token whose secret has this hash, unless it was revoked.
pub(super) fn by_hash(
    connection: &Connection,
    hash: TokenHash,
) -> Result<Option<Token>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT name, rights, repositories, created, revoked FROM token \
         WHERE hash = ?1 AND revoked IS NULL",
    )?;
    select.query_row([hash.0], Raw::of).optional()?.map(Raw::read).transpose()
}

fn by_name(connection: &Connection, name: &str) -> Result<Option<Token>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT name, rights, repositories, created, revoked FROM token WHERE name = ?1",
    )?;
    select.query_row([name], Raw::of).optional()?.map(Raw::read).transpose()
}

/// Keeps a new token, and says so in the record without its hash.
pub(super) fn create(tx: &Connection, token: &NewToken, by: &Stamping) -> Result<(), TokenError> {
    let name = &token.name;
    let fits = (1..=TOKEN_NAME_LEN_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        return Err(TokenError::Name);
    }
    if by_name(tx, name)?.is_some() {
        return Err(TokenError::Taken { name: name.clone() });
    }
    let count = tx.query_row("SELECT count(*) FROM token", [], |row| row.get::<_, i64>(0));
    if count.map_err(DatabaseError::from)?.unsigned_abs() >= TOKENS_MAX as u64 {
        return Err(TokenError::TooMany);
    }
    let words: Vec<_> = token.rights.iter().map(|right| right.name()).collect();
    let inserted = tx.execute(
        "INSERT INTO token (name, hash, rights, repositories, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            name,
            token.hash.0,
            words.join(","),
            token.repositories.as_str(),
            by.now.as_millis()
        ],
    );
    inserted.map_err(DatabaseError::from)?;
    say(
        tx,
        by,
        TokenState::Created,
        TokenParts { name, rights: &token.rights, repositories: &token.repositories },
    )
}

/// Makes a token useless; the row's `revoked` follows from the event.
pub(super) fn revoke(tx: &Connection, name: &str, by: &Stamping) -> Result<(), TokenError> {
    let unknown = || TokenError::Unknown { name: name.to_owned() };
    let token = by_name(tx, name)?.ok_or_else(unknown)?;
    if token.revoked.is_some() {
        return Ok(());
    }
    let repositories = &token.repositories;
    say(tx, by, TokenState::Revoked, TokenParts { name, rights: &[], repositories })
}

struct TokenParts<'a> {
    name: &'a str,
    rights: &'a [Right],
    repositories: &'a domain::Pattern,
}

fn say(
    tx: &Connection,
    by: &Stamping,
    state: TokenState,
    token: TokenParts<'_>,
) -> Result<(), TokenError> {
    let stamp = by.stamp(0);
    let key = ClaimKey::try_from(format!("token/{}", stamp.id)).expect("a ULID is visible ASCII");
    let claim = Claim::Token(TokenClaim {
        key,
        name: token.name.to_owned(),
        rights: token.rights.to_vec(),
        repositories: token.repositories.clone(),
        state,
    });
    Prepared::new(Event { stamp, claim })?.insert(tx)?;
    Ok(())
}
