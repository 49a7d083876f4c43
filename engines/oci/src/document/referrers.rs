//! The list of what is attached to a manifest: signatures, SBOMs, provenance.
//!
//! ```text
//! a manifest with `subject` -> its descriptor, with artifactType and annotations
//! descriptors, artifactType -> an image index, and how many of them went into it
//! ```
//! Source: OCI distribution-spec 1.1, "Listing Referrers".

use super::build::ImageFormat;
use super::descriptor::Descriptor;
use super::manifest::{Kind, Manifest};
use domain::Digest;

/// The descriptor of a manifest in its subject's list of referrers.
///
/// `artifactType` is the manifest's own; an image without one has its configuration's media type.
#[must_use]
pub fn referrer_descriptor(digest: Digest, size: u64, manifest: &Manifest) -> Descriptor {
    let by_config = match &manifest.kind {
        Kind::Image { config, .. } => Some(config.media_type.clone()),
        Kind::Index { .. } => None,
    };
    let mut descriptor = Descriptor::new(manifest.media_type.as_str(), digest, size);
    descriptor.artifact_type = manifest.artifact_type.clone().or(by_config);
    descriptor.annotations.clone_from(&manifest.annotations);
    descriptor
}

/// One page of a list of referrers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferrersPage {
    /// An OCI image index.
    pub bytes: Vec<u8>,
    /// How many of the descriptors given were looked at; fewer than all: another page follows.
    pub looked_at: usize,
}

/// Writes the descriptors of that artifact type, or all, until the page would exceed `bytes_max`.
///
/// At least one is looked at, so that a list always ends; pages stay below what clients read as a manifest.
#[must_use]
pub fn referrers_page(
    descriptors: &[Descriptor],
    artifact_type: Option<&str>,
    bytes_max: usize,
) -> ReferrersPage {
    let mut taken = Vec::new();
    let mut looked_at = 0;
    let mut bytes = index_bytes(&[]).len();
    for descriptor in descriptors {
        let fits =
            artifact_type.is_none_or(|wanted| descriptor.artifact_type.as_deref() == Some(wanted));
        if fits {
            let written = serde_json::to_vec(descriptor).expect("a descriptor is always JSON");
            bytes += written.len() + 1;
            if bytes > bytes_max && looked_at > 0 {
                break;
            }
            taken.push(descriptor.clone());
        }
        looked_at += 1;
    }
    ReferrersPage { bytes: index_bytes(&taken), looked_at }
}

fn index_bytes(descriptors: &[Descriptor]) -> Vec<u8> {
    Manifest::index(ImageFormat::Oci, descriptors.to_vec()).write()
}

/// The tag under which clients keep the list where a registry has no referrers API.
///
/// Source: OCI distribution-spec 1.1, "Referrers Tag Schema": the algorithm cut at 32, the hex at 64.
#[must_use]
pub fn fallback_tag(subject: &Digest) -> String {
    let hex = subject.hex();
    format!("{}-{}", subject.algorithm().name(), &hex[..64.min(hex.len())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type::{OCI_CONFIG, OCI_EMPTY};

    fn image(artifact_type: Option<&str>) -> Manifest {
        let config = Descriptor::of(OCI_CONFIG, b"{}");
        let mut manifest = Manifest::image(ImageFormat::Oci, config, Vec::new());
        manifest.artifact_type = artifact_type.map(str::to_owned);
        manifest.annotations.insert("k".to_owned(), "v".to_owned());
        manifest
    }

    #[test]
    fn the_artifact_type_is_the_manifest_s_or_its_configuration_s() {
        let of = |manifest: &Manifest| referrer_descriptor(Digest::sha256(b"m"), 9, manifest);
        let named = of(&image(Some("application/spdx+json")));
        assert_eq!(named.artifact_type.as_deref(), Some("application/spdx+json"));
        assert_eq!(named.annotations["k"], "v");
        assert_eq!(named.size, 9);
        assert_eq!(of(&image(None)).artifact_type.as_deref(), Some(OCI_CONFIG));
        let index = Manifest::index(ImageFormat::Oci, Vec::new());
        assert_eq!(of(&index).artifact_type, None);
    }

    fn descriptor(at: usize, artifact_type: &str) -> Descriptor {
        let content = at.to_string();
        let mut made = Descriptor::of(OCI_EMPTY, content.as_bytes());
        made.artifact_type = Some(artifact_type.to_owned());
        made
    }

    #[test]
    fn a_list_is_filtered_and_reads_as_an_index() {
        let all = [descriptor(0, "a/b"), descriptor(1, "c/d"), descriptor(2, "a/b")];
        let page = referrers_page(&all, Some("a/b"), 4 << 20);
        assert_eq!(page.looked_at, 3);
        let read = Manifest::read(&page.bytes, Some("application/vnd.oci.image.index.v1+json"));
        assert_eq!(read.unwrap().children(), [all[0].clone(), all[2].clone()]);
        let empty = referrers_page(&[], None, 4 << 20);
        assert_eq!(
            empty.bytes,
            br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        );
    }

    #[test]
    fn a_page_stays_below_its_size_and_the_next_goes_on() {
        let all: Vec<Descriptor> = (0..10).map(|at| descriptor(at, "a/b")).collect();
        let whole = referrers_page(&all, None, usize::MAX);
        let page = referrers_page(&all, None, whole.bytes.len() / 2);
        assert!(page.bytes.len() <= whole.bytes.len() / 2);
        assert!((1..10).contains(&page.looked_at));
        assert_eq!(referrers_page(&all, None, 1).looked_at, 1);
    }

    #[test]
    fn the_fallback_tag_is_a_tag_for_both_algorithms() {
        let of = |algorithm| fallback_tag(&Digest::of(algorithm, b""));
        let short = of(domain::Algorithm::Sha256);
        assert!(short.starts_with("sha256-e3b0c442") && short.len() == 71);
        let long = of(domain::Algorithm::Sha512);
        assert!(long.starts_with("sha512-cf83e135") && long.len() == 71);
        assert!(long.parse::<domain::Tag>().is_ok());
    }
}
