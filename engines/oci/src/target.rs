//! The paths of the registry API, written: what a client asks, and what a server puts into `Location` and `Link`.
//!
//! ```text
//! manifest("shop/api", Tag("1.4")) -> /v2/shop/api/manifests/1.4
//! ```
//! The reverse is [`crate::route`]; a property test holds the two together.

use crate::query::encode;
use crate::route::{ManifestRef, PageQuery};
use crate::upload_id::UploadId;
use domain::{Algorithm, Digest, RepositoryPath, Tag};

/// The question whether this is a registry.
pub const PING: &str = "/v2/";

/// A blob.
#[must_use]
pub fn blob(repository: &RepositoryPath, digest: &Digest) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

/// Where uploads start.
#[must_use]
pub fn uploads(repository: &RepositoryPath) -> String {
    format!("/v2/{repository}/blobs/uploads/")
}

/// Where an upload starts whose content will be hashed with that algorithm; sha256 needs no word.
#[must_use]
pub fn uploads_hashed(repository: &RepositoryPath, algorithm: Algorithm) -> String {
    match algorithm {
        Algorithm::Sha256 => uploads(repository),
        Algorithm::Sha512 => format!("{}?digest-algorithm=sha512", uploads(repository)),
    }
}

/// Where a blob is sent whole with one POST.
#[must_use]
pub fn upload_whole(repository: &RepositoryPath, digest: &Digest) -> String {
    format!("{}?digest={digest}", uploads(repository))
}

/// Where a blob is mounted from another repository, or from any.
#[must_use]
pub fn mount(
    repository: &RepositoryPath,
    digest: &Digest,
    from: Option<&RepositoryPath>,
) -> String {
    let start = format!("{}?mount={digest}", uploads(repository));
    match from {
        None => start,
        Some(from) => format!("{start}&from={}", encode(from.as_str())),
    }
}

/// An upload.
#[must_use]
pub fn upload(repository: &RepositoryPath, upload: &UploadId) -> String {
    format!("/v2/{repository}/blobs/uploads/{upload}")
}

/// A manifest.
#[must_use]
pub fn manifest(repository: &RepositoryPath, reference: &ManifestRef) -> String {
    match reference {
        ManifestRef::Tag(tag) => format!("/v2/{repository}/manifests/{tag}"),
        ManifestRef::Digest(digest) => format!("/v2/{repository}/manifests/{digest}"),
    }
}

/// A manifest that is put by digest and under tags at once.
#[must_use]
pub fn manifest_with_tags(repository: &RepositoryPath, digest: &Digest, tags: &[Tag]) -> String {
    let path = format!("/v2/{repository}/manifests/{digest}");
    let parameters = tags.iter().map(|tag| ("tag", tag.as_str().to_owned()));
    with_query(path, parameters)
}

/// The tags of a repository.
#[must_use]
pub fn tags(repository: &RepositoryPath, page: &PageQuery) -> String {
    with_query(format!("/v2/{repository}/tags/list"), of_page(page))
}

/// The repositories of a registry.
#[must_use]
pub fn catalog(page: &PageQuery) -> String {
    with_query("/v2/_catalog".to_owned(), of_page(page))
}

/// What is attached to a manifest.
#[must_use]
pub fn referrers(
    repository: &RepositoryPath,
    subject: &Digest,
    artifact_type: Option<&str>,
    page: &PageQuery,
) -> String {
    let kind = artifact_type.map(|kind| ("artifactType", kind.to_owned()));
    let path = format!("/v2/{repository}/referrers/{subject}");
    with_query(path, kind.into_iter().chain(of_page(page)))
}

/// The history of a tag, on a registry of ours.
#[must_use]
pub fn tag_history(repository: &RepositoryPath, tag: &Tag, page: &PageQuery) -> String {
    let path = format!("/v2/{repository}/_indelible/tags/{tag}/history");
    with_query(path, of_page(page))
}

fn of_page(page: &PageQuery) -> impl Iterator<Item = (&'static str, String)> {
    let n = page.n.map(|n| ("n", n.to_string()));
    let last = page.last.clone().map(|last| ("last", last));
    n.into_iter().chain(last)
}

fn with_query(
    mut path: String,
    parameters: impl IntoIterator<Item = (&'static str, String)>,
) -> String {
    for (at, (name, value)) in parameters.into_iter().enumerate() {
        path.push(if at == 0 { '?' } else { '&' });
        path.push_str(name);
        path.push('=');
        path.push_str(&encode(&value));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_the_specification_s_table() {
        let repository: RepositoryPath = "shop/api".parse().unwrap();
        let from: RepositoryPath = "base/os".parse().unwrap();
        let digest = Digest::sha256(b"");
        let tag: Tag = "1.4".parse().unwrap();
        let page = PageQuery { n: Some(2), last: Some("v 2&x".to_owned()) };
        let all = PageQuery::default();
        for (target, expected) in [
            (blob(&repository, &digest), format!("/v2/shop/api/blobs/{digest}")),
            (uploads(&repository), "/v2/shop/api/blobs/uploads/".to_owned()),
            (
                uploads_hashed(&repository, Algorithm::Sha512),
                "/v2/shop/api/blobs/uploads/?digest-algorithm=sha512".to_owned(),
            ),
            (
                upload_whole(&repository, &digest),
                format!("/v2/shop/api/blobs/uploads/?digest={digest}"),
            ),
            (
                mount(&repository, &digest, Some(&from)),
                format!("/v2/shop/api/blobs/uploads/?mount={digest}&from=base/os"),
            ),
            (
                manifest(&repository, &ManifestRef::Tag(tag.clone())),
                "/v2/shop/api/manifests/1.4".to_owned(),
            ),
            (
                manifest_with_tags(&repository, &digest, &[tag.clone(), "a".parse().unwrap()]),
                format!("/v2/shop/api/manifests/{digest}?tag=1.4&tag=a"),
            ),
            (tags(&repository, &page), "/v2/shop/api/tags/list?n=2&last=v%202%26x".to_owned()),
            (tags(&repository, &all), "/v2/shop/api/tags/list".to_owned()),
            (catalog(&all), "/v2/_catalog".to_owned()),
            (
                referrers(&repository, &digest, Some("application/a.b+json"), &all),
                format!("/v2/shop/api/referrers/{digest}?artifactType=application/a.b%2Bjson"),
            ),
            (
                tag_history(&repository, &tag, &all),
                "/v2/shop/api/_indelible/tags/1.4/history".to_owned(),
            ),
        ] {
            assert_eq!(target, expected);
        }
    }
}
