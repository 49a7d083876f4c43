//! The releases that Helm keeps: a Secret of type `helm.sh/release.v1` for each revision.
//!
//! ```text
//! data.release (Kubernetes' base64) -> base64 -> gzip -> {"name","version","info":{"status",…},"manifest":"…"}
//! ```
//! Source: helm/helm, pkg/storage/driver/util.go (`encodeRelease`, `decodeRelease`: text without gzip's magic is plain JSON)
//! and pkg/release (`Release`, `Info`). Charts, values and hooks are skipped unread.

use base64::Engine as _;
use domain::Timestamp;
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::io::Read as _;

/// The longest release that is unpacked, in bytes. Source: a Secret holds 1 MiB; manifests repeat themselves.
pub const RELEASE_BYTES_MAX: usize = 32 << 20;
/// How many times its packed size a release may have. Source: DESIGN §12, ratio.
pub const RELEASE_RATIO_MAX: usize = 200;
/// The first bytes of gzip data.
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// One revision of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmRelease {
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: u64,
    /// `deployed`, `superseded`, `failed`, …
    pub status: String,
    /// When this revision was brought there.
    pub deployed: Timestamp,
    /// What Helm sent to the cluster, as YAML.
    pub manifest: String,
}

/// Why the data of a Secret is no release.
#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// No base64.
    #[error("the release is not base64")]
    Base64(#[from] base64::DecodeError),
    /// It cannot be unpacked.
    #[error("the release cannot be unpacked")]
    Gzip(#[from] std::io::Error),
    /// It would become too long.
    #[error(
        "the release is longer than {RELEASE_BYTES_MAX} bytes, or than {RELEASE_RATIO_MAX} times its packed size"
    )]
    TooLong,
    /// It is not what Helm writes.
    #[error("the release cannot be read")]
    Shape(#[from] serde_json::Error),
    /// It has no time.
    #[error("the release says no time")]
    NoTime,
}

#[derive(Deserialize)]
struct Wire {
    name: String,
    version: u64,
    #[serde(default)]
    manifest: String,
    info: WireInfo,
}

#[derive(Deserialize)]
struct WireInfo {
    status: String,
    last_deployed: Option<String>,
}

/// Reads the value `release` of a Secret, after Kubernetes' own base64.
///
/// # Errors
/// It is not what Helm writes, or too long.
pub fn read_release(data: &[u8]) -> Result<HelmRelease, HelmError> {
    let packed = base64::engine::general_purpose::STANDARD.decode(data.trim_ascii())?;
    let text = if packed.starts_with(&GZIP_MAGIC) { unpacked(&packed)? } else { packed };
    if text.len() > RELEASE_BYTES_MAX {
        return Err(HelmError::TooLong);
    }
    let Wire { name, version, manifest, info } = serde_json::from_slice(&text)?;
    let deployed =
        info.last_deployed.and_then(|text| text.parse().ok()).ok_or(HelmError::NoTime)?;
    Ok(HelmRelease { name, revision: version, status: info.status, deployed, manifest })
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, HelmError> {
    let max = RELEASE_BYTES_MAX.min(packed.len().saturating_mul(RELEASE_RATIO_MAX));
    let mut text = Vec::new();
    GzDecoder::new(packed).take(max as u64 + 1).read_to_end(&mut text)?;
    if text.len() > max { Err(HelmError::TooLong) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    /// What Helm writes, made by hand from its source: JSON, gzip at the best compression, base64.
    fn packed(json: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(json).unwrap();
        base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap()).into_bytes()
    }

    const JSON: &str = r#"{"name":"shop","info":{"first_deployed":"2026-03-01T09:00:00.123456789Z","last_deployed":"2026-03-01T10:00:00.123456789+01:00","deleted":"","description":"Upgrade complete","status":"superseded"},"chart":{"metadata":{"name":"shop"}},"manifest":"---\nkind: Deployment\n","version":2,"namespace":"shop"}"#;

    #[test]
    fn a_release_is_read_through_base64_and_gzip_and_without_gzip() {
        let plain = base64::engine::general_purpose::STANDARD.encode(JSON).into_bytes();
        for data in [packed(JSON.as_bytes()), plain] {
            let release = read_release(&data).unwrap();
            assert_eq!((release.name.as_str(), release.revision), ("shop", 2));
            assert_eq!(release.status, "superseded");
            assert_eq!(release.deployed.to_string(), "2026-03-01T09:00:00.123Z");
            assert_eq!(release.manifest, "---\nkind: Deployment\n");
        }
    }

    #[test]
    fn what_is_no_release_is_told() {
        assert!(matches!(read_release(b"%"), Err(HelmError::Base64(_))));
        assert!(matches!(read_release(&packed(b"{}")), Err(HelmError::Shape(_))));
        let no_time = JSON.replace("last_deployed", "other");
        assert!(matches!(read_release(&packed(no_time.as_bytes())), Err(HelmError::NoTime)));
        let mut cut =
            base64::engine::general_purpose::STANDARD.decode(packed(JSON.as_bytes())).unwrap();
        cut.truncate(40);
        let cut = base64::engine::general_purpose::STANDARD.encode(cut);
        assert!(matches!(read_release(cut.as_bytes()), Err(HelmError::Gzip(_))));
    }

    #[test]
    fn a_release_that_unpacks_to_too_much_is_refused() {
        let bomb = vec![b' '; 4 << 20];
        assert!(matches!(read_release(&packed(&bomb)), Err(HelmError::TooLong)));
        let long = vec![b' '; RELEASE_BYTES_MAX + 1];
        let plain = base64::engine::general_purpose::STANDARD.encode(long);
        assert!(matches!(read_release(plain.as_bytes()), Err(HelmError::TooLong)));
        let at_limit = vec![b' '; RELEASE_BYTES_MAX];
        let plain = base64::engine::general_purpose::STANDARD.encode(at_limit);
        assert!(matches!(read_release(plain.as_bytes()), Err(HelmError::Shape(_))));
    }
}
