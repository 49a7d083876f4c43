//! Which git host a repository's address belongs to, and where its API is.
//!
//! ```text
//! git@github.com:shop/config.git                    -> GitHub, https://api.github.com, shop/config
//! https://dev.azure.com/shop/ops/_git/config        -> Azure DevOps, https://dev.azure.com, shop/ops/_git/config
//! https://git.example.com/shop/config.git           -> whatever the settings call it
//! ```

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;

/// What stands in a query or a path segment as it is. Source: RFC 3986, unreserved.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The git hosts whose pull requests can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitHost {
    /// github.com or GitHub Enterprise Server.
    GitHub,
    /// gitlab.com or one's own.
    GitLab,
    /// dev.azure.com or Azure DevOps Server.
    AzureDevOps,
}

impl fmt::Display for GitHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::AzureDevOps => "Azure DevOps",
        })
    }
}

/// A repository at a git host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which kind of host.
    pub host: GitHost,
    /// Where its API begins, without a `/` at the end.
    pub api: String,
    /// The repository: `shop/config`, at Azure DevOps `organization/project/_git/repository`.
    pub project: String,
    /// Where people see the repository.
    pub web: Option<String>,
}

/// The settings do not say enough to find the repository at its host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address {address} does not tell the repository's name at {host}")]
pub struct PlaceError {
    /// The repository's address.
    pub address: String,
    /// The host.
    pub host: GitHost,
}

/// An address in its parts; ports of ssh are left out, for they are not those of the web.
struct Parts<'a> {
    host: &'a str,
    path: &'a str,
}

impl Place {
    /// Reads the address of a repository; `None`: no git host that is known by its name.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let parts = parts(address)?;
        let host = match parts.host {
            "github.com" | "ssh.github.com" => GitHost::GitHub,
            "gitlab.com" | "altssh.gitlab.com" => GitHost::GitLab,
            "dev.azure.com" | "ssh.dev.azure.com" | "vs-ssh.visualstudio.com" => {
                GitHost::AzureDevOps
            }
            name if name.ends_with(".visualstudio.com") => GitHost::AzureDevOps,
            _ => return None,
        };
        Self::at(address, host, None, None).ok()
    }

    /// A repository at a host that the settings name, with what they say of its API and its name there.
    ///
    /// # Errors
    /// Neither the address nor the settings tell the repository's name.
    pub fn at(
        address: &str,
        host: GitHost,
        api: Option<&str>,
        project: Option<&str>,
    ) -> Result<Self, PlaceError> {
        let parts = parts(address);
        let missing = || PlaceError { address: address.to_owned(), host };
        let found = || project_of(host, parts.as_ref()?);
        let project = project.map(str::to_owned).or_else(found);
        let project = project.filter(|name| !name.is_empty()).ok_or_else(missing)?;
        let named = parts.as_ref().map(|parts| web_host(parts.host));
        let web = named.map(|name| format!("https://{name}/{project}"));
        let api = match (api, named) {
            (Some(api), _) => api.trim_end_matches('/').to_owned(),
            (None, None) => return Err(missing()),
            (None, Some(name)) => match host {
                GitHost::GitHub if name == "github.com" => "https://api.github.com".to_owned(),
                GitHost::GitHub => format!("https://{name}/api/v3"),
                GitHost::GitLab => format!("https://{name}/api/v4"),
                GitHost::AzureDevOps => format!("https://{name}"),
            },
        };
        Ok(Self { host, api, project, web })
    }

    /// The name of the API's host, with its port.
    #[must_use]
    pub fn api_host(&self) -> &str {
        let rest = self.api.split_once("://").map_or(self.api.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// Where a person opens a pull request by hand.
    #[must_use]
    pub fn by_hand(&self, source: &str, target: &str) -> Option<String> {
        let web = self.web.as_ref()?;
        let (source, target) = (plain(source), plain(target));
        Some(match self.host {
            GitHost::GitHub => format!("{web}/compare/{target}...{source}?expand=1"),
            GitHost::GitLab => format!(
                "{web}/-/merge_requests/new?merge_request%5Bsource_branch%5D={source}&merge_request%5Btarget_branch%5D={target}"
            ),
            GitHost::AzureDevOps => {
                format!("{web}/pullrequestcreate?sourceRef={source}&targetRef={target}")
            }
        })
    }
}

/// Percent-encodes what a person named, `/` too.
pub(super) fn plain(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

fn parts(address: &str) -> Option<Parts<'_>> {
    let web = ["https://", "http://"].iter().find_map(|scheme| address.strip_prefix(scheme));
    if let Some(rest) = web {
        let (host, path) = rest.split_once('/')?;
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        return Some(Parts { host, path: trimmed(path) });
    }
    if let Some(rest) = address.strip_prefix("ssh://") {
        let (authority, path) = rest.split_once('/')?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = host.split_once(':').map_or(host, |(host, _)| host);
        return Some(Parts { host, path: trimmed(path) });
    }
    if address.starts_with('/') || address.contains("://") {
        return None;
    }
    let (authority, path) = address.split_once(':')?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(Parts { host, path: trimmed(path) })
}

fn trimmed(path: &str) -> &str {
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path)
}

