//! Which tags a build gets: computed from facts, past those of others, and reserved in the record.
//!
//! ```text
//! timestamp-env at 14:39:58, that second reserved by another run  ->  20260317-143959-uat
//! ```
//! What is shown by `--dry-run` and what is done come from the same `asked`; only `keep` writes.

use super::PublishError;
use super::basis::Basis;
use super::past::{Own, Past};
use crate::app::App;
use crate::registries::Registries;
use crate::seam::{Question, Record, RecordError, all};
use crate::source::SourceFacts;
use ::record::Facet;
use ::record::claim::{Claim, ClaimKey, Kind, ReservationClaim};
use domain::{Digest, EnvironmentName, ImageName, Repository, Tag, Timestamp};
use std::collections::BTreeSet;
use tagging::{
    Facts, ReleaseTime, ReleaseTimeSource, Scheme, SchemeError, Taken, is_of, parse_timestamp_env,
    time_of,
};

/// How often a name that somebody took meanwhile is answered by looking for the next free one.
pub(super) const RESERVATIONS_TRIED_MAX: u32 = 20;

/// For which repository tags are wanted, and what was told.
#[derive(Clone, Debug)]
pub struct TagRequest {
    /// The repository.
    pub repository: Repository,
    /// Its short name, where settings have one.
    pub image: Option<ImageName>,
    /// Tags that were named; they replace all schemes.
    pub tags: Vec<Tag>,
    /// Schemes that replace those of the settings; empty: the settings'.
    pub schemes: Vec<Scheme>,
    /// `--env`.
    pub environment: Option<EnvironmentName>,
    /// `--at`.
    pub at: Option<Timestamp>,
    /// The image, where it is known: its own tags are used again.
    pub digest: Option<Digest>,
}

/// What a build is called, and why.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The tags, the one for files first.
    pub tags: Vec<Tag>,
    /// The environment that it is for.
    pub environment: Option<EnvironmentName>,
    /// Why that one, or why none.
    pub why_environment: String,
    /// The release's time: that of its tags, where they tell one.
    pub at: Timestamp,
    /// What is being built.
    pub source: SourceFacts,
    /// The release that the tags belong to.
    pub release: String,
    /// Names that are not reserved for this release yet.
    pub(super) wishes: Vec<Wish>,
}

/// A name that is to be reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) tag: Tag,
    clash: Clash,
}

/// What follows when another release has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clash {
    /// The next second or number is taken instead.
    NextName,
    /// The name says what was built, so it stays: a second run of the same commit is the same build by law 2.
    /// The registry tells the bytes apart: the same succeed, others are refused with exit code 3.
    SameName,
}

/// Whether the names are only computed, looked for, or also kept for this release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Computed from facts; only a counter asks the registry.
    No,
    /// Those that would be kept: the registry and the record are asked, and nothing is written.
    Ask,
    /// Reserved in the record.
    Reserve,
}

/// Whether all names are reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// They are.
    All,
    /// Somebody else was quicker with one: names have to be looked for again.
    Lost,
}

/// Computes the tags of a build, and reserves them where told.
///
/// # Errors
/// A fact that a scheme needs is missing, no environment is decided, or the record cannot be used.
pub async fn compute_tags(
    app: &App,
    request: &TagRequest,
    keep: Keep,
) -> Result<Naming, PublishError> {
    let basis = Basis::gather(app, request).await?;
    match keep {
        Keep::No => computed(app, request, &basis).await,
        Keep::Ask => asked(app, request, &basis).await,
        Keep::Reserve => {
            for _ in 0..RESERVATIONS_TRIED_MAX {
                let naming = asked(app, request, &basis).await?;
                if naming.keep(app, &request.repository).await? == Kept::All {
                    return Ok(naming);
                }
            }
            Err(no_free_name(&basis))
        }
    }
}

/// Every name that was looked for was taken meanwhile.
pub(super) fn no_free_name(basis: &Basis) -> PublishError {
    let from = basis.told.at;
    PublishError::Scheme(SchemeError::NoFreeSecond { from, tries: RESERVATIONS_TRIED_MAX })
}

/// The tags that follow from facts alone.
async fn computed(app: &App, request: &TagRequest, basis: &Basis) -> Result<Naming, PublishError> {
    let mut naming = Naming::of(basis);
    for scheme in &basis.schemes {
        check_past(scheme, &basis.source)?;
        let taken = match scheme {
            Scheme::DateBuild(_) => Registries::of(app)?.tags(&request.repository).await?,
            Scheme::TimestampEnv
            | Scheme::Timestamp
            | Scheme::Sha(_)
            | Scheme::Semver
            | Scheme::SemverSha
            | Scheme::DateSha
            | Scheme::Template(_) => BTreeSet::new(),
        };
        let known = Taken { tags: &taken, commit_digits: basis.source.commit_digits };
        naming.add(scheme.compute(&basis.facts(), &known)?);
    }
    Ok(naming)
}

