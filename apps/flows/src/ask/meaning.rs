//! What a pasted text can mean: a digest, whole or its first digits, a tag, a commit.
//!
//! ```text
//! docker-pullable://shop/api@sha256:9f…  ->  digest      registry.example.com/shop/api:prod  ->  tag there
//! 3511274b167a                           ->  a tag, else a commit, else the one digest that begins so
//! ```

use super::AskError;
use crate::app::App;
use crate::seam::{PAGE, Question, Record, RecordError, all};
use ::record::Sequenced;
use ::record::claim::{Claim, Kind};
use domain::{CommitId, Digest, ImageRef, Repository, Tag};
use std::collections::BTreeSet;

/// The fewest digits that are taken for a commit. Source: git, `core.abbrev`.
const SHORT_COMMIT_LEN_MIN: usize = 4;
/// The fewest digits that are taken for a digest: as many as tables show. Source: [`Digest::short`].
pub const SHORT_DIGEST_LEN_MIN: usize = 12;

/// The most digests with the same beginning that are told apart; of more it is said that there are so many at least.
pub const SAME_BEGINNING_MAX: usize = 100;
/// The most events that are looked through for a beginning. Of a longer record the whole digest is asked for: nobody
/// waits for ten million container runs, and what was not looked at may begin the same.
pub const EVENTS_LOOKED_THROUGH_MAX: usize = 200_000;

/// What a text can mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Digest(Digest),
    Tag { tag: Tag, repository: Option<Written>, asks: Asks },
    Commit(CommitId),
}

/// Who is asked about a tag of which nothing is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// Nobody: the text more likely means something else.
    RecordOnly,
    /// The registries that may hold it.
    Registries,
}

/// A repository as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// With its host.
    Whole(Repository),
    /// Its path, or an image of the settings.
    Path(String),
}

impl Written {
    /// By what the record finds it.
    pub(super) fn facet(&self) -> String {
        match self {
            Self::Whole(repository) => repository.to_string(),
            Self::Path(path) => path.clone(),
        }
    }
}

/// The forms in which people paste an image: with a runtime's prefix, a repository, or bare hex digits.
///
/// Source: `research/deploy.md` §2.3, the forms of `imageID`.
fn digest_in(asked: &str) -> Option<Digest> {
    let last = last_part(asked);
    let is_hex64 = last.len() == 64 && last.bytes().all(|b| b.is_ascii_hexdigit());
    let text = if is_hex64 { format!("sha256:{}", last.to_lowercase()) } else { last.to_owned() };
    text.parse().ok()
}

fn last_part(asked: &str) -> &str {
    let bare = asked.strip_prefix("docker-pullable://").or_else(|| asked.strip_prefix("docker://"));
    let bare = bare.unwrap_or(asked);
    let bare = bare.strip_prefix("containerd://").unwrap_or(bare);
    bare.rsplit('@').next().unwrap_or(bare)
}

/// The beginning of a digest, as tables show it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Beginning {
    algorithm: Option<&'static str>,
    digits: String,
}

impl Beginning {
    /// `None`: the text is none.
    fn read(asked: &str) -> Option<Self> {
        let last = last_part(asked);
        let (algorithm, digits) = match last.split_once(':') {
            Some(("sha256", digits)) => (Some("sha256"), digits),
            Some(("sha512", digits)) => (Some("sha512"), digits),
            Some(_) => return None,
            None => (None, last),
        };
        let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        is_hex.then(|| Self { algorithm, digits: digits.to_lowercase() })
    }

    fn fits(&self, digest: &Digest) -> bool {
        self.algorithm.is_none_or(|name| name == digest.algorithm().name())
            && digest.hex().starts_with(&self.digits)
    }
}

/// Reads a digest, or the first digits of one that is recorded.
///
/// # Errors
/// The text is none, nothing recorded begins so, or more than one digest does.
pub async fn find_digest(app: &App, asked: &str) -> Result<Digest, AskError> {
    if let Some(digest) = digest_in(asked) {
        return Ok(digest);
    }
    let not_one = || AskError::NoDigest { asked: asked.chars().take(200).collect() };
    let beginning = Beginning::read(asked).ok_or_else(not_one)?;
    if beginning.digits.len() < SHORT_DIGEST_LEN_MIN {
        return Err(not_one());
    }
    let found = beginning_with(app.record_to_read().await?, &beginning, asked).await?;
    found.ok_or_else(|| AskError::NothingKnown { asked: asked.to_owned(), untold: Vec::new() })
}

