//! What a merge brought: the builds that were verified where its other parents come from.

use super::error::DeployError;
use crate::app::{App, OpenError};
use crate::seam::environment_state;
use ::record::EnvironmentState;
use ::record::claim::BuildClaim;
use domain::{CommitId, EnvironmentName, ImageName};
use git::Ancestry;
use release::{MergeEvidence, Merged, judge_merge};

/// How many of the newest verified builds a merge is searched for.
const VERIFIED_MAX: usize = 50;

/// Which build that was verified in `from` the merge commit brought, as far as that can be told.
pub(super) async fn evidence_of(
    app: &App,
    from: &EnvironmentName,
    (image, builds): (&ImageName, &[BuildClaim]),
    commit: &CommitId,
) -> Result<MergeEvidence, DeployError> {
    let state = environment_state(app.record().await?, from).await?;
    let verified = verified_commits(image, builds, &state);
    let merged = merged(app, commit, &verified).await?;
    let evidence = judge_merge(image, &merged, builds, &state);
    let evidence = as_far_as_looked(evidence, state.landed(image).count());
    in_a_whole_past(app, evidence).await
}

/// What is not among the newest may be among those that were not looked at.
fn as_far_as_looked(evidence: MergeEvidence, deploys: usize) -> MergeEvidence {
    if deploys > VERIFIED_MAX && matches!(evidence, MergeEvidence::NoneVerified { .. }) {
        let why = format!("only the newest {VERIFIED_MAX} of {deploys} deploys were looked at");
        return MergeEvidence::CannotTell { why };
    }
    evidence
}

/// The commits of the newest builds that were verified in an environment, newest first.
fn verified_commits(
    image: &ImageName,
    builds: &[BuildClaim],
    from: &EnvironmentState,
) -> Vec<CommitId> {
    let mut commits: Vec<CommitId> = Vec::new();
    for deploy in from.landed(image).take(VERIFIED_MAX) {
        let of = builds.iter().filter(|build| build.digest == deploy.claim.to);
        let found = of.filter_map(|build| Some(build.source.as_ref()?.commit.clone()));
        for commit in found {
            if !commits.contains(&commit) {
                commits.push(commit);
            }
        }
    }
    commits
}

/// Which of the candidates a merge brought: in one of its other parents, and not in its first.
async fn merged(
    app: &App,
    commit: &CommitId,
    candidates: &[CommitId],
) -> Result<Merged, DeployError> {
    let of = OpenError::from;
    let Some(checkout) = app.checkout().await.map_err(of)? else {
        return Ok(Merged::Unknown("there is no checkout of the source here".to_owned()));
    };
    if checkout.commit_of(&commit.clone().into()).await.map_err(of)?.is_none() {
        return Ok(Merged::Unknown(format!("commit {} is not in this checkout", commit.short(12))));
    }
    let itself = checkout.commit(commit).await.map_err(of)?;
    let Some((_, brought)) =
        itself.parents.split_first().filter(|(_, brought)| !brought.is_empty())
    else {
        return Ok(Merged::OneParent(commit.clone()));
    };
    // Asked for the few commits that matter, not listed: no list is long enough for every history.
    let first = &itself.parents[0];
    let mut commits = Vec::new();
    for candidate in candidates {
        let mut is_brought = false;
        for parent in brought {
            match checkout.is_ancestor(candidate, parent).await.map_err(of)? {
                Ancestry::Yes => is_brought = true,
                Ancestry::No => {}
                Ancestry::CannotTell(why) => return Ok(Merged::Unknown(why.to_string())),
            }
        }
        if is_brought && checkout.is_ancestor(candidate, first).await.map_err(of)? == Ancestry::No {
            commits.push(candidate.clone());
        }
    }
    Ok(Merged::Commits(commits))
}

/// What is not found in a clone whose past is cut off may be in what was cut off.
async fn in_a_whole_past(app: &App, evidence: MergeEvidence) -> Result<MergeEvidence, DeployError> {
    let of = OpenError::from;
    match evidence {
        MergeEvidence::Verified { .. } => Ok(evidence),
        MergeEvidence::NoneVerified { .. } | MergeEvidence::CannotTell { .. } => {
            let is_cut_off = match app.checkout().await.map_err(of)? {
                Some(checkout) => checkout.is_shallow().await.map_err(of)?,
                None => false,
            };
            let why = || "this is a shallow clone, which hides what a merge brought".to_owned();
            Ok(if is_cut_off { MergeEvidence::CannotTell { why: why() } } else { evidence })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_behind_the_newest_deploys_cannot_be_told() {
        let none = || MergeEvidence::NoneVerified { from: "uat".parse().unwrap() };
        assert_eq!(as_far_as_looked(none(), VERIFIED_MAX), none());
        let beyond = as_far_as_looked(none(), VERIFIED_MAX + 1);
        assert!(matches!(beyond, MergeEvidence::CannotTell { .. }), "{beyond:?}");
    }
}
