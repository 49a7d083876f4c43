//! Where bytes ran that lack a commit, by the ancestry of recorded commits.

use super::{AskError, UNSHALLOW, intervals_of};
use crate::app::App;
use crate::seam::{Question, all};
use ::record::claim::{BuildClaim, Kind};
use ::record::{Answer, Contains, Exposed, Gap, Interval, Span};
use domain::CommitId;
use git::{Ancestry, Checkout, GitError};
use std::collections::{BTreeMap, BTreeSet};

/// The answer, and the commit that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposureAnswer {
    /// The commit, whole.
    pub commit: CommitId,
    /// The intervals whose bytes lack it, or of which that cannot be told.
    pub answer: Answer<Exposed>,
    /// The intervals that were looked at.
    pub looked_at: usize,
}

/// Finds every interval with a moment in a span whose bytes lack a commit.
///
/// # Errors
/// There is no checkout, the commit is not in it, or the record cannot be read.
pub async fn exposure(
    app: &App,
    missing_commit: &str,
    span: &Span,
) -> Result<ExposureAnswer, AskError> {
    let record = app.record_to_read().await?;
    let what = "asking for a commit's descendants";
    let checkout = app.checkout().await?.ok_or(AskError::NoCheckout { what })?;
    let is_shallow = checkout.is_shallow().await?;
    let fix = match checkout.find_commit(missing_commit).await {
        Err(GitError::NoSuchCommit { .. }) if is_shallow => {
            let asked = missing_commit.chars().take(200).collect();
            return Err(AskError::CutOff { asked });
        }
        other => other?,
    };
    let deploys = all(record, &Question::of([Kind::Deploy])).await?;
    let intervals = intervals_of(record, &deploys, |one| one.is_in(span)).await?;
    let builds = all(record, &Question::of([Kind::Build])).await?;
    let builds: Vec<BuildClaim> =
        builds.iter().filter_map(|event| event.event.claim.as_build().cloned()).collect();
    let known = ancestry(checkout, &fix, &commits_of(&builds, &intervals)).await?;
    let looked_at = intervals.len();
    let contains = |commit: &CommitId| known.get(commit).cloned().unwrap_or_else(not_asked);
    let mut answer = ::record::exposure(&builds, intervals, &contains);
    let is_untold = |one: &Exposed| matches!(one.contains, Contains::CannotTell(_));
    if is_shallow && answer.items.iter().any(is_untold) {
        let why = format!("the past of this checkout is cut off: `{UNSHALLOW}` brings it");
        answer = answer.with_gap(Gap { from: None, until: None, why });
    }
    if looked_at == 0 {
        let why = match deploys.is_empty() {
            true => "no deploy at all is recorded".to_owned(),
            false => "what ran in a time of which no deploy is recorded is not known".to_owned(),
        };
        answer = answer.with_gap(Gap { from: span.from(), until: span.until(), why });
    }
    answer.gaps.extend(record.left_out());
    Ok(ExposureAnswer { commit: fix, answer, looked_at })
}

fn not_asked() -> Contains {
    Contains::CannotTell("git was not asked about this commit".to_owned())
}

/// The commits that the bytes of these intervals were built from: no other one changes the answer.
fn commits_of<'a>(builds: &'a [BuildClaim], intervals: &[Interval]) -> BTreeSet<&'a CommitId> {
    let digests: BTreeSet<_> = intervals.iter().map(|interval| interval.digest).collect();
    let own = builds.iter().filter(|build| digests.contains(&build.digest));
    own.filter_map(|build| Some(&build.source.as_ref()?.commit)).collect()
}

/// Asks git once for each commit.
async fn ancestry(
    checkout: &Checkout,
    fix: &CommitId,
    commits: &BTreeSet<&CommitId>,
) -> Result<BTreeMap<CommitId, Contains>, AskError> {
    let mut known = BTreeMap::new();
    for &commit in commits {
        let contains = match checkout.is_ancestor(fix, commit).await? {
            Ancestry::Yes => Contains::Yes,
            Ancestry::No => Contains::No,
            Ancestry::CannotTell(why) => Contains::CannotTell(why.to_string()),
        };
        known.insert(commit.clone(), contains);
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::claim::{DeployKind, NamedBy};
    use ::record::fuzz::story::Story;
    use ::record::intended_intervals;

    #[test]
    fn git_is_asked_about_commits_of_bytes_that_ran_and_no_others() {
        let mut story = Story::new();
        let ran = story.build("api", "ran", "prod");
        let _never_deployed = story.build("api", "idle", "prod");
        story.deploy("api", "prod", ran, DeployKind::Deploy, NamedBy::Rule);
        let (builds, intervals) = (story.builds(), intended_intervals(&story.state("prod")));
        let asked = commits_of(&builds, &intervals);
        assert_eq!(asked, BTreeSet::from([&story.commit_of("ran")]));
    }
}
