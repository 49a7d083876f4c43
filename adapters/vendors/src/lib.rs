//! Registries' management APIs, one file per vendor: what the distribution protocol does not have.
//!
//! ```text
//! indelible   rules, unlock, tokens, tag history and record of a server of ours
//! ```

pub mod indelible;

pub use indelible::{Api, ApiError, NewToken, RuleOf, TokenListed, Unlocked};
