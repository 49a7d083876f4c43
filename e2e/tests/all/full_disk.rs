//! A full disk under the real server: each kind of write is refused with words, reads go on, and with space
//! again everything goes on. What was answered 201 is there after a restart; nothing is there by half.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Answer, Http, Image, Server, fetch, push, push_blob, put_manifest, sha256, tags};
use tempfile::TempDir;

const REPOSITORY: &str = "shop/api";
/// Larger than what a manifest's row holds, so that its bytes are a file. Source: DESIGN §7, "Data".
const LARGE_MANIFEST: usize = 65 << 10;

/// A small disk under a server's data folder; unmounted also when its test fails.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn mount(size: &str) -> Result<Self, String> {
        let disk = Self { folder: tempfile::tempdir().map_err(|error| error.to_string())? };
        fs::create_dir(disk.data()).map_err(|error| error.to_string())?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "indelible-test"])
            .arg(disk.data())
            .output()
            .map_err(|error| format!("mount is not there: {error}"))?;
        let said = String::from_utf8_lossy(&mounted.stderr).into_owned();
        mounted.status.success().then_some(disk).ok_or(format!("a mount needs root: {said}"))
    }

    /// The mounted folder; the server's log is written beside it, on another disk.
    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Takes all space but about so many bytes.
    fn fill(&self, leave: usize) {
        let mut ballast = File::create(self.data().join("ballast")).unwrap();
        loop {
            match ballast.write(&[7; 4096]) {
                Ok(1..) => {}
                Ok(0) => panic!("a file takes nothing and says nothing"),
                Err(full) if full.kind() == ErrorKind::StorageFull => break,
                Err(other) => panic!("{other}"),
            }
        }
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length - u64::try_from(leave).unwrap()).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.data().join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that is still ending holds files.
        let _done = Command::new("umount").arg("--lazy").arg(self.data()).output();
    }
}

/// Says that the disk is full, and when to come back.
fn is_full(answer: &Answer) {
    assert_eq!(answer.status, 507, "{}", answer.text());
    assert!(answer.text().contains("disk is full"), "{}", answer.text());
    assert_eq!(answer.header("retry-after"), Some("10"));
}

fn started(http: &mut Http) -> String {
    let target = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = http.send("POST", &target, &[], &[]).unwrap().expect(202).unwrap();
    started.header("location").unwrap().to_owned()
}

fn put(http: &mut Http, tag: &str, image: &Image) -> Answer {
    put_manifest(http, REPOSITORY, tag, image.media_type, &image.manifest).unwrap()
}

/// The same image with a long annotation: its manifest is a file.
fn large(image: &Image) -> Image {
    let mut manifest = image.manifest.clone();
    manifest.pop();
    let long = "x".repeat(LARGE_MANIFEST);
    manifest.extend(format!(r#","annotations":{{"long":"{long}"}}}}"#).into_bytes());
    Image { manifest, ..image.clone() }
}

/// Each blob that has its last name has all its bytes.
fn assert_no_half_blob(data: &Path) -> usize {
    let mut seen = 0;
    for folder in fs::read_dir(data.join("blobs/sha256")).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let file = file.unwrap();
            let digest = format!("sha256:{}", file.file_name().to_str().unwrap());
            assert_eq!(sha256(&fs::read(file.path()).unwrap()), digest);
            seen += 1;
        }
    }
    seen
}

/// An upload that meets the end of the disk: it goes on where it says that it ended.
fn upload_over_the_edge(disk: &Disk, http: &mut Http) -> String {
    let blob: Vec<u8> = (0..1_500_000_u32).map(|at| at.to_le_bytes()[at as usize % 3]).collect();
    let location = started(http);
    disk.fill(700 << 10);
    is_full(&http.send("PATCH", &location, &[], &blob).unwrap());
    let status = http.get(&location).unwrap().expect(204).unwrap();
    let range = status.header("range").unwrap();
    let last: usize = range.strip_prefix("0-").unwrap().parse().unwrap();
    let had = if last == 0 { 0 } else { last + 1 };
    assert!(had < blob.len(), "{range}");
    let digest = sha256(&blob);
    let missing = http.get(&format!("/v2/{REPOSITORY}/blobs/{digest}")).unwrap();
    assert_eq!(missing.status, 404, "half a blob has no name");
    disk.free();
    let rest = http.send("PATCH", &location, &[], &blob[had..]).unwrap();
    rest.expect(202).unwrap();
    let finish = format!("{location}?digest={digest}");
    http.send("PUT", &finish, &[], &[]).unwrap().expect(201).unwrap();
    let found = http.get(&format!("/v2/{REPOSITORY}/blobs/{digest}")).unwrap();
    assert!(found.expect(200).unwrap().body == blob, "the blob has other bytes");
    digest
}

