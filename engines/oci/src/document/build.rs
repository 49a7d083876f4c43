//! Manifests of our own: for images out of archives, for the demo's, and for lists of referrers.
//!
//! ```text
//! Manifest::image(ImageFormat::Oci, config, layers).write() -> {"schemaVersion":2,"mediaType":…,"config":…,"layers":…}
//! ```
//! Never for a manifest that was read: that one's bytes are its name.

use super::descriptor::Descriptor;
use super::manifest::{Kind, Manifest};
use crate::media_type::{self, ManifestType};
use serde::Serialize;
use std::collections::BTreeMap;

/// Whether a manifest of our own is written in OCI's or in Docker's media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// OCI image-spec 1.1.
    Oci,
    /// Docker version 2, schema 2.
    Docker,
}

/// How a layer of our own is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// A plain tar, as archives of `docker save` hold it.
    Plain,
    /// Gzip, what every registry and runtime takes.
    Gzip,
}

impl ImageFormat {
    /// The media type of an image's configuration.
    #[must_use]
    pub fn config_type(self) -> &'static str {
        match self {
            Self::Oci => media_type::OCI_CONFIG,
            Self::Docker => media_type::DOCKER_CONFIG,
        }
    }

    /// The media type of a layer.
    #[must_use]
    pub fn layer_type(self, compression: Compression) -> &'static str {
        match (self, compression) {
            (Self::Oci, Compression::Plain) => media_type::OCI_LAYER_TAR,
            (Self::Oci, Compression::Gzip) => media_type::OCI_LAYER_GZIP,
            (Self::Docker, Compression::Plain) => media_type::DOCKER_LAYER_TAR,
            (Self::Docker, Compression::Gzip) => media_type::DOCKER_LAYER_GZIP,
        }
    }
}

impl Manifest {
    /// An image or artifact that we write ourselves.
    #[must_use]
    pub fn image(media_type: ImageFormat, config: Descriptor, layers: Vec<Descriptor>) -> Self {
        let media_type = match media_type {
            ImageFormat::Oci => ManifestType::OciImage,
            ImageFormat::Docker => ManifestType::DockerImage,
        };
        Self::plain(media_type, Kind::Image { config, layers })
    }

    /// An index that we write ourselves.
    #[must_use]
    pub fn index(media_type: ImageFormat, manifests: Vec<Descriptor>) -> Self {
        let media_type = match media_type {
            ImageFormat::Oci => ManifestType::OciIndex,
            ImageFormat::Docker => ManifestType::DockerList,
        };
        Self::plain(media_type, Kind::Index { manifests })
    }

    fn plain(media_type: ManifestType, kind: Kind) -> Self {
        Self { media_type, kind, subject: None, artifact_type: None, annotations: BTreeMap::new() }
    }

    /// Writes a manifest of our own: the same value gives the same bytes, without blanks.
    ///
    /// Never for one that was read: what it held beside these fields would be lost, and its digest with it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let (config, layers, manifests) = match &self.kind {
            Kind::Image { config, layers } => (Some(config), Some(layers), None),
            Kind::Index { manifests } => (None, None, Some(manifests)),
        };
        let written = Written {
            schema_version: 2,
            media_type: self.media_type.as_str(),
            artifact_type: self.artifact_type.as_deref(),
            config,
            layers,
            manifests,
            subject: self.subject.as_ref(),
            annotations: &self.annotations,
        };
        serde_json::to_vec(&written).expect("strings, numbers and string maps are always JSON")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: u8,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<&'a Vec<Descriptor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifests: Option<&'a Vec<Descriptor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}
