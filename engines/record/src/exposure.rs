//! Where bytes ran that lack a commit: the answer on the day a fix is published.
//!
//! ```text
//! prod api sha256:9f…  2026-03-02 … 2026-03-05   missing        its commit does not contain the fix
//! prod web sha256:77…  2026-03-01 …              cannot tell    its commit is not in this clone
//! ```
//! Whether a commit contains another is asked of git by the caller and handed in.

use crate::answer::{Answer, Basis};
use crate::claim::{BuildClaim, Source};
use crate::interval::Interval;
use domain::{CommitId, Digest};
use serde::Serialize;

/// Whether a commit has another among its ancestors, or is it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "contains", content = "why")]
pub enum Contains {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// That could not be found out.
    CannotTell(String),
}

/// One interval in which bytes ran that lack the commit, or of which that cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Where and when.
    pub interval: Interval,
    /// The commit that the bytes were built from, where it is recorded.
    pub commit: Option<CommitId>,
    /// Never `Yes`.
    pub contains: Contains,
}

/// Finds the intervals whose builds lack a commit.
///
/// `builds` are all that the record has of the digests in `intervals`. Of several builds of one digest,
/// one that lacks the commit is enough.
#[must_use]
pub fn exposure(
    builds: &[BuildClaim],
    intervals: Vec<Interval>,
    contains: &dyn Fn(&CommitId) -> Contains,
) -> Answer<Exposed> {
    let basis = intervals.iter().map(|interval| interval.basis).max();
    let exposed = intervals.into_iter().filter_map(|interval| {
        let (commit, contains) = worst(builds, &interval.digest, contains);
        (contains != Contains::Yes).then_some(Exposed { interval, commit, contains })
    });
    let mut answer = Answer::intended(exposed.collect());
    answer.basis = basis.unwrap_or(Basis::Intended);
    answer
}

fn worst(
    builds: &[BuildClaim],
    digest: &Digest,
    contains: &dyn Fn(&CommitId) -> Contains,
) -> (Option<CommitId>, Contains) {
    let mut worst: Option<(Option<CommitId>, Contains)> = None;
    for build in builds.iter().filter(|build| build.digest == *digest) {
        let found = match &build.source {
            None => (None, Contains::CannotTell("the build records no commit".to_owned())),
            Some(source) => {
                (Some(source.commit.clone()), by_tree(source, contains(&source.commit)))
            }
        };
        if worst.as_ref().is_none_or(|(_, known)| rank(&found.1) > rank(known)) {
            worst = Some(found);
        }
    }
    let unknown = || (None, Contains::CannotTell("no build of this digest is recorded".to_owned()));
    worst.unwrap_or_else(unknown)
}

/// What was built from a tree that was changed is not what its commit says: neither is the fix provably in it
/// when the commit has it, nor more in it when the commit lacks it.
fn by_tree(source: &Source, contains: Contains) -> Contains {
    match contains {
        Contains::Yes if source.dirty => Contains::CannotTell(
            "it was built from files that were changed after its commit".to_owned(),
        ),
        Contains::Yes | Contains::No | Contains::CannotTell(_) => contains,
    }
}

fn rank(contains: &Contains) -> u8 {
    match contains {
        Contains::Yes => 0,
        Contains::CannotTell(_) => 1,
        Contains::No => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{DeployKind, NamedBy};
    use crate::fuzz::story::Story;
    use crate::interval::intended_intervals;

    #[test]
    fn a_digest_without_a_build_is_never_called_safe() {
        let mut story = Story::new();
        let (fixed, lacking) =
            (story.build("api", "fixed", "prod"), story.build("web", "lacking", "prod"));
        let unknown = Digest::sha256(b"unknown");
        for (image, digest) in [("api", fixed), ("web", lacking), ("job", unknown)] {
            story.deploy(image, "prod", digest, DeployKind::Deploy, NamedBy::Rule);
        }
        let has_fix = story.commit_of("fixed");
        let contains = |commit: &CommitId| {
            if *commit == has_fix { Contains::Yes } else { Contains::No }
        };
        let answer = exposure(&story.builds(), intended_intervals(&story.state("prod")), &contains);
        let found: Vec<_> =
            answer.items.iter().map(|x| (x.interval.image.as_str(), rank(&x.contains))).collect();
        assert_eq!(found, [("web", 2), ("job", 1)]);
    }

    #[test]
    fn a_build_from_changed_files_is_never_called_safe() {
        let mut story = Story::new();
        let digest = story.build("api", "fixed", "prod");
        story.deploy("api", "prod", digest, DeployKind::Deploy, NamedBy::Rule);
        let mut builds = story.builds();
        builds[0].source.as_mut().unwrap().dirty = true;
        let intervals = intended_intervals(&story.state("prod"));
        let answer = exposure(&builds, intervals, &|_| Contains::Yes);
        assert_eq!(answer.items.iter().map(|x| rank(&x.contains)).collect::<Vec<_>>(), [1]);
    }
}
