//! The headers of this protocol, by name and in what they say.
//!
//! ```text
//! Docker-Content-Digest: sha256:…      OCI-Tag: 1.4      OCI-Subject: sha256:…
//! ratelimit-remaining: 76;w=21600
//! ```
//! A header that cannot be read says nothing; whoever needs the digest hashes the bytes anyway.
//! Source: OCI distribution-spec 1.1; Docker Hub "Pull rate limit".

use crate::limit::TAGS_IN_REQUEST_MAX;
use domain::{Digest, Tag};
use http::{HeaderMap, HeaderName};

/// The digest of the content of an answer.
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// The subject that a registry has taken note of.
pub const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// A tag that a registry has written for a `?tag=`.
pub const TAG: HeaderName = HeaderName::from_static("oci-tag");
/// The filters that a list of referrers went through.
pub const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
/// The smallest chunk that a registry takes.
pub const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");
/// The name of an upload, for old clients.
pub const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
/// The version of the API, for old clients.
pub const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// What [`API_VERSION`] says.
pub const API_VERSION_2: &str = "registry/2.0";

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");

/// The largest smallest chunk that is believed: a registry that asks for more is not obeyed.
pub const CHUNK_MIN_LENGTH_MAX: u64 = 1 << 30;

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The digest that the answer says its content has.
#[must_use]
pub fn content_digest(headers: &HeaderMap) -> Option<Digest> {
    text(headers, &CONTENT_DIGEST)?.parse().ok()
}

/// The subject that the registry has listed the manifest under.
///
/// Without it the client has to keep the fallback tag itself.
#[must_use]
pub fn subject(headers: &HeaderMap) -> Option<Digest> {
    text(headers, &SUBJECT)?.parse().ok()
}

/// The tags that the registry has written, each in a header or several divided by commas.
#[must_use]
pub fn tags(headers: &HeaderMap) -> Vec<Tag> {
    let values = headers.get_all(&TAG).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let tags = texts.flat_map(|text| text.split(',')).map(str::trim);
    tags.filter_map(|tag| tag.parse().ok()).take(TAGS_IN_REQUEST_MAX).collect()
}

/// Whether the registry has filtered a list of referrers by artifact type; else the client has to.
#[must_use]
pub fn is_filtered_by_artifact_type(headers: &HeaderMap) -> bool {
    text(headers, &FILTERS_APPLIED)
        .is_some_and(|filters| filters.split(',').any(|name| name.trim() == "artifactType"))
}

/// The smallest chunk that the registry takes, in bytes.
#[must_use]
pub fn chunk_min_length(headers: &HeaderMap) -> Option<u64> {
    let length: u64 = text(headers, &CHUNK_MIN_LENGTH)?.parse().ok()?;
    (length <= CHUNK_MIN_LENGTH_MAX).then_some(length)
}

/// How much may still be asked, as a registry counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// In all.
    pub limit: Option<u64>,
    /// Still.
    pub remaining: u64,
    /// Within so many seconds.
    pub window_s: Option<u64>,
}

/// What the registry says about its limit.
#[must_use]
pub fn rate_limit(headers: &HeaderMap) -> Option<RateLimit> {
    let (remaining, window_s) = read_rate(text(headers, &RATE_REMAINING)?)?;
    let limit = text(headers, &RATE_LIMIT).and_then(read_rate);
    Some(RateLimit { limit: limit.map(|(limit, _)| limit), remaining, window_s })
}

/// Reads `76;w=21600`.
fn read_rate(text: &str) -> Option<(u64, Option<u64>)> {
    let (count, window) = text.split_once(';').unwrap_or((text, ""));
    let window = window.trim().strip_prefix("w=");
    let window_s = window.and_then(|seconds| seconds.parse().ok());
    Some((count.trim().parse().ok()?, window_s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn digests_and_subjects_are_read_or_say_nothing() {
        let digest = Digest::sha256(b"");
        let written = digest.to_string();
        let both = headers(&[("Docker-Content-Digest", &written), ("OCI-Subject", &written)]);
        assert_eq!((content_digest(&both), subject(&both)), (Some(digest), Some(digest)));
        let bad = headers(&[("Docker-Content-Digest", "md5:x")]);
        assert_eq!(content_digest(&bad), None);
        assert_eq!(content_digest(&HeaderMap::new()), None);
    }

    #[test]
    fn tags_come_one_a_header_or_several() {
        let found = tags(&headers(&[("OCI-Tag", "1.4"), ("OCI-Tag", "a, b,-bad")]));
        let found: Vec<&str> = found.iter().map(Tag::as_str).collect();
        assert_eq!(found, ["1.4", "a", "b"]);
        let many = |count: usize| {
            let list = vec!["t"; count].join(",");
            tags(&headers(&[("OCI-Tag", &list)])).len()
        };
        assert_eq!((many(46), many(47)), (46, 46));
    }

    #[test]
    fn filters_and_chunks_are_read() {
        let filtered = headers(&[("OCI-Filters-Applied", "x, artifactType")]);
        assert!(is_filtered_by_artifact_type(&filtered));
        assert!(!is_filtered_by_artifact_type(&HeaderMap::new()));
        let chunk = |text| chunk_min_length(&headers(&[("OCI-Chunk-Min-Length", text)]));
        assert_eq!(chunk("5242880"), Some(5_242_880));
        assert_eq!(chunk("1073741824"), Some(1 << 30));
        assert_eq!(chunk("1073741825"), None);
        assert_eq!(chunk("-1"), None);
    }

    #[test]
    fn docker_hub_s_limit_is_read() {
        let hub =
            headers(&[("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "76;w=21600")]);
        assert_eq!(
            rate_limit(&hub),
            Some(RateLimit { limit: Some(100), remaining: 76, window_s: Some(21_600) })
        );
        assert_eq!(rate_limit(&headers(&[("ratelimit-remaining", "x")])), None);
        let bare = headers(&[("ratelimit-remaining", "5")]);
        assert_eq!(rate_limit(&bare).unwrap().remaining, 5);
    }
}
