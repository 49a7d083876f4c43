//! The words of an environment that say where its pull requests are opened.
//!
//! ```yaml
//! git:
//!   repository: git@git.example.com:shop/config.git
//!   pull-requests: {host: gitlab}      # github, gitlab, azure-devops; api and project where the address does not tell
//! ```

use super::wire::{self, HostWord};
use super::{PullRequestsAt, SettingsError};
use vendors::pull_request::GitHost;

/// The longest address of an API and name of a repository, in bytes.
const LEN_MAX: usize = 1024;

/// Reads where pull requests are opened.
pub(super) fn read(key: &str, wire: wire::PullRequests) -> Result<PullRequestsAt, SettingsError> {
    let host = match wire.host {
        HostWord::Github => GitHost::GitHub,
        HostWord::Gitlab => GitHost::GitLab,
        HostWord::AzureDevops => GitHost::AzureDevOps,
    };
    let wrong = |part: &str, why: &str| {
        Err(SettingsError::Value { key: format!("{key}.{part}"), why: why.to_owned() })
    };
    let is_plain = |text: &str| {
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '@');
        text.len() <= LEN_MAX && !text.contains(odd)
    };
    if let Some(api) = &wire.api {
        let rest = api.strip_prefix("https://").or_else(|| api.strip_prefix("http://"));
        let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        if !has_host || !is_plain(api) {
            return wrong("api", "an address such as https://git.example.com/api/v4 is expected");
        }
    }
    if let Some(project) = &wire.project {
        let is_path = project.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_path || !is_plain(project) {
            return wrong("project", "a name such as shop/config is expected");
        }
    }
    Ok(PullRequestsAt { host, api: wire.api, project: wire.project })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(api: &str, project: &str) -> Result<PullRequestsAt, SettingsError> {
        let (api, project) = (Some(api.to_owned()), Some(project.to_owned()));
        read("git.pull-requests", wire::PullRequests { host: HostWord::Gitlab, api, project })
    }

    #[test]
    fn an_address_and_a_name_are_taken_and_others_are_refused_by_their_key() {
        let good = with("https://git.example.com/api/v4", "shop/ops/config").unwrap();
        assert_eq!(good.host, GitHost::GitLab);
        for (api, project, key) in [
            ("git.example.com", "a/b", "`git.pull-requests.api`"),
            ("https://", "a/b", "`git.pull-requests.api`"),
            ("https://u@git.example.com", "a/b", "`git.pull-requests.api`"),
            ("https://git.example.com", "../b", "`git.pull-requests.project`"),
            ("https://git.example.com", "a//b", "`git.pull-requests.project`"),
            ("https://git.example.com", "a?b", "`git.pull-requests.project`"),
        ] {
            let error = with(api, project).unwrap_err().to_string();
            assert!(error.contains(key), "{api} {project}: {error}");
        }
    }

    #[test]
    fn the_longest_name_is_taken_and_one_more_letter_is_not() {
        let api = "https://git.example.com";
        assert!(with(api, &"a".repeat(LEN_MAX)).is_ok());
        assert!(with(api, &"a".repeat(LEN_MAX + 1)).is_err());
    }
}
