//! Vendors' own APIs, one file per vendor: what neither the distribution protocol nor git has.
//!
//! ```text
//! indelible     rules, unlock, tokens, tag history and record of a server of ours
//! pull_request  pull requests of GitHub, GitLab and Azure DevOps
//! ```

pub mod indelible;
pub mod pull_request;

pub use indelible::{Api, ApiError, NewToken, RuleOf, TokenListed, Unlocked};
