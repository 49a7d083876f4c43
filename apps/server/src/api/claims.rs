//! Claims come in; the record stamps who, when and the id, and answers with the events.
//!
//! ```text
//! POST /api/v1/claims {"claims":[{"kind":"hold","claim":{"key":"h1",…}}]}
//!   -> 201 {"items":[{"new":true,"event":{"v":1,"id":"01J…","kind":"hold",…}}]}
//! ```
//! All or none. The same key and claim again is answered with its first event; another claim under the key is
//! 409 with what is there. A caller says nothing about itself: what it may say depends on its rights.

use super::reading::{Reader, shown};
use super::request::{json, read_json_up_to};
use super::{Answered, Asked};
use crate::access::{Caller, Need};
use crate::options::CLAIMS_BODY_BYTES_MAX;
use crate::reply::Refusal;
use axum::extract::{Request, State};
use domain::Digest;
use http::StatusCode;
use record::claim::{CLAIM_BYTES_MAX, CLAIMS_AT_ONCE_MAX, Witness};
use record::{Claim, EventError, Kind, Sequenced};
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use serde_json::value::RawValue;
use store::{AppendError, Appended};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    claims: Vec<Said>,
}

/// One claim, unread: its members are read into its kind, and nothing stands beside the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    kind: Kind,
    claim: Box<RawValue>,
}

#[derive(Serialize)]
struct Made {
    new: bool,
    event: Box<RawValue>,
}

/// `POST /api/v1/claims` with `{"claims":[{"kind","claim"}…]}`.
pub(super) async fn post(State(asked): State<Asked>, req: Request) -> Answered {
    // A body of this size needs a place, as an upload does.
    let place = asked.app.upload_place()?;
    let body: Body = read_json_up_to(req, CLAIMS_BODY_BYTES_MAX).await?;
    let claims = read(body)?;
    for (nth, claim) in claims.iter().enumerate() {
        check(&asked.caller, nth, claim)?;
    }
    check_digests(&asked, &claims).await?;
    let by = asked.app.stamping(asked.caller.actor())?;
    let appended = match asked.app.ledger.append(claims.clone(), by).await {
        Ok(appended) => appended,
        Err(error) => return Err(refused(&asked, &claims, error).await?.into()),
    };
    drop(place);
    let mut items = Vec::with_capacity(appended.len());
    for Appended { id, is_new, .. } in appended {
        let there = asked.app.ledger.event(id).await?;
        let there = there.ok_or_else(|| Refusal::internal(Lost))?;
        items.push(Made { new: is_new, event: shown(&there.event)? });
    }
    let status =
        if items.iter().any(|made| made.new) { StatusCode::CREATED } else { StatusCode::OK };
    json(status, &value!({ "items": items }))
}

/// An event that was just appended and is not there.
#[derive(Debug, thiserror::Error)]
#[error("an event that was appended cannot be found")]
struct Lost;

fn read(body: Body) -> Result<Vec<Claim>, Refusal> {
    let found = body.claims.len();
    if found > CLAIMS_AT_ONCE_MAX {
        let message = format!("at most {CLAIMS_AT_ONCE_MAX} claims at once, found {found}");
        return Err(Refusal::TooLarge { message });
    }
    let claims = body.claims.into_iter().enumerate();
    claims.map(|(nth, said)| read_one(nth, &said)).collect()
}

