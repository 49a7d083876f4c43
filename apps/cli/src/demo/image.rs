//! An OCI image made from a folder's files, without a builder: one layer, one platform, the same bytes each time.
//!
//! ```text
//! api/{prices.json,server.py} + commit 1a2b…  ->  oci-layout, index.json, blobs/sha256/{layer,config,manifest}
//! ```
//! The Dockerfile stays out. A file `app/VERSION` and a label hold the commit, so that two commits are two images.

use super::DemoError;
use domain::{Digest, Timestamp};
use oci::document::layout::{INDEX_FILE, MARKER, MARKER_FILE, blob_path};
use oci::media_type::{OCI_CONFIG, OCI_LAYER_TAR};
use oci::{Descriptor, ImageFormat, Manifest, NewImageConfig};
use std::collections::BTreeMap;
use std::path::Path;

/// Files of one image.
const FILES_MAX: u64 = 64;
/// Bytes of one image's files.
const BYTES_MAX: u64 = 4 << 20;
/// What builds an image and is not part of it.
const RECIPE: &str = "Dockerfile";
/// Source: OCI image-spec 1.1, annotations.md.
const REVISION: &str = "org.opencontainers.image.revision";

/// An image that was made.
#[derive(Debug)]
pub(super) struct Assembled {
    /// Its manifest's digest.
    pub(super) digest: Digest,
    /// The files in its layer.
    pub(super) files: usize,
}

/// Makes an OCI layout with one image.
pub(super) fn assemble(
    source: &Path,
    layout: &Path,
    revision: &str,
) -> Result<Assembled, DemoError> {
    let mut files = read(source)?;
    files.insert("VERSION".to_owned(), format!("{revision}\n").into_bytes());
    let layer = archive(&files).map_err(DemoError::io("archive", source))?;
    let config = config(Digest::sha256(&layer), revision);
    let manifest = Manifest::image(
        ImageFormat::Oci,
        Descriptor::of(OCI_CONFIG, &config),
        vec![Descriptor::of(OCI_LAYER_TAR, &layer)],
    );
    let bytes = manifest.write();
    let entry = Descriptor::of(manifest.media_type.as_str(), &bytes);
    let digest = entry.digest;
    write_layout(layout, &[&layer, &config, &bytes], entry)?;
    Ok(Assembled { digest, files: files.len() })
}

/// Writes an OCI layout with one entry, and all blobs that it leads to.
pub(super) fn write_layout(
    layout: &Path,
    blobs: &[&[u8]],
    entry: Descriptor,
) -> Result<(), DemoError> {
    let index = Manifest::index(ImageFormat::Oci, vec![entry]).write();
    for blob in blobs {
        write(&layout.join(blob_path(&Digest::sha256(blob))), blob)?;
    }
    write(&layout.join(INDEX_FILE), &index)?;
    write(&layout.join(MARKER_FILE), MARKER)
}

