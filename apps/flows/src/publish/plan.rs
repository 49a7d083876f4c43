//! What a publish will do, decided before anything is written: shown by `--dry-run`, else carried out.
//!
//! ```text
//! 20260317-143958-uat  absent -> create     uat  sha256:77…, an older build -> move to sha256:9f…
//! ```
//! Asks the registry and the record; writes nothing.

use super::aliases::{self, Coming, PlaceInRecord, check_rules};
use super::basis::Basis;
use super::names::{Naming, TagRequest, asked, check_names};
use super::run::{Dirty, PublishRequest, TagDone};
use super::{Bytes, PublishError};
use crate::app::App;
use crate::registries::{ImageFacts, Registries};
use domain::{Digest, Repository, RuleSet, Tag, TagClass};
use remote::place::Place;
use std::collections::BTreeSet;

/// The image that is to be published, found and looked at.
pub(super) struct Found {
    pub(super) digest: Digest,
    /// Where its bytes are copied from; none where they are in the repository already.
    pub(super) place: Option<Place>,
    /// What its bytes say, where they were read already.
    pub(super) facts: Option<ImageFacts>,
}

/// What will be done.
pub(super) struct Plan {
    pub(super) naming: Naming,
    pub(super) tags: Vec<TagPlanned>,
    pub(super) aliases: Vec<aliases::Planned>,
}

/// A tag, and what is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TagPlanned {
    pub(super) tag: Tag,
    pub(super) step: TagStep,
}

/// What is to be done with a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagStep {
    /// There is none of that name.
    Create,
    /// It names these bytes already.
    Same,
}

/// The tag names these other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TakenBy(Digest);

/// Decides about one tag: made once, the same again is no event. Laws 1 and 2.
fn decide_tag(there: Option<Digest>, new: Digest) -> Result<TagStep, TakenBy> {
    match there {
        None => Ok(TagStep::Create),
        Some(there) if there == new => Ok(TagStep::Same),
        Some(there) => Err(TakenBy(there)),
    }
}

impl TagPlanned {
    pub(super) fn foreseen(&self) -> TagDone {
        TagDone { tag: self.tag.clone(), is_new: self.step == TagStep::Create }
    }
}

/// Finds the image and looks whether it is whole: what is none must not keep a name.
pub(super) async fn find(
    registries: &Registries,
    request: &PublishRequest,
) -> Result<Found, PublishError> {
    match &request.bytes {
        Bytes::Pushed(digest) => {
            let (repository, digest) = (&request.to, *digest);
            if !registries.has(repository, digest).await? {
                return Err(PublishError::NotPushed { repository: repository.clone(), digest });
            }
            let facts = registries.describe(repository, digest).await?;
            Ok(Found { digest, place: None, facts: Some(facts) })
        }
        Bytes::From(source) => {
            let place = registries.open_place(source).await?;
            let digest = registries.digest_of(&place).await?;
            registries.check_whole(&place, digest).await?;
            Ok(Found { digest, place: Some(place), facts: None })
        }
    }
}

pub(super) fn tag_request(request: &PublishRequest, digest: Digest) -> TagRequest {
    TagRequest {
        repository: request.to.clone(),
        image: request.image.clone(),
        tags: request.tags.clone(),
        schemes: request.schemes.clone(),
        environment: request.environment.clone(),
        at: request.at,
        digest: Some(digest),
    }
}

/// Decides everything: a refusal leaves no name, no byte and no event.
pub(super) async fn plan(
    app: &App,
    registries: &Registries,
    request: &PublishRequest,
    basis: &Basis,
    digest: Digest,
) -> Result<Plan, PublishError> {
    if request.dirty == Dirty::Refused && basis.source.dirty == Some(true) {
        return Err(PublishError::Dirty);
    }
    let to = &request.to;
    let aliases = once(&request.aliases);
    check_rules(registries, to, &aliases).await?;
    let naming = asked(app, &tag_request(request, digest), basis).await?;
    check_kinds(app, registries, to, &naming.tags, &aliases).await?;
    check_names(app, &naming, &aliases)?;
    let mut tags = Vec::new();
    for tag in &naming.tags {
        let step = match decide_tag(registries.resolve(to, tag).await?, digest) {
            Ok(step) => step,
            Err(TakenBy(there)) => {
                let said = registries.who(to, tag).await;
                let (repository, tag) = (to.clone(), tag.clone());
                return Err(PublishError::Taken { repository, tag, there, new: digest, said });
            }
        };
        tags.push(TagPlanned { tag: tag.clone(), step });
    }
    let place = if naming.wishes.is_empty() { PlaceInRecord::None } else { PlaceInRecord::Next };
    let commit = naming.source.ci.commit.as_ref();
    let coming = Coming { digest, tags: &naming.tags, commit, place };
    let told = request.alias_told;
    let aliases = aliases::plan(app, registries, to, &aliases, &coming, told).await?;
    Ok(Plan { naming, tags, aliases })
}

/// Each name once, in the order given.
fn once(names: &[Tag]) -> Vec<Tag> {
    let mut seen = BTreeSet::new();
    names.iter().filter(|name| seen.insert(*name)).cloned().collect()
}

/// A build's own tag is no name that moves: neither one of this command, nor by rule, nor an environment's.
async fn check_kinds(
    app: &App,
    registries: &Registries,
    repository: &Repository,
    tags: &[Tag],
    aliases: &[Tag],
) -> Result<(), PublishError> {
    if let Some(name) = tags.iter().find(|tag| aliases.contains(tag)) {
        return Err(PublishError::TagAndAlias { name: name.clone() });
    }
    let settings = app.loaded().map(|loaded| &loaded.settings);
    let environments = settings.map(|settings| settings.environments.as_slice());
    let is_of_environment = |tag: &Tag| {
        environments.unwrap_or_default().iter().any(|one| one.alias.as_ref() == Some(tag))
    };
    let rules = RuleSet::new(settings.map(|settings| settings.rules.clone()).unwrap_or_default());
    for tag in tags {
        // Our registry's own rules hold there; at others the settings say what is meant to move.
        let class = match registries.class_of(repository, tag).await? {
            Some(class) => class,
            None => rules.class_of(repository.path(), tag),
        };
        if is_of_environment(tag) || class == TagClass::Alias {
            return Err(PublishError::IsAlias { repository: repository.clone(), tag: tag.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_made_once_and_the_same_bytes_are_no_event() {
        let (new, other) = (Digest::sha256(b"new"), Digest::sha256(b"other"));
        assert_eq!(decide_tag(None, new), Ok(TagStep::Create));
        assert_eq!(decide_tag(Some(new), new), Ok(TagStep::Same));
        assert_eq!(decide_tag(Some(other), new), Err(TakenBy(other)));
    }

    #[test]
    fn a_name_that_is_given_twice_is_one() {
        let names = |all: &[&str]| all.iter().map(|n| n.parse().unwrap()).collect::<Vec<Tag>>();
        assert_eq!(once(&names(&["b", "a", "b"])), names(&["b", "a"]));
    }
}
