//! What of an image runs where, and what must be read besides its manifest to know that.
//!
//! ```text
//! image  -> its configuration says the platform
//! index  -> each entry says it; one that does not: that manifest's configuration. Attestations run nowhere
//! ```
//! Whoever reads an image's bytes asks here, so that all of them come to the same facts.

use super::config::ImageConfig;
use super::descriptor::Descriptor;
use super::manifest::{Kind, Manifest};
use crate::media_type::{DOCKER_CONFIG, OCI_CONFIG};
use domain::Platform;

impl Manifest {
    /// Whether this is an image or an index of images: no chart, signature, cache or list of referrers.
    #[must_use]
    pub fn is_image(&self) -> bool {
        self.artifact_type.is_none()
            && match &self.kind {
                Kind::Image { config, .. } => {
                    [OCI_CONFIG, DOCKER_CONFIG].contains(&config.media_type.as_str())
                }
                Kind::Index { manifests } => {
                    manifests.iter().any(|entry| entry.artifact_type.is_none())
                }
            }
    }

    /// What an index lists and something could run; builders list attestations as `unknown/unknown`.
    pub fn runnable(&self) -> impl Iterator<Item = &Descriptor> {
        let runs = |entry: &&Descriptor| !entry.platform.as_ref().is_some_and(Platform::is_unknown);
        self.children().iter().filter(runs)
    }

    /// The configuration that may say the platform; none where it is no JSON, or for an index.
    #[must_use]
    pub fn platform_config(&self) -> Option<&Descriptor> {
        self.config().filter(|config| config.media_type.ends_with("json"))
    }
}

/// The platform that a configuration says; none where it does not, or is another artifact's.
#[must_use]
pub fn platform_of(config: &[u8]) -> Option<Platform> {
    ImageConfig::read(config).ok().and_then(|config| config.platform)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::build::ImageFormat;
    use crate::media_type::OCI_EMPTY;

    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

    fn image(config_type: &str) -> Manifest {
        Manifest::image(ImageFormat::Oci, Descriptor::of(config_type, b"{}"), Vec::new())
    }

    fn entry(platform: Option<&str>) -> Descriptor {
        let mut entry = Descriptor::of(MANIFEST, platform.unwrap_or_default().as_bytes());
        entry.platform = platform.map(|text| text.parse().unwrap());
        entry
    }

    #[test]
    fn images_are_told_from_artifacts_by_what_their_configuration_is() {
        assert!(image(OCI_CONFIG).is_image());
        assert!(image(DOCKER_CONFIG).is_image());
        assert!(!image(OCI_EMPTY).is_image());
        assert!(!image("application/vnd.cncf.helm.config.v1+json").is_image());
        let mut typed = image(OCI_CONFIG);
        typed.artifact_type = Some("application/spdx+json".to_owned());
        assert!(!typed.is_image());
    }

    #[test]
    fn an_index_of_artifacts_is_no_image() {
        let index = |entries| Manifest::index(ImageFormat::Oci, entries);
        let mut referrer = entry(None);
        referrer.artifact_type = Some("application/spdx+json".to_owned());
        assert!(index(vec![entry(Some("linux/amd64"))]).is_image());
        assert!(index(vec![referrer.clone(), entry(None)]).is_image());
        assert!(!index(vec![referrer]).is_image());
        assert!(!index(Vec::new()).is_image());
    }

    #[test]
    fn attestations_run_nowhere() {
        let entries =
            ["linux/amd64", "unknown/unknown", "linux/arm64/v8"].map(|text| entry(Some(text)));
        let index = Manifest::index(ImageFormat::Oci, entries.to_vec());
        let runs: Vec<_> = index.runnable().filter_map(|entry| entry.platform.clone()).collect();
        assert_eq!(
            runs.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["linux/amd64", "linux/arm64/v8"]
        );
    }

    #[test]
    fn a_platform_stands_in_a_configuration_of_json() {
        assert!(image(OCI_CONFIG).platform_config().is_some());
        assert!(image("application/octet-stream").platform_config().is_none());
        let says = |text: &str| platform_of(text.as_bytes()).map(|platform| platform.to_string());
        let arm = r#"{"os":"linux","architecture":"arm64","variant":"v8"}"#;
        assert_eq!(says(arm).as_deref(), Some("linux/arm64/v8"));
        for nothing in ["{}", "not json", r#"{"os":"linux"}"#, r#"{"os":"","architecture":""}"#] {
            assert_eq!(says(nothing), None, "{nothing}");
        }
    }
}