/// The files of a folder by name.
fn read(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, DemoError> {
    let too_much = |most, what| DemoError::TooMuch { path: folder.to_owned(), most, what };
    let mut files = BTreeMap::new();
    let mut left = BYTES_MAX;
    for entry in std::fs::read_dir(folder).map_err(DemoError::io("read", folder))? {
        let path = entry.map_err(DemoError::io("read", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let about = std::fs::symlink_metadata(&path).map_err(DemoError::io("read", &path))?;
        let (Some(name), true) = (name, about.is_file()) else {
            return Err(DemoError::NotAFile { path });
        };
        if name == RECIPE {
            continue;
        }
        left = left.checked_sub(about.len()).ok_or_else(|| too_much(BYTES_MAX, "bytes"))?;
        let bytes = std::fs::read(&path).map_err(DemoError::io("read", &path))?;
        files.insert(name.to_owned(), bytes);
        if files.len() as u64 > FILES_MAX {
            return Err(too_much(FILES_MAX, "files"));
        }
    }
    Ok(files)
}

/// A tar of files below `app/`, in the order of their names, all of them from 1970.
fn archive(files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, format!("app/{name}"), bytes.as_slice())?;
    }
    tar.into_inner()
}

fn config(layer: Digest, revision: &str) -> Vec<u8> {
    let platform = "linux/amd64".parse().expect("a literal platform");
    // No clock: the same files of the same commit are the same image, whoever assembles them.
    let mut config = NewImageConfig::new(platform, Timestamp::from_millis(0), vec![layer]);
    config.labels = BTreeMap::from([(REVISION.to_owned(), revision.to_owned())]);
    config.entrypoint = vec!["python".to_owned(), "/app/server.py".to_owned()];
    config.working_dir = "/app".to_owned();
    config.write()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DemoError> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(DemoError::io("make", parent))?;
    }
    std::fs::write(path, bytes).map_err(DemoError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci::Kind;
    use oci::document::layout::{read_index, read_marker};

    fn source(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_same_files_of_the_same_commit_are_the_same_image() {
        let one = source(&[("b.txt", "b"), ("a.txt", "a"), ("Dockerfile", "FROM x")]);
        let two = source(&[("a.txt", "a"), ("b.txt", "b")]);
        let layouts = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let first = assemble(one.path(), layouts[0].path(), "1a2b").unwrap();
        let second = assemble(two.path(), layouts[1].path(), "1a2b").unwrap();
        assert_eq!((first.digest, first.files), (second.digest, 3));
        let other = assemble(two.path(), layouts[1].path(), "3c4d").unwrap();
        assert_ne!(first.digest, other.digest, "another commit is another image");
    }

    #[test]
    fn every_digest_of_the_layout_is_of_the_bytes_behind_it() {
        let files = source(&[("a.txt", "a")]);
        let layout = tempfile::tempdir().unwrap();
        let made = assemble(files.path(), layout.path(), "1a2b").unwrap();
        let blob = |digest: &Digest| {
            let bytes = std::fs::read(layout.path().join(blob_path(digest))).unwrap();
            digest.verify(&bytes).unwrap();
            bytes
        };
        read_marker(&std::fs::read(layout.path().join(MARKER_FILE)).unwrap()).unwrap();
        let index = read_index(&std::fs::read(layout.path().join(INDEX_FILE)).unwrap()).unwrap();
        assert_eq!(index[0].digest, made.digest);
        let manifest = Manifest::read(&blob(&made.digest), None).unwrap();
        let Kind::Image { config, layers } = &manifest.kind else { panic!("an image") };
        blob(&config.digest);
        let layer = blob(&layers[0].digest);
        let mut tar = tar::Archive::new(layer.as_slice());
        let entries = tar
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string());
        assert_eq!(entries.collect::<Vec<_>>(), ["app/VERSION", "app/a.txt"]);
    }

    #[test]
    fn what_is_no_plain_file_is_refused_by_name() {
        let folder = source(&[]);
        std::fs::create_dir(folder.path().join("below")).unwrap();
        let layout = tempfile::tempdir().unwrap();
        let error = assemble(folder.path(), layout.path(), "1a2b").unwrap_err();
        assert!(error.to_string().ends_with("below is not a plain file"), "{error}");
    }

    #[test]
    fn the_limits_are_at_and_one_above() {
        let layout = tempfile::tempdir().unwrap();
        let many = |count: u64| {
            let folder = source(&[]);
            for n in 0..count {
                std::fs::write(folder.path().join(format!("{n}")), "").unwrap();
            }
            assemble(folder.path(), layout.path(), "1a2b").is_ok()
        };
        assert!(many(FILES_MAX) && !many(FILES_MAX + 1));
        let large = |bytes: u64| {
            let folder = source(&[]);
            std::fs::File::create(folder.path().join("x")).unwrap().set_len(bytes).unwrap();
            assemble(folder.path(), layout.path(), "1a2b").is_ok()
        };
        assert!(large(BYTES_MAX) && !large(BYTES_MAX + 1));
    }
}
