//! Who sends a request, and what they may do.
//!
//! ```text
//! Authorization: Bearer ind_…  ->  Caller { actor: ci-shop (token), rights: pull push-new-tags, in shop/** }
//! no token was ever made, loopback -> Caller { actor: anonymous (loopback), every right, everywhere }
//! ```
//! Answers depend on what the caller may read, never on what exists: a refusal is decided before any row
//! is looked at. Source: DESIGN §9, threat 4, and §12, "Tokens".

pub(crate) mod admin;
mod caller;
mod credential;
pub(crate) mod origin;

pub(crate) use caller::{Caller, Need};

use crate::options::Anonymous;
use crate::reply::Refusal;
use credential::Credential;
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Catalog, DatabaseError, TokenHash};

/// Tokens that are kept in memory after they were looked up; above it the memory starts again.
const REMEMBERED_MAX: usize = 1_024;

/// The door.
#[derive(Debug)]
pub(crate) struct Access {
    anonymous: Anonymous,
    admin: [u8; 32],
    administrator: Arc<Caller>,
    nobody_known: Arc<Caller>,
    /// Whether a token was ever made: from then on nobody enters without one.
    has_tokens: AtomicBool,
    remembered: Mutex<Remembered>,
}

/// Tokens that were looked up; `round` counts how often tokens changed.
#[derive(Debug, Default)]
struct Remembered {
    round: u64,
    callers: HashMap<[u8; 32], Arc<Caller>>,
}

impl Access {
    /// Reads whether there are tokens.
    pub(crate) async fn open(
        catalog: &Catalog,
        anonymous: Anonymous,
        admin_token: &str,
    ) -> Result<Self, DatabaseError> {
        let has_tokens = !catalog.tokens().await?.is_empty();
        Ok(Self {
            anonymous,
            admin: hash(admin_token),
            administrator: Arc::new(Caller::administrator()),
            nobody_known: Arc::new(Caller::anonymous(anonymous)),
            has_tokens: AtomicBool::new(has_tokens),
            remembered: Mutex::default(),
        })
    }

    /// Whether somebody without a token can come in now.
    pub(crate) fn is_open(&self) -> bool {
        let lets_in = match self.anonymous {
            Anonymous::OnLoopback | Anonymous::Everywhere => true,
            Anonymous::Nowhere => false,
        };
        lets_in && !self.has_tokens.load(Ordering::Acquire)
    }

    /// Whether a token was ever made.
    pub(crate) fn has_tokens(&self) -> bool {
        self.has_tokens.load(Ordering::Acquire)
    }

    /// Finds out who sends a request.
    pub(crate) async fn caller(
        &self,
        catalog: &Catalog,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<Arc<Caller>, Refusal> {
        match Credential::read(headers) {
            Credential::Absent => self.without_token(peer),
            Credential::Unreadable => Err(Refusal::WrongToken),
            Credential::Token(token) => self.with_token(catalog, hash(token.expose())).await,
        }
    }

    fn without_token(&self, peer: SocketAddr) -> Result<Arc<Caller>, Refusal> {
        let is_near = match self.anonymous {
            Anonymous::OnLoopback => peer.ip().to_canonical().is_loopback(),
            Anonymous::Everywhere => true,
            Anonymous::Nowhere => false,
        };
        if is_near && self.is_open() {
            Ok(Arc::clone(&self.nobody_known))
        } else {
            Err(Refusal::TokenMissing)
        }
    }

    async fn with_token(&self, catalog: &Catalog, hash: [u8; 32]) -> Result<Arc<Caller>, Refusal> {
        if is_same(&hash, &self.admin) {
            return Ok(Arc::clone(&self.administrator));
        }
        // What is compared here are hashes: how long it takes tells nothing about a secret.
        let round = {
            let remembered = self.remembered();
            if let Some(caller) = remembered.callers.get(&hash) {
                return Ok(Arc::clone(caller));
            }
            remembered.round
        };
        let token = catalog.token(TokenHash(hash)).await?;
        let token = token.filter(|token| token.revoked.is_none()).ok_or(Refusal::WrongToken)?;
        let caller = Arc::new(Caller::of(token)?);
        let mut remembered = self.remembered();
        // A token that was revoked while it was looked up is not remembered.
        if remembered.round == round {
            if remembered.callers.len() >= REMEMBERED_MAX {
                remembered.callers.clear();
            }
            remembered.callers.insert(hash, Arc::clone(&caller));
        }
        Ok(caller)
    }

    /// Forgets what was looked up: called after each change of the tokens.
    pub(crate) fn tokens_changed(&self) {
        self.has_tokens.store(true, Ordering::Release);
        let mut remembered = self.remembered();
        remembered.round += 1;
        remembered.callers.clear();
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Remembered> {
        // The map is whole after every statement that changes it.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash under which a token is kept.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Compares in the same time wherever the difference is.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let difference = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_differ_wherever_one_bit_does() {
        let one = hash("a");
        assert!(is_same(&one, &hash("a")));
        for at in 0..32 {
            let mut other = one;
            other[at] ^= 0x80;
            assert!(!is_same(&one, &other), "{at}");
        }
    }
}
