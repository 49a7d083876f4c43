//! Rules: which tags may move, and what decides about one tag.

use super::request::{json, parameter, read_json, read_query};
use super::{Answered, Asked};
use crate::access::Need;
use crate::reply::Refusal;
use axum::extract::{Request, State};
use domain::{Explained, RepositoryPath, Rule, RuleSet, Tag, TagClass};
use http::{StatusCode, Uri};
use serde_json::{Value, json as value};

/// `GET /api/v1/rules[?repository=&tag=]`: all of them, or the class of one tag and why.
pub(super) async fn get(State(asked): State<Asked>, uri: Uri) -> Answered {
    let query = read_query(&uri)?;
    let repository: Option<RepositoryPath> = parameter(&query, "repository")?;
    let tag: Option<Tag> = parameter(&query, "tag")?;
    let rules = asked.app.rules();
    match (repository, tag) {
        (None, None) => {
            asked.caller.needs_admin()?;
            json(StatusCode::OK, &value!({ "rules": rules.rules() }))
        }
        (Some(repository), Some(tag)) => {
            asked.caller.needs(Need::Read, &repository)?;
            let held = asked.app.catalog.tag(&repository, &tag).await?;
            let fixed = held.map(|row| row.state.class);
            json(StatusCode::OK, &explain(&rules, &repository, &tag, fixed))
        }
        (Some(_), None) | (None, Some(_)) => {
            let message = "`repository` and `tag` are asked for together, or neither";
            Err(Refusal::Invalid(message.to_owned()).into())
        }
    }
}

/// A tag that was written keeps the class of its first write, whatever the rules say now.
fn explain(
    rules: &RuleSet,
    repository: &RepositoryPath,
    tag: &Tag,
    fixed: Option<TagClass>,
) -> Value {
    let explained = rules.explain(repository, tag);
    let by = match explained {
        Explained::ByRule { at, rule } => value!({ "by": "rule", "at": at, "rule": rule }),
        Explained::BuiltIn { tags, class } => {
            value!({ "by": "built-in", "rule": { "repositories": "**", "tags": tags, "class": class } })
        }
        Explained::Default => value!({ "by": "default" }),
    };
    value!({
        "repository": repository,
        "tag": tag,
        "class": fixed.unwrap_or(explained.class()),
        "fixed": fixed.is_some(),
        "explained": by,
    })
}

/// `POST /api/v1/rules` with `{"repositories","tags","class"}`: asked first from now on.
pub(super) async fn post(State(asked): State<Asked>, req: Request) -> Answered {
    asked.caller.needs_admin()?;
    let rule: Rule = read_json(req).await?;
    let by = asked.app.stamping(asked.caller.actor())?;
    asked.app.catalog.set_rule(rule.clone(), by).await?;
    asked.app.read_rules().await?;
    json(StatusCode::CREATED, &rule)
}
