//! Small real images, assembled by hand: one gzipped layer with one file, a configuration, a manifest.
//!
//! ```text
//! Image::oci("good evening")     application/vnd.oci.image.manifest.v1+json, written as Go writes it
//! Image::docker("good evening")  application/vnd.docker.distribution.manifest.v2+json, as docker writes it
//! ```
//! Spelled exactly as the clients spell their own manifests: a client that pulls one and pushes it
//! again can then give it back byte for byte. The same words give the same bytes on every machine.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

/// The media types of one family of images.
struct Family {
    manifest: &'static str,
    config: &'static str,
    layer: &'static str,
}

const OCI: Family = Family {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};

const DOCKER: Family = Family {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

/// Some bytes and their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// `sha256:…`
    pub digest: String,
    /// What the digest is of.
    pub bytes: Vec<u8>,
}

/// An image: a manifest, and the blobs that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The media type of the manifest.
    pub media_type: &'static str,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The configuration.
    pub config: Blob,
    /// The one layer, gzipped.
    pub layer: Blob,
}

impl Image {
    /// An OCI image whose one file says `words`.
    ///
    /// # Errors
    /// Never in memory; writers of archives can fail in general.
    pub fn oci(words: &str) -> Result<Self> {
        let (config, layer) = parts(words)?;
        let described = |blob: &Blob, media_type: &str| {
            format!(
                r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#,
                blob.digest,
                blob.bytes.len()
            )
        };
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
            OCI.manifest,
            described(&config, OCI.config),
            described(&layer, OCI.layer)
        );
        Ok(Self { media_type: OCI.manifest, manifest: manifest.into_bytes(), config, layer })
    }

    /// An image in docker's own format whose one file says `words`.
    ///
    /// # Errors
    /// As [`Image::oci`].
    pub fn docker(words: &str) -> Result<Self> {
        let (config, layer) = parts(words)?;
        // docker indents by three.
        let described = |blob: &Blob, media_type: &str, indent: &str| {
            format!(
                "{{\n{indent}   \"mediaType\": \"{media_type}\",\n{indent}   \"size\": {},\n\
                 {indent}   \"digest\": \"{}\"\n{indent}}}",
                blob.bytes.len(),
                blob.digest
            )
        };
        let manifest = format!(
            "{{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"{}\",\n   \"config\": {},\n   \
             \"layers\": [\n      {}\n   ]\n}}",
            DOCKER.manifest,
            described(&config, DOCKER.config, "   "),
            described(&layer, DOCKER.layer, "      ")
        );
        Ok(Self { media_type: DOCKER.manifest, manifest: manifest.into_bytes(), config, layer })
    }

    /// The manifest's digest: the name of the image.
    #[must_use]
    pub fn digest(&self) -> String {
        sha256(&self.manifest)
    }

    /// What has to be in a registry before the manifest.
    #[must_use]
    pub fn blobs(&self) -> [&Blob; 2] {
        [&self.layer, &self.config]
    }
}

impl Blob {
    /// Names some bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { digest: sha256(&bytes), bytes }
    }
}

/// The digest of some bytes, as `sha256:…`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The configuration and the layer of an image whose one file says `words`.
fn parts(words: &str) -> Result<(Blob, Blob)> {
    let archive = archive(words)?;
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
    gzip.write_all(&archive)?;
    let layer = Blob::new(gzip.finish()?);
    let config = format!(
        r#"{{"created":"2026-03-17T14:39:58Z","architecture":"{}","os":"linux","config":{{"Cmd":["/greeting"]}},"rootfs":{{"type":"layers","diff_ids":["{}"]}},"history":[{{"created":"2026-03-17T14:39:58Z","created_by":"by hand"}}]}}"#,
        architecture(),
        sha256(&archive)
    );
    Ok((Blob::new(config.into_bytes()), layer))
}

fn archive(words: &str) -> Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(words.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(1_773_758_398);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, "greeting", words.as_bytes())?;
    Ok(archive.into_inner()?)
}

/// This machine's, in Go's words: docker pulls no other.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_image_and_others_another() {
        let image = Image::oci("a").unwrap();
        assert_eq!(image, Image::oci("a").unwrap());
        assert_ne!(image.digest(), Image::oci("b").unwrap().digest());
        assert_ne!(image.digest(), Image::docker("a").unwrap().digest());
    }

    #[test]
    fn manifests_of_both_families_are_json_that_names_the_blobs() {
        for image in [Image::oci("a").unwrap(), Image::docker("a").unwrap()] {
            let manifest: serde_json::Value = serde_json::from_slice(&image.manifest).unwrap();
            assert_eq!(manifest["mediaType"], image.media_type);
            assert_eq!(manifest["config"]["digest"], image.config.digest.as_str());
            assert_eq!(manifest["layers"][0]["digest"], image.layer.digest.as_str());
            assert_eq!(
                manifest["layers"][0]["size"],
                u64::try_from(image.layer.bytes.len()).unwrap()
            );
        }
    }

    #[test]
    fn a_digest_is_the_one_of_the_specification() {
        assert_eq!(
            sha256(b""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
