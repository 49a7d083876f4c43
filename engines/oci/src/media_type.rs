//! The media types of manifests and of what they name.
//!
//! ```text
//! application/vnd.oci.image.manifest.v1+json                 -> ManifestType::OciImage
//! application/vnd.docker.distribution.manifest.list.v2+json  -> ManifestType::DockerList
//! application/vnd.docker.distribution.manifest.v1+prettyjws  -> refused: schema 1
//! ```

use std::fmt;
use std::str::FromStr;

/// OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// OCI layer, a plain tar.
pub const OCI_LAYER_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
/// OCI layer, gzip.
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// OCI layer, zstd.
pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// The empty configuration of an artifact, `{}`.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker layer, gzip.
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// Docker layer, a plain tar.
pub const DOCKER_LAYER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// What a client that reads manifests sends as `Accept`, and a registry answers no 404 for lacking.
pub const ACCEPT_MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
application/vnd.oci.image.manifest.v1+json, \
application/vnd.docker.distribution.manifest.list.v2+json, \
application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1";

/// The kinds of manifest that are read, stored and served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManifestType {
    /// One image or artifact: a configuration and layers.
    OciImage,
    /// Several manifests, one for each platform.
    OciIndex,
    /// Docker's one image, "schema 2".
    DockerImage,
    /// Docker's several manifests.
    DockerList,
}

/// The text names no manifest that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaTypeError {
    /// Docker's first format: its bytes are not what its digest names.
    #[error(
        "`{text}` is Docker's schema 1, which is not supported: push the image again with a current client"
    )]
    Schema1 {
        /// What was written.
        text: String,
    },
    /// Anything else.
    #[error("`{text}` is not a manifest's media type that is supported", text = text.escape_debug())]
    Unknown {
        /// What was written, cut.
        text: String,
    },
}

impl ManifestType {
    /// Each of them.
    pub const ALL: [Self; 4] =
        [Self::OciImage, Self::OciIndex, Self::DockerImage, Self::DockerList];

    /// The text that stands in `Content-Type` and `mediaType`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OciImage => "application/vnd.oci.image.manifest.v1+json",
            Self::OciIndex => "application/vnd.oci.image.index.v1+json",
            Self::DockerImage => "application/vnd.docker.distribution.manifest.v2+json",
            Self::DockerList => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    /// Whether it lists manifests instead of layers.
    #[must_use]
    pub fn is_index(self) -> bool {
        match self {
            Self::OciImage | Self::DockerImage => false,
            Self::OciIndex | Self::DockerList => true,
        }
    }
}

impl FromStr for ManifestType {
    type Err = MediaTypeError;

    /// Reads a bare media type; parameters are cut off by [`essence`].
    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            let text: String = text.chars().take(128).collect();
            if text.starts_with("application/vnd.docker.distribution.manifest.v1+") {
                MediaTypeError::Schema1 { text }
            } else {
                MediaTypeError::Unknown { text }
            }
        })
    }
}

impl fmt::Display for ManifestType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A `Content-Type` without its parameters and blanks: `application/json; charset=utf-8` is the first part.
#[must_use]
pub fn essence(content_type: &str) -> &str {
    content_type.split_once(';').map_or(content_type, |(bare, _)| bare).trim_matches([' ', '\t'])
}

/// Whether a layer of this type may be missing from a registry.
///
/// Source: OCI image-spec 1.1, layer.md, "Non-Distributable Layers"; Docker's `foreign` layers.
#[must_use]
pub fn is_nondistributable(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.v1.tar")
        || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.diff.tar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_types_are_read_as_they_are_written() {
        for kind in ManifestType::ALL {
            assert_eq!(kind.as_str().parse::<ManifestType>(), Ok(kind));
            assert_eq!(kind.as_str().to_uppercase().parse::<ManifestType>(), Ok(kind));
        }
    }

    #[test]
    fn schema_1_and_strangers_are_refused_by_name() {
        for text in [
            "application/vnd.docker.distribution.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
        ] {
            let refused = text.parse::<ManifestType>();
            assert!(matches!(refused, Err(MediaTypeError::Schema1 { .. })), "{text}");
        }
        for text in ["", "application/json", "application/vnd.oci.artifact.manifest.v1+json"] {
            let refused = text.parse::<ManifestType>();
            assert!(matches!(refused, Err(MediaTypeError::Unknown { .. })), "{text}");
        }
    }

    #[test]
    fn parameters_are_cut_off() {
        assert_eq!(essence("application/json; charset=utf-8"), "application/json");
        assert_eq!(essence(" application/json ;a=b;c"), "application/json");
        assert_eq!(essence(""), "");
    }

    #[test]
    fn layers_that_may_not_be_distributed_are_recognised() {
        assert!(is_nondistributable(
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        ));
        assert!(is_nondistributable("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
        assert!(!is_nondistributable(OCI_LAYER_GZIP));
        assert!(!is_nondistributable(DOCKER_LAYER_GZIP));
    }
}
