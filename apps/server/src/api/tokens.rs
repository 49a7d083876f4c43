//! Tokens: made, listed, revoked. The secret is answered once and kept nowhere.

use super::request::{json, read_json};
use super::{Answered, Asked};
use crate::access::{admin::new_secret, hash};
use crate::reply::Refusal;
use axum::extract::{Path, Request, State};
use domain::{Pattern, Timestamp};
use http::StatusCode;
use record::claim::Right;
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use store::{NewToken, Token, TokenHash};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
    rights: Vec<Right>,
    repositories: Option<Pattern>,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    rights: Vec<Right>,
    repositories: Pattern,
    created: Timestamp,
    revoked: Option<Timestamp>,
}

/// `GET /api/v1/tokens`.
pub(super) async fn get(State(asked): State<Asked>) -> Answered {
    asked.caller.needs_admin()?;
    let tokens = asked.app.catalog.tokens().await?;
    let listed: Vec<Listed> = tokens.into_iter().map(list).collect();
    json(StatusCode::OK, &value!({ "tokens": listed }))
}

fn list(token: Token) -> Listed {
    let Token { name, rights, repositories, created, revoked } = token;
    Listed { name, rights, repositories, created, revoked }
}

/// `POST /api/v1/tokens` with `{"name","rights":[…],"repositories"}`.
pub(super) async fn post(State(asked): State<Asked>, req: Request) -> Answered {
    asked.caller.needs_admin()?;
    let Body { name, mut rights, repositories } = read_json(req).await?;
    rights.sort_unstable();
    rights.dedup();
    if rights.is_empty() {
        let message = "`rights` is empty: a token that may do nothing is a slip";
        return Err(Refusal::Invalid(message.to_owned()).into());
    }
    let repositories = repositories.unwrap_or_else(Pattern::everything);
    let secret = new_secret().map_err(Refusal::internal)?;
    let answer = value!({
        "name": name, "rights": rights, "repositories": repositories, "token": secret.expose(),
    });
    let token = NewToken { name, hash: TokenHash(hash(secret.expose())), rights, repositories };
    let by = asked.app.stamping(asked.caller.actor())?;
    asked.app.catalog.create_token(token, by).await?;
    asked.app.access.tokens_changed();
    json(StatusCode::CREATED, &answer)
}

/// `DELETE /api/v1/tokens/<name>`.
pub(super) async fn delete(State(asked): State<Asked>, Path(name): Path<String>) -> Answered {
    asked.caller.needs_admin()?;
    let by = asked.app.stamping(asked.caller.actor())?;
    asked.app.catalog.revoke_token(&name, by).await?;
    asked.app.access.tokens_changed();
    json(StatusCode::OK, &value!({ "name": name, "revoked": true }))
}
