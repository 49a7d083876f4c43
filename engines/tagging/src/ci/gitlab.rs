//! GitLab CI.
//!
//! Source: docs.gitlab.com, "Predefined CI/CD variables reference" and "`CI_PIPELINE_SOURCE` predefined
//! variable". `CI_COMMIT_BRANCH` and `CI_COMMIT_TAG` hold whole names; `CI_COMMIT_REF_SLUG` merges names and
//! is never read. `CI_MERGE_REQUEST_IID` is the number that people see, `_ID` is not.

use super::variables::Variables;
use super::{CiError, CiFacts, Event, Fork, Protected, Provider, PullRequest, RunId};
use domain::SourceRef;

const NAME: &str = "GitLab CI";

pub(super) fn read(variables: &Variables<'_>) -> Result<CiFacts, CiError> {
    let source = variables.needed(NAME, "CI_PIPELINE_SOURCE")?;
    let sha = variables.commit("CI_COMMIT_SHA")?;
    let request = request(variables, source)?;
    let is_request = request.is_some();
    let source_ref = if is_request {
        variables.full_ref("CI_MERGE_REQUEST_REF_PATH")?
    } else {
        source_ref(variables)?
    };
    // In a merged-result pipeline the commit is a merge that GitLab made, and only then is the head named.
    let head = match variables.commit("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")? {
        Some(head) => Some(head),
        None => variables.commit("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA")?,
    };
    let (commit, merge_commit) = match (is_request, head) {
        (true, Some(head)) => {
            let merge = sha.filter(|sha| *sha != head);
            (Some(head), merge)
        }
        (true, None) | (false, _) => (sha, None),
    };
    Ok(CiFacts {
        provider: Provider::GitLab,
        commit,
        merge_commit,
        event: match request {
            Some(request) => Event::PullRequest(request),
            None => started(source, source_ref.as_ref())?,
        },
        // For a merge request GitLab says `false` also for protected branches: gitlab-org/gitlab#363554.
        protected: if is_request {
            Protected::Unknown
        } else {
            variables.protected("CI_COMMIT_REF_PROTECTED")?
        },
        source_ref,
        run: Some(run(variables)?),
        repository_url: variables.url("CI_PROJECT_URL")?,
        actor: variables.text("GITLAB_USER_LOGIN")?,
    })
}

/// A merge request of GitLab, or a pull request of GitHub that GitLab builds.
fn request(variables: &Variables<'_>, source: &str) -> Result<Option<PullRequest>, CiError> {
    let number: Option<u64> = variables.number("CI_MERGE_REQUEST_IID")?;
    if number.is_some() || source == "merge_request_event" {
        return Ok(Some(PullRequest {
            number,
            from_fork: compare(
                variables.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID")?,
                variables.get("CI_MERGE_REQUEST_PROJECT_ID")?,
            ),
            target: variables.text("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")?,
        }));
    }
    let number: Option<u64> = variables.number("CI_EXTERNAL_PULL_REQUEST_IID")?;
    if number.is_some() || source == "external_pull_request_event" {
        return Ok(Some(PullRequest {
            number,
            from_fork: compare(
                variables.get("CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY")?,
                variables.get("CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY")?,
            ),
            target: variables.text("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME")?,
        }));
    }
    Ok(None)
}

fn compare(from: Option<&str>, into: Option<&str>) -> Fork {
    match (from, into) {
        (Some(from), Some(into)) if from == into => Fork::No,
        (Some(_), Some(_)) => Fork::Yes,
        (None, _) | (_, None) => Fork::Unknown,
    }
}

fn source_ref(variables: &Variables<'_>) -> Result<Option<SourceRef>, CiError> {
    let branch = variables.named_ref("refs/heads/", "CI_COMMIT_BRANCH")?;
    let tag = variables.named_ref("refs/tags/", "CI_COMMIT_TAG")?;
    if branch.is_some() && tag.is_some() {
        return Err(CiError::Contradiction {
            first: "CI_COMMIT_BRANCH",
            second: "CI_COMMIT_TAG",
            why: "a pipeline builds a branch or a tag",
        });
    }
    let (name, variable) = match (&branch, &tag) {
        (Some(_), _) => (variables.get("CI_COMMIT_BRANCH")?, "CI_COMMIT_BRANCH"),
        (None, _) => (variables.get("CI_COMMIT_TAG")?, "CI_COMMIT_TAG"),
    };
    let ref_name = variables.get("CI_COMMIT_REF_NAME")?;
    if name.is_some() && ref_name.is_some() && name != ref_name {
        return Err(CiError::Contradiction {
            first: variable,
            second: "CI_COMMIT_REF_NAME",
            why: "a pipeline builds one ref",
        });
    }
    Ok(branch.or(tag))
}

fn started(source: &str, source_ref: Option<&SourceRef>) -> Result<Event, CiError> {
    Ok(match source {
        "push" => match source_ref {
            Some(SourceRef::Branch(_)) => Event::Push,
            Some(SourceRef::Tag(_)) => Event::Tag,
            Some(SourceRef::Other(_)) => Event::Other("push".to_owned()),
            None => {
                return Err(CiError::Missing {
                    provider: "a push on GitLab",
                    variable: "CI_COMMIT_BRANCH",
                });
            }
        },
        "schedule" => Event::Schedule,
        "web" => Event::Manual,
        // `parent_pipeline`, `pipeline`, `trigger`, `api` …: what started them is not said.
        other => Event::Other(other.to_owned()),
    })
}

fn run(variables: &Variables<'_>) -> Result<RunId, CiError> {
    let id: u64 = variables
        .number("CI_PIPELINE_ID")?
        .ok_or(CiError::Missing { provider: NAME, variable: "CI_PIPELINE_ID" })?;
    let number: Option<u64> = variables.number("CI_PIPELINE_IID")?;
    Ok(RunId {
        provider: Provider::GitLab,
        id: id.to_string(),
        // A retried job gets a new id in the same pipeline; GitLab counts no attempts.
        attempt: None,
        number: number.map(|number| number.to_string()),
        url: match variables.url("CI_PIPELINE_URL")? {
            Some(url) => Some(url),
            None => variables.url("CI_JOB_URL")?,
        },
    })
}
