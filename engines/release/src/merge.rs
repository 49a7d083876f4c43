//! Promotion by merge: which verified build does the prod branch's own build contain?
//!
//! ```text
//! prod:     o───M          M's parents: prod's old tip, and develop's tip d
//! develop:  o─d─┘          the newest build verified in uat among d's new commits counts
//! ```
//! Source: DESIGN §5, "Promotion by merge".

use domain::{CommitId, Digest, EnvironmentName, ImageName};
use record::EnvironmentState;
use record::claim::BuildClaim;

/// How the commit that is deployed came onto its branch, as git tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// A merge commit: the commits that its other parents brought, newest first.
    Commits(Vec<CommitId>),
    /// One parent: a fast-forward, a squash, a cherry-pick or a plain commit.
    OneParent(CommitId),
    /// Git could not tell: a shallow clone, or no clone.
    Unknown(String),
}

/// Whether an environment asks that a build was verified where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifiedThere {
    /// Refused otherwise.
    Required,
    /// Said otherwise.
    Warn,
    /// Not asked.
    Off,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeEvidence {
    /// This build was verified there, and the merge contains its commit.
    Verified {
        /// The build.
        digest: Digest,
        /// Its commit.
        commit: CommitId,
    },
    /// The merged commits are known, and none of their builds was verified there.
    NoneVerified {
        /// Where it was looked for.
        from: EnvironmentName,
    },
    /// That could not be found out.
    CannotTell {
        /// Why.
        why: String,
    },
}

/// Finds the newest build that was verified in `from` among the merged commits.
///
/// `builds` are those of this image, oldest first. Verified means: a deploy of it landed there.
#[must_use]
pub fn judge_merge(
    image: &ImageName,
    merged: &Merged,
    builds: &[BuildClaim],
    from: &EnvironmentState,
) -> MergeEvidence {
    let commits = match merged {
        Merged::Unknown(why) => return MergeEvidence::CannotTell { why: why.clone() },
        Merged::Commits(commits) => commits.clone(),
        Merged::OneParent(commit) => vec![commit.clone()],
    };
    let newest = from.landed(image).find_map(|deploy| {
        let digest = deploy.claim.to;
        // What a rollback left there, or somebody blocked, was not found good.
        if from.condemned(image, &digest).is_some() || from.blocked(&digest).is_some() {
            return None;
        }
        let source =
            |build: &&BuildClaim| build.source.as_ref().map(|source| source.commit.clone());
        let mut sources = builds.iter().filter(|build| build.digest == digest);
        let commit = sources.find_map(|build| source(&build).filter(|c| commits.contains(c)))?;
        Some(MergeEvidence::Verified { digest, commit })
    });
    newest.unwrap_or_else(|| match merged {
        Merged::Commits(_) => MergeEvidence::NoneVerified { from: from.name().clone() },
        Merged::OneParent(commit) => MergeEvidence::CannotTell {
            why: format!(
                "{} is no merge, and no build of it was deployed to {}: a squash or cherry-pick hides what it holds",
                commit.short(12),
                from.name()
            ),
        },
        Merged::Unknown(why) => MergeEvidence::CannotTell { why: why.clone() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claim::{DeployKind, NamedBy};
    use record::fuzz::story::Story;

    fn judge(story: &Story, merged: &Merged) -> MergeEvidence {
        judge_merge(&"api".parse().unwrap(), merged, &story.builds(), &story.state("uat"))
    }

    #[test]
    fn the_newest_verified_build_among_the_merged_commits_counts() {
        let mut story = Story::new();
        let (old, new, unmerged) = (
            story.build("api", "old", "uat"),
            story.build("api", "new", "uat"),
            story.build("api", "unmerged", "uat"),
        );
        for digest in [old, new, unmerged] {
            story.deploy("api", "uat", digest, DeployKind::Deploy, NamedBy::Rule);
        }
        story.build("api", "merge", "prod");
        let commits = vec![story.commit_of("docs"), story.commit_of("new"), story.commit_of("old")];
        let expected = MergeEvidence::Verified { digest: new, commit: story.commit_of("new") };
        assert_eq!(judge(&story, &Merged::Commits(commits)), expected);
        let never_built = Merged::Commits(vec![story.commit_of("docs")]);
        assert!(matches!(judge(&story, &never_built), MergeEvidence::NoneVerified { .. }));
    }

    #[test]
    fn a_build_that_a_rollback_left_there_was_not_verified() {
        let mut story = Story::new();
        let (good, bad) = (story.build("api", "good", "uat"), story.build("api", "bad", "uat"));
        for digest in [good, bad] {
            story.deploy("api", "uat", digest, DeployKind::Deploy, NamedBy::Rule);
        }
        let back = DeployKind::Rollback { condemns: bad, returns_to: None };
        story.deploy("api", "uat", good, back, NamedBy::Rule);
        let merged = Merged::Commits(vec![story.commit_of("bad")]);
        assert!(matches!(judge(&story, &merged), MergeEvidence::NoneVerified { .. }));
    }

    #[test]
    fn a_fast_forward_is_told_by_the_same_commit_and_a_squash_is_not() {
        let mut story = Story::new();
        let a = story.build("api", "a", "uat");
        story.deploy("api", "uat", a, DeployKind::Deploy, NamedBy::Rule);
        let forward = Merged::OneParent(story.commit_of("a"));
        assert_eq!(
            judge(&story, &forward),
            MergeEvidence::Verified { digest: a, commit: story.commit_of("a") }
        );
        let squash = Merged::OneParent(story.commit_of("squash"));
        assert!(matches!(judge(&story, &squash), MergeEvidence::CannotTell { .. }));
        assert!(matches!(
            judge(&story, &Merged::Unknown("shallow".into())),
            MergeEvidence::CannotTell { .. }
        ));
    }
}
