//! Who the caller is to this server: the actor of what it says, and what it may do.
//!
//! ```text
//! GET /api/v1/whoami -> {"actor":{"name":"ci-shop","proof":"token"},"rights":["claims"],"repositories":"shop/**"}
//! ```

use super::request::json;
use super::{Answered, Asked};
use axum::extract::State;
use http::StatusCode;
use serde_json::json as value;

/// `GET /api/v1/whoami`.
pub(super) async fn get(State(asked): State<Asked>) -> Answered {
    let (rights, repositories) = asked.caller.told();
    let actor = asked.caller.actor();
    let told = value!({ "actor": actor, "rights": rights, "repositories": repositories });
    json(StatusCode::OK, &told)
}
