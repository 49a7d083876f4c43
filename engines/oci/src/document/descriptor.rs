//! A descriptor: what names some content by type, digest and size.
//!
//! ```text
//! {"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:…","size":1234}
//! ```
//! Source: OCI image-spec 1.1, descriptor.md.

use super::{DocumentError, strict};
use crate::media_type;
use base64::Engine as _;
use domain::{Digest, Platform};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What names some content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is; any text.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Other places to get it from; with any, a registry need not hold it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Free texts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What the content runs on, where an index says so in words that are read here.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_platform")]
    pub platform: Option<Platform>,
    /// The kind of artifact that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

/// The fields that a case-blind parser could take for others.
const FIELDS: &[&str] =
    &["mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"];

const PLATFORM_FIELDS: &[&str] = &["architecture", "os", "variant"];

impl Descriptor {
    /// A descriptor with what each must have.
    #[must_use]
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            platform: None,
            artifact_type: None,
        }
    }

    /// The descriptor of these bytes, by sha256.
    #[must_use]
    pub fn of(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::sha256(bytes), bytes.len() as u64)
    }

    /// Whether a registry may lack the content: a non-distributable layer, or one with `urls`.
    #[must_use]
    pub fn may_be_elsewhere(&self) -> bool {
        !self.urls.is_empty() || media_type::is_nondistributable(&self.media_type)
    }
}

/// The wire form of `platform`; its other fields (`os.version`, `os.features`) are passed over.
#[derive(Deserialize, Serialize)]
pub(super) struct PlatformFields<'a> {
    #[serde(default)]
    architecture: Option<Cow<'a, str>>,
    #[serde(default)]
    os: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<Cow<'a, str>>,
}

impl PlatformFields<'_> {
    /// The platform; empty or odd words, which some tools write, are "not said".
    pub(super) fn read(&self) -> Option<Platform> {
        let os = self.os.as_deref()?;
        Platform::new(os, self.architecture.as_deref()?, self.variant.as_deref()).ok()
    }

    /// The fields of a platform, by its printed form.
    pub(super) fn of(printed: &str) -> PlatformFields<'_> {
        let mut parts = printed.splitn(3, '/');
        let mut next = || parts.next().map(Cow::Borrowed);
        PlatformFields { os: next(), architecture: next(), variant: next() }
    }
}

fn write_platform<S: serde::Serializer>(
    platform: &Option<Platform>,
    json: S,
) -> Result<S::Ok, S::Error> {
    match platform {
        None => json.serialize_none(),
        Some(platform) => PlatformFields::of(&platform.to_string()).serialize(json),
    }
}

/// Go's and SQLite's lengths are signed: what they cannot hold is refused.
fn read_size<'de, D: Deserializer<'de>>(json: D) -> Result<u64, D::Error> {
    let size = i64::deserialize(json)?;
    u64::try_from(size).map_err(|_| serde::de::Error::custom("a size is not negative"))
}

/// `null` reads as if the field were absent, as every Go client reads it.
pub(super) fn null_is_default<'de, T, D>(json: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(json)?.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    media_type: String,
    digest: Digest,
    #[serde(deserialize_with = "read_size")]
    size: u64,
    #[serde(default, deserialize_with = "null_is_default")]
    urls: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    data: Option<String>,
    #[serde(default, borrow)]
    platform: Option<&'a RawValue>,
    #[serde(default)]
    artifact_type: Option<String>,
}

impl Fields<'_> {
    fn read_platform(&self) -> Result<Option<Platform>, DocumentError> {
        let Some(raw) = self.platform else {
            return Ok(None);
        };
        check_keys(raw.get(), PLATFORM_FIELDS, "platform")?;
        let fields: PlatformFields<'_> = serde_json::from_str(raw.get())
            .map_err(|wrong| DocumentError::Json { reason: format!("platform: {wrong}") })?;
        Ok(fields.read())
    }

    fn check_data(&self) -> Result<(), DocumentError> {
        let Some(data) = &self.data else {
            return Ok(());
        };
        // A client may take `data` for the content instead of fetching it, so it must be the content.
        let holds = base64::engine::general_purpose::STANDARD.decode(data).is_ok_and(|content| {
            content.len() as u64 == self.size && self.digest.verify(&content).is_ok()
        });
        if holds { Ok(()) } else { Err(DocumentError::Data { digest: self.digest.to_string() }) }
    }
}

