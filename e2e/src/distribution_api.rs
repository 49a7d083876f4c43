//! Pushing and reading as the OCI distribution specification says it, by hand and without shortcuts.
//!
//! ```text
//! POST /v2/shop/api/blobs/uploads/ -> 202, PUT <Location>?digest=… -> 201, PUT …/manifests/1 -> 201
//! ```
//! Works with any registry: the tests ask ours, the measurements ask a peer as well.

use anyhow::{Context, Result, ensure};

use crate::http::{Answer, Http};
use crate::image::{Image, sha256};

/// Uploads a blob by POST and PUT.
///
/// # Errors
/// The connection broke, or the registry did not accept it.
pub fn push_blob(http: &mut Http, repository: &str, bytes: &[u8]) -> Result<Answer> {
    let start = format!("/v2/{repository}/blobs/uploads/");
    let started = http.send("POST", &start, &[], &[])?.expect(202)?;
    let location = started.header("location").context("an upload has no address")?;
    let target = path_of(location);
    let separator = if target.contains('?') { '&' } else { '?' };
    let target = format!("{target}{separator}digest={}", sha256(bytes));
    let headers = [("Content-Type", "application/octet-stream")];
    http.send("PUT", &target, &headers, bytes)?.expect(201)
}

/// Writes a manifest under a tag or digest; whatever the answer is, it is returned.
///
/// # Errors
/// The connection broke.
pub fn put_manifest(
    http: &mut Http,
    repository: &str,
    reference: &str,
    media_type: &str,
    bytes: &[u8],
) -> Result<Answer> {
    let target = format!("/v2/{repository}/manifests/{reference}");
    http.send("PUT", &target, &[("Content-Type", media_type)], bytes)
}

/// Pushes a whole image under a tag.
///
/// # Errors
/// The connection broke, or the registry did not accept a part of it.
pub fn push(http: &mut Http, repository: &str, tag: &str, image: &Image) -> Result<()> {
    for blob in image.blobs() {
        push_blob(http, repository, &blob.bytes)?;
    }
    put_manifest(http, repository, tag, image.media_type, &image.manifest)?.expect(201)?;
    Ok(())
}

/// Reads a whole image by tag or digest, and compares every byte with what it should be.
///
/// # Errors
/// Something is missing or different; the error says what.
pub fn fetch(http: &mut Http, repository: &str, reference: &str, image: &Image) -> Result<()> {
    let target = format!("/v2/{repository}/manifests/{reference}");
    let accept = [("Accept", image.media_type)];
    let manifest = http.send("GET", &target, &accept, &[])?.expect(200)?;
    ensure!(
        manifest.body == image.manifest,
        "{repository}:{reference} is another manifest: {}",
        manifest.text()
    );
    let digest = image.digest();
    ensure!(
        manifest.header("docker-content-digest") == Some(digest.as_str()),
        "{repository}:{reference} is announced as {:?}, not {digest}",
        manifest.header("docker-content-digest")
    );
    for blob in image.blobs() {
        let target = format!("/v2/{repository}/blobs/{}", blob.digest);
        let found = http.get(&target)?.expect(200)?;
        ensure!(
            found.body == blob.bytes,
            "the bytes of {} in {repository} are others",
            blob.digest
        );
    }
    Ok(())
}

/// All tags of a repository, page after page.
///
/// # Errors
/// The connection broke, or an answer is no list.
pub fn tags(http: &mut Http, repository: &str) -> Result<Vec<String>> {
    let mut tags = Vec::new();
    let mut target = Some(format!("/v2/{repository}/tags/list"));
    while let Some(page) = target {
        let answer = http.get(&page)?.expect(200)?;
        let list: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let names = list["tags"].as_array().context("a list without tags")?;
        tags.extend(names.iter().filter_map(|name| name.as_str().map(str::to_owned)));
        target = link_next(&answer);
    }
    Ok(tags)
}

/// Where the next page is: `Link: </v2/…>; rel="next"`.
#[must_use]
pub fn link_next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let target = link.strip_prefix('<')?.split('>').next()?;
    Some(path_of(target).to_owned())
}

/// An address without its scheme and host, which some registries send along.
fn path_of(location: &str) -> &str {
    let Some((_, rest)) = location.split_once("://") else {
        return location;
    };
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_may_have_a_host_or_not() {
        assert_eq!(path_of("/v2/a?x=1"), "/v2/a?x=1");
        assert_eq!(path_of("http://127.0.0.1:5000/v2/a?x=1"), "/v2/a?x=1");
    }

    #[test]
    fn the_next_page_is_read_from_its_link() {
        let answer = |link: &str| Answer {
            status: 200,
            headers: vec![("link".to_owned(), link.to_owned())],
            body: Vec::new(),
        };
        let next = link_next(&answer("</v2/a/tags/list?n=2&last=b>; rel=\"next\""));
        assert_eq!(next.as_deref(), Some("/v2/a/tags/list?n=2&last=b"));
    }
}
