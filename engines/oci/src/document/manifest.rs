//! A manifest: one image or artifact, or an index of several.
//!
//! ```text
//! {"schemaVersion":2,"config":{…},"layers":[…]}   -> Kind::Image
//! {"schemaVersion":2,"manifests":[…]}             -> Kind::Index
//! ```
//! Source: OCI image-spec 1.1, manifest.md and image-index.md; Docker image manifest version 2, schema 2.

use super::descriptor::{Descriptor, Raw, check_keys, null_is_default};
use super::{DocumentError, strict};
use crate::limit::ManifestLimit;
use crate::media_type::{ManifestType, essence};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a manifest's bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What it is served as.
    pub media_type: ManifestType,
    /// What it names.
    pub kind: Kind,
    /// The manifest that it is attached to.
    pub subject: Option<Descriptor>,
    /// The kind of artifact, where it says so.
    pub artifact_type: Option<String>,
    /// Free texts.
    pub annotations: BTreeMap<String, String>,
}

/// What a manifest names.
#[expect(
    clippy::large_enum_variant,
    reason = "one value a request; a box would only get into the way of whoever matches"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One image or artifact.
    Image {
        /// Its configuration.
        config: Descriptor,
        /// Its layers, the lowest first.
        layers: Vec<Descriptor>,
    },
    /// Several manifests.
    Index {
        /// In the order of the document.
        manifests: Vec<Descriptor>,
    },
}

/// The fields that a case-blind parser could take for others.
const FIELDS: &[&str] = &[
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    // Schema 1's: with them the document could be read as one.
    "fsLayers",
    "history",
    "signatures",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    schema_version: Option<i64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    #[serde(borrow)]
    config: Option<Raw<'a>>,
    #[serde(borrow)]
    layers: Option<Vec<Raw<'a>>>,
    #[serde(borrow)]
    manifests: Option<Vec<Raw<'a>>>,
    #[serde(borrow)]
    subject: Option<Raw<'a>>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
    fs_layers: Option<serde::de::IgnoredAny>,
}

impl Manifest {
    /// Reads a manifest of at most 4 MiB.
    ///
    /// `content_type` is the request's or answer's header, or a descriptor's `mediaType`; `None`, or
    /// `application/json`, leaves the decision to the document.
    ///
    /// # Errors
    /// Too large, not one reading of JSON, of an unsupported type, or not what its type has.
    pub fn read(bytes: &[u8], content_type: Option<&str>) -> Result<Self, DocumentError> {
        Self::read_within(bytes, content_type, ManifestLimit::default())
    }

    /// Reads a manifest within a limit that was set.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn read_within(
        bytes: &[u8],
        content_type: Option<&str>,
        limit: ManifestLimit,
    ) -> Result<Self, DocumentError> {
        let fields = read_fields(bytes, limit)?;
        let media_type = decide_type(&fields, content_type)?;
        if fields.schema_version != Some(2) {
            return Err(DocumentError::SchemaVersion { found: fields.schema_version });
        }
        let kind = read_kind(&fields, media_type)?;
        let subject = fields.subject.map(|raw| raw.read("subject")).transpose()?;
        Ok(Self {
            media_type,
            kind,
            subject,
            artifact_type: fields.artifact_type.filter(|kind| !kind.is_empty()),
            annotations: fields.annotations,
        })
    }

    /// The blobs that a registry must hold before it takes the manifest.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, layers) = match &self.kind {
            Kind::Image { config, layers } => (Some(config), layers.as_slice()),
            Kind::Index { .. } => (None, [].as_slice()),
        };
        let present = layers.iter().filter(|layer| !layer.may_be_elsewhere());
        config.into_iter().chain(present)
    }

    /// The manifests that an index lists; none for an image.
    #[must_use]
    pub fn children(&self) -> &[Descriptor] {
        match &self.kind {
            Kind::Image { .. } => &[],
            Kind::Index { manifests } => manifests,
        }
    }

    /// The layers of an image, the lowest first; none for an index.
    #[must_use]
    pub fn layers(&self) -> &[Descriptor] {
        match &self.kind {
            Kind::Image { layers, .. } => layers,
            Kind::Index { .. } => &[],
        }
    }

    /// The configuration of an image.
    #[must_use]
    pub fn config(&self) -> Option<&Descriptor> {
        match &self.kind {
            Kind::Image { config, .. } => Some(config),
            Kind::Index { .. } => None,
        }
    }
}

