//! What registries say about what runs: what the names mean now, and what images hold that nobody has recorded.
//!
//! ```text
//! shop/api:uat  ->  asked every ten minutes         sha256:9f… of no publish  ->  read once, and recorded
//! ```
//! A registry that does not answer is asked for nothing more in the same round, and later again: unknown, never gone.

use crate::look::{is_there, tag_now};
use crate::publish::image_claim;
use crate::registries::Registries;
use ::record::Claim;
use domain::{Digest, RegistryHost, Repository, Tag, Timestamp};
use futures_util::future::join_all;
use release::observed::{Presence, Registered, TagNow, Wanted};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long what a registry said about a name counts.
const NAMES_EVERY_MS: i64 = 600_000;
/// After no answer it is asked again sooner.
const UNANSWERED_EVERY_MS: i64 = 60_000;
/// Registries that are asked at once, and in one round: a pod may name any host there is.
const HOSTS_AT_ONCE_MAX: usize = 8;
const HOSTS_IN_ROUND_MAX: usize = 64;
/// Names of one registry, tags and images each, that are asked for in one round; the others are due in the next.
const NAMES_IN_ROUND_MAX: usize = 512;
/// Questions to one registry that wait for answers at once.
const IN_FLIGHT_MAX: usize = 8;
/// One question about a name.
const NAME_WITHIN: Duration = Duration::from_secs(10);
/// One image: its index, manifests and configurations.
const IMAGE_WITHIN: Duration = Duration::from_secs(30);
/// Images that are read in one round.
const IMAGES_AT_ONCE_MAX: usize = 32;
/// Between two tries at an image that could not be read.
const RETRY_MIN_MS: i64 = 60_000;
/// The longest wait between two tries.
const RETRY_MAX_MS: i64 = 3_600_000;

/// What registries have said.
#[derive(Default)]
pub(super) struct Names {
    pub(super) registered: Registered,
    tags: BTreeMap<(Repository, Tag), Timestamp>,
    images: BTreeMap<(Repository, Digest), Timestamp>,
    unread: BTreeMap<Digest, Unread>,
}

/// An image that could not be read so far.
struct Unread {
    tries: u32,
    next: Timestamp,
}

impl Names {
    /// Asks what is not known, or was asked too long ago; forgets what is not named any more.
    pub(super) async fn ask(&mut self, registries: &Registries, wanted: Wanted, now: Timestamp) {
        self.forget(&wanted);
        let mut due = self.due(wanted, now).into_iter();
        loop {
            let some = due.by_ref().take(HOSTS_AT_ONCE_MAX);
            let asked: Vec<_> = some.map(|wanted| ask_one(registries, wanted)).collect();
            if asked.is_empty() {
                return;
            }
            join_all(asked).await.into_iter().for_each(|told| self.take(told, now));
        }
    }

    /// What is asked in this round, a part for each registry.
    fn due(&self, wanted: Wanted, now: Timestamp) -> Vec<Wanted> {
        let mut hosts: BTreeMap<RegistryHost, Wanted> = BTreeMap::new();
        for tag in wanted.tags {
            if self.tags.get(&tag).is_none_or(|again| *again <= now) {
                let own = &mut hosts.entry(tag.0.host().clone()).or_default().tags;
                if own.len() < NAMES_IN_ROUND_MAX {
                    own.insert(tag);
                }
            }
        }
        for image in wanted.images {
            if self.images.get(&image).is_none_or(|again| *again <= now) {
                let own = &mut hosts.entry(image.0.host().clone()).or_default().images;
                if own.len() < NAMES_IN_ROUND_MAX {
                    own.insert(image);
                }
            }
        }
        hosts.into_values().take(HOSTS_IN_ROUND_MAX).collect()
    }

    fn take(&mut self, (tags, images): Told, now: Timestamp) {
        for (tag, told) in tags {
            let every = every(matches!(told, TagNow::Unknown(_)));
            self.tags.insert(tag.clone(), now.plus_millis(every));
            self.registered.tags.insert(tag, told);
        }
        for (image, told) in images {
            let every = every(matches!(told, Presence::Unknown(_)));
            self.images.insert(image.clone(), now.plus_millis(every));
            self.registered.presence.insert(image, told);
        }
    }