/// The one recorded digest that begins so.
async fn beginning_with(
    record: &dyn Record,
    beginning: &Beginning,
    asked: &str,
) -> Result<Option<Digest>, AskError> {
    // There are far more container runs than anything else: they are looked through last.
    let built = [Kind::Image, Kind::Build, Kind::Deploy, Kind::TagChange].as_slice();
    for kinds in [built, &[Kind::ContainerRun]] {
        let mut found = Beginnings::new(beginning);
        let is_all = found.look_through(record, kinds).await?;
        let (asked, count) = (asked.to_owned(), found.digests.len());
        match found.digests.first() {
            // Several are several, whatever else there is.
            Some(_) if count > 1 => return Err(AskError::SeveralDigests { asked, count }),
            Some(_) | None if !is_all => return Err(AskError::NotLookedThrough { asked }),
            Some(digest) => return Ok(Some(*digest)),
            None => {}
        }
    }
    Ok(None)
}

/// The recorded digests that begin so, as far as they were looked for.
struct Beginnings<'a> {
    beginning: &'a Beginning,
    digests: BTreeSet<Digest>,
}

impl<'a> Beginnings<'a> {
    fn new(beginning: &'a Beginning) -> Self {
        Self { beginning, digests: BTreeSet::new() }
    }

    /// Looks through the events of these kinds, as far as limits let; gives whether these are all.
    async fn look_through(
        &mut self,
        record: &dyn Record,
        kinds: &[Kind],
    ) -> Result<bool, RecordError> {
        let question = Question::of(kinds.iter().copied());
        let (mut last, mut looked): (Option<Sequenced>, usize) = (None, 0);
        while looked < EVENTS_LOOKED_THROUGH_MAX {
            let page = record.events(&question, last.as_ref()).await?;
            looked += page.len();
            let is_last = page.len() < PAGE;
            let is_full = self.take(page.iter().map(|event| &event.event.claim));
            if is_last || is_full {
                return Ok(is_last && !is_full);
            }
            last = page.into_iter().next_back();
        }
        Ok(false)
    }

    /// Takes what fits, no more than there may be; gives whether that is reached.
    fn take<'b>(&mut self, claims: impl Iterator<Item = &'b Claim>) -> bool {
        for digest in claims.flat_map(digests_of).filter(|digest| self.beginning.fits(digest)) {
            self.digests.insert(digest);
            if self.digests.len() >= SAME_BEGINNING_MAX {
                return true;
            }
        }
        false
    }
}

fn digests_of(claim: &Claim) -> Vec<Digest> {
    match claim {
        Claim::Image(image) => {
            let parts = image.platforms.iter();
            let parts = parts.flat_map(|part| part.config.into_iter().chain([part.manifest]));
            parts.chain([image.digest]).collect()
        }
        Claim::Build(build) => vec![build.digest],
        Claim::Deploy(deploy) => deploy.from.into_iter().chain([deploy.to]).collect(),
        Claim::TagChange(change) => {
            change.change.names().into_iter().chain(change.change.named()).copied().collect()
        }
        Claim::ContainerRun(run) => run.digest.into_iter().collect(),
        Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Reservation(_)
        | Claim::Rule(_)
        | Claim::Unlock(_)
        | Claim::Token(_)
        | Claim::Note(_)
        | Claim::Watched(_)
        | Claim::Finding(_)
        | Claim::Imported(_) => Vec::new(),
    }
}

/// What a text can mean, the likeliest first.
pub(super) async fn meanings(app: &App, asked: &str) -> Result<Vec<Meaning>, AskError> {
    if let Some(digest) = digest_in(asked) {
        return Ok(vec![Meaning::Digest(digest)]);
    }
    let beginning = Beginning::read(asked);
    if beginning.as_ref().is_some_and(|beginning| beginning.algorithm.is_some()) {
        return Ok(vec![Meaning::Digest(find_digest(app, asked).await?)]);
    }
    let mut meanings = Vec::new();
    if let Ok(ImageRef::Tagged(tagged)) = asked.parse::<ImageRef>() {
        let repository = Some(written(asked, tagged.repository));
        meanings.push(Meaning::Tag { tag: tagged.tag, repository, asks: Asks::Registries });
    }
    // Digits alone are more often a commit, or what a table shows of a digest, than somebody's tag.
    let asks = if beginning.is_some() { Asks::RecordOnly } else { Asks::Registries };
    let tag = asked.parse::<Tag>().ok();
    let as_tag = |asks| Some(Meaning::Tag { tag: tag.clone()?, repository: None, asks });
    meanings.extend(as_tag(asks));
    meanings.extend(commit_of(app, asked).await?);
    if let Some(beginning) = beginning {
        if beginning.digits.len() >= SHORT_DIGEST_LEN_MIN {
            let found = beginning_with(app.record_to_read().await?, &beginning, asked).await?;
            meanings.extend(found.map(Meaning::Digest));
        }
        meanings.extend(as_tag(Asks::Registries));
    }
    if meanings.is_empty() {
        return Err(AskError::NotTraceable { asked: asked.chars().take(200).collect() });
    }
    Ok(meanings)
}

fn written(asked: &str, repository: Repository) -> Written {
    if asked.split('/').count() > 2 || !repository.host().is_docker_hub() {
        return Written::Whole(repository);
    }
    let path = repository.path().to_string();
    Written::Path(path.strip_prefix("library/").map_or(path.clone(), str::to_owned))
}

