//! Small images, and pushing them.

use crate::client::{Reply, Server};
use domain::Digest;

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) fn digest(bytes: impl AsRef<[u8]>) -> String {
    Digest::sha256(bytes.as_ref()).to_string()
}

/// Pushes a blob in one PUT; gives its digest.
pub(crate) fn push_blob(server: &Server, repository: &str, bytes: &[u8]) -> String {
    let digest = digest(bytes);
    let target = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
    let pushed = server.ask("POST", &target).body(bytes).send();
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    digest
}

/// An image whose only layer is this text; its blobs are in the repository.
pub(crate) fn image(server: &Server, repository: &str, layer: &str) -> String {
    let config = push_blob(server, repository, b"{}");
    let blob = push_blob(server, repository, layer.as_bytes());
    manifest(&config, &blob, layer.len())
}

pub(crate) fn manifest(config: &str, layer: &str, size: usize) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":{size}}}]}}"#
    )
}

pub(crate) fn put(server: &Server, repository: &str, reference: &str, manifest: &str) -> Reply {
    let target = format!("/v2/{repository}/manifests/{reference}");
    server.ask("PUT", &target).header("Content-Type", IMAGE).body(manifest).send()
}

/// Pushes an image under a tag; gives its digest.
pub(crate) fn push(server: &Server, repository: &str, tag: &str, layer: &str) -> String {
    let manifest = image(server, repository, layer);
    let pushed = put(server, repository, tag, &manifest);
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    digest(manifest)
}

/// Makes tags that fit movable.
pub(crate) fn alias_rule(server: &Server, tags: &str) {
    let body = format!(r#"{{"repositories":"**","tags":"{tags}","class":"alias"}}"#);
    let set = server.post_api("/api/v1/rules", &body).send();
    assert_eq!(set.status, 201, "{}", set.text());
}
