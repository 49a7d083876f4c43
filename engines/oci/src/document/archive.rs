//! `manifest.json` of a `docker save` archive.
//!
//! ```text
//! [{"Config":"<hex>.json","RepoTags":["shop/api:1"],"Layers":["<hex>/layer.tar"]}]
//! ```
//! Source: Docker image-spec v1.2, "Combined Image JSON + Filesystem Changeset Format". Its layers are plain
//! tars, so that the manifest of the image is made here, by [`super::manifest::Manifest::image`].

use super::descriptor::null_is_default;
use super::{DocumentError, read_json};
use crate::limit::MANIFEST_BYTES_SETTABLE_MAX;
use serde::Deserialize;

/// The file that lists the images of the archive.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The layers of one image. Source: overlayfs takes 128 lower folders; four times that is nobody's image.
pub const LAYERS_MAX: usize = 512;

/// One image of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveImage {
    /// The entry that holds the configuration.
    pub config: ArchivePath,
    /// The references that it was saved under; texts as Docker wrote them.
    pub repo_tags: Vec<String>,
    /// The entries that hold the layers, the lowest first. One may be named twice.
    pub layers: Vec<ArchivePath>,
}

/// A path that stays inside its archive: relative, with `/`, without `.`, `..` and empty parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchivePath(String);

impl ArchivePath {
    /// Reads a path as it stands in `manifest.json` or in a tar header; a leading `./` is dropped.
    ///
    /// # Errors
    /// It leaves the archive, or is none.
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        let bare = text.strip_prefix("./").unwrap_or(text);
        let is_part = |part: &str| !matches!(part, "" | "." | "..");
        let is_plain = !bare.contains(['\\', '\0']) && bare.len() <= 4096;
        if is_plain && bare.split('/').all(is_part) {
            Ok(Self(bare.to_owned()))
        } else {
            Err(DocumentError::Path { path: text.chars().take(128).collect() })
        }
    }

    /// The path, relative to the archive's root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fields {
    config: String,
    #[serde(default, deserialize_with = "null_is_default")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    layers: Vec<String>,
}

/// Reads `manifest.json`.
///
/// # Errors
/// Not that document, a path that leaves the archive, or more layers than [`LAYERS_MAX`].
pub fn read(bytes: &[u8]) -> Result<Vec<ArchiveImage>, DocumentError> {
    let images: Vec<Fields> = read_json(bytes, MANIFEST_BYTES_SETTABLE_MAX)?;
    images
        .into_iter()
        .map(|image| {
            if image.layers.len() > LAYERS_MAX {
                return Err(DocumentError::Shape {
                    problem: "an image of the archive has more than 512 layers",
                });
            }
            let paths = image.layers.iter().map(|path| ArchivePath::read(path));
            Ok(ArchiveImage {
                config: ArchivePath::read(&image.config)?,
                repo_tags: image.repo_tags,
                layers: paths.collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_docker_s_lists_are_read() {
        // Docker up to 24, and from 25 on, which saves an OCI layout beside it.
        for (config, layer) in
            [("ab12.json", "cd34/layer.tar"), ("blobs/sha256/ab12", "blobs/sha256/cd34")]
        {
            let text = format!(
                r#"[{{"Config":"{config}","RepoTags":["shop/api:1"],"Layers":["{layer}"],"LayerSources":{{}}}},{{"Config":"{config}","RepoTags":null,"Layers":null}}]"#
            );
            let images = read(text.as_bytes()).unwrap();
            assert_eq!(images[0].config.as_str(), config);
            assert_eq!(images[0].repo_tags, ["shop/api:1"]);
            assert_eq!(images[0].layers[0].as_str(), layer);
            assert!(images[1].layers.is_empty() && images[1].repo_tags.is_empty());
        }
        assert!(read(b"{}").is_err());
        assert!(read(b"[{}]").is_err());
    }

    #[test]
    fn paths_that_leave_the_archive_are_refused() {
        for bad in
            ["", "/etc/passwd", "../x", "a/../x", "a//b", "a/./b", "a\\b", "a\0b", "./", "a/"]
        {
            assert!(ArchivePath::read(bad).is_err(), "{bad:?}");
        }
        assert_eq!(ArchivePath::read("./a/b").unwrap().as_str(), "a/b");
    }

    #[test]
    fn an_image_has_512_layers_and_not_one_more() {
        let text = |layers: usize| {
            let list = vec!["\"l\""; layers].join(",");
            format!(r#"[{{"Config":"c","Layers":[{list}]}}]"#)
        };
        assert!(read(text(LAYERS_MAX).as_bytes()).is_ok());
        assert!(read(text(LAYERS_MAX + 1).as_bytes()).is_err());
    }
}
