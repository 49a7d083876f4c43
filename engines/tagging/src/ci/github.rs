//! GitHub Actions, and Gitea and Forgejo that speak its variables.
//!
//! Source: docs.github.com, "Variables reference" and "Events that trigger workflows".
//! `GITHUB_HEAD_REF` is never read: a fork's branch may be called `prod`. Of `pull_request`, `GITHUB_SHA` is
//! the merge that GitHub tries; of `pull_request_target` it is the target's commit, so neither is the head.

use super::github_event::GitHubEvent;
use super::variables::Variables;
use super::{CiError, CiFacts, Event, Fork, Protected, Provider, PullRequest, RunId};
use domain::{CommitId, SourceRef};

/// The branches that a merge queue makes; a push of one is not a push by a person.
pub(crate) const MERGE_QUEUE_PREFIX: &str = "gh-readonly-queue/";

pub(super) fn read(variables: &Variables<'_>, event: Option<&str>) -> Result<CiFacts, CiError> {
    let provider = provider(variables)?;
    let name = variables.needed(provider.name(), "GITHUB_EVENT_NAME")?;
    let body = event.map(GitHubEvent::read).transpose()?;
    let source_ref = source_ref(variables)?;
    let sha = variables.commit("GITHUB_SHA")?;
    let started = started(variables, name, source_ref.as_ref(), body.as_ref())?;
    let (commit, merge_commit) = commits(&started, name, sha, body.as_ref())?;
    Ok(CiFacts {
        provider,
        commit,
        merge_commit,
        protected: protected(variables, &started)?,
        source_ref,
        event: started,
        run: Some(run(variables, provider)?),
        repository_url: repository_url(variables)?,
        // On a re-run the one who started it again is the one who acts.
        actor: match variables.text("GITHUB_TRIGGERING_ACTOR")? {
            Some(actor) => Some(actor),
            None => variables.text("GITHUB_ACTOR")?,
        },
    })
}

fn provider(variables: &Variables<'_>) -> Result<Provider, CiError> {
    // Forgejo sets Gitea's marker as well. Source: forgejo/runner, internal/app/run/runner.go.
    Ok(if variables.is_true("FORGEJO_ACTIONS")? {
        Provider::Forgejo
    } else if variables.is_true("GITEA_ACTIONS")? {
        Provider::Gitea
    } else {
        Provider::GitHub
    })
}

fn source_ref(variables: &Variables<'_>) -> Result<Option<SourceRef>, CiError> {
    let source = variables.full_ref("GITHUB_REF")?;
    let kind = variables.get("GITHUB_REF_TYPE")?;
    let contradicts = match (&source, kind) {
        (Some(SourceRef::Branch(_)), Some(kind)) => kind != "branch",
        (Some(SourceRef::Tag(_)), Some(kind)) => kind != "tag",
        (Some(SourceRef::Other(_)), Some(kind)) => kind == "tag",
        (_, None) | (None, _) => false,
    };
    if contradicts {
        return Err(CiError::Contradiction {
            first: "GITHUB_REF",
            second: "GITHUB_REF_TYPE",
            why: "a ref is a branch or a tag",
        });
    }
    Ok(source)
}

fn started(
    variables: &Variables<'_>,
    name: &str,
    source: Option<&SourceRef>,
    body: Option<&GitHubEvent>,
) -> Result<Event, CiError> {
    let in_queue = source
        .and_then(SourceRef::branch)
        .is_some_and(|branch| branch.starts_with(MERGE_QUEUE_PREFIX));
    let pull_number = source.and_then(pull_number);
    let is_pull = name == "pull_request"
        || name.starts_with("pull_request_")
        || pull_number.is_some()
        || body.is_some_and(|body| body.pull_request.is_some());
    if is_pull {
        return pull_request(variables, pull_number, body).map(Event::PullRequest);
    }
    if in_queue || name == "merge_group" {
        return Ok(Event::MergeQueue);
    }
    Ok(match name {
        "push" => {
            check_pushed_ref(source, body)?;
            match source {
                Some(SourceRef::Branch(_)) => Event::Push,
                Some(SourceRef::Tag(_)) => Event::Tag,
                Some(SourceRef::Other(_)) => Event::Other("push".to_owned()),
                None => {
                    return Err(CiError::Missing {
                        provider: "a push on GitHub",
                        variable: "GITHUB_REF",
                    });
                }
            }
        }
        "schedule" => Event::Schedule,
        "workflow_dispatch" => Event::Manual,
        other => Event::Other(other.to_owned()),
    })
}