    fn forget(&mut self, wanted: &Wanted) {
        self.tags.retain(|tag, _| wanted.tags.contains(tag));
        self.registered.tags.retain(|tag, _| wanted.tags.contains(tag));
        self.images.retain(|image, _| wanted.images.contains(image));
        self.registered.presence.retain(|image, _| wanted.images.contains(image));
    }

    /// Forgets what images hold that nothing runs, or means, any more.
    pub(super) fn keep_contents(&mut self, wanted: &BTreeSet<Digest>) {
        self.unread.retain(|digest, _| wanted.contains(digest));
        self.registered.contents.retain(|digest, parts| {
            let is_part = |part: &::record::claim::PlatformImage| {
                wanted.contains(&part.manifest)
                    || part.config.is_some_and(|config| wanted.contains(&config))
            };
            wanted.contains(digest) || parts.iter().any(is_part)
        });
    }

    /// Reads images that nobody has recorded, each once; what they hold is said as claims.
    pub(super) async fn read_images(
        &mut self,
        registries: &Registries,
        sources: &BTreeMap<Digest, Vec<Repository>>,
        now: Timestamp,
    ) -> Vec<Claim> {
        let is_due = |(digest, _): &(&Digest, &Vec<Repository>)| {
            let is_known = self.registered.contents.contains_key(*digest);
            !is_known && self.unread.get(*digest).is_none_or(|unread| unread.next <= now)
        };
        let due: Vec<_> = sources
            .iter()
            .filter(is_due)
            .take(IMAGES_AT_ONCE_MAX)
            .map(|(digest, sources)| (*digest, sources.clone()))
            .collect();
        let mut claims = Vec::new();
        for chunk in due.chunks(IN_FLIGHT_MAX) {
            let reads = chunk.iter().map(|(digest, sources)| read(registries, *digest, sources));
            for (digest, facts) in join_all(reads).await {
                match facts {
                    Some(facts) => {
                        claims.push(image_claim(&facts));
                        self.unread.remove(&digest);
                        self.registered.contents.insert(digest, facts.platforms);
                    }
                    None => self.could_not_read(digest, now),
                }
            }
        }
        claims
    }

    fn could_not_read(&mut self, digest: Digest, now: Timestamp) {
        let unread = self.unread.entry(digest).or_insert(Unread { tries: 0, next: now });
        let wait = RETRY_MIN_MS.saturating_mul(1 << unread.tries.min(16)).min(RETRY_MAX_MS);
        unread.tries += 1;
        unread.next = now.plus_millis(wait);
    }
}

fn every(is_unanswered: bool) -> i64 {
    if is_unanswered { UNANSWERED_EVERY_MS } else { NAMES_EVERY_MS }
}

type Told = (Vec<((Repository, Tag), TagNow)>, Vec<((Repository, Digest), Presence)>);

/// Asks one registry, some questions at once; where none of them is answered, it is not asked for the rest.
async fn ask_one(registries: &Registries, wanted: Wanted) -> Told {
    let (mut tags, mut images) = (Vec::new(), Vec::new());
    let mut silent = None;
    for chunk in wanted.tags.into_iter().collect::<Vec<_>>().chunks(IN_FLIGHT_MAX) {
        if let Some(why) = &silent {
            tags.extend(chunk.iter().map(|tag| (tag.clone(), TagNow::Unknown(String::clone(why)))));
            continue;
        }
        let told = join_all(chunk.iter().map(|tag| tag_within(registries, tag.clone()))).await;
        silent = all_unknown(told.iter().map(|(_, told)| match told {
            TagNow::Unknown(why) => Some(why),
            TagNow::Names(_) | TagNow::Gone => None,
        }));
        tags.extend(told);
    }
    for chunk in wanted.images.into_iter().collect::<Vec<_>>().chunks(IN_FLIGHT_MAX) {
        if let Some(why) = &silent {
            images.extend(
                chunk.iter().map(|one| (one.clone(), Presence::Unknown(String::clone(why)))),
            );
            continue;
        }
        let told = join_all(chunk.iter().map(|one| image_within(registries, one.clone()))).await;
        silent = all_unknown(told.iter().map(|(_, told)| match told {
            Presence::Unknown(why) => Some(why),
            Presence::There | Presence::Gone => None,
        }));
        images.extend(told);
    }
    (tags, images)
}

