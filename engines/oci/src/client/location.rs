//! Where a `Location` or `Link` leads, and what may be taken along.
//!
//! ```text
//! base https://r.example/v2/a/blobs/uploads/   Location: /v2/a/blobs/uploads/1?_state=x   -> same origin
//! base https://r.example/…                     Location: https://s3.example/…             -> other origin: no credentials
//! ```
//! Source: RFC 3986, section 5; containerd `pusher.go`, which drops credentials for another host.

use domain::Digest;
use http::Uri;
use http::uri::{Authority, PathAndQuery};

/// The longest location that is followed, in bytes. Presigned addresses are near 2 KiB.
pub const LOCATION_BYTES_MAX: usize = 16 << 10;

/// Where to go next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The address; a fragment is dropped, the query is kept as it came.
    pub uri: Uri,
    /// Whether it is where the base is.
    pub origin: Origin,
}

/// Whether an address has the scheme, host and port of the one that led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Yes: credentials may go along.
    Same,
    /// No: they may not.
    Other,
}

/// Why a location is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Longer than [`LOCATION_BYTES_MAX`].
    #[error("the location has {found} bytes, at most {LOCATION_BYTES_MAX} are followed")]
    Long {
        /// Its length.
        found: usize,
    },
    /// Not an address.
    #[error("`{text}` is not a location", text = text.escape_debug())]
    Malformed {
        /// The text, cut.
        text: String,
    },
    /// Neither http nor https, or from TLS to clear text.
    #[error("a location with the scheme `{scheme}` is not followed from here", scheme = scheme.escape_debug())]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// A user or password stands in it.
    #[error("a location with a user name is not followed")]
    UserInfo,
}

/// Resolves a `Location` or the target of a `Link` against the address that was asked.
///
/// # Errors
/// Not an address that may be followed.
pub fn resolve(base: &Uri, location: &str) -> Result<Next, LocationError> {
    if location.len() > LOCATION_BYTES_MAX {
        return Err(LocationError::Long { found: location.len() });
    }
    let text = location.trim();
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let malformed = || LocationError::Malformed { text: text.chars().take(128).collect() };
    if text.is_empty() || text.contains(['\\', ' ']) || text.contains(char::is_control) {
        return Err(malformed());
    }
    let scheme = base.scheme_str().ok_or_else(malformed)?;
    let authority = base.authority().ok_or_else(malformed)?.as_str();
    let absolute = if let Some(found) = scheme_of(text) {
        check_scheme(scheme, found)?;
        text.to_owned()
    } else if text.starts_with("//") {
        format!("{scheme}:{text}")
    } else if text.starts_with('/') {
        format!("{scheme}://{authority}{text}")
    } else if text.starts_with('?') {
        format!("{scheme}://{authority}{}{text}", base.path())
    } else {
        let folder = base.path().rfind('/').map_or("/", |end| &base.path()[..=end]);
        format!("{scheme}://{authority}{folder}{text}")
    };
    let uri: Uri = absolute.parse().map_err(|_| malformed())?;
    let found = uri.authority().ok_or_else(malformed)?;
    if found.as_str().contains('@') {
        return Err(LocationError::UserInfo);
    }
    let uri = with_path(uri).ok_or_else(malformed)?;
    let origin = origin(base, &uri);
    Ok(Next { uri, origin })
}

/// The scheme, where the text starts with one.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    is_scheme.then_some(scheme)
}

fn check_scheme(base: &str, found: &str) -> Result<(), LocationError> {
    let is_web = |scheme: &str| matches!(scheme, "http" | "https");
    let found = found.to_ascii_lowercase();
    if is_web(&found) && !(base == "https" && found == "http") {
        Ok(())
    } else {
        Err(LocationError::Scheme { scheme: found.chars().take(32).collect() })
    }
}

/// An address without a path has the path `/`; dot segments are taken out.
fn with_path(uri: Uri) -> Option<Uri> {
    let mut segments: Vec<&str> = Vec::new();
    let path = uri.path().strip_prefix('/').unwrap_or_default();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let path: PathAndQuery = format!("/{}{query}", segments.join("/")).parse().ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok()
}