/// The tags that this release has already or would get now; writes nothing.
pub(super) async fn asked(
    app: &App,
    request: &TagRequest,
    basis: &Basis,
) -> Result<Naming, PublishError> {
    let question = Question::of([Kind::Reservation, Kind::Build])
        .about(Facet::Repository, &request.repository);
    let past = Past(all(app.record().await?, &question).await?);
    let mut naming = Naming::of(basis);
    let mut time = Time { told: basis.told, carried: None, since: None };
    for tag in &request.tags {
        if request.digest.is_some_and(|digest| past.is_built(digest, tag)) {
            time.reuse(past.since(tag));
        }
        let told = time_of(&Scheme::TimestampEnv, basis.environment.as_ref(), tag);
        time.carry(told.or_else(|| time_of(&Scheme::Timestamp, None, tag)));
        naming.add(tag.clone());
    }
    let (repository, environment) = (&request.repository, basis.environment.as_ref());
    let own = basis.own(request);
    let mut search = Search { app, repository, basis, own: &own, past: &past, taken: None };
    for scheme in &basis.schemes {
        check_past(scheme, &basis.source)?;
        let tag = match past.own(&own, |tag| is_of(scheme, environment, tag)) {
            Some(tag) => {
                time.reuse(past.since(&tag));
                tag
            }
            None => {
                let wish = search.wish(scheme, time.at()).await?;
                let tag = wish.tag.clone();
                naming.wishes.push(wish);
                tag
            }
        };
        time.carry(time_of(scheme, environment, &tag));
        naming.add(tag);
    }
    naming.at = time.at();
    Ok(naming)
}

/// Looks for a name that nobody has.
struct Search<'a> {
    app: &'a App,
    repository: &'a Repository,
    basis: &'a Basis,
    own: &'a Own<'a>,
    past: &'a Past,
    /// What the registry and other releases have; asked for once, and only where a scheme needs it.
    taken: Option<BTreeSet<Tag>>,
}

impl Search<'_> {
    async fn wish(&mut self, scheme: &Scheme, at: Timestamp) -> Result<Wish, PublishError> {
        let (basis, clash) = (self.basis, Clash::of(scheme));
        let nothing = BTreeSet::new();
        let tags = match clash {
            Clash::NextName => self.taken().await?,
            Clash::SameName => &nothing,
        };
        let facts = Facts { at, ..basis.facts() };
        let known = Taken { tags, commit_digits: basis.source.commit_digits };
        Ok(Wish { tag: scheme.compute(&facts, &known)?, clash })
    }

    async fn taken(&mut self) -> Result<&BTreeSet<Tag>, PublishError> {
        if self.taken.is_none() {
            let mut taken = Registries::of(self.app)?.tags(self.repository).await?;
            taken.extend(self.past.of_others(self.own));
            self.taken = Some(taken);
        }
        Ok(self.taken.get_or_insert_default())
    }
}

impl Clash {
    fn of(scheme: &Scheme) -> Self {
        if scheme.has_second() || matches!(scheme, Scheme::DateBuild(_)) {
            Self::NextName
        } else {
            Self::SameName
        }
    }
}

/// The time of a release, as far as its names tell it.
struct Time {
    told: ReleaseTime,
    /// The second of the first tag that tells one.
    carried: Option<Timestamp>,
    /// When the first of the tags that are used again was reserved.
    since: Option<Timestamp>,
}

impl Time {
    fn carry(&mut self, at: Option<Timestamp>) {
        self.carried = self.carried.or(at);
    }

    fn reuse(&mut self, since: Option<Timestamp>) {
        self.since = self.since.into_iter().chain(since).min();
    }

    /// What tags tell comes first: a later job that computes a tag from the time must get the same one.
    fn at(&self) -> Timestamp {
        match (self.carried, self.told.source) {
            (Some(at), _) => at,
            (None, ReleaseTimeSource::HandedOn) => self.told.at,
            (None, ReleaseTimeSource::TakenNow) => self.since.unwrap_or(self.told.at),
        }
    }
}

impl Basis {
    fn own<'a>(&'a self, request: &TagRequest) -> Own<'a> {
        Own {
            release: &self.release,
            digest: request.digest,
            commit: self.source.ci.commit.as_ref(),
            environment: self.environment.as_ref(),
        }
    }
}

impl Naming {
    fn of(basis: &Basis) -> Self {
        Self {
            tags: Vec::new(),
            environment: basis.environment.clone(),
            why_environment: basis.why_environment.clone(),
            at: basis.told.at,
            source: basis.source.clone(),
            release: basis.release.clone(),
            wishes: Vec::new(),
        }
    }

