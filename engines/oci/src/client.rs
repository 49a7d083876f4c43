//! The client's side: what is asked of a registry, and what its answers say.
//!
//! ```text
//! WWW-Authenticate: Bearer realm="…",scope="…" -> Challenge -> token request -> Token
//! Location: /v2/…/uploads/x?_state=…           -> the Uri to send the next chunk to
//! ```
//! Does not send anything and keeps no state: retries, redirects and credentials are the caller's.

pub mod challenge;
pub mod header;
pub mod location;
pub mod retry;
pub mod token;
pub mod url;
