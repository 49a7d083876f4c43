//! Where images live: a path on a registry, and that path with its registry's host.
//!
//! ```text
//! "shop/api"                    a RepositoryPath: what a registry calls <name>
//! "registry.example.com/shop/api"   a Repository; "nginx" is docker.io/library/nginx
//! ```

use crate::host::{HostError, RegistryHost, is_host};
use std::fmt;
use std::str::FromStr;

/// The longest name, host included, in bytes. Source: distribution/reference `NameTotalLengthMax`.
pub const NAME_LEN_MAX: usize = 255;

/// The path of a repository on its registry: lower-case components joined by `/`.
///
/// Source: distribution/reference `regexp.go`, `path-component`; OCI distribution-spec 1.1, `<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryPath(String);

/// A repository on a named registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    host: RegistryHost,
    path: RepositoryPath,
}

/// The ways in which a text is no repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// The name is longer than [`NAME_LEN_MAX`].
    #[error("a repository name has at most {NAME_LEN_MAX} characters, found {found}")]
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// A component between two slashes breaks the grammar.
    #[error("`{component}` is not a path component: lower-case letters and digits, joined by one `.`, one or two `_`, or any number of `-`", component = component.escape_debug())]
    Component {
        /// The first such component.
        component: String,
    },
    /// 64 hex digits are an image id, never a name.
    #[error("64 hex digits are an image id, not a repository name")]
    LooksLikeId,
    /// The host is none.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A tag or digest stands where only a repository may.
    #[error("`{text}` names a tag or a digest, a repository was expected", text = text.escape_debug())]
    NotBare {
        /// The whole text.
        text: String,
    },
}

/// Whether the text is one path component.
fn is_component(component: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !is_word(*first) || !is_word(*last) {
        return false;
    }
    bytes
        .split(|b| is_word(*b))
        .all(|joint| matches!(joint, b"" | b"." | b"_" | b"__") || joint.iter().all(|b| *b == b'-'))
}

pub(crate) fn check_path(path: &str) -> Result<(), RepositoryError> {
    match path.split('/').find(|component| !is_component(component)) {
        None => Ok(()),
        Some(component) => {
            Err(RepositoryError::Component { component: component.chars().take(64).collect() })
        }
    }
}

/// Splits a name into the host that it names, if any, and the rest.
///
/// Source: distribution/reference `normalize.go`, `splitDockerDomain`.
pub(crate) fn split_host(name: &str) -> (Option<&str>, &str) {
    let Some((first, rest)) = name.split_once('/') else {
        return (None, name);
    };
    let is_named = first == "localhost"
        || first.contains(['.', ':'])
        || first.bytes().any(|b| b.is_ascii_uppercase());
    if is_named { (Some(first), rest) } else { (None, name) }
}

impl RepositoryPath {
    /// The path as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryPath {
    type Err = RepositoryError;

    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        if text.len() > NAME_LEN_MAX {
            return Err(RepositoryError::Length { found: text.len() });
        }
        check_path(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl Repository {
    /// Joins a host and a path.
    ///
    /// # Errors
    /// The two together may be too long.
    pub fn new(host: RegistryHost, path: RepositoryPath) -> Result<Self, RepositoryError> {
        let found = host.as_str().len() + 1 + path.as_str().len();
        if found > NAME_LEN_MAX {
            return Err(RepositoryError::Length { found });
        }
        Ok(Self { host, path })
    }

    /// The registry.
    #[must_use]
    pub fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// The path on the registry.
    #[must_use]
    pub fn path(&self) -> &RepositoryPath {
        &self.path
    }

    /// The short form that people write: Docker Hub and its `library` are left out.
    ///
    /// A path that would then read as a host, `docker.io/foo.bar/baz`, keeps its host.
    #[must_use]
    pub fn familiar(&self) -> String {
        let path = self.path.as_str();
        let short =
            path.strip_prefix("library/").filter(|rest| !rest.contains('/')).unwrap_or(path);
        let is_same = |short: &str| Self::from_name(short).is_ok_and(|read| read == *self);
        if self.host.is_docker_hub() && is_same(short) {
            short.to_owned()
        } else {
            self.to_string()
        }
    }

    /// Reads a name that holds neither tag nor digest, with its host or without.
    pub(crate) fn from_name(name: &str) -> Result<Self, RepositoryError> {
        if name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(RepositoryError::LooksLikeId);
        }
        if name.len() > NAME_LEN_MAX {
            return Err(RepositoryError::Length { found: name.len() });
        }
        let (host, rest) = split_host(name);
        let host = match host {
            Some(host) if is_host(host) => host.parse()?,
            Some(host) => {
                return Err(host.parse::<RegistryHost>().map_or_else(Into::into, |_| {
                    RepositoryError::Component { component: host.to_owned() }
                }));
            }
            None => RegistryHost::docker_hub(),
        };
        check_path(rest)?;
        let official = host.is_docker_hub() && !rest.contains('/');
        let path = if official { format!("library/{rest}") } else { rest.to_owned() };
        // The limit is for what was written; `docker.io/library/` is our own addition.
        Ok(Self { host, path: RepositoryPath(path) })
    }
}

impl FromStr for Repository {
    type Err = RepositoryError;