fn read_one(nth: usize, said: &Said) -> Result<Claim, Refusal> {
    let (kind, text) = (said.kind.name(), said.claim.get());
    if text.len() > CLAIM_BYTES_MAX {
        return Err(too_long(nth, text.len()));
    }
    let both = format!(r#"{{"kind":"{kind}","claim":{text}}}"#);
    let claim: Claim = serde_json::from_str(&both)
        .map_err(|error| Refusal::Invalid(format!("claim {nth} ({kind}): {error}")))?;
    match record::event::canonical_claim(&claim) {
        Ok(_) => Ok(claim),
        Err(EventError::Length { found }) => Err(too_long(nth, found)),
        Err(error) => Err(Refusal::Invalid(format!("claim {nth} ({kind}): {error}"))),
    }
}

fn too_long(nth: usize, found: usize) -> Refusal {
    let message = format!("claim {nth} has {found} bytes, at most {CLAIM_BYTES_MAX} are recorded");
    Refusal::TooLarge { message }
}

/// Whether the caller may say this. What the registry says about itself, nobody else says: law 12.
fn check(caller: &Caller, nth: usize, claim: &Claim) -> Result<(), Refusal> {
    let elsewhere = |why: &str| Err(Refusal::Invalid(format!("claim {nth}: {why}")));
    match claim {
        Claim::TagChange(claim) => {
            if claim.registry.is_none() || claim.witness == Witness::Registry {
                return elsewhere(
                    "this registry records its own tags; of another, name its `registry`, with \
                     the witness `observer`",
                );
            }
            caller.needs(Need::Claim, &claim.repository)
        }
        Claim::Build(claim) => caller.needs(Need::Claim, claim.repository.path()),
        Claim::Deploy(claim) => caller.needs(Need::Claim, claim.repository.path()),
        Claim::Reservation(claim) => caller.needs(Need::Claim, claim.repository.path()),
        Claim::Imported(claim) => caller.needs(Need::Claim, claim.repository.path()),
        // These name no repository: environments belong to nobody alone, and digests are asked about apart.
        Claim::Allow(_) | Claim::Block(_) | Claim::Hold(_) | Claim::Note(_) => {
            caller.needs_anywhere(Need::Decide)
        }
        // A watcher reads the bytes of images that nobody published.
        Claim::Image(_) if caller.needs_anywhere(Need::ClaimRun).is_ok() => Ok(()),
        Claim::Image(_) => caller.needs_anywhere(Need::Claim),
        Claim::ContainerRun(_) | Claim::Watched(_) | Claim::Finding(_) => {
            caller.needs_anywhere(Need::ClaimRun)
        }
        Claim::Rule(_) => elsewhere("a rule is set by `POST /api/v1/rules`"),
        Claim::Unlock(_) => elsewhere("a tag is unlocked by `POST /api/v1/unlock`"),
        Claim::Token(_) => elsewhere("a token is made by `POST /api/v1/tokens`"),
    }
}

/// Whether each digest that a claim names without a repository is the caller's to speak of: the record, or a
/// claim beside it, puts it into one of its repositories. A foreign digest and an unknown one are refused alike.
async fn check_digests(asked: &Asked, claims: &[Claim]) -> Result<(), Refusal> {
    let watches = asked.caller.needs_anywhere(Need::ClaimRun).is_ok();
    let mut reader = Reader::new(asked);
    for claim in claims {
        let digest = match claim {
            Claim::Image(claim) if !watches => claim.digest,
            Claim::Allow(claim) => claim.digest,
            Claim::Block(claim) => claim.digest,
            Claim::Image(_)
            | Claim::TagChange(_)
            | Claim::Build(_)
            | Claim::Deploy(_)
            | Claim::Reservation(_)
            | Claim::Imported(_)
            | Claim::Hold(_)
            | Claim::Note(_)
            | Claim::ContainerRun(_)
            | Claim::Watched(_)
            | Claim::Finding(_)
            | Claim::Rule(_)
            | Claim::Unlock(_)
            | Claim::Token(_) => continue,
        };
        let is_placed = asked.caller.reads_whole_record() || is_placed_by(claims, digest);
        if !is_placed && !reader.may_read_digest(digest).await? {
            return Err(Refusal::Forbidden(
                "no build, deploy or tag puts the digest into a repository of this token",
            ));
        }
    }
    Ok(())
}

/// Whether one of these builds and deploys, each of which the caller may say, puts a digest into a repository.
fn is_placed_by(claims: &[Claim], digest: Digest) -> bool {
    claims.iter().any(|claim| match claim {
        Claim::Build(build) => build.digest == digest,
        Claim::Deploy(deploy) => deploy.to == digest,
        Claim::TagChange(_)
        | Claim::Image(_)
        | Claim::Reservation(_)
        | Claim::Imported(_)
        | Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Note(_)
        | Claim::ContainerRun(_)
        | Claim::Watched(_)
        | Claim::Finding(_)
        | Claim::Rule(_)
        | Claim::Unlock(_)
        | Claim::Token(_) => false,
    })
}

/// The refusal, with what stands there as far as the caller may read it.
async fn refused(asked: &Asked, claims: &[Claim], error: AppendError) -> Result<Refusal, Refusal> {
    Ok(match error {
        AppendError::KeyTaken { key, event } => {
            let asked_for = claims.iter().find(|claim| *claim.key() == key);
            let kind = asked_for.map_or("claim", |claim| claim.kind().name());
            let there = match asked.app.ledger.event(event).await? {
                Some(there) => readable(asked, &there).await?,
                None => None,
            };
            let message =
                format!("another {kind} has the key `{key}`: event {event}; somebody was first");
            let detail = value!({
                "conflict": "key", "kind": kind, "key": key, "id": event, "event": there,
            });
            Refusal::Stands { message, detail }
        }
        AppendError::Reserved { tag, by } => {
            let asked_for = claims.iter().filter_map(Claim::as_reservation);
            let mut of_tag = asked_for.filter(|claim| claim.tag == tag);
            let repository = of_tag.next().map(|claim| claim.repository.to_string());
            let message = format!("tag `{tag}` is reserved for the release `{}`", by.release);
            let detail = value!({
                "conflict": "reserved", "repository": repository, "tag": tag,
                "release": by.release, "id": by.event,
            });
            Refusal::Stands { message, detail }
        }
        AppendError::TooMany { .. } => Refusal::TooLarge { message: error.to_string() },
        AppendError::Event(error) => Refusal::Invalid(format!("a claim: {error}")),
        AppendError::Database(error) => error.into(),
    })
}

async fn readable(asked: &Asked, there: &Sequenced) -> Result<Option<Box<RawValue>>, Refusal> {
    let may = Reader::new(asked).may_read(there).await?;
    may.then(|| shown(&there.event)).transpose()
}