/// A short id, a branch or a git tag: git tells which commit is meant, where there is a checkout that has it;
/// a short id is also looked for among the recorded ones.
async fn commit_of(app: &App, asked: &str) -> Result<Option<Meaning>, AskError> {
    if let Ok(commit) = asked.parse::<CommitId>() {
        return Ok(Some(Meaning::Commit(commit)));
    }
    let found = match app.checkout().await.map_err(AskError::Git)? {
        Some(checkout) => checkout.find_commit(asked).await.ok(),
        None => None,
    };
    match found {
        Some(commit) => Ok(Some(Meaning::Commit(commit))),
        None => recorded_commit(app, asked).await,
    }
}

/// The one recorded commit that begins with these digits.
async fn recorded_commit(app: &App, asked: &str) -> Result<Option<Meaning>, AskError> {
    let is_short = (SHORT_COMMIT_LEN_MIN..40).contains(&asked.len());
    if !is_short || !asked.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(None);
    }
    let builds = all(app.record_to_read().await?, &Question::of([Kind::Build])).await?;
    let sources = builds.iter().filter_map(|event| event.event.claim.as_build()?.source.as_ref());
    let fits = |commit: &&CommitId| commit.as_str().starts_with(asked);
    let found: BTreeSet<&CommitId> = sources.map(|source| &source.commit).filter(fits).collect();
    let count = found.len();
    match found.first() {
        Some(commit) if count == 1 => Ok(Some(Meaning::Commit((*commit).clone()))),
        Some(_) => Err(AskError::SeveralCommits { asked: asked.to_owned(), count }),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn pasted_image_ids_hold_a_digest() {
        let digest: Digest = format!("sha256:{HEX}").parse().unwrap();
        // Forms of containerd, CRI-O, cri-dockerd and plain files.
        for pasted in [
            format!("registry.example.com/shop/api@sha256:{HEX}"),
            HEX.to_owned(),
            format!("docker-pullable://shop/api@sha256:{HEX}"),
            format!("docker://sha256:{HEX}"),
            format!("sha256:{HEX}"),
            format!("shop/api:1.4@sha256:{HEX}"),
        ] {
            assert_eq!(digest_in(&pasted), Some(digest), "{pasted}");
        }
        assert_eq!(digest_in("1a2b3c4"), None);
    }

    #[test]
    fn of_ten_million_digests_with_one_beginning_a_hundred_are_kept() {
        use ::record::claim::{BuildClaim, PublishedBy};
        let build = |nth: usize| {
            Claim::Build(BuildClaim {
                key: format!("build/{nth}").try_into().unwrap(),
                digest: format!("sha256:{}{nth:052x}", &HEX[..12]).parse().unwrap(),
                repository: "registry.example.com/shop/api".parse().unwrap(),
                image: None,
                tags: Vec::new(),
                aliases: Vec::new(),
                environment: None,
                source: None,
                run: None,
                published_by: PublishedBy::Publish,
            })
        };
        let beginning = Beginning::read(&HEX[..12]).unwrap();
        // One less than the limit: there may be more, and all of these are kept.
        let below: Vec<Claim> = (0..SAME_BEGINNING_MAX - 1).map(build).collect();
        let mut found = Beginnings::new(&beginning);
        assert!(!found.take(below.iter()) && found.digests.len() == SAME_BEGINNING_MAX - 1);
        assert!(!found.take(below.iter()), "the same again are no more");
        assert!(found.take([build(1_000), build(1_001)].iter()));
        assert_eq!(found.digests.len(), SAME_BEGINNING_MAX);
        // However long the record is: at the limit nothing more is read.
        let mut read = 0;
        let endless = (0..).map(|nth| {
            read += 1;
            build(nth)
        });
        let mut found = Beginnings::new(&beginning);
        assert!(endless.into_iter().any(|claim| found.take([claim].iter())));
        assert_eq!(read, SAME_BEGINNING_MAX);
    }

    #[test]
    fn what_a_table_shows_begins_a_digest() {
        let digest: Digest = format!("sha256:{HEX}").parse().unwrap();
        for shown in [
            digest.short(),
            HEX[..12].to_owned(),
            "9F86D081884C".to_owned(),
            format!("shop/api@{}", digest.short()),
        ] {
            let beginning = Beginning::read(&shown).unwrap();
            assert!(beginning.fits(&digest), "{shown}");
        }
        let other = Beginning::read("sha512:9f86d081884c").unwrap();
        assert!(!other.fits(&digest), "another algorithm");
        assert!(!Beginning::read("9f86d081884d").unwrap().fits(&digest), "another digit");
        for none in ["prod", "sha256:", "sha256:xyz", "shop/api:9f86d081884c", ""] {
            assert_eq!(Beginning::read(none), None, "{none}");
        }
    }
}
