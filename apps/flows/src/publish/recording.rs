//! What a publish says to the record: the image, the build, and tags at registries that keep no history of ours.

use super::aliases::{AliasDone, Moved};
use super::run::{PublishRequest, TagDone};
use super::{Bytes, Naming, PublishError};
use crate::app::App;
use crate::registries::{ImageFacts, Owner};
use crate::seam::{Question, RecordError, all};
use ::record::Facet;
use ::record::claim::{
    BuildClaim, Claim, ClaimKey, ImageClaim, Kind, PublishedBy, TagChange, TagChangeClaim, Witness,
};
use ::record::event::canonical_claim;
use domain::{Digest, EventId, Repository, Tag, TagClass};

/// The claim about an image's bytes: the same for whoever reads them.
pub(crate) fn image_claim(facts: &ImageFacts) -> Claim {
    Claim::Image(ImageClaim {
        key: key(&format!("image/{}", facts.digest)),
        digest: facts.digest,
        media_type: facts.media_type.clone(),
        size: facts.size,
        platforms: facts.platforms.clone(),
    })
}

fn key(text: &str) -> ClaimKey {
    ClaimKey::try_from(text.to_owned()).expect("words, digests and ids make a key")
}

/// A key that follows from all of a claim: saying the same again is the same claim.
///
/// # Errors
/// The claim is too long to be recorded.
fn keyed(kind: &str, claim: impl Fn(ClaimKey) -> Claim) -> Result<Claim, RecordError> {
    let draft = canonical_claim(&claim(key("draft")));
    let draft = draft.map_err(|error| RecordError::Limit(error.into()))?;
    Ok(claim(key(&format!("{kind}/{}", &Digest::sha256(draft.as_bytes()).hex()[..40]))))
}

pub(super) fn build_claim(
    request: &PublishRequest,
    naming: &Naming,
    digest: Digest,
    aliases: &[AliasDone],
) -> Result<Claim, RecordError> {
    keyed("build", |key| {
        Claim::Build(BuildClaim {
            key,
            digest,
            repository: request.to.clone(),
            image: request.image.clone(),
            tags: naming.tags.clone(),
            aliases: aliases.iter().map(|done| done.alias.clone()).collect(),
            environment: naming.environment.clone(),
            source: naming.source.recorded(),
            run: naming.source.run(),
            published_by: match request.bytes {
                Bytes::From(_) => PublishedBy::Publish,
                Bytes::Pushed(_) => PublishedBy::Adopted,
            },
        })
    })
}

/// Tag changes that we made at a registry of others; ours keeps its own history. Law 12.
pub(crate) async fn tag_changes(
    app: &App,
    owner: Owner,
    repository: &Repository,
    digest: Digest,
    tags: &[TagDone],
    aliases: &[AliasDone],
) -> Result<Vec<Claim>, PublishError> {
    if owner == Owner::Ours {
        return Ok(Vec::new());
    }
    // What the record says last decides, not what the registry answered just now: a run that was cut off
    // after its writes left tags that nobody has recorded.
    let mut claims = Vec::new();
    for done in tags {
        let made = TagChange::Created { digest };
        claims.extend(change_claim(app, repository, &done.tag, made, TagClass::Immutable).await?);
    }
    for done in aliases {
        let change = match done.moved {
            Moved::Same | Moved::Created => TagChange::Created { digest },
            Moved::From(from) => TagChange::Moved { from, to: digest },
        };
        claims.extend(change_claim(app, repository, &done.alias, change, TagClass::Alias).await?);
    }
    Ok(claims)
}

async fn change_claim(
    app: &App,
    repository: &Repository,
    tag: &Tag,
    change: TagChange,
    class: TagClass,
) -> Result<Option<Claim>, PublishError> {
    let question =
        Question::of([Kind::TagChange]).about(Facet::Repository, repository).about(Facet::Tag, tag);
    let events = all(app.record().await?, &question).await?;
    let last = events.last();
    let named = last.and_then(|event| event.event.claim.as_tag_change()?.change.names().copied());
    if named.is_some() && named == change.names().copied() {
        return Ok(None);
    }
    let last: Option<EventId> = last.map(|event| event.event.stamp.id);
    Ok(Some(Claim::TagChange(TagChangeClaim {
        key: ::record::key_after(&format!("tag-change/{repository}:{tag}"), last),
        registry: Some(repository.host().clone()),
        repository: repository.path().clone(),
        tag: tag.clone(),
        change,
        class: Some(class),
        witness: Witness::Observer,
        reason: None,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::claim::NoteClaim;

    fn note(words: &str) -> Result<Claim, RecordError> {
        keyed("note", |key| {
            let text = words.to_owned().try_into().unwrap();
            Claim::Note(NoteClaim { key, environment: None, about: None, text })
        })
    }

    #[test]
    fn a_key_follows_from_all_of_its_claim() {
        let key = |words| note(words).unwrap().key().to_string();
        assert_eq!(key("a"), key("a"));
        assert_ne!(key("a"), key("b"));
    }

    #[test]
    fn a_claim_that_cannot_be_recorded_gets_no_key() {
        let tags: Vec<Tag> =
            (0..600).map(|n| format!("{n:0>128}").parse().expect("a tag")).collect();
        let claim = keyed("build", |key| {
            Claim::Build(BuildClaim {
                key,
                digest: Digest::sha256(b"a"),
                repository: "registry.example.com/shop/api".parse().expect("a repository"),
                image: None,
                tags: tags.clone(),
                aliases: Vec::new(),
                environment: None,
                source: None,
                run: None,
                published_by: PublishedBy::Publish,
            })
        });
        assert!(matches!(claim, Err(RecordError::Limit(_))), "{claim:?}");
    }
}