fn all_unknown<'a>(mut whys: impl Iterator<Item = Option<&'a String>>) -> Option<String> {
    let first = whys.next()??.clone();
    whys.all(|why| why.is_some()).then_some(first)
}

async fn tag_within(
    registries: &Registries,
    tag: (Repository, Tag),
) -> ((Repository, Tag), TagNow) {
    match tokio::time::timeout(NAME_WITHIN, tag_now(registries, tag.clone())).await {
        Ok(told) => told,
        Err(_) => (tag, TagNow::Unknown("it did not answer in time".to_owned())),
    }
}

async fn image_within(
    registries: &Registries,
    image: (Repository, Digest),
) -> ((Repository, Digest), Presence) {
    match tokio::time::timeout(NAME_WITHIN, is_there(registries, image.clone())).await {
        Ok(told) => told,
        Err(_) => (image, Presence::Unknown("it did not answer in time".to_owned())),
    }
}

/// Reads an image from the first of its sources that has it.
async fn read(
    registries: &Registries,
    digest: Digest,
    sources: &[Repository],
) -> (Digest, Option<crate::registries::ImageFacts>) {
    for source in sources {
        let read = tokio::time::timeout(IMAGE_WITHIN, registries.describe(source, digest)).await;
        if let Ok(Ok(facts)) = read {
            return (digest, Some(facts));
        }
    }
    (digest, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(hosts: usize, tags: usize) -> Wanted {
        let mut wanted = Wanted::default();
        for host in 0..hosts {
            let repository: Repository = format!("r{host}.example.com/api").parse().unwrap();
            let tags =
                (0..tags).map(|tag| (repository.clone(), format!("t{tag}").parse().unwrap()));
            wanted.tags.extend(tags);
        }
        wanted
    }

    fn told(part: &Wanted) -> Told {
        let gone = |tag: &(Repository, Tag)| (tag.clone(), TagNow::Gone);
        (part.tags.iter().map(gone).collect(), Vec::new())
    }

    #[test]
    fn a_round_asks_so_many_registries_and_the_next_round_the_others() {
        let now = Timestamp::from_millis(1_773_758_400_000);
        let mut names = Names::default();
        assert_eq!(names.due(wanted(HOSTS_IN_ROUND_MAX, 1), now).len(), HOSTS_IN_ROUND_MAX);
        let all = HOSTS_IN_ROUND_MAX + 1;
        let first = names.due(wanted(all, 1), now);
        assert_eq!(first.len(), HOSTS_IN_ROUND_MAX);
        first.iter().for_each(|part| names.take(told(part), now));
        let rest = names.due(wanted(all, 1), now);
        assert_eq!(rest.len(), 1);
        assert!(first.iter().all(|part| part.tags.is_disjoint(&rest[0].tags)));
    }

    #[test]
    fn a_registry_is_asked_for_so_many_names_in_one_round() {
        let now = Timestamp::from_millis(1_773_758_400_000);
        let mut names = Names::default();
        let due = |names: &Names, tags| names.due(wanted(1, tags), now)[0].tags.len();
        assert_eq!(due(&names, NAMES_IN_ROUND_MAX), NAMES_IN_ROUND_MAX);
        let all = NAMES_IN_ROUND_MAX + 1;
        let first = names.due(wanted(1, all), now);
        assert_eq!(first[0].tags.len(), NAMES_IN_ROUND_MAX);
        names.take(told(&first[0]), now);
        assert_eq!(due(&names, all), 1);
    }
}
