//! From what a cluster still knows to facts: which image each workload was told to run, from when on.
//!
//! ```text
//! replicaset/api-5d8f revisions 1 and 3, api-77c9 revision 2
//!   -> rev 1 from its creation, rev 2 from its creation, rev 3 (back again) after rev 2 and until now
//! ```
//! A ReplicaSet that is used again keeps its first creation time: of its later uses only bounds are known. A digest
//! is the one that is written, else the one that a pod of that very template reports, else unknown: never a guess.

use crate::observed::ImageId;
use domain::{Digest, EnvironmentName, ImageName, ImageRef, Repository, Tag, Timestamp};
use record::claim::{ClaimKey, ImportedClaim, ImportedResult, Keeper, Moment, Reported};
use std::collections::BTreeSet;

/// One thing that names images of a workload, with its revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTemplate {
    /// Who kept it.
    pub kept_by: Keeper,
    /// What tells it from all others, for ever: an object's uid.
    pub uid: String,
    /// Its name for people: `replicaset/api-5d8f`.
    pub name: String,
    /// `deployment/api`
    pub workload: String,
    /// Since when it is there.
    pub created: Timestamp,
    /// The revisions under which it was the workload's, lowest first.
    pub revisions: Vec<u64>,
    /// Whether its keeper says that it was brought there.
    pub result: ImportedResult,
    /// The images.
    pub images: Vec<KeptImage>,
}

/// One image of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptImage {
    /// The container.
    pub container: String,
    /// The reference as it is written.
    pub reference: String,
    /// imageIDs of pods of this very template that still run.
    pub reported: BTreeSet<String>,
}

/// Where the templates are from, for the facts' places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAt<'a> {
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// `prod-eu/shop`
    pub place: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// What comes of templates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Facts.
    pub facts: Vec<ImportedClaim>,
    /// What could not be told, a line each.
    pub untold: BTreeSet<String>,
}

/// Plans the facts of one namespace. `image_of` names the image of the settings that a repository belongs to.
#[must_use]
pub fn plan_imported(
    templates: &[KeptTemplate],
    at: &KeptAt<'_>,
    image_of: impl Fn(&Repository) -> Option<ImageName>,
) -> Planned {
    let mut planned = Planned::default();
    for template in templates {
        for image in &template.images {
            let Ok(reference) = image.reference.parse::<ImageRef>() else {
                let shown: String = image.reference.chars().take(200).collect();
                planned
                    .untold
                    .insert(format!("{}: `{shown}` is no image reference", template.name));
                continue;
            };
            let (repository, tag, written) = parts(&reference);
            let Some(name) = image_of(&repository) else {
                planned.untold.insert(format!("{repository} is no image of the settings"));
                continue;
            };
            let digest =
                match written.map_or_else(|| reported(&image.reported), |one| Ok(Some(one))) {
                    Ok(digest) => digest,
                    Err(many) => {
                        planned.untold.insert(format!(
                            "{}: its pods report {many} digests for {}",
                            template.name, image.reference
                        ));
                        None
                    }
                };
            for revision in &template.revisions {
                planned.facts.push(ImportedClaim {
                    key: key(template, *revision, &image.container, digest),
                    environment: at.environment.clone(),
                    image: name.clone(),
                    repository: repository.clone(),
                    tag: tag.clone(),
                    digest,
                    began: began(templates, template, *revision, at.now),
                    kept_by: template.kept_by,
                    named: Reported::of(&format!("{} revision {revision}", template.name)),
                    place: Reported::of(&format!(
                        "{}/{}/{}",
                        at.place, template.workload, image.container
                    )),
                    by: None,
                    commit: None,
                    result: template.result,
                });
            }
        }
    }
    planned.facts.sort_by_key(ImportedClaim::from);
    planned
}

pub(crate) fn parts(reference: &ImageRef) -> (Repository, Option<Tag>, Option<Digest>) {
    match reference {
        ImageRef::Bare(repository) => (repository.clone(), None, None),
        ImageRef::Tagged(tagged) => (tagged.repository.clone(), Some(tagged.tag.clone()), None),
        ImageRef::Pinned(pinned) => {
            (pinned.repository.clone(), pinned.tag.clone(), Some(pinned.digest))
        }
    }
}

/// What running pods of the template agree on. Several digests can be one image on nodes of several kinds: told, not
/// guessed.
fn reported(image_ids: &BTreeSet<String>) -> Result<Option<Digest>, usize> {
    let digests: BTreeSet<Digest> = image_ids
        .iter()
        .filter_map(|text| match ImageId::read(text) {
            ImageId::InRepository { digest, .. } => Some(digest),
            // A configuration's digest names no manifest that could be pulled.
            ImageId::Alone(_) | ImageId::NotReported | ImageId::Unreadable => None,
        })
        .collect();
    match digests.len() {
        0 => Ok(None),
        1 => Ok(digests.into_iter().next()),
        many => Err(many),
    }
}

/// The same fact has the same key at each import; one that learns its digest later has another.
fn key(
    template: &KeptTemplate,
    revision: u64,
    container: &str,
    digest: Option<Digest>,
) -> ClaimKey {
    let text = format!("{}\0{revision}\0{container}", template.uid);
    let hex = Digest::sha256(text.as_bytes()).hex();
    let kept_by = template.kept_by.word().to_ascii_lowercase();
    let known = if digest.is_some() { "/digest" } else { "" };
    ClaimKey::try_from(format!("imported/{kept_by}/{}{known}", &hex[..32]))
        .expect("words and hex digits are a key")
}

