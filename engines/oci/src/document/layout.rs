//! The two documents of an OCI image layout, a folder or a tar.
//!
//! ```text
//! oci-layout   {"imageLayoutVersion":"1.0.0"}
//! index.json   an image index; a tag is the annotation `org.opencontainers.image.ref.name`
//! blobs/sha256/<hex>
//! ```
//! Source: OCI image-spec 1.1, image-layout.md.

use super::descriptor::Descriptor;
use super::manifest::Manifest;
use super::{DocumentError, read_json};
use crate::media_type::ManifestType;
use domain::Digest;
use serde::Deserialize;

/// The file that marks a layout.
pub const MARKER_FILE: &str = "oci-layout";
/// The file that lists what is in a layout.
pub const INDEX_FILE: &str = "index.json";
/// The text of the marker file that we write.
pub const MARKER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// The annotation that holds a name in the index: a tag, sometimes a whole reference.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation in which containerd keeps the whole reference.
pub const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// The marker is a line; more is something else.
const MARKER_BYTES_MAX: usize = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

/// Checks the marker file.
///
/// # Errors
/// Not the marker, or of another major version.
pub fn read_marker(bytes: &[u8]) -> Result<(), DocumentError> {
    let marker: Marker = read_json(bytes, MARKER_BYTES_MAX)?;
    if marker.image_layout_version.starts_with("1.") {
        Ok(())
    } else {
        Err(DocumentError::Shape { problem: "the OCI layout is not of version 1" })
    }
}

/// Reads `index.json`.
///
/// # Errors
/// Not an index.
pub fn read_index(bytes: &[u8]) -> Result<Vec<Descriptor>, DocumentError> {
    let index = Manifest::read(bytes, Some(ManifestType::OciIndex.as_str()))?;
    Ok(index.children().to_vec())
}

/// The path of a blob inside the layout.
#[must_use]
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// The name that an entry of the index carries.
#[must_use]
pub fn entry_name(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(REF_NAME).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_of_version_1() {
        assert_eq!(read_marker(MARKER), Ok(()));
        assert_eq!(read_marker(br#"{"imageLayoutVersion": "1.1.0"}"#), Ok(()));
        for bad in ["", "{}", r#"{"imageLayoutVersion":"2.0.0"}"#, r#"{"imageLayoutVersion":1}"#] {
            assert!(read_marker(bad.as_bytes()).is_err(), "{bad}");
        }
        let padded = |length: usize| {
            let blanks = length - MARKER.len();
            [MARKER, " ".repeat(blanks).as_bytes()].concat()
        };
        assert!(read_marker(&padded(4096)).is_ok());
        assert!(read_marker(&padded(4097)).is_err());
    }

    #[test]
    fn the_index_is_read_with_and_without_its_media_type() {
        let hex = "9".repeat(64);
        let entry = format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,"digest":"sha256:{hex}","annotations":{{"org.opencontainers.image.ref.name":"v1.0"}}}}"#
        );
        for media_type in ["", r#""mediaType":"application/vnd.oci.image.index.v1+json","#] {
            let text = format!(r#"{{"schemaVersion":2,{media_type}"manifests":[{entry}]}}"#);
            let entries = read_index(text.as_bytes()).unwrap();
            assert_eq!(entry_name(&entries[0]), Some("v1.0"));
            let path = blob_path(&entries[0].digest);
            assert_eq!(path, format!("blobs/sha256/{hex}"));
        }
        assert!(read_index(br#"{"schemaVersion":2}"#).is_err());
    }
}