/// A step may not give itself another branch than the push had.
fn check_pushed_ref(source: Option<&SourceRef>, body: Option<&GitHubEvent>) -> Result<(), CiError> {
    let pushed = body.and_then(|body| body.pushed_ref.as_ref());
    match (source, pushed) {
        (Some(source), Some(pushed)) if source.to_string() != *pushed => {
            Err(CiError::EventContradiction { variable: "GITHUB_REF", why: "a push has one ref" })
        }
        (Some(_), Some(_)) | (None, _) | (_, None) => Ok(()),
    }
}

/// The 7 of `refs/pull/7/merge`.
fn pull_number(source: &SourceRef) -> Option<u64> {
    match source {
        SourceRef::Other(whole) => {
            let rest = whole.strip_prefix("refs/pull/")?;
            rest.split('/').next()?.parse().ok()
        }
        SourceRef::Branch(_) | SourceRef::Tag(_) => None,
    }
}

fn pull_request(
    variables: &Variables<'_>,
    ref_number: Option<u64>,
    body: Option<&GitHubEvent>,
) -> Result<PullRequest, CiError> {
    let pull = body.and_then(|body| body.pull_request.as_ref());
    let body_number = pull.and_then(|pull| pull.number).or(body.and_then(|body| body.number));
    if let (Some(one), Some(other)) = (ref_number, body_number)
        && one != other
    {
        return Err(CiError::EventContradiction {
            variable: "GITHUB_REF",
            why: "they name two pull requests",
        });
    }
    Ok(PullRequest {
        number: ref_number.or(body_number),
        from_fork: pull.map_or(Fork::Unknown, |pull| pull.fork()),
        target: match variables.text("GITHUB_BASE_REF")? {
            Some(target) => Some(target),
            None => pull.and_then(|pull| pull.target()).map(str::to_owned),
        },
    })
}

fn commits(
    started: &Event,
    name: &str,
    sha: Option<CommitId>,
    body: Option<&GitHubEvent>,
) -> Result<(Option<CommitId>, Option<CommitId>), CiError> {
    match started {
        Event::PullRequest(_) => {
            let pull = body.and_then(|body| body.pull_request.as_ref());
            let head = pull.map(|pull| pull.head_commit()).transpose()?;
            let merge =
                sha.filter(|sha| name != "pull_request_target" && head.as_ref() != Some(sha));
            Ok((head, merge))
        }
        Event::Push
        | Event::Tag
        | Event::MergeQueue
        | Event::Schedule
        | Event::Manual
        | Event::Other(_)
        | Event::None => Ok((sha, None)),
    }
}

fn protected(variables: &Variables<'_>, started: &Event) -> Result<Protected, CiError> {
    let said = variables.protected("GITHUB_REF_PROTECTED")?;
    // Of a pull request the ref is GitHub's own, or the target: neither says anything about its branch.
    Ok(match started {
        Event::PullRequest(_) => Protected::Unknown,
        Event::Push
        | Event::Tag
        | Event::MergeQueue
        | Event::Schedule
        | Event::Manual
        | Event::Other(_)
        | Event::None => said,
    })
}

fn repository_url(variables: &Variables<'_>) -> Result<Option<String>, CiError> {
    let server = variables.url("GITHUB_SERVER_URL")?;
    let repository = variables.get("GITHUB_REPOSITORY")?;
    Ok(server
        .zip(repository)
        .map(|(server, repository)| format!("{}/{repository}", server.trim_end_matches('/'))))
}

fn run(variables: &Variables<'_>, provider: Provider) -> Result<RunId, CiError> {
    let id: u64 = variables
        .number("GITHUB_RUN_ID")?
        .ok_or(CiError::Missing { provider: provider.name(), variable: "GITHUB_RUN_ID" })?;
    let attempt: Option<u32> = variables.number("GITHUB_RUN_ATTEMPT")?;
    let number: Option<u64> = variables.number("GITHUB_RUN_NUMBER")?;
    let page = repository_url(variables)?.map(|url| format!("{url}/actions/runs/{id}"));
    let url = match provider {
        Provider::GitHub => match (page, attempt) {
            (Some(page), Some(attempt)) => Some(format!("{page}/attempts/{attempt}")),
            (page, _) => page,
        },
        // Their pages are numbered by id or by number, which differs between versions.
        Provider::Gitea
        | Provider::Forgejo
        | Provider::GitLab
        | Provider::Azure
        | Provider::Unknown
        | Provider::Checkout => None,
    };
    Ok(RunId {
        provider,
        id: id.to_string(),
        attempt,
        number: number.map(|number| number.to_string()),
        url,
    })
}
