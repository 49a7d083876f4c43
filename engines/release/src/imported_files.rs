//! What commits of workload files say that somebody told workloads to run, as facts for the record.
//!
//! ```text
//! 09:00 Ann: deployment/api/api names A · 10:00 Eve: names B · 11:00 Ann: gone  ->  told A, told B, removed
//! ```
//! A place is the workload and container, whatever the file is called: a file that is renamed changes nothing. Where files
//! disagree, or a template writes it, the bytes are unknown: never a guess.

use crate::imported::{Planned, parts};
use domain::{CommitId, Digest, EnvironmentName, ImageName, ImageRef, Repository, Timestamp};
use record::claim::{ClaimKey, ImportedClaim, ImportedResult, Keeper, Moment, Reported};
use std::collections::{BTreeMap, BTreeSet};

/// How many digits of a commit people are shown.
const DIGITS_SHOWN: usize = 12;

/// One commit of the branch's first-parent line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesCommit {
    /// The commit.
    pub id: CommitId,
    /// When it was made, as it claims.
    pub at: Timestamp,
    /// Who wrote it, as it claims.
    pub by: String,
    /// The files that it changed.
    pub files: Vec<FileNow>,
}

/// A file as a commit left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNow {
    /// The path.
    pub path: String,
    /// What it names.
    pub names: Names,
}

/// What a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// These and no others; nothing where the file is gone.
    Only(Vec<NamedImage>),
    /// These, and what a template writes.
    AtLeast(Vec<NamedImage>),
    /// It cannot be read, and why.
    Unknown(String),
}

/// One place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedImage {
    /// `deployment/api/api`
    pub at: String,
    /// What stands there; none: another program fills it in.
    pub reference: Option<ImageRef>,
}

/// Of which files, for the facts' places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesOf<'a> {
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// The folder: `apps/prod`; empty: the whole repository.
    pub folder: &'a str,
    /// Now.
    pub now: Timestamp,
    /// What the first commit is.
    pub first: First,
}

/// What the first commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// A change like the others.
    Change,
    /// All files as they stood then: nobody knows since when.
    Standing,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Says {
    Image(ImageRef),
    Unclear(Repository),
}

impl Says {
    fn repository(&self) -> &Repository {
        match self {
            Self::Image(ImageRef::Bare(repository)) | Self::Unclear(repository) => repository,
            Self::Image(ImageRef::Tagged(tagged)) => &tagged.repository,
            Self::Image(ImageRef::Pinned(pinned)) => &pinned.repository,
        }
    }
}

type Place = (ImageName, String);

/// What is named where, commit by commit.
#[derive(Default)]
struct Standing {
    by_path: BTreeMap<String, BTreeMap<Place, Vec<Says>>>,
    by_place: BTreeMap<Place, BTreeMap<String, Vec<Says>>>,
    last: BTreeMap<Place, Says>,
}

/// Plans the facts of one environment from its commits, oldest first.
///
/// `image_of` names the image of the settings that a repository belongs to.
#[must_use]
pub fn plan_imported_files(
    commits: &[FilesCommit],
    of: &FilesOf<'_>,
    image_of: impl Fn(&Repository) -> Option<ImageName>,
) -> Planned {
    let mut planned = Planned::default();
    let mut standing = Standing::default();
    let mut latest: Option<Timestamp> = None;
    for (number, commit) in commits.iter().enumerate() {
        let kind = if number == 0 { of.first } else { First::Change };
        let began = began(commit.at, &mut latest, of.now, kind);
        let mut touched = BTreeSet::new();
        for file in &commit.files {
            touched.extend(standing.take(file, &commit.id, &image_of, &mut planned.untold));
        }
        for place in touched {
            let before = standing.last.get(&place).cloned();
            let now = standing.now(&place);
            if before == now {
                continue;
            }
            if let (Some(Says::Unclear(_)), false) = (&now, is_unclear(before.as_ref())) {
                let short = commit.id.short(DIGITS_SHOWN);
                planned
                    .untold
                    .insert(format!("commit {short}: what {} names is not one reference", place.1));
            }
            planned.facts.extend(fact(
                commit,
                of,
                &place,
                (before.as_ref(), now.as_ref()),
                (began, kind),
            ));
            match now {
                Some(says) => standing.last.insert(place, says),
                None => standing.last.remove(&place),
            };
        }
    }
    planned
}

