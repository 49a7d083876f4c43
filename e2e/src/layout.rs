//! An image as a folder in the OCI layout, which every client reads or writes.
//!
//! ```text
//! oci-layout  index.json  blobs/sha256/<hex>
//! ```

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::image::{Blob, Image, sha256};

/// Writes an image into a new folder, under a name.
///
/// # Errors
/// The disk refuses.
pub fn write_layout(folder: &Path, name: &str, image: &Image) -> Result<()> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).with_context(|| format!("cannot make {}", blobs.display()))?;
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"{}","digest":"{}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}]}}"#,
        image.media_type,
        image.digest(),
        image.manifest.len()
    );
    fs::write(folder.join("index.json"), index)?;
    let manifest = Blob::new(image.manifest.clone());
    for blob in image.blobs().into_iter().chain([&manifest]) {
        fs::write(blobs.join(hex(&blob.digest)?), &blob.bytes)?;
    }
    Ok(())
}

/// Reads a blob of a layout and compares it with its digest.
///
/// # Errors
/// It is not there or is damaged.
pub fn read_blob(folder: &Path, digest: &str) -> Result<Vec<u8>> {
    let path = folder.join("blobs/sha256").join(hex(digest)?);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(sha256(&bytes) == digest, "{digest} holds other bytes");
    Ok(bytes)
}

fn hex(digest: &str) -> Result<&str> {
    digest.strip_prefix("sha256:").with_context(|| format!("not a sha256 digest: {digest}"))
}