    fn add(&mut self, tag: Tag) {
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
    }

    /// Reserves the names that are not this release's yet.
    pub(super) async fn keep(
        &self,
        app: &App,
        repository: &Repository,
    ) -> Result<Kept, PublishError> {
        let record = app.record().await?;
        for wish in &self.wishes {
            match (reserve(record, repository, &self.release, &wish.tag).await, wish.clash) {
                (Ok(()), _) | (Err(RecordError::Reserved { .. }), Clash::SameName) => {}
                (Err(RecordError::Reserved { .. }), Clash::NextName) => return Ok(Kept::Lost),
                (Err(error), _) => return Err(error.into()),
            }
        }
        Ok(Kept::All)
    }
}

async fn reserve(
    record: &dyn Record,
    repository: &Repository,
    release: &str,
    tag: &Tag,
) -> Result<(), RecordError> {
    let name = format!("{repository}\0{tag}\0{release}");
    let key = format!("reserve/{}", &Digest::sha256(name.as_bytes()).hex()[..40]);
    let claim = ReservationClaim {
        key: ClaimKey::try_from(key).expect("a word and hex digits make a key"),
        repository: repository.clone(),
        tag: tag.clone(),
        release: release.to_owned(),
    };
    record.append(vec![Claim::Reservation(claim)]).await.map(|_| ())
}

/// A version comes from a git tag, and a clone whose past is cut off may lack it.
fn check_past(scheme: &Scheme, source: &SourceFacts) -> Result<(), PublishError> {
    let needs_past = matches!(scheme, Scheme::Semver | Scheme::SemverSha);
    if needs_past && source.shallow == Some(true) && source.git_tags.is_empty() {
        return Err(PublishError::Shallow { scheme: scheme.to_string() });
    }
    Ok(())
}

/// Law 7 for names: a tag that reads as an environment's, or its alias, is for builds of that environment.
///
/// # Errors
/// Names the environment that the name belongs to, and why this build is not for it.
pub(super) fn check_names(app: &App, naming: &Naming, aliases: &[Tag]) -> Result<(), PublishError> {
    let Some(loaded) = app.loaded() else { return Ok(()) };
    let environments = &loaded.settings.environments;
    let known: Vec<EnvironmentName> = environments.iter().map(|one| one.name.clone()).collect();
    let of_tag = |tag: &Tag| Some((tag.clone(), parse_timestamp_env(tag, &known)?.1));
    let of_alias = |alias: &Tag| {
        let mut owners = environments.iter().filter(|one| one.alias.as_ref() == Some(alias));
        let first = owners.next()?;
        let own = environments.iter().find(|one| {
            one.alias.as_ref() == Some(alias) && naming.environment.as_ref() == Some(&one.name)
        });
        Some((alias.clone(), own.unwrap_or(first).name.clone()))
    };
    let names = naming.tags.iter().filter_map(of_tag);
    let mut names = names.chain(aliases.iter().filter_map(of_alias));
    match names.find(|(_, owner)| naming.environment.as_ref() != Some(owner)) {
        Some((name, owner)) => {
            let why = naming.why_environment.clone();
            Err(PublishError::OfAnother { name, owner, why })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_time_of_a_release_is_that_of_its_tag_else_told_else_of_its_reservation() {
        let (now, reserved, tag) = (
            moment("2026-03-18T09:00:00Z"),
            moment("2026-03-17T14:40:02Z"),
            moment("2026-03-17T14:39:58Z"),
        );
        let time = |source, carried, since| {
            Time { told: ReleaseTime { at: now, source }, carried, since }.at()
        };
        let (taken, handed) = (ReleaseTimeSource::TakenNow, ReleaseTimeSource::HandedOn);
        assert_eq!(time(taken, Some(tag), Some(reserved)), tag);
        assert_eq!(time(handed, Some(tag), Some(reserved)), tag);
        assert_eq!(time(handed, None, Some(reserved)), now);
        assert_eq!(time(taken, None, Some(reserved)), reserved);
        assert_eq!(time(taken, None, None), now);
    }

    #[test]
    fn a_name_made_of_content_stays_and_one_with_a_second_or_number_moves_on() {
        for (scheme, clash) in [
            ("timestamp-env", Clash::NextName),
            ("timestamp", Clash::NextName),
            ("date-build", Clash::NextName),
            ("{timestamp}-{branch}", Clash::NextName),
            ("sha", Clash::SameName),
            ("semver", Clash::SameName),
            ("semver-sha", Clash::SameName),
            ("date-sha", Clash::SameName),
            ("{date}-{branch}", Clash::SameName),
        ] {
            assert_eq!(Clash::of(&scheme.parse().unwrap()), clash, "{scheme}");
        }
    }
}
