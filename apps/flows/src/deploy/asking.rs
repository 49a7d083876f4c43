//! Who is asked for a pull request, with which token; and what a person is told where nobody can be asked.
//!
//! ```text
//! git@github.com:shop/config.git + GH_TOKEN                     -> opened, https://github.com/shop/config/pull/7
//! git@github.com:shop/config.git, no token                      -> "open it at https://github.com/shop/config/compare/…"
//! https://git.example.com/shop/config.git, nothing in settings  -> "open it at your git host, from deploy/prod/api into main"
//! ```
//! A token goes to the public host that it is made for, or to the one that the CI's own variables name: settings
//! are a file of the repository, and may not send it elsewhere.

use super::error::DeployError;
use crate::app::App;
use crate::registries::Registries;
use crate::settings::GitTarget;
use crate::surroundings::Surroundings;
use domain::Secret;
use git::RemoteUrl;
use vendors::pull_request::{Asked, GitHost, HostToken, Place};

/// What became of the question for a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asking {
    /// Where it is open; none: a person has to open it.
    pub(super) address: Option<String>,
    /// In a line, for the record and for people.
    pub(super) why: String,
}

/// Asks the git host of a repository for a pull request.
pub(super) async fn ask(
    app: &App,
    target: &GitTarget,
    remote: &RemoteUrl,
    asked: &Asked<'_>,
) -> Result<Asking, DeployError> {
    let Some(place) = place_of(target, remote)? else {
        let why = format!(
            "no pull request was opened: open one at your git host, from {} into {}",
            asked.source, asked.target
        );
        return Ok(Asking { address: None, why });
    };
    let Some(token) = token(app.surroundings(), &place) else {
        let way = place.by_hand(asked.source, asked.target);
        let way = way.unwrap_or_else(|| format!("from {} into {}", asked.source, asked.target));
        let why = format!("no pull request was opened, for {}: open it: {way}", missing(&place));
        return Ok(Asking { address: None, why });
    };
    let requests = Registries::of(app)?.pull_requests(place, token)?;
    let opened = requests.open(asked).await?;
    // The same words whether it was opened or written over: the same again is no new event.
    let why = format!("pull request {}", opened.address);
    Ok(Asking { address: Some(opened.address), why })
}

fn place_of(target: &GitTarget, remote: &RemoteUrl) -> Result<Option<Place>, DeployError> {
    match &target.pull_requests {
        None => Ok(Place::of(remote.as_str())),
        Some(told) => {
            let (api, project) = (told.api.as_deref(), told.project.as_deref());
            Ok(Some(Place::at(remote.as_str(), told.host, api, project)?))
        }
    }
}

/// The variables that hold tokens, and those that name the host they are for besides the public one.
///
/// Source: `gh help environment`, GitHub Actions', GitLab CI's and Azure Pipelines' predefined variables, `glab`, `az devops`.
fn variables(host: GitHost) -> (&'static [&'static str], &'static [&'static str]) {
    match host {
        GitHost::GitHub => (
            &["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
            &["GITHUB_API_URL", "GITHUB_SERVER_URL", "GH_HOST"],
        ),
        GitHost::GitLab => (&["GITLAB_TOKEN"], &["CI_API_V4_URL", "CI_SERVER_URL", "GITLAB_HOST"]),
        GitHost::AzureDevOps => (
            &["AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN"],
            &["SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"],
        ),
    }
}

fn token(surroundings: &Surroundings, place: &Place) -> Option<HostToken> {
    let (tokens, hosts) = variables(place.host);
    let host = place.api_host();
    let is_public = match place.host {
        GitHost::GitHub => host == "api.github.com",
        GitHost::GitLab => host == "gitlab.com",
        GitHost::AzureDevOps => host == "dev.azure.com" || host.ends_with(".visualstudio.com"),
    };
    let named = hosts.iter().filter_map(|name| surroundings.variable(name));
    if !is_public && !named.into_iter().any(|text| host_of(text) == host) {
        return None;
    }
    let found = tokens.iter().find_map(|name| Some((*name, surroundings.variable(name)?)));
    let (name, text) = found?;
    let secret = Secret::new(text.to_owned());
    Some(match name {
        "AZURE_DEVOPS_EXT_PAT" => HostToken::Personal(secret),
        _ => HostToken::Bearer(secret),
    })
}

/// Why there is no token for a host, and what would be one.
fn missing(place: &Place) -> String {
    let (tokens, hosts) = variables(place.host);
    let limits = match place.host {
        GitHost::GitLab => " (the CI_JOB_TOKEN may not open merge requests)",
        GitHost::GitHub | GitHost::AzureDevOps => "",
    };
    format!(
        "there is no token for {}: {} is not set{limits}, or none of {} names this host",
        place.api_host(),
        tokens.join(" or "),
        hosts.join(", ")
    )
}

/// `https://git.example.com/api/v4` and `git.example.com` alike.
fn host_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::sync::Arc;

    fn with(variables: &[(&str, &str)]) -> Surroundings {
        Surroundings {
            cwd: PathBuf::from("/"),
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            clock: Arc::new(|| domain::Timestamp::from_millis(0)),
            entropy: Arc::new(|| 0),
        }
    }

    #[test]
    fn a_token_goes_to_its_public_host_or_to_the_one_that_the_pipeline_names() {
        let public = Place::of("git@gitlab.com:shop/config.git").unwrap();
        let own = "https://git.example.com/shop/config.git";
        let own = Place::at(own, GitHost::GitLab, None, None).unwrap();
        let token_of =
            |variables: &[(&str, &str)], place: &Place| match token(&with(variables), place) {
                Some(HostToken::Bearer(token)) => Some(token.expose().to_owned()),
                Some(HostToken::Personal(token)) => Some(format!("personal {}", token.expose())),
                None => None,
            };
        let alone = [("GITLAB_TOKEN", "t")];
        assert_eq!(token_of(&alone, &public).as_deref(), Some("t"));
        assert_eq!(token_of(&alone, &own), None, "settings alone send a token nowhere");
        let in_ci = [("GITLAB_TOKEN", "t"), ("CI_API_V4_URL", "https://git.example.com/api/v4")];
        assert_eq!(token_of(&in_ci, &own).as_deref(), Some("t"));
        assert_eq!(token_of(&[("CI_JOB_TOKEN", "t")], &public), None);
        assert!(missing(&public).contains("CI_JOB_TOKEN may not"));
        let azure = Place::of("https://dev.azure.com/shop/ops/_git/config").unwrap();
        let personal = [("AZURE_DEVOPS_EXT_PAT", "p"), ("SYSTEM_ACCESSTOKEN", "s")];
        assert_eq!(token_of(&personal, &azure).as_deref(), Some("personal p"));
        assert_eq!(token_of(&personal[1..], &azure).as_deref(), Some("s"));
        let github = Place::of("https://github.com/shop/config").unwrap();
        assert_eq!(token_of(&[("GITHUB_TOKEN", "g")], &github).as_deref(), Some("g"));
        assert_eq!(token_of(&alone, &github), None);
    }
}
