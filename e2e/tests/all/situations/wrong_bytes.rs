//! Images that are damaged or none at all: refused by name, and the registry and the record stay as they were.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::Image;

use super::Registry;
use super::images::Builder;
use super::runner::Runner;

struct Bench {
    folder: tempfile::TempDir,
    registry: Registry,
    person: Runner,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::ours(folder.path());
        let person = Runner::new(&folder.path().join("home"), &folder.path().join("work"));
        Self { folder, registry, person }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `publish` ends with 2, names the source, and leaves no tag and no event.
    #[track_caller]
    fn refuses(&self, source: &str, words: &[&str]) {
        let to = format!("{}/shop/api", self.registry.host());
        let arguments =
            ["publish", source, "--to", &to, "--tag", "1", "--record", "file:record.db"];
        let ran = self.person.run(&arguments).exits(2).says(words);
        assert_eq!(ran.stdout, "", "{ran}");
        assert_eq!(self.registry.digest("shop/api", "1"), None, "{ran}");
        let verify = ["--record", "file:record.db", "record", "verify"];
        self.person.run(&verify).exits(2).says(&["there is no record at"]);
    }
}

#[test]
fn a_source_without_an_image_is_refused_by_name() {
    let bench = Bench::new();
    bench.refuses(&format!("oci:{}", bench.path("nowhere").display()), &["nowhere"]);

    let empty = bench.path("empty");
    fs::create_dir_all(empty.join("blobs/sha256")).unwrap();
    fs::write(empty.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(empty.join("index.json"), r#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
    bench.refuses(&format!("oci:{}", empty.display()), &["empty"]);

    let image = Image::oci("tea").unwrap();
    let layout = bench.path("layout");
    e2e::write_layout(&layout, "image", &image).unwrap();
    bench.refuses(&format!("oci:{}:other", layout.display()), &["layout", "other"]);
    let of_manifest = blob(&layout, &image.digest());
    fs::remove_file(&of_manifest).unwrap();
    bench.refuses(&format!("oci:{}", layout.display()), &[&image.digest()]);
    fs::write(&of_manifest, &image.manifest[1..]).unwrap();
    bench.refuses(&format!("oci:{}", layout.display()), &[&image.digest()]);
    fs::write(&of_manifest, &image.manifest).unwrap();
    let of_layer = blob(&layout, &image.layer.digest);
    fs::write(&of_layer, &image.layer.bytes[1..]).unwrap();
    bench.refuses(&format!("oci:{}", layout.display()), &[&image.layer.digest]);
    fs::remove_file(of_layer).unwrap();
    bench.refuses(&format!("oci:{}", layout.display()), &[&image.layer.digest]);
}

fn blob(layout: &Path, digest: &str) -> PathBuf {
    layout.join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap())
}

#[test]
fn a_truncated_archive_is_refused_wherever_it_ends() {
    let test = "a_truncated_archive_is_refused_wherever_it_ends";
    let bench = Bench::new();
    let Some(skopeo) = Builder::find("skopeo", bench.folder.path(), test) else { return };
    let image = Image::oci("tea").unwrap();
    let (of_oci, of_docker) = (bench.path("oci.tar"), bench.path("docker.tar"));
    skopeo.archive(&image, &of_oci);
    skopeo.saved(&image, "shop/api:dev", &of_docker);
    for (kind, whole) in [("oci-archive", of_oci), ("docker-archive", of_docker)] {
        let bytes = fs::read(&whole).unwrap();
        let cut = bench.path("cut.tar");
        for length in [0, 100, 512, bytes.len() / 3, bytes.len() / 2] {
            fs::write(&cut, &bytes[..length]).unwrap();
            bench.refuses(&format!("{kind}:{}", cut.display()), &["cut.tar"]);
        }
        fs::write(&cut, b"no archive at all, but some words that go on for a while").unwrap();
        bench.refuses(&format!("{kind}:{}", cut.display()), &["cut.tar"]);
    }
}
