//! An image's configuration: what it runs on, when it was made, its labels, its uncompressed layers.
//!
//! ```text
//! {"architecture":"amd64","os":"linux","config":{"Labels":{…}},"rootfs":{"type":"layers","diff_ids":[…]}}
//! ```
//! Source: OCI image-spec 1.1, config.md. What we write of it is what the demo's images need.

use super::descriptor::{PlatformFields, null_is_default};
use super::{DocumentError, read_json};
use crate::limit::CONFIG_BYTES_MAX;
use domain::{Digest, Platform, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an image's configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageConfig {
    /// What it runs on; `None` where it does not say so in words that are read here.
    pub platform: Option<Platform>,
    /// When it was made; `None` where it does not say so as a time.
    pub created: Option<Timestamp>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The digests of its uncompressed layers, the lowest first.
    pub diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(flatten)]
    platform: PlatformFields<'static>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    config: RunFields,
    #[serde(default, deserialize_with = "null_is_default")]
    rootfs: RootFields,
}

#[derive(Default, Deserialize)]
struct RunFields {
    #[serde(default, rename = "Labels", deserialize_with = "null_is_default")]
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct RootFields {
    #[serde(default, deserialize_with = "null_is_default")]
    diff_ids: Vec<Digest>,
}

impl ImageConfig {
    /// Reads an image's configuration.
    ///
    /// # Errors
    /// Larger than [`CONFIG_BYTES_MAX`], not one reading of JSON, or of another shape.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let fields: Fields = read_json(bytes, CONFIG_BYTES_MAX)?;
        Ok(Self {
            platform: fields.platform.read(),
            created: fields.created.and_then(|text| text.parse().ok()),
            labels: fields.config.labels,
            diff_ids: fields.rootfs.diff_ids,
        })
    }
}

/// An image configuration that we write ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImageConfig {
    /// What it runs on.
    pub platform: Platform,
    /// When it was made.
    pub created: Timestamp,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `KEY=value` lines.
    pub env: Vec<String>,
    /// The program and its fixed arguments.
    pub entrypoint: Vec<String>,
    /// The arguments that may be replaced.
    pub cmd: Vec<String>,
    /// Where the program starts.
    pub working_dir: String,
    /// The digests of its uncompressed layers, the lowest first.
    pub diff_ids: Vec<Digest>,
}

impl NewImageConfig {
    /// A configuration with what each must have.
    #[must_use]
    pub fn new(platform: Platform, created: Timestamp, diff_ids: Vec<Digest>) -> Self {
        Self {
            platform,
            created,
            labels: BTreeMap::new(),
            env: Vec::new(),
            entrypoint: Vec::new(),
            cmd: Vec::new(),
            working_dir: String::new(),
            diff_ids,
        }
    }

    /// Writes it: the same value gives the same bytes, without blanks.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let printed = self.platform.to_string();
        let written = Written {
            created: self.created,
            platform: PlatformFields::of(&printed),
            config: WrittenRun {
                env: &self.env,
                entrypoint: &self.entrypoint,
                cmd: &self.cmd,
                working_dir: &self.working_dir,
                labels: &self.labels,
            },
            rootfs: WrittenRoot { kind: "layers", diff_ids: &self.diff_ids },
        };
        serde_json::to_vec(&written).expect("strings and string maps are always JSON")
    }
}

#[derive(Serialize)]
struct Written<'a> {
    created: Timestamp,
    #[serde(flatten)]
    platform: PlatformFields<'a>,
    config: WrittenRun<'a>,
    rootfs: WrittenRoot<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenRun<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    env: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    entrypoint: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    cmd: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    working_dir: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct WrittenRoot<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: &'a [Digest],
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From OCI image-spec 1.1, config.md, "Example", shortened.
    const EXAMPLE: &str = r#"{
        "created": "2015-10-31T22:22:56.015925234Z",
        "author": "Alyssa P. Hacker <alyspdev@example.com>",
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": "alice",
            "ExposedPorts": { "8080/tcp": {} },
            "Labels": { "com.example.project.git.url": "https://example.com/project.git" }
        },
        "rootfs": {
            "diff_ids": [
                "sha256:c6f988f4874bb0add23a778f753c65efe992244e148a1d2ec2a8b664fb66bbd1",
                "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
            ],
            "type": "layers"
        },
        "history": [ { "created_by": "/bin/sh -c", "empty_layer": true } ]
    }"#;

    #[test]
    fn the_specification_s_example_is_read() {
        let config = ImageConfig::read(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(config.platform, Some("linux/amd64".parse().unwrap()));
        assert_eq!(config.created, Some("2015-10-31T22:22:56.015Z".parse().unwrap()));
        assert_eq!(config.labels["com.example.project.git.url"], "https://example.com/project.git");
        let hex = config.diff_ids[1].hex();
        assert!(hex.starts_with("5f70bf18"));
    }

    #[test]
    fn what_is_not_said_is_unknown() {
        for text in [
            "{}",
            r#"{"created":"yesterday","architecture":"","os":null,"config":null,"rootfs":{"diff_ids":null}}"#,
        ] {
            let config = ImageConfig::read(text.as_bytes()).unwrap();
            assert_eq!(config.platform, None, "{text}");
            assert_eq!(config.created, None, "{text}");
            assert!(config.labels.is_empty() && config.diff_ids.is_empty());
        }
    }

    #[test]
    fn a_configuration_is_read_at_16_mib_and_refused_above() {
        let of_length = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
        assert!(ImageConfig::read(of_length(CONFIG_BYTES_MAX).as_bytes()).is_ok());
        let refused = ImageConfig::read(of_length(CONFIG_BYTES_MAX + 1).as_bytes());
        assert!(matches!(refused, Err(DocumentError::Size { .. })));
    }

    #[test]
    fn a_written_configuration_reads_back() {
        let diff_id = Digest::sha256(b"layer");
        let created = "2026-03-17T14:39:58.000Z";
        let mut new = NewImageConfig::new(
            "linux/arm64/v8".parse().unwrap(),
            created.parse().unwrap(),
            vec![diff_id],
        );
        new.labels.insert("a".to_owned(), "b".to_owned());
        new.cmd.push("/serve".to_owned());
        let text = String::from_utf8(new.write()).unwrap();
        assert_eq!(
            text,
            format!(
                r#"{{"created":"{created}","architecture":"arm64","os":"linux","variant":"v8","config":{{"Cmd":["/serve"],"Labels":{{"a":"b"}}}},"rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#
            )
        );
        let read = ImageConfig::read(text.as_bytes()).unwrap();
        assert_eq!(read.platform, Some(new.platform));
        assert_eq!(read.labels, new.labels);
        assert_eq!(read.diff_ids, new.diff_ids);
    }
}