/// The name under which people see the host.
fn web_host(name: &str) -> &str {
    match name {
        "ssh.github.com" => "github.com",
        "altssh.gitlab.com" => "gitlab.com",
        "ssh.dev.azure.com" | "vs-ssh.visualstudio.com" => "dev.azure.com",
        other => other,
    }
}

/// Source: Azure DevOps' addresses: `/{organization}/{project}/_git/{repository}`, `_git/{repository}` where the two
/// have one name, and `v3/{organization}/{project}/{repository}` over ssh.
fn project_of(host: GitHost, parts: &Parts<'_>) -> Option<String> {
    if host != GitHost::AzureDevOps {
        return Some(parts.path.to_owned());
    }
    if let Some(rest) = parts.path.strip_prefix("v3/") {
        let mut words = rest.split('/');
        let (organization, project, repository) = (words.next()?, words.next()?, words.next()?);
        return Some(format!("{organization}/{project}/_git/{repository}"));
    }
    let (before, repository) = parts.path.split_once("_git/")?;
    let before = before.trim_end_matches('/');
    // `DefaultCollection` or an organization alone: project and repository have one name.
    let is_project_named = match parts.host {
        name if name.ends_with(".visualstudio.com") => {
            !before.is_empty() && before != "DefaultCollection"
        }
        _ => before.contains('/'),
    };
    let project = if is_project_named {
        before.to_owned()
    } else if before.is_empty() {
        repository.to_owned()
    } else {
        format!("{before}/{repository}")
    };
    Some(format!("{project}/_git/{repository}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_by_the_addresses_that_people_clone_from() {
        let cases = [
            ("git@github.com:shop/config.git", "https://api.github.com shop/config"),
            ("https://github.com/shop/config", "https://api.github.com shop/config"),
            ("ssh://git@ssh.github.com:443/shop/config.git", "https://api.github.com shop/config"),
            ("https://gitlab.com/shop/ops/config.git", "https://gitlab.com/api/v4 shop/ops/config"),
            (
                "https://shop@dev.azure.com/shop/Ops%20Team/_git/config",
                "https://dev.azure.com shop/Ops%20Team/_git/config",
            ),
            (
                "git@ssh.dev.azure.com:v3/shop/ops/config",
                "https://dev.azure.com shop/ops/_git/config",
            ),
            (
                "https://dev.azure.com/shop/_git/config",
                "https://dev.azure.com shop/config/_git/config",
            ),
            (
                "https://shop.visualstudio.com/ops/_git/config",
                "https://shop.visualstudio.com ops/_git/config",
            ),
            (
                "https://shop.visualstudio.com/_git/config",
                "https://shop.visualstudio.com config/_git/config",
            ),
        ];
        for (address, expected) in cases {
            let place = Place::of(address).unwrap();
            assert_eq!(format!("{} {}", place.api, place.project), expected, "{address}");
        }
        for address in ["https://git.example.com/shop/config.git", "/srv/git/config.git", "x"] {
            assert_eq!(Place::of(address), None, "{address}");
        }
    }

    #[test]
    fn a_host_of_ones_own_is_named_by_the_settings() {
        let at = |address, host| Place::at(address, host, None, None).unwrap();
        let place = at("git@git.example.com:shop/config.git", GitHost::GitLab);
        assert_eq!(
            (place.api.as_str(), place.api_host()),
            ("https://git.example.com/api/v4", "git.example.com")
        );
        let place = at("https://git.example.com/shop/config.git", GitHost::GitHub);
        assert_eq!(place.api, "https://git.example.com/api/v3");
        let place = at("https://tfs.example.com/tfs/shop/ops/_git/config", GitHost::AzureDevOps);
        assert_eq!(
            (place.api.as_str(), place.project.as_str()),
            ("https://tfs.example.com", "tfs/shop/ops/_git/config")
        );
        let folder = "/srv/git/config.git";
        assert!(Place::at(folder, GitHost::GitLab, None, None).is_err());
        let told = Place::at(
            folder,
            GitHost::GitLab,
            Some("http://127.0.0.1:1/api/v4/"),
            Some("shop/config"),
        );
        let told = told.unwrap();
        assert_eq!(
            (told.api.as_str(), told.api_host()),
            ("http://127.0.0.1:1/api/v4", "127.0.0.1:1")
        );
        assert_eq!(told.by_hand("a", "b"), None);
    }

    #[test]
    fn a_person_is_led_to_where_a_pull_request_is_opened() {
        let by_hand =
            |address| Place::of(address).unwrap().by_hand("deploy/prod/api", "main").unwrap();
        assert_eq!(
            by_hand("git@github.com:shop/config.git"),
            "https://github.com/shop/config/compare/main...deploy%2Fprod%2Fapi?expand=1"
        );
        assert_eq!(
            by_hand("git@gitlab.com:shop/config.git"),
            "https://gitlab.com/shop/config/-/merge_requests/new?merge_request%5Bsource_branch%5D=deploy%2Fprod%2Fapi&merge_request%5Btarget_branch%5D=main"
        );
        assert_eq!(
            by_hand("git@ssh.dev.azure.com:v3/shop/ops/config"),
            "https://dev.azure.com/shop/ops/_git/config/pullrequestcreate?sourceRef=deploy%2Fprod%2Fapi&targetRef=main"
        );
    }
}