fn is_unclear(says: Option<&Says>) -> bool {
    matches!(says, Some(Says::Unclear(_)))
}

/// A commit tells its own time; where its clock is behind an earlier commit's, or ahead of ours, it is only bounded.
fn began(at: Timestamp, latest: &mut Option<Timestamp>, now: Timestamp, kind: First) -> Moment {
    let until = latest.map_or(at, |latest| latest.max(at)).min(now);
    *latest = Some(until);
    match kind {
        First::Change if until == at => Moment::Exact { at },
        First::Change | First::Standing => Moment::Bounded { after: None, until },
    }
}

impl Standing {
    /// Takes a file's new version; gives the places of which it said or says something.
    fn take(
        &mut self,
        file: &FileNow,
        commit: &CommitId,
        image_of: impl Fn(&Repository) -> Option<ImageName>,
        untold: &mut BTreeSet<String>,
    ) -> BTreeSet<Place> {
        let before = self.by_path.remove(&file.path).unwrap_or_default();
        let (named, is_all) = match &file.names {
            Names::Only(named) => (named.as_slice(), true),
            Names::AtLeast(named) => (named.as_slice(), false),
            Names::Unknown(why) => {
                untold.insert(format!(
                    "{} in commit {}: {why}",
                    file.path,
                    commit.short(DIGITS_SHOWN)
                ));
                (&[][..], false)
            }
        };
        let mut now = BTreeMap::<Place, Vec<Says>>::new();
        for one in named {
            let Some(reference) = &one.reference else { continue };
            let (repository, _, _) = parts(reference);
            match image_of(&repository) {
                Some(image) => {
                    let says = Says::Image(reference.clone());
                    now.entry((image, one.at.clone())).or_default().push(says);
                }
                None => {
                    untold.insert(format!("{repository} is no image of the settings"));
                }
            }
        }
        // What stood here and is filled in by another program now may still be there.
        let may_be = |place: &Place| {
            !is_all || named.iter().any(|one| one.reference.is_none() && one.at == place.1)
        };
        for (place, says) in &before {
            if let (true, Some(last)) = (may_be(place) && !now.contains_key(place), says.last()) {
                now.insert(place.clone(), vec![Says::Unclear(last.repository().clone())]);
            }
        }
        let touched: BTreeSet<Place> = before.keys().chain(now.keys()).cloned().collect();
        for place in &touched {
            let paths = self.by_place.entry(place.clone()).or_default();
            match now.get(place) {
                Some(says) => paths.insert(file.path.clone(), says.clone()),
                None => paths.remove(&file.path),
            };
        }
        if !now.is_empty() {
            self.by_path.insert(file.path.clone(), now);
        }
        touched
    }

    /// What a place says after a commit: one reference, or that nobody can tell which.
    fn now(&self, place: &Place) -> Option<Says> {
        let mut all = self.by_place.get(place)?.values().flatten();
        let first = all.next()?;
        Some(match all.all(|one| one == first) {
            true => first.clone(),
            false => Says::Unclear(first.repository().clone()),
        })
    }
}