/// A descriptor inside a document, still as its text: its keys are checked before it is read.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Raw<'a>(#[serde(borrow)] &'a RawValue);

impl Raw<'_> {
    /// Reads the descriptor; `place` says where it stands.
    pub(super) fn read(&self, place: &str) -> Result<Descriptor, DocumentError> {
        let wrong =
            |wrong: serde_json::Error| DocumentError::Json { reason: format!("{place}: {wrong}") };
        check_keys(self.0.get(), FIELDS, place)?;
        let fields: Fields<'_> = serde_json::from_str(self.0.get()).map_err(wrong)?;
        fields.check_data()?;
        let platform = fields.read_platform()?;
        Ok(Descriptor {
            media_type: fields.media_type,
            digest: fields.digest,
            size: fields.size,
            urls: fields.urls,
            annotations: fields.annotations,
            platform,
            artifact_type: fields.artifact_type.filter(|kind| !kind.is_empty()),
        })
    }
}

/// Checks the keys of an object, not of what is inside it; `place` says where it stands.
pub(super) fn check_keys(
    object: &str,
    known: &[&'static str],
    place: &str,
) -> Result<(), DocumentError> {
    let keys: Keys = serde_json::from_str(object)
        .map_err(|wrong| DocumentError::Json { reason: format!("{place}: {wrong}") })?;
    keys.0.iter().try_for_each(|key| strict::check_key(key, known))
}

/// The keys of an object.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        let entries = BTreeMap::<String, serde::de::IgnoredAny>::deserialize(json)?;
        Ok(Self(entries.into_keys().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn read(text: &str) -> Result<Descriptor, DocumentError> {
        let raw: Raw<'_> = serde_json::from_str(text).unwrap();
        raw.read("here")
    }

    #[test]
    fn data_must_be_the_content() {
        // `{}` is e30= in base64. Source: OCI image-spec 1.1, manifest.md, "Guidance for an Empty Descriptor".
        let with = |data: &str, size: u64| {
            read(&format!(
                r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{EMPTY}","size":{size},"data":"{data}"}}"#
            ))
        };
        assert!(with("e30=", 2).is_ok());
        for (data, size) in [("e30=", 3), ("e31=", 2), ("e30", 2), ("", 2), ("!", 2)] {
            let refused = with(data, size);
            assert!(matches!(refused, Err(DocumentError::Data { .. })), "{data}");
        }
    }

    #[test]
    fn what_a_descriptor_must_have_is_asked_for_by_name() {
        for (text, missing) in [
            (format!(r#"{{"digest":"{EMPTY}","size":2}}"#), "mediaType"),
            (r#"{"mediaType":"a/b","size":2}"#.to_owned(), "digest"),
            (format!(r#"{{"mediaType":"a/b","digest":"{EMPTY}"}}"#), "size"),
            (format!(r#"{{"mediaType":"a/b","digest":"{EMPTY}","size":-1}}"#), "here"),
            (format!(r#"{{"mediaType":"a/b","digest":"{EMPTY}","size":1.5}}"#), "here"),
            (
                format!(r#"{{"mediaType":"a/b","digest":"{EMPTY}","size":9223372036854775808}}"#),
                "here",
            ),
            (r#"{"mediaType":"a/b","digest":"sha256:00","size":1}"#.to_owned(), "64"),
            ("7".to_owned(), "map"),
        ] {
            let refused = read(&text).unwrap_err().to_string();
            assert!(refused.contains(missing), "{text}: {refused}");
        }
    }

    #[test]
    fn nulls_and_odd_platforms_read_as_not_said() {
        let text = format!(
            r#"{{"mediaType":"a/b","digest":"{EMPTY}","size":2,"urls":null,"annotations":null,"platform":{{"os":"","architecture":""}},"artifactType":"","later":[1]}}"#
        );
        let plain = Descriptor::new("a/b", EMPTY.parse().unwrap(), 2);
        assert_eq!(read(&text), Ok(plain));
    }

    #[test]
    fn layers_with_urls_may_be_elsewhere() {
        let mut layer = Descriptor::of(media_type::OCI_LAYER_GZIP, b"x");
        assert!(!layer.may_be_elsewhere());
        layer.urls.push("https://example.com/x".to_owned());
        assert!(layer.may_be_elsewhere());
    }
}
