//! Images made by hand, for tests.

use bytes::Bytes;
use domain::Digest;
use remote::ManifestBytes;

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An image of one layer.
pub(crate) struct Image {
    pub(crate) manifest: ManifestBytes,
    pub(crate) config: Bytes,
    pub(crate) layer: Bytes,
}

impl Image {
    pub(crate) fn config_digest(&self) -> Digest {
        Digest::sha256(&self.config)
    }

    pub(crate) fn layer_digest(&self) -> Digest {
        Digest::sha256(&self.layer)
    }
}

/// An image whose one layer has that content.
pub(crate) fn image(layer: &[u8]) -> Image {
    let layer = Bytes::copy_from_slice(layer);
    let diff_id = Digest::sha256(&layer);
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#
    );
    let (config_digest, config_size, layer_size) =
        (Digest::sha256(config.as_bytes()), config.len(), layer.len());
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config_digest}","size":{config_size}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{diff_id}","size":{layer_size}}}]}}"#
    );
    Image { manifest: ManifestBytes::new(IMAGE, manifest), config: Bytes::from(config), layer }
}

/// An index of some images.
pub(crate) fn index(images: &[&Image]) -> ManifestBytes {
    let entries: Vec<String> = images
        .iter()
        .map(|image| {
            let (digest, size) = (image.manifest.digest, image.manifest.bytes.len());
            format!(r#"{{"mediaType":"{IMAGE}","digest":"{digest}","size":{size}}}"#)
        })
        .collect();
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#,
        entries.join(",")
    );
    ManifestBytes::new(INDEX, text)
}
