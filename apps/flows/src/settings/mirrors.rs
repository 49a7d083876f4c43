//! Mirrors: who is asked what a tag names, before the registry itself is.
//!
//! ```yaml
//! mirrors: {docker.io: [mirror.example.com/hub]}    # nginx:1.27 -> mirror.example.com/hub/library/nginx:1.27
//! ```
//! Files keep the name that they have: only the question goes elsewhere.

use super::SettingsError;
use super::ordered::Ordered;
use domain::{RegistryHost, Repository};
use std::collections::BTreeMap;
use std::fmt;

/// The most mirrors of one registry: each that does not answer is waited for.
const OF_ONE_MAX: usize = 8;

/// A place that has what a registry has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mirror {
    host: RegistryHost,
    /// With the slash behind it; empty: the same paths as the registry.
    below: String,
}

impl Mirror {
    /// Where the mirror has a repository; none where its name would be too long.
    #[must_use]
    pub fn of(&self, repository: &Repository) -> Option<Repository> {
        let path = format!("{}{}", self.below, repository.path());
        Repository::new(self.host.clone(), path.parse().ok()?).ok()
    }

    fn read(text: &str) -> Option<Self> {
        let (host, below) = text.split_once('/').unwrap_or((text, ""));
        let below = below.trim_end_matches('/');
        let mirror = Self {
            host: host.parse().ok()?,
            below: if below.is_empty() { String::new() } else { format!("{below}/") },
        };
        // What stands before a path must be one itself.
        let is_path = below.is_empty() || below.parse::<domain::RepositoryPath>().is_ok();
        is_path.then_some(mirror)
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.below)
    }
}

/// Mirrors by the registry that they stand for.
pub(super) fn read(
    wire: Ordered<RegistryHost, Vec<String>>,
) -> Result<BTreeMap<RegistryHost, Vec<Mirror>>, SettingsError> {
    let mut all = BTreeMap::new();
    for (host, texts) in wire.0 {
        let wrong = |why: String| SettingsError::Value { key: format!("mirrors.{host}"), why };
        if texts.len() > OF_ONE_MAX {
            return Err(wrong(format!("at most {OF_ONE_MAX} mirrors, found {}", texts.len())));
        }
        let one = |text: &String| {
            let shown: String = text.chars().take(80).collect();
            let shown = shown.escape_debug();
            Mirror::read(text).ok_or_else(|| {
                wrong(format!("`{shown}` is no mirror: write a host, and a path where it has one"))
            })
        };
        let mirrors = texts.iter().map(one).collect::<Result<_, _>>()?;
        all.insert(host, mirrors);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::read as settings;
    use super::*;

    fn of(text: &str) -> Result<BTreeMap<RegistryHost, Vec<Mirror>>, SettingsError> {
        settings(&format!("version: 1\nmirrors: {text}\n")).map(|read| read.mirrors)
    }

    #[test]
    fn a_mirror_has_the_paths_of_its_registry_below_its_own() {
        let read = of("{docker.io: [mirror.example.com/hub, 'localhost:5000']}").unwrap();
        let nginx: Repository = "nginx".parse().unwrap();
        let places: Vec<String> = read[nginx.host()]
            .iter()
            .map(|mirror| mirror.of(&nginx).unwrap().to_string())
            .collect();
        assert_eq!(
            places,
            ["mirror.example.com/hub/library/nginx", "localhost:5000/library/nginx"]
        );
    }

    #[test]
    fn what_is_no_mirror_is_named() {
        for (text, expected) in [
            (
                "{docker.io: ['https://mirror.example.com']}",
                "`https://mirror.example.com` is no mirror",
            ),
            ("{docker.io: [mirror.example.com/Hub]}", "is no mirror"),
            ("{docker.io: ['']}", "is no mirror"),
        ] {
            let error = of(text).unwrap_err().to_string();
            assert!(error.starts_with("`mirrors.docker.io`: "), "{error}");
            assert!(error.contains(expected), "{error}");
        }
        let many =
            |count: usize| of(&format!("{{docker.io: [{}]}}", vec!["a.b"; count].join(", ")));
        assert!(many(OF_ONE_MAX).is_ok());
        assert!(many(OF_ONE_MAX + 1).unwrap_err().to_string().contains("at most 8"));
    }
}