/// Everything that writes is refused by name; everything that reads goes on.
fn refuses_and_reads(http: &mut Http, there: &Image, wanted: &Image) {
    is_full(&put(http, "2", wanted));
    is_full(&put(http, "3", &large(wanted)));
    let location = started(http);
    is_full(&http.send("PATCH", &location, &[], &[1; 100_000]).unwrap());
    let whole = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={}", sha256(&[2; 100_000]));
    is_full(&http.send("POST", &whole, &[], &[2; 100_000]).unwrap());
    is_full(&http.send("DELETE", &format!("/v2/{REPOSITORY}/manifests/1"), &[], &[]).unwrap());
    let rule = br#"{"repositories":"**","tags":"uat","class":"alias"}"#;
    is_full(&http.send("POST", "/api/v1/rules", &[("X-Indelible", "1")], rule).unwrap());
    for tag in ["2", "3"] {
        let answer = http.get(&format!("/v2/{REPOSITORY}/manifests/{tag}")).unwrap();
        assert_eq!(answer.status, 404, "{tag} was refused");
    }
    fetch(http, REPOSITORY, "1", there).unwrap();
    assert_eq!(tags(http, REPOSITORY).unwrap(), ["1"]);
    for place in ["/readyz", "/healthz", "/api/v1/rules"] {
        http.get(place).unwrap().expect(200).unwrap();
    }
}

#[test]
fn on_a_full_disk_writes_are_refused_reads_go_on_and_nothing_acknowledged_is_lost() {
    let disk = match Disk::mount("6m") {
        Ok(disk) => disk,
        Err(why) => return testbed::skip("on_a_full_disk_writes_are_refused_reads_go_on", why),
    };
    let [first, second] = ["good evening", "good night"].map(|words| Image::oci(words).unwrap());
    let mut server = Server::start(&disk.data()).unwrap();
    let mut http = server.connect().unwrap();
    push(&mut http, REPOSITORY, "1", &first).unwrap();
    let blob = upload_over_the_edge(&disk, &mut http);
    for part in second.blobs() {
        push_blob(&mut http, REPOSITORY, &part.bytes).unwrap();
    }

    disk.fill(0);
    refuses_and_reads(&mut http, &first, &second);
    server.is_healthy().unwrap();
    // Also a server that starts on a full disk reads, and refuses with the same words.
    server.kill().unwrap();
    let mut server = Server::start(&disk.data()).unwrap();
    let mut http = server.connect().unwrap();
    refuses_and_reads(&mut http, &first, &second);

    disk.free();
    put(&mut http, "2", &second).expect(201).unwrap();
    put(&mut http, "3", &large(&second)).expect(201).unwrap();
    server.is_healthy().unwrap();
    server.kill().unwrap();
    let server = Server::start(&disk.data()).unwrap();
    let mut http = server.connect().unwrap();
    for (tag, image) in [("1", &first), ("2", &second), ("3", &large(&second))] {
        fetch(&mut http, REPOSITORY, tag, image).unwrap();
    }
    assert_eq!(tags(&mut http, REPOSITORY).unwrap(), ["1", "2", "3"]);
    http.get(&format!("/v2/{REPOSITORY}/blobs/{blob}")).unwrap().expect(200).unwrap();
    assert_eq!(assert_no_half_blob(&disk.data()), 6, "two images, one blob, one large manifest");
    server.stop().unwrap();
}