/// The key of the same fact without a digest.
#[must_use]
pub fn fact_of(key: &ClaimKey) -> &str {
    key.as_str().strip_suffix("/digest").unwrap_or(key.as_str())
}

/// The first use of a template began with it. A later one began after the revision before, and not after the one
/// behind it.
fn began(
    templates: &[KeptTemplate],
    template: &KeptTemplate,
    revision: u64,
    now: Timestamp,
) -> Moment {
    if template.revisions.first() == Some(&revision) {
        return Moment::Exact { at: template.created };
    }
    let own = templates
        .iter()
        .filter(|other| (other.kept_by, &other.workload) == (template.kept_by, &template.workload));
    let first_uses: Vec<_> =
        own.filter_map(|other| Some((*other.revisions.first()?, other.created))).collect();
    let before = first_uses.iter().filter(|(other, _)| *other < revision).max();
    let behind = first_uses.iter().filter(|(other, _)| *other > revision).min();
    Moment::Bounded {
        after: before.map(|(_, created)| *created),
        until: behind.map_or(now, |(_, created)| *created),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-01T{text}:00Z").parse().unwrap()
    }

    fn set(name: &str, created: &str, revisions: &[u64], reference: &str) -> KeptTemplate {
        KeptTemplate {
            kept_by: Keeper::ReplicaSet,
            uid: name.to_owned(),
            name: format!("replicaset/{name}"),
            workload: "deployment/api".to_owned(),
            created: at(created),
            revisions: revisions.to_vec(),
            result: ImportedResult::Told,
            images: vec![KeptImage {
                container: "api".to_owned(),
                reference: reference.to_owned(),
                reported: BTreeSet::new(),
            }],
        }
    }

    fn plan(templates: &[KeptTemplate]) -> Planned {
        let environment = "prod".parse().unwrap();
        let at = KeptAt { environment: &environment, place: "eu/shop", now: at("18:00") };
        plan_imported(templates, &at, |repository| {
            repository.path().as_str().strip_prefix("shop/")?.parse().ok()
        })
    }

    const PINNED: &str = "r.example/shop/api:v1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_replica_set_that_is_used_again_has_bounds_for_its_later_uses() {
        let planned = plan(&[
            set("a", "09:00", &[1, 3], PINNED),
            set("b", "10:00", &[2], "r.example/shop/api:v2"),
            set("c", "12:00", &[4, 5], "r.example/shop/api:v3"),
        ]);
        let began: Vec<_> =
            planned.facts.iter().map(|fact| (fact.named.to_string(), fact.began)).collect();
        let exact = |text| Moment::Exact { at: at(text) };
        let between = |a, b| Moment::Bounded { after: Some(at(a)), until: at(b) };
        assert_eq!(
            began,
            [
                ("replicaset/a revision 1".to_owned(), exact("09:00")),
                ("replicaset/b revision 2".to_owned(), exact("10:00")),
                ("replicaset/a revision 3".to_owned(), between("10:00", "12:00")),
                ("replicaset/c revision 4".to_owned(), exact("12:00")),
                ("replicaset/c revision 5".to_owned(), between("12:00", "18:00")),
            ]
        );
        assert_eq!(planned.facts[0].place.as_str(), "eu/shop/deployment/api/api");
        assert!(planned.facts[0].digest.is_some() && planned.facts[1].digest.is_none());
    }

    #[test]
    fn a_digest_is_written_or_reported_by_that_template_s_pods_or_unknown() {
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        let mut one = set("a", "09:00", &[1], "r.example/shop/api:v1");
        one.images[0].reported.insert(format!("r.example/shop/api@{}", digest("b")));
        let planned = plan(std::slice::from_ref(&one));
        assert_eq!(planned.facts[0].digest.unwrap().to_string(), digest("b"));
        assert!(planned.facts[0].key.as_str().ends_with("/digest"));
        let unknown = plan(&[set("a", "09:00", &[1], "r.example/shop/api:v1")]);
        assert_eq!(fact_of(&planned.facts[0].key), unknown.facts[0].key.as_str());
        // A configuration is no digest of an image, and two that differ are not chosen from.
        one.images[0].reported = [digest("c")].into();
        assert_eq!(plan(std::slice::from_ref(&one)).facts[0].digest, None);
        one.images[0].reported =
            ["b", "c"].map(|letter| format!("r.example/shop/api@{}", digest(letter))).into();
        let planned = plan(&[one]);
        assert_eq!(planned.facts[0].digest, None);
        assert_eq!(
            planned.untold.first().unwrap(),
            "replicaset/a: its pods report 2 digests for r.example/shop/api:v1"
        );
    }

    #[test]
    fn what_is_no_image_of_the_settings_is_told_and_not_kept() {
        let planned = plan(&[
            set("a", "09:00", &[1], "docker.io/istio/proxyv2:1.20"),
            set("b", "09:00", &[1], "not an image"),
        ]);
        assert_eq!(planned.facts, []);
        let untold: Vec<_> = planned.untold.iter().map(String::as_str).collect();
        assert_eq!(
            untold,
            [
                "docker.io/istio/proxyv2 is no image of the settings",
                "replicaset/b: `not an image` is no image reference"
            ]
        );
    }
}