    /// Reads a repository with its host or without; a tag or digest is refused.
    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        let after_host = text.rfind('/').map_or(0, |slash| slash + 1);
        if text.contains('@') || text[after_host..].contains(':') {
            return Err(RepositoryError::NotBare { text: text.chars().take(300).collect() });
        }
        Self::from_name(text)
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Repository {
    /// The canonical form, host included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

crate::text::serde_as_text!(RepositoryPath);
crate::text::serde_as_text!(Repository);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_as_docker_does() {
        let cases = [
            ("nginx", "docker.io/library/nginx", "nginx"),
            ("shop/api", "docker.io/shop/api", "shop/api"),
            ("index.docker.io/shop/api", "docker.io/shop/api", "shop/api"),
            ("docker.io/nginx", "docker.io/library/nginx", "nginx"),
            ("localhost/foo", "localhost/foo", "localhost/foo"),
            ("localhost", "docker.io/library/localhost", "localhost"),
            ("Foo/bar", "Foo/bar", "Foo/bar"),
            ("127.0.0.1:5080/shop/api", "127.0.0.1:5080/shop/api", "127.0.0.1:5080/shop/api"),
            ("[::1]:5000/foo", "[::1]:5000/foo", "[::1]:5000/foo"),
            ("a/b/c", "docker.io/a/b/c", "a/b/c"),
            ("docker.io/foo.bar/baz", "docker.io/foo.bar/baz", "docker.io/foo.bar/baz"),
        ];
        for (text, canonical, familiar) in cases {
            let repository: Repository = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(repository.to_string(), canonical);
            assert_eq!(repository.familiar(), familiar);
            assert_eq!(canonical.parse::<Repository>().unwrap(), repository);
        }
    }

    #[test]
    fn path_components_follow_the_grammar() {
        for good in
            ["a", "foo__bar", "foo-bar", "foo---bar", "foo.bar", "foo_bar", "0", "a/b-c/d.e"]
        {
            assert!(good.parse::<RepositoryPath>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "foo___bar",
            "foo..bar",
            "foo._bar",
            "-a",
            "a-",
            "A",
            "a b",
            "..",
        ] {
            assert!(bad.parse::<RepositoryPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_has_255_characters_and_not_256() {
        assert!(format!("a/{}", "b".repeat(253)).parse::<Repository>().is_ok());
        let long = format!("a/{}", "b".repeat(254));
        assert_eq!(long.parse::<Repository>(), Err(RepositoryError::Length { found: 256 }));
    }

    #[test]
    fn an_image_id_is_no_name() {
        assert_eq!("0".repeat(64).parse::<Repository>(), Err(RepositoryError::LooksLikeId));
    }

    #[test]
    fn a_tag_or_digest_is_refused_where_a_repository_is_meant() {
        for text in ["shop/api:1", "localhost:5000/api:1", "api@sha256:00", "foo:5000"] {
            assert!(
                matches!(text.parse::<Repository>(), Err(RepositoryError::NotBare { .. })),
                "{text}"
            );
        }
    }
}