/// Whether an append tag may move from `old` to `new`: every layer, or every listed manifest, is kept.
///
/// The configuration is left out: cosign writes the list of layers into it, so that it changes with each
/// signature. Source: cosign, `pkg/oci/mutate`.
#[must_use]
pub fn extends(new: &Manifest, old: &Manifest) -> bool {
    let entries = |manifest: &Manifest| -> BTreeSet<domain::Digest> {
        let (layers, children) = (manifest.layers(), manifest.children());
        layers.iter().chain(children).map(|entry| entry.digest).collect()
    };
    let subject = |manifest: &Manifest| manifest.subject.as_ref().map(|subject| subject.digest);
    let keeps_subject = old.subject.is_none() || subject(new) == subject(old);
    new.media_type.is_index() == old.media_type.is_index()
        && keeps_subject
        && entries(new).is_superset(&entries(old))
}

fn read_fields(bytes: &[u8], limit: ManifestLimit) -> Result<Fields<'_>, DocumentError> {
    let max = limit.bytes();
    if bytes.len() > max {
        let found = bytes.len();
        return Err(DocumentError::Size { found, max });
    }
    strict::check(bytes)?;
    let text = std::str::from_utf8(bytes).expect("the strict pass has read it as UTF-8");
    check_keys(text, FIELDS, "manifest")?;
    serde_json::from_str(text).map_err(|wrong| DocumentError::Json { reason: wrong.to_string() })
}

/// Content types that say only that it is JSON or bytes.
const SAYS_NOTHING: [&str; 3] = ["", "application/json", "application/octet-stream"];

fn decide_type(
    fields: &Fields<'_>,
    content_type: Option<&str>,
) -> Result<ManifestType, DocumentError> {
    let asked = content_type
        .map(essence)
        .filter(|bare| !SAYS_NOTHING.iter().any(|none| none.eq_ignore_ascii_case(bare)));
    let said = fields.media_type.as_deref().filter(|said| !said.is_empty());
    if let (Some(asked), Some(said)) = (asked, said)
        && !asked.eq_ignore_ascii_case(said)
    {
        return Err(DocumentError::TypesDiffer {
            content_type: asked.chars().take(128).collect(),
            media_type: said.chars().take(128).collect(),
        });
    }
    if let Some(named) = asked.or(said) {
        return Ok(named.parse()?);
    }
    // Schema 1 says no media type; without one, only OCI's two may be.
    match (fields.schema_version, fields.manifests.is_some()) {
        (Some(1), _) => Err(DocumentError::SchemaVersion { found: Some(1) }),
        (_, true) => Ok(ManifestType::OciIndex),
        (_, false) => Ok(ManifestType::OciImage),
    }
}

fn read_kind(fields: &Fields<'_>, media_type: ManifestType) -> Result<Kind, DocumentError> {
    let shape = |problem| DocumentError::Shape { problem };
    if fields.fs_layers.is_some() {
        return Err(shape("`fsLayers` belongs to Docker's schema 1, which is not supported"));
    }
    match (media_type.is_index(), &fields.manifests, &fields.config, &fields.layers) {
        (_, Some(_), Some(_), _) => Err(shape("the manifest has both `manifests` and `config`")),
        (_, Some(_), _, Some(_)) => Err(shape("the manifest has both `manifests` and `layers`")),
        (true, Some(manifests), None, None) => {
            Ok(Kind::Index { manifests: read_all(manifests, "manifests")? })
        }
        (true, None, _, _) => Err(shape("the index has no `manifests`")),
        (false, Some(_), None, None) => Err(shape("the image manifest has `manifests`")),
        (false, None, None, _) => Err(shape("the image manifest has no `config`")),
        (false, None, Some(config), layers) => Ok(Kind::Image {
            config: config.read("config")?,
            layers: read_all(layers.as_deref().unwrap_or_default(), "layers")?,
        }),
    }
}

fn read_all(entries: &[Raw<'_>], list: &str) -> Result<Vec<Descriptor>, DocumentError> {
    entries.iter().enumerate().map(|(at, raw)| raw.read(&format!("{list}[{at}]"))).collect()
}
