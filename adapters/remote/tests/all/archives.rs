//! Archives made by hand: good ones, and each way to be broken or hostile.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use domain::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use remote::archive::{ARCHIVE_ENTRIES_MAX, DockerArchive, LINKS_MAX, OciArchive, write_layout};
use remote::content::read_whole;
use remote::{CopyOptions, Place, RemoteError, Target, copy};
use tempfile::TempDir;

use crate::images::{Image, image};
use crate::layouts::layout_of;

/// A tar made header by header, so that it can be wrong.
#[derive(Clone, Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name, b'0', "", content.len() as u64, content)
    }

    fn link(self, name: &str, to: &str) -> Self {
        self.entry(name, b'2', to, 0, b"")
    }

    fn entry(mut self, name: &str, kind: u8, link: &str, size: u64, content: &[u8]) -> Self {
        let mut block = [0_u8; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..107].copy_from_slice(b"0000644");
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        block[136..147].copy_from_slice(b"00000000000");
        block[156] = kind;
        block[157..157 + link.len()].copy_from_slice(link.as_bytes());
        block[257..263].copy_from_slice(b"ustar\0");
        block[263..265].copy_from_slice(b"00");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend(block);
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// What docker saves of an image: the list, the configuration, a layer.
pub(crate) fn saved(image: &Image, name: &str) -> Tar {
    let list = format!(r#"[{{"Config":"c.json","RepoTags":["{name}"],"Layers":["l/layer.tar"]}}]"#);
    Tar::default()
        .file("manifest.json", list.as_bytes())
        .file("c.json", &image.config)
        .file("l/layer.tar", &image.layer)
}

struct OnDisk {
    folder: TempDir,
    file: PathBuf,
}

fn on_disk(bytes: &[u8]) -> OnDisk {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    std::fs::write(&file, bytes).unwrap();
    OnDisk { folder, file }
}

impl OnDisk {
    async fn docker(&self, name: Option<&str>) -> Result<DockerArchive, RemoteError> {
        DockerArchive::open(&self.file, name, self.folder.path()).await
    }

    async fn oci(&self) -> Result<OciArchive, RemoteError> {
        OciArchive::open(&self.file, self.folder.path()).await
    }
}

/// The error of opening these bytes as docker's archive, without the file's path.
async fn refused(bytes: &[u8]) -> String {
    let disk = on_disk(bytes);
    let error = disk.docker(None).await.unwrap_err().to_string();
    error.replace(&disk.file.display().to_string(), "FILE")
}

#[tokio::test]
async fn what_docker_saved_is_an_image_with_its_layers_as_they_are() {
    let image = image(b"a plain layer");
    let plain = saved(&image, "shop/api:1").end();
    for bytes in [plain.clone(), gzip(&plain)] {
        let disk = on_disk(&bytes);
        for name in [None, Some("shop/api:1"), Some("docker.io/shop/api:1")] {
            let archive = disk.docker(name).await.unwrap();
            let manifest = archive.manifest(&archive.resolve().unwrap().digest).unwrap();
            // The same as written by hand in `images`: media types, order of fields and no blanks.
            assert_eq!(manifest.digest, image.manifest.digest);
            let stream = archive.blob(&image.layer_digest(), Some(13)).await.unwrap();
            assert_eq!(read_whole(stream, 13, "layer").await.unwrap(), image.layer);
        }
        assert!(disk.docker(Some("shop/web")).await.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn a_packed_layer_keeps_its_bytes_and_says_so() {
    let image = image(b"layer");
    let packed = gzip(b"layer");
    let list = r#"[{"Config":"c","RepoTags":null,"Layers":["l"]}]"#;
    let tar = Tar::default()
        .file("manifest.json", list.as_bytes())
        .file("c", &image.config)
        .file("l", &packed);
    let archive = on_disk(&tar.end()).docker(None).await.unwrap();
    let manifest = archive.manifest(&archive.resolve().unwrap().digest).unwrap().read().unwrap();
    let layer = &manifest.layers()[0];
    assert_eq!(layer.media_type, "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(layer.digest, Digest::sha256(&packed));
}

#[tokio::test]
async fn the_daemon_s_own_manifest_is_kept() {
    let image = image(b"layer");
    // Docker from 25 on saves its layout too; this manifest has a field that we would not write.
    let own = String::from_utf8(image.manifest.bytes.to_vec()).unwrap().replacen(
        '{',
        r#"{"annotations":{"a":"b"},"#,
        1,
    );
    let digest = Digest::sha256(own.as_bytes());
    let (config, layer) = (image.config_digest().hex(), image.layer_digest().hex());
    let list = format!(
        r#"[{{"Config":"blobs/sha256/{config}","RepoTags":["a:1"],"Layers":["blobs/sha256/{layer}"]}}]"#
    );
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{digest}","size":{}}}]}}"#,
        crate::images::IMAGE,
        own.len()
    );
    let tar = Tar::default()
        .file("manifest.json", list.as_bytes())
        .file("index.json", index.as_bytes())
        .file(&format!("blobs/sha256/{config}"), &image.config)
        .file(&format!("blobs/sha256/{layer}"), &image.layer)
        .file(&format!("blobs/sha256/{}", digest.hex()), own.as_bytes());
    let archive = on_disk(&tar.end()).docker(None).await.unwrap();
    assert_eq!(archive.resolve().unwrap().digest, digest);
}

#[tokio::test]
async fn links_inside_are_followed_and_links_outside_are_refused() {
    let image = image(b"layer");
    let list = r#"[{"Config":"c","Layers":["a/layer.tar"]}]"#;
    let with = |tar: Tar| tar.file("manifest.json", list.as_bytes()).file("c", &image.config);
    let inside = with(Tar::default())
        .file("b/layer.tar", &image.layer)
        .link("a/layer.tar", "../b/layer.tar");
    assert!(on_disk(&inside.end()).docker(None).await.is_ok());
    for target in ["/etc/passwd", "../../etc/passwd", "..\\x"] {
        let outside = with(Tar::default()).link("a/layer.tar", target);
        let expected = "archive FILE: entry `a/layer.tar`: it links out of the archive";
        assert_eq!(refused(&outside.end()).await, expected, "{target}");
    }
    let chain = |length: usize| {
        let tar = with(Tar::default()).link("a/layer.tar", "../l1");
        let tar =
            (1..length).fold(tar, |tar, n| tar.link(&format!("l{n}"), &format!("l{}", n + 1)));
        tar.file(&format!("l{length}"), &image.layer).end()
    };
    assert!(on_disk(&chain(LINKS_MAX)).docker(None).await.is_ok());
    assert!(refused(&chain(LINKS_MAX + 1)).await.contains("is a link after 8 links"));
    let itself = with(Tar::default()).link("a/layer.tar", "layer.tar");
    assert!(refused(&itself.end()).await.contains("is a link after 8 links"));
}

#[tokio::test]
async fn names_that_lead_out_are_refused() {
    for name in ["../evil", "/etc/evil", "a/../../evil", "a\\b"] {
        let tar = Tar::default().file(name, b"x").end();
        let expected = format!(
            "archive FILE: entry `{}`: its path leads out of the archive",
            name.escape_debug()
        );
        assert_eq!(refused(&tar).await, expected);
    }
    let pax = b"18 path=../../ev\n\n";
    let tar = Tar::default().entry("x", b'x', "", 18, pax).file("harmless", b"x").end();
    assert!(refused(&tar).await.contains("entry `"), "a pax path is looked at too");
}

#[tokio::test]
async fn a_truncated_archive_names_the_entry() {
    let image = image(&[7; 4000]);
    let whole = saved(&image, "a:1").end();
    let cut = &whole[..whole.len() - 1024 - 3000];
    assert_eq!(
        refused(cut).await,
        "archive FILE: entry `l/layer.tar`: the archive is truncated inside it"
    );
    assert_eq!(
        refused(&whole[..700]).await,
        "archive FILE: entry `manifest.json`: the archive is truncated inside it"
    );
    let at_header = 1024 + 100;
    assert_eq!(
        refused(&whole[..at_header]).await,
        "archive FILE: it is truncated after entry 1 (byte 1024)"
    );
    let packed = gzip(&whole);
    let message = refused(&packed[..packed.len() / 2]).await;
    assert!(message.starts_with("archive FILE: it is truncated or damaged after "), "{message}");
    // Cut between two entries: without the block of zeros it is not known whether another one followed.
    assert!(refused(&whole[..whole.len() - 1024]).await.contains("it is truncated after entry 3"));
    assert!(on_disk(&whole[..whole.len() - 512]).docker(None).await.is_ok());
}

#[tokio::test]
async fn what_is_no_archive_says_so() {
    assert_eq!(refused(b"").await, "archive FILE: it is truncated after entry 0 (byte 0)");
    assert_eq!(refused(&[0; 1024]).await, "archive FILE: it is empty, or no tar");
    assert!(refused(&[b'x'; 2048]).await.starts_with("archive FILE: entry 1 at byte 0: "));
    let other = Tar::default().file("readme", b"hello").end();
    let expected = "archive FILE: there is no `manifest.json`: it is not what docker save writes";
    assert_eq!(refused(&other).await, expected);
    let twice = Tar::default().file("a", b"1").file("a", b"2").end();
    assert_eq!(
        refused(&twice).await,
        "archive FILE: entry `a`: the name stands twice in the archive"
    );
    let missing = on_disk(b"");
    std::fs::remove_file(&missing.file).unwrap();
    assert!(matches!(missing.docker(None).await, Err(RemoteError::File { .. })));
}

#[tokio::test]
async fn an_archive_lacks_nothing_that_it_names() {
    let image = image(b"layer");
    let list = br#"[{"Config":"c","Layers":["l"]}]"#;
    let tar = Tar::default().file("manifest.json", list).file("c", &image.config);
    assert_eq!(refused(&tar.clone().end()).await, "archive FILE: it lacks the layer `l`");
    let changed = refused(&tar.file("l", b"other").end()).await;
    assert!(changed.starts_with("archive FILE: layer `l` is not the sha256:"), "{changed}");
    let none = Tar::default()
        .file("manifest.json", br#"[{"Config":"c","Layers":[]}]"#)
        .file("c", &image.config);
    assert_eq!(
        refused(&none.end()).await,
        "archive FILE: its configuration names 1 layers, its list 0"
    );
}

#[tokio::test]
async fn a_bomb_is_refused_by_its_ratio() {
    let zeros = gzip(&vec![0; 300 << 20]);
    assert!(zeros.len() * 200 < 300 << 20, "gzip packs zeros a thousand times");
    assert_eq!(refused(&zeros).await, "archive FILE: it unpacks to more than 200 times its size");
}

#[tokio::test]
async fn an_archive_has_100_000_entries_and_not_one_more() {
    let mut tar = saved(&image(b"layer"), "a:1");
    for n in 3..ARCHIVE_ENTRIES_MAX {
        tar = tar.file(&format!("f{n}"), b"");
    }
    assert!(on_disk(&tar.clone().end()).docker(None).await.is_ok());
    let message = refused(&tar.file("one-more", b"").end()).await;
    assert_eq!(message, "archive FILE: it has more than 100000 entries");
}

#[tokio::test]
async fn a_record_before_an_entry_has_64_kib_and_not_one_byte_more() {
    let with = |length: usize| {
        let name = vec![b'a'; length];
        Tar::default().entry("././@LongLink", b'L', "", length as u64, &name).file("x", b"").end()
    };
    // A name that long leads nowhere, but it is read.
    assert!(refused(&with(65_536)).await.contains("its path leads out"));
    assert!(refused(&with(65_537)).await.contains("a name of more than 64 KiB"));
    let long = "d/".repeat(80) + "f";
    let tar = Tar::default()
        .entry("././@LongLink", b'L', "", long.len() as u64, long.as_bytes())
        .file("x", b"1");
    assert!(refused(&tar.end()).await.contains("no `manifest.json`"));
}

#[tokio::test]
async fn several_images_must_be_named() {
    let image = image(b"layer");
    let list = r#"[{"Config":"c","RepoTags":["a:1"],"Layers":["l"]},{"Config":"c","RepoTags":["b"],"Layers":["l"]}]"#;
    let tar = Tar::default()
        .file("manifest.json", list.as_bytes())
        .file("c", &image.config)
        .file("l", &image.layer);
    let disk = on_disk(&tar.end());
    let error = disk.docker(None).await.unwrap_err();
    assert!(error.to_string().ends_with("holds 2 images: name one of `a:1`, `b`"), "{error}");
    disk.docker(Some("b:latest")).await.unwrap();
}

#[tokio::test]
async fn an_oci_archive_is_the_layout_in_a_tar() {
    let image = image(b"layer");
    let (folder, layout) = layout_of(&[(&image, &["v1"])]).await;
    let file = folder.path().join("image.tar");
    write_layout(&layout, &file).await.unwrap();
    let first = std::fs::read(&file).unwrap();
    write_layout(&layout, &file).await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), first, "the same layout gives the same bytes");
    for bytes in [first.clone(), gzip(&first)] {
        let archive = on_disk(&bytes);
        let archive = archive.oci().await.unwrap();
        assert_eq!(archive.resolve(Some("v1")).await.unwrap().digest, image.manifest.digest);
        let (_other, to) = layout_of(&[]).await;
        let place = Place::OciArchive(archive, None);
        let copied =
            copy(&place, &Target::Layout(to.clone()), CopyOptions::default()).await.unwrap();
        assert_eq!((copied.manifest.digest, copied.sent), (image.manifest.digest, 2));
        assert!(to.has_blob(&image.layer_digest()).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn an_oci_archive_without_the_manifest_says_which() {
    let image = image(b"layer");
    let (folder, layout) = layout_of(&[(&image, &["v1"])]).await;
    std::fs::remove_file(layout.folder().join("blobs/sha256").join(image.manifest.digest.hex()))
        .unwrap();
    let file = folder.path().join("image.tar");
    write_layout(&layout, &file).await.unwrap();
    let archive = OciArchive::open(&file, Path::new("/tmp")).await.unwrap();
    let resolved = archive.resolve(None).await.unwrap();
    let error = archive.manifest(&resolved.digest).await.unwrap_err();
    assert!(
        error.is_not_found()
            && error.to_string().ends_with(&format!("there is no manifest {}", resolved.digest))
    );
    let no_layout = on_disk(&saved(&image, "a:1").end()).oci().await.unwrap_err();
    assert!(
        no_layout.to_string().ends_with("there is no `oci-layout`: it is no OCI layout"),
        "{no_layout}"
    );
}
