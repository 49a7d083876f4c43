//! Azure Pipelines.
//!
//! Source: learn.microsoft.com, "Use predefined variables". `BUILD_SOURCEBRANCHNAME` is the last segment of
//! the ref, so that `feature/prod` reads as `prod`; it is never read. A person may queue `refs/pull/7/merge`
//! by hand: whatever the reason says, that is a pull request.

use super::variables::Variables;
use super::{CiError, CiFacts, Event, Fork, Protected, Provider, PullRequest, RunId};
use domain::SourceRef;

const NAME: &str = "Azure Pipelines";

pub(super) fn read(variables: &Variables<'_>) -> Result<CiFacts, CiError> {
    let reason = variables.needed(NAME, "BUILD_REASON")?;
    let source_ref = variables
        .full_ref("BUILD_SOURCEBRANCH")?
        .ok_or(CiError::Missing { provider: NAME, variable: "BUILD_SOURCEBRANCH" })?;
    let sha = variables.commit("BUILD_SOURCEVERSION")?;
    let head = variables.commit("SYSTEM_PULLREQUEST_SOURCECOMMITID")?;
    let request = request(variables, reason, &source_ref)?;
    let (commit, merge_commit) = match &request {
        Some(_) => {
            let merge = sha.filter(|sha| head.as_ref() != Some(sha));
            (head, merge)
        }
        None => (sha, None),
    };
    Ok(CiFacts {
        provider: Provider::Azure,
        commit,
        merge_commit,
        event: match request {
            Some(request) => Event::PullRequest(request),
            None => started(reason, &source_ref),
        },
        source_ref: Some(source_ref),
        // Azure has branch policies and no variable for them.
        protected: Protected::Unknown,
        run: Some(run(variables)?),
        repository_url: variables.url("BUILD_REPOSITORY_URI")?,
        actor: variables.text("BUILD_REQUESTEDFOR")?,
    })
}

fn request(
    variables: &Variables<'_>,
    reason: &str,
    source: &SourceRef,
) -> Result<Option<PullRequest>, CiError> {
    // On GitHub repositories the number differs from the id, and people know the number.
    let number: Option<u64> = match variables.number("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")? {
        Some(number) => Some(number),
        None => variables.number("SYSTEM_PULLREQUEST_PULLREQUESTID")?,
    };
    let ref_number = match source {
        SourceRef::Other(whole) => {
            whole.strip_prefix("refs/pull/").and_then(|rest| rest.split('/').next()?.parse().ok())
        }
        SourceRef::Branch(_) | SourceRef::Tag(_) => None,
    };
    if reason != "PullRequest" && number.is_none() && ref_number.is_none() {
        return Ok(None);
    }
    // Azure sets `False` on every build, so only a pull request's own `False` says something.
    let from_fork = if number.is_some() || reason == "PullRequest" {
        variables.fork("SYSTEM_PULLREQUEST_ISFORK")?
    } else {
        Fork::Unknown
    };
    let target = variables.get("SYSTEM_PULLREQUEST_TARGETBRANCH")?;
    Ok(Some(PullRequest {
        number: number.or(ref_number),
        from_fork,
        // Azure Repos writes the full ref, GitHub repositories the branch's name.
        target: target.map(|target| {
            let name = target.strip_prefix("refs/heads/").unwrap_or(target);
            name.to_owned()
        }),
    }))
}

fn started(reason: &str, source: &SourceRef) -> Event {
    match (reason, source) {
        // BatchedCI: several pushes of the branch, built once.
        ("IndividualCI" | "BatchedCI", SourceRef::Branch(_)) => Event::Push,
        ("IndividualCI" | "BatchedCI", SourceRef::Tag(_)) => Event::Tag,
        ("Schedule", _) => Event::Schedule,
        ("Manual", _) => Event::Manual,
        (other, _) => Event::Other(other.to_owned()),
    }
}

fn run(variables: &Variables<'_>) -> Result<RunId, CiError> {
    let id: u64 = variables
        .number("BUILD_BUILDID")?
        .ok_or(CiError::Missing { provider: NAME, variable: "BUILD_BUILDID" })?;
    let stage: Option<u32> = variables.number("SYSTEM_STAGEATTEMPT")?;
    let job: Option<u32> = variables.number("SYSTEM_JOBATTEMPT")?;
    let collection = variables.url("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")?;
    let project = variables.get("SYSTEM_TEAMPROJECTID")?;
    Ok(RunId {
        provider: Provider::Azure,
        id: id.to_string(),
        // A stage and a job are retried on their own; either makes it another attempt.
        attempt: stage.max(job),
        // `$(Date:yyyyMMdd)$(Rev:.r)` unless the pipeline names its runs itself.
        number: variables.text("BUILD_BUILDNUMBER")?,
        url: collection.zip(project).map(|(collection, project)| {
            let collection = collection.trim_end_matches('/');
            format!("{collection}/{project}/_build/results?buildId={id}")
        }),
    })
}
