//! Which commit some bytes were built from, where several builds made the same bytes.
//!
//! ```text
//! one digest, builds of f6ecc9… (tag 20260317-143958-uat) and 1a2b3c…  ->  f6ecc9… +1
//! ```

use crate::seam::{Question, Record, RecordError, all};
use ::record::Facet;
use ::record::claim::{BuildClaim, Kind, Source};
use domain::{CommitId, Digest, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// The digits of a commit that people are shown.
const SHORT_COMMIT_LEN: usize = 12;

/// The commit that some bytes were built from, and the others that gave the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltFrom {
    /// Of the build that has the tag in question, else of the newest.
    pub commit: CommitId,
    /// Other commits of recorded builds of the same bytes, newest first.
    pub others: Vec<CommitId>,
    /// Whether every build from `commit` had changes that are in no commit.
    pub is_dirty: bool,
}

impl BuiltFrom {
    /// Chooses among the builds of one digest, oldest first; `None` where none of them names a commit.
    #[must_use]
    pub fn of(builds: &[BuildClaim], tag: Option<&Tag>) -> Option<Self> {
        let has_tag = |build: &BuildClaim| tag.is_some_and(|tag| build.tags.contains(tag));
        let tagged = sources(builds).find(|(build, _)| has_tag(build));
        let (_, chosen) = tagged.or_else(|| sources(builds).next())?;
        Some(Self::around(builds, chosen.commit.clone()))
    }

    /// The same for a commit that was asked about; `None` where no build is from it.
    #[must_use]
    pub fn of_commit(builds: &[BuildClaim], commit: &CommitId) -> Option<Self> {
        let is_from_it = sources(builds).any(|(_, source)| source.commit == *commit);
        is_from_it.then(|| Self::around(builds, commit.clone()))
    }

    fn around(builds: &[BuildClaim], commit: CommitId) -> Self {
        let (mut others, mut is_dirty) = (Vec::new(), true);
        for (_, source) in sources(builds) {
            if source.commit == commit {
                is_dirty &= source.dirty;
            } else if !others.contains(&source.commit) {
                others.push(source.commit.clone());
            }
        }
        Self { commit, others, is_dirty }
    }

    /// For a table: the first digits, and how many other commits there are.
    #[must_use]
    pub fn short(&self) -> String {
        let commit = self.commit.short(SHORT_COMMIT_LEN);
        match self.others.len() {
            0 => commit.to_owned(),
            count => format!("{commit} +{count}"),
        }
    }

    /// All of them, the chosen one first.
    pub fn all(&self) -> impl Iterator<Item = &CommitId> {
        std::iter::once(&self.commit).chain(&self.others)
    }
}

/// The builds that name a commit, newest first.
fn sources(builds: &[BuildClaim]) -> impl Iterator<Item = (&BuildClaim, &Source)> {
    builds.iter().rev().filter_map(|build| Some((build, build.source.as_ref()?)))
}

/// The recorded builds of some digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builds(BTreeMap<Digest, Vec<BuildClaim>>);

impl Builds {
    /// What a digest was built from, as who deployed it under a tag means it.
    #[must_use]
    pub fn built(&self, digest: &Digest, tag: Option<&Tag>) -> Option<BuiltFrom> {
        BuiltFrom::of(self.0.get(digest)?, tag)
    }
}

/// The builds of each digest.
///
/// # Errors
/// The record cannot be read.
pub async fn builds_of(
    record: &dyn Record,
    digests: &BTreeSet<Digest>,
) -> Result<Builds, RecordError> {
    let mut builds = BTreeMap::new();
    for digest in digests {
        let found = all(record, &Question::of([Kind::Build]).about(Facet::Digest, digest)).await?;
        let claims = found.into_iter().filter_map(|event| event.event.claim.as_build().cloned());
        builds.insert(*digest, claims.filter(|build| build.digest == *digest).collect());
    }
    Ok(Builds(builds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::claim::PublishedBy;

    fn commit(digit: char) -> CommitId {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn build(tag: &str, digit: char, dirty: bool) -> BuildClaim {
        let source = Source {
            repository: None,
            commit: commit(digit),
            merge_commit: None,
            source_ref: None,
            dirty,
        };
        BuildClaim {
            key: "build/1".to_owned().try_into().unwrap(),
            digest: Digest::sha256(b"x"),
            repository: "registry.example.com/shop/api".parse().unwrap(),
            image: None,
            tags: vec![tag.parse().unwrap()],
            aliases: Vec::new(),
            environment: None,
            source: Some(source),
            run: None,
            published_by: PublishedBy::Publish,
        }
    }

    #[test]
    fn of_several_builds_of_one_digest_the_one_with_the_tag_counts_and_the_others_are_told() {
        let builds = [build("v1", 'a', false), build("v2", 'b', false), build("v3", 'b', false)];
        let tag = |text: &str| text.parse().unwrap();
        let built = BuiltFrom::of(&builds, Some(&tag("v1"))).unwrap();
        assert_eq!((&built.commit, &built.others), (&commit('a'), &vec![commit('b')]));
        assert_eq!(built.short(), "aaaaaaaaaaaa +1");
        // A tag that no build has, or none: the newest build, as before.
        for unknown in [None, Some(tag("v9"))] {
            let built = BuiltFrom::of(&builds, unknown.as_ref()).unwrap();
            assert_eq!(built.all().cloned().collect::<Vec<_>>(), [commit('b'), commit('a')]);
        }
        assert_eq!(BuiltFrom::of(&[], None), None);
        let asked = BuiltFrom::of_commit(&builds, &commit('a')).unwrap();
        assert_eq!((asked.commit, asked.others), (commit('a'), vec![commit('b')]));
        assert_eq!(BuiltFrom::of_commit(&builds, &commit('c')), None);
        let own = BuiltFrom::of(&builds[..1], None).unwrap();
        assert_eq!(own.short(), "aaaaaaaaaaaa");
    }

    #[test]
    fn a_commit_is_dirty_where_no_build_of_it_was_clean() {
        let is_dirty = |builds: &[BuildClaim]| BuiltFrom::of(builds, None).unwrap().is_dirty;
        assert!(is_dirty(&[build("v1", 'b', false), build("v2", 'a', true)]));
        assert!(!is_dirty(&[build("v1", 'a', false), build("v2", 'a', true)]));
    }
}