fn fact(
    commit: &FilesCommit,
    of: &FilesOf<'_>,
    place: &Place,
    (before, now): (Option<&Says>, Option<&Says>),
    (began, kind): (Moment, First),
) -> Option<ImportedClaim> {
    let (image, at) = place;
    let (tag, digest, result) = match now {
        Some(Says::Image(reference)) => {
            let (_, tag, digest) = parts(reference);
            (tag, digest, ImportedResult::Told)
        }
        Some(Says::Unclear(_)) => (None, None, ImportedResult::Told),
        None => (None, None, ImportedResult::Removed),
    };
    let short = commit.id.short(DIGITS_SHOWN);
    // Whoever made the commit that the past begins with did not bring what stood there.
    let (named, by, changed_by) = match kind {
        First::Standing => (format!("as of commit {short}"), None, None),
        First::Change => {
            let by = Some(Reported::of(&commit.by)).filter(|by| !by.as_str().is_empty());
            (format!("commit {short}"), by, Some(commit.id.clone()))
        }
    };
    let whole = if of.folder.is_empty() { at.clone() } else { format!("{}/{at}", of.folder) };
    let told = format!("{}\0{}\0{image}\0{whole}", of.environment, commit.id);
    let hex = Digest::sha256(told.as_bytes()).hex();
    Some(ImportedClaim {
        key: ClaimKey::try_from(format!("imported/git/{}", &hex[..32]))
            .expect("words and hex digits are a key"),
        environment: of.environment.clone(),
        image: image.clone(),
        repository: now.or(before)?.repository().clone(),
        tag,
        digest,
        began,
        kept_by: Keeper::Git,
        named: Reported::of(&named),
        place: Reported::of(&whole),
        by,
        commit: changed_by,
        result,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PINNED: &str = "r.example/shop/api:v1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn at(clock: &str) -> Timestamp {
        format!("2026-03-01T{clock}:00Z").parse().unwrap()
    }

    fn named(at: &str, reference: &str) -> NamedImage {
        NamedImage { at: at.to_owned(), reference: reference.parse().ok() }
    }

    /// A commit, `digit` times forty, with each file's references at `deployment/api/api`.
    fn commit(digit: &str, clock: &str, files: &[(&str, Names)]) -> FilesCommit {
        let file = |(path, names): &(&str, Names)| FileNow {
            path: (*path).to_owned(),
            names: names.clone(),
        };
        FilesCommit {
            id: digit.repeat(40).parse().unwrap(),
            at: at(clock),
            by: "Ann".to_owned(),
            files: files.iter().map(file).collect(),
        }
    }

    fn api(reference: &str) -> Names {
        Names::Only(vec![named("deployment/api/api", reference)])
    }

    fn gone() -> Names {
        Names::Only(Vec::new())
    }

    fn plan_from(first: First, commits: &[FilesCommit]) -> Planned {
        let environment = "prod".parse().unwrap();
        let of =
            FilesOf { environment: &environment, folder: "apps/prod", now: at("18:00"), first };
        plan_imported_files(commits, &of, |repository| {
            repository.path().as_str().strip_prefix("shop/")?.parse().ok()
        })
    }

    /// `HH:MM` from when on, the tag or `-`, and the result.
    fn seen(planned: &Planned) -> Vec<String> {
        let of = |fact: &ImportedClaim| {
            let tag = fact.tag.as_ref().map_or("-".to_owned(), ToString::to_string);
            format!("{} {tag} {:?}", &fact.from().to_string()[11..16], fact.result)
        };
        planned.facts.iter().map(of).collect()
    }

    #[test]
    fn each_change_of_a_place_is_a_fact_and_a_renamed_file_is_none() {
        let planned = plan_from(
            First::Change,
            &[
                commit("1", "09:00", &[("api.yaml", api("r.example/shop/api:v1"))]),
                commit(
                    "2",
                    "10:00",
                    &[("api.yaml", gone()), ("new.yaml", api("r.example/shop/api:v1"))],
                ),
                commit("3", "11:00", &[("new.yaml", api(PINNED))]),
                commit("4", "12:00", &[("new.yaml", api("r.example/shop/api:v1"))]),
                commit("5", "13:00", &[("new.yaml", gone())]),
            ],
        );
        assert_eq!(
            seen(&planned),
            ["09:00 v1 Told", "11:00 v1 Told", "12:00 v1 Told", "13:00 - Removed"]
        );
        let digests: Vec<bool> = planned.facts.iter().map(|fact| fact.digest.is_some()).collect();
        assert_eq!(digests, [false, true, false, false]);
        let first = &planned.facts[0];
        assert_eq!(first.place.as_str(), "apps/prod/deployment/api/api");
        assert_eq!(first.by.as_ref().unwrap().as_str(), "Ann");
        assert_eq!(first.commit, Some("1".repeat(40).parse().unwrap()));
        let keys: BTreeSet<_> = planned.facts.iter().map(|fact| fact.key.as_str()).collect();
        assert_eq!(keys.len(), 4);
        assert!(planned.untold.is_empty(), "{:?}", planned.untold);
    }

    #[test]
    fn what_files_disagree_about_or_cannot_be_read_is_unknown_and_told() {
        let planned = plan_from(
            First::Change,
            &[
                commit("1", "09:00", &[("a.yaml", api(PINNED))]),
                commit("2", "10:00", &[("b.yaml", api("r.example/shop/api:v2"))]),
                commit("3", "11:00", &[("b.yaml", gone())]),
                commit("4", "12:00", &[("a.yaml", Names::Unknown("no YAML".to_owned()))]),
                commit(
                    "5",
                    "13:00",
                    &[("a.yaml", Names::Only(vec![named("deployment/api/api", "{{ x }}")]))],
                ),
                commit("6", "14:00", &[("a.yaml", api(PINNED))]),
                commit("7", "15:00", &[("a.yaml", Names::AtLeast(Vec::new()))]),
            ],
        );
        assert_eq!(
            seen(&planned),
            [
                "09:00 v1 Told",
                "10:00 - Told",
                "11:00 v1 Told",
                "12:00 - Told",
                "14:00 v1 Told",
                "15:00 - Told"
            ]
        );
        let lines: Vec<_> = planned.untold.iter().map(String::as_str).collect();
        assert_eq!(
            lines,
            [
                "a.yaml in commit 444444444444: no YAML",
                "commit 222222222222: what deployment/api/api names is not one reference",
                "commit 444444444444: what deployment/api/api names is not one reference",
                "commit 777777777777: what deployment/api/api names is not one reference",
            ]
        );
    }

    #[test]
    fn a_past_that_is_cut_off_says_what_stood_there_and_not_who_brought_it() {
        let planned = plan_from(
            First::Standing,
            &[
                commit("1", "09:00", &[("a.yaml", api(PINNED))]),
                commit("2", "10:00", &[("a.yaml", api("r.example/shop/api:v2"))]),
            ],
        );
        let first = &planned.facts[0];
        assert_eq!(first.began, Moment::Bounded { after: None, until: at("09:00") });
        assert_eq!((&first.by, &first.commit), (&None, &None));
        assert_eq!(first.named.as_str(), "as of commit 111111111111");
        assert_eq!(planned.facts[1].began, Moment::Exact { at: at("10:00") });
    }

    #[test]
    fn a_commit_whose_clock_is_wrong_has_bounds_and_stays_in_its_order() {
        let planned = plan_from(
            First::Change,
            &[
                commit("1", "09:00", &[("a.yaml", api("r.example/shop/api:v1"))]),
                commit("2", "08:00", &[("a.yaml", api("r.example/shop/api:v2"))]),
                commit("3", "23:00", &[("a.yaml", api("r.example/shop/api:v3"))]),
            ],
        );
        let began: Vec<_> = planned.facts.iter().map(|fact| fact.began).collect();
        let bounded = |until| Moment::Bounded { after: None, until: at(until) };
        assert_eq!(began, [Moment::Exact { at: at("09:00") }, bounded("09:00"), bounded("18:00")]);
    }

    #[test]
    fn what_is_no_image_of_the_settings_is_told_once_and_not_kept() {
        let planned = plan_from(
            First::Change,
            &[
                commit("1", "09:00", &[("a.yaml", api("docker.io/istio/proxyv2:1.20"))]),
                commit("2", "10:00", &[("a.yaml", api("docker.io/istio/proxyv2:1.21"))]),
            ],
        );
        assert_eq!(planned.facts, []);
        assert_eq!(
            planned.untold,
            ["docker.io/istio/proxyv2 is no image of the settings".to_owned()].into()
        );
    }
}
