//! Layouts: written, read back, broken in every way that is told apart.

use bytes::Bytes;
use domain::Digest;
use remote::content::read_whole;
use remote::layout::Layout;
use remote::{BlobSource, RemoteError};
use tempfile::TempDir;

use crate::images::{IMAGE, Image, image, index};

/// Writes an image into a layout.
pub(crate) async fn put(layout: &Layout, image: &Image, tags: &[&str]) {
    for content in [&image.config, &image.layer] {
        let source = BlobSource::bytes(content.clone());
        layout.put_blob(&Digest::sha256(content), content.len() as u64, &source).await.unwrap();
    }
    let tags: Vec<_> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
    let manifest = &image.manifest;
    layout.put_manifest(&manifest.digest, &manifest.bytes, IMAGE, &tags).await.unwrap();
}

pub(crate) async fn layout_of(images: &[(&Image, &[&str])]) -> (TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(&folder.path().join("layout")).await.unwrap();
    for (image, tags) in images {
        put(&layout, image, tags).await;
    }
    (folder, layout)
}

#[tokio::test]
async fn an_image_is_written_and_read_back() {
    let image = image(b"layer");
    let (_folder, layout) = layout_of(&[(&image, &["v1", "v2"])]).await;
    let layout = Layout::open(layout.folder()).await.unwrap();
    for name in [Some("v1"), Some("v2"), None] {
        assert_eq!(layout.resolve(name).await.unwrap().digest, image.manifest.digest);
    }
    assert_eq!(layout.manifest(&image.manifest.digest).await.unwrap(), image.manifest);
    let stream = layout.blob(&image.layer_digest(), Some(5)).await.unwrap();
    assert_eq!(read_whole(stream, 5, "layer").await.unwrap(), "layer");
    assert_eq!(layout.has_blob(&Digest::sha256(b"no")).await.unwrap(), None);
}

#[tokio::test]
async fn a_name_moves_to_the_image_that_was_put_last() {
    let (one, two) = (image(b"one"), image(b"two"));
    let (_folder, layout) = layout_of(&[(&one, &["v1"]), (&two, &["v1", "v2"])]).await;
    assert_eq!(layout.resolve(Some("v1")).await.unwrap().digest, two.manifest.digest);
    assert!(layout.resolve(Some("v3")).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn several_images_must_be_named() {
    let (one, two) = (image(b"one"), image(b"two"));
    let (_folder, layout) = layout_of(&[(&one, &["v1"]), (&two, &["v2"])]).await;
    let error = layout.resolve(None).await.unwrap_err();
    let end = "holds 2 images: name one of ";
    assert!(
        matches!(error, RemoteError::Ambiguous { count: 2, .. }) && error.to_string().contains(end),
        "{error}"
    );
    let by_digest = layout.resolve(Some(&two.manifest.digest.to_string())).await.unwrap();
    assert_eq!(by_digest.digest, two.manifest.digest);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Layout::open(&folder.path().join("nowhere")).await.unwrap_err();
    assert!(
        missing.to_string().ends_with("there is no `oci-layout` file: it is no OCI layout"),
        "{missing}"
    );
    let (_folder, layout) = layout_of(&[]).await;
    let empty = layout.resolve(None).await.unwrap_err();
    assert!(empty.to_string().ends_with("there is no manifest: its index is empty"), "{empty}");
    let image = image(b"layer");
    let (_folder, layout) = layout_of(&[(&image, &["v1"])]).await;
    let blobs = layout.folder().join("blobs/sha256");
    std::fs::remove_file(blobs.join(image.manifest.digest.hex())).unwrap();
    let error = layout.manifest(&image.manifest.digest).await.unwrap_err();
    let expected = format!("there is no manifest {}", image.manifest.digest);
    assert!(error.is_not_found() && error.to_string().ends_with(&expected), "{error}");
}

#[tokio::test]
async fn changed_bytes_are_found() {
    let image = image(b"layer");
    let (_folder, layout) = layout_of(&[(&image, &["v1"])]).await;
    let blobs = layout.folder().join("blobs/sha256");
    std::fs::write(blobs.join(image.layer_digest().hex()), "lAyer").unwrap();
    let stream = layout.blob(&image.layer_digest(), Some(5)).await.unwrap();
    let read = read_whole(stream, 5, "layer").await;
    assert!(matches!(read, Err(RemoteError::DigestMismatch { .. })));
    std::fs::write(blobs.join(image.manifest.digest.hex()), "{}").unwrap();
    let read = layout.manifest(&image.manifest.digest).await;
    assert!(matches!(read, Err(RemoteError::DigestMismatch { .. })));
}

#[tokio::test]
async fn a_source_of_other_bytes_leaves_nothing() {
    let (_folder, layout) = layout_of(&[]).await;
    let digest = Digest::sha256(b"hello");
    let put = layout.put_blob(&digest, 5, &BlobSource::bytes("hallo")).await;
    assert!(matches!(put, Err(RemoteError::DigestMismatch { .. })));
    assert_eq!(layout.has_blob(&digest).await.unwrap(), None);
    let left = std::fs::read_dir(layout.folder().join("blobs/sha256")).unwrap().count();
    assert_eq!(left, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_not_followed() {
    let image = image(b"layer");
    let (folder, layout) = layout_of(&[(&image, &["v1"])]).await;
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "layer").unwrap();
    let blob = layout.folder().join("blobs/sha256").join(image.layer_digest().hex());
    std::fs::remove_file(&blob).unwrap();
    std::os::unix::fs::symlink(&secret, &blob).unwrap();
    assert!(matches!(
        layout.blob(&image.layer_digest(), None).await,
        Err(RemoteError::File { .. })
    ));
    assert!(matches!(layout.has_blob(&image.layer_digest()).await, Err(RemoteError::File { .. })));
    let outside = folder.path().join("outside");
    std::fs::rename(layout.folder().join("blobs"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, layout.folder().join("blobs")).unwrap();
    let put = layout.put_blob(&Digest::sha256(b"x"), 1, &BlobSource::bytes("x")).await;
    assert!(matches!(put, Err(RemoteError::File { .. })), "{put:?}");
}

#[tokio::test]
async fn a_folder_with_other_things_is_not_made_a_layout() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    assert!(Layout::open_or_create(folder.path()).await.unwrap_err().is_not_found());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn an_index_of_images_is_copied_whole_between_layouts() {
    use remote::{CopyOptions, Place, Target, copy};
    let (one, two) = (image(b"one"), image(b"two"));
    let (_folder, from) = layout_of(&[(&one, &[]), (&two, &[])]).await;
    let both = index(&[&one, &two]);
    let bytes: Bytes = both.bytes.clone();
    from.put_manifest(&both.digest, &bytes, crate::images::INDEX, &["all".parse().unwrap()])
        .await
        .unwrap();
    let (_other, to) = layout_of(&[]).await;
    let place = Place::Layout(from, Some("all".to_owned()));
    let target = Target::Layout(to.clone());
    let copied = copy(&place, &target, CopyOptions::default()).await.unwrap();
    assert_eq!((copied.manifest.digest, copied.sent, copied.present), (both.digest, 4, 0));
    target.list_in_layout(&copied.manifest, &["all".parse().unwrap()]).await.unwrap();
    assert_eq!(to.resolve(Some("all")).await.unwrap().digest, both.digest);
    assert_eq!(to.manifest(&one.manifest.digest).await.unwrap(), one.manifest);
    let again = copy(&place, &target, CopyOptions::default()).await.unwrap();
    assert_eq!((again.sent, again.present), (0, 4));
}
