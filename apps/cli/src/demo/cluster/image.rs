//! An OCI image with that program, for both architectures: an index, as builders make it.
//!
//! ```text
//! "the shop, build A"  ->  index -> {amd64, arm64} -> one layer each: app/shop
//! ```
//! No clock and no chance: the same line is the same image.

use super::program::{Ends, Machine, program};
use crate::demo::DemoError;
use crate::demo::image::write_layout;
use domain::{Digest, Platform, Timestamp};
use oci::media_type::{OCI_CONFIG, OCI_LAYER_TAR};
use oci::{Descriptor, ImageFormat, Manifest, NewImageConfig};
use std::path::Path;

const PROGRAM: &str = "app/shop";

/// Makes an OCI layout with the image; gives the index's digest.
pub(in crate::demo) fn assemble(
    layout: &Path,
    says: &str,
    ends: Ends,
) -> Result<Digest, DemoError> {
    let mut blobs = Vec::new();
    let mut children = Vec::new();
    for (machine, platform) in [(Machine::Amd64, "linux/amd64"), (Machine::Arm64, "linux/arm64")] {
        let platform: Platform = platform.parse().expect("a literal platform");
        let bytes = program(machine, says, ends);
        let layer = layer(&bytes).map_err(DemoError::io("archive", layout))?;
        let mut config = NewImageConfig::new(
            platform.clone(),
            Timestamp::from_millis(0),
            vec![Digest::sha256(&layer)],
        );
        config.entrypoint = vec![format!("/{PROGRAM}")];
        let config = config.write();
        let manifest = Manifest::image(
            ImageFormat::Oci,
            Descriptor::of(OCI_CONFIG, &config),
            vec![Descriptor::of(OCI_LAYER_TAR, &layer)],
        );
        let bytes = manifest.write();
        let child = Descriptor::of(manifest.media_type.as_str(), &bytes);
        children.push(Descriptor { platform: Some(platform), ..child });
        blobs.extend([layer, config, bytes]);
    }
    let index = Manifest::index(ImageFormat::Oci, children);
    let bytes = index.write();
    let entry = Descriptor::of(index.media_type.as_str(), &bytes);
    let digest = entry.digest;
    blobs.push(bytes);
    let blobs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
    write_layout(layout, &blobs, entry)?;
    Ok(digest)
}

/// A tar with the program, which everybody may run.
fn layer(program: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, PROGRAM, program)?;
    tar.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci::document::layout::{INDEX_FILE, blob_path, read_index};

    #[test]
    fn the_same_line_is_the_same_image_for_both_architectures() {
        let layouts = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let made = |at: usize, says, ends| assemble(layouts[at].path(), says, ends).unwrap();
        let digest = made(0, "build A", Ends::Never);
        assert_eq!(digest, made(1, "build A", Ends::Never));
        assert_ne!(digest, made(2, "build A", Ends::With(3)));
        let file = |name: &str| std::fs::read(layouts[0].path().join(name)).unwrap();
        assert_eq!(read_index(&file(INDEX_FILE)).unwrap()[0].digest, digest);
        let index = Manifest::read(&file(&blob_path(&digest)), None).unwrap();
        let platforms = index.children().iter().map(|child| child.platform.as_ref().unwrap());
        let platforms: Vec<_> = platforms.map(ToString::to_string).collect();
        assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
        for child in index.children() {
            let manifest = Manifest::read(&file(&blob_path(&child.digest)), None).unwrap();
            for blob in manifest.blobs() {
                blob.digest.verify(&file(&blob_path(&blob.digest))).unwrap();
            }
        }
    }
}