/// Whether two addresses have the same scheme, host and port.
#[must_use]
pub fn origin(one: &Uri, other: &Uri) -> Origin {
    let key = |uri: &Uri| {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let usual = if scheme == "https" { 443 } else { 80 };
        let port = uri.authority().and_then(Authority::port_u16).unwrap_or(usual);
        Some((scheme, uri.host()?.to_ascii_lowercase(), port))
    };
    match (key(one), key(other)) {
        (Some(one), Some(other)) if one == other => Origin::Same,
        (_, _) => Origin::Other,
    }
}

/// Adds `digest=` to the address at which an upload is finished, after whatever query it has.
///
/// # Panics
/// Never: a digest can stand in a query as it is.
#[must_use]
pub fn with_digest(upload: &Uri, digest: &Digest) -> Uri {
    let sign = match upload.query() {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    let target = upload.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut parts = upload.clone().into_parts();
    let with: PathAndQuery = format!("{target}{sign}digest={digest}")
        .parse()
        .expect("a target with a digest in its query is a target");
    parts.path_and_query = Some(with);
    Uri::from_parts(parts).expect("only the query has changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://r.example/v2/a/blobs/uploads/";

    fn follow(base: &str, location: &str) -> Result<(String, Origin), LocationError> {
        let next = resolve(&base.parse().unwrap(), location)?;
        Ok((next.uri.to_string(), next.origin))
    }

    #[test]
    fn locations_of_every_form_are_resolved() {
        use Origin::{Other, Same};
        for (location, expected, origin) in [
            (
                "/v2/a/blobs/uploads/1?_state=x%3D",
                "https://r.example/v2/a/blobs/uploads/1?_state=x%3D",
                Same,
            ),
            ("https://r.example/u", "https://r.example/u", Same),
            ("https://R.EXAMPLE:443/u", "https://R.EXAMPLE:443/u", Same),
            ("https://r.example:444/u", "https://r.example:444/u", Other),
            ("//s3.example/b?X-Sig=1", "https://s3.example/b?X-Sig=1", Other),
            ("1?x", "https://r.example/v2/a/blobs/uploads/1?x", Same),
            ("../1", "https://r.example/v2/a/blobs/1", Same),
            ("/a/../../b", "https://r.example/b", Same),
            ("?s=1", "https://r.example/v2/a/blobs/uploads/?s=1", Same),
            ("/u#part", "https://r.example/u", Same),
            ("https://other.example", "https://other.example/", Other),
            (" /u ", "https://r.example/u", Same),
        ] {
            let found = follow(BASE, location);
            assert_eq!(found, Ok((expected.to_owned(), origin)), "{location}");
        }
        let up = follow("http://r.example/x", "https://r.example/x");
        assert_eq!(up, Ok(("https://r.example/x".to_owned(), Other)));
    }

    #[test]
    fn what_must_not_be_followed_is_refused() {
        for location in ["http://r.example/u", "file:///etc/passwd", "javascript:x", "data:x"] {
            let found = follow(BASE, location);
            assert!(matches!(found, Err(LocationError::Scheme { .. })), "{location}");
        }
        let user = follow(BASE, "https://user:pw@r.example/");
        assert_eq!(user, Err(LocationError::UserInfo));
        for location in ["", " ", "https://", "/a b", "/a\r\nX: y", "\\\\host\\x", "https:///x"] {
            let found = follow(BASE, location);
            assert!(
                matches!(found, Err(LocationError::Malformed { .. })),
                "{location:?} {found:?}"
            );
        }
        let of_length = |length: usize| format!("/{}", "x".repeat(length - 1));
        assert!(follow(BASE, &of_length(LOCATION_BYTES_MAX)).is_ok());
        let long = follow(BASE, &of_length(LOCATION_BYTES_MAX + 1));
        assert_eq!(long, Err(LocationError::Long { found: 16_385 }));
    }

    #[test]
    fn the_digest_is_added_after_any_query() {
        let digest = Digest::sha256(b"");
        for (upload, expected) in [
            ("https://r.example/u", format!("https://r.example/u?digest={digest}")),
            ("https://r.example/u?", format!("https://r.example/u?digest={digest}")),
            (
                "https://r.example/u?_state=a%2Bb",
                format!("https://r.example/u?_state=a%2Bb&digest={digest}"),
            ),
        ] {
            let with = with_digest(&upload.parse().unwrap(), &digest);
            assert_eq!(with.to_string(), expected);
        }
    }
}
