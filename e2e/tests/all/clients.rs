//! The clients that people have, against our registry: each pushes and pulls the same image byte for
//! byte, and each says to its user why a tag cannot be overwritten.

mod crane;
mod docker;
mod podman;
mod regctl;
mod skopeo;

use std::path::Path;
use std::process::{Command, Output};

use e2e::{Http, Image, Server, fetch, read_blob, tags};
use tempfile::TempDir;
use testbed::{Peer, peer};

/// What a person has to be able to read, whatever the client. Source: DESIGN §3, law 2.
const REFUSED: &str = "cannot be overwritten because the tag is immutable";

/// A server, a folder for the client, and a connection to see what the server really has.
struct Meeting {
    server: Server,
    http: Http,
    folder: TempDir,
}

impl Meeting {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&folder.path().join("data")).unwrap();
        let http = server.connect().unwrap();
        Self { server, http, folder }
    }

    fn home(&self) -> &Path {
        self.folder.path()
    }

    fn host(&self) -> &str {
        self.server.host()
    }

    /// The full name of something in the registry: `127.0.0.1:40123/shop/api:1`.
    fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.host())
    }

    /// Writes an image as a folder that a client can push, and gives its path.
    fn layout(&self, name: &str, image: &Image) -> String {
        let folder = self.home().join(format!("layout-{name}"));
        e2e::write_layout(&folder, name, image).unwrap();
        folder.to_str().unwrap().to_owned()
    }

    fn assert_holds(&mut self, repository: &str, reference: &str, image: &Image) {
        fetch(&mut self.http, repository, reference, image).unwrap();
    }

    fn assert_lacks(&mut self, repository: &str, reference: &str) {
        let target = format!("/v2/{repository}/manifests/{reference}");
        let answer = self.http.get(&target).unwrap();
        assert_eq!(answer.status, 404, "{}", answer.text());
    }

    fn listed(&mut self, repository: &str) -> Vec<String> {
        tags(&mut self.http, repository).unwrap()
    }

    /// How often the tag changed.
    fn changes(&mut self, repository: &str, tag: &str) -> usize {
        let target = format!("/v2/{repository}/_indelible/tags/{tag}/history");
        let answer = self.http.get(&target).unwrap().expect(200).unwrap();
        let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        page["history"].as_array().unwrap().len()
    }
}

/// The image that every client carries, and another one that must not take its name.
fn two_images() -> (Image, Image) {
    (Image::oci("good evening").unwrap(), Image::oci("good night").unwrap())
}

/// Finds a client and says which one it is; none: the test is noted as skipped.
fn client(name: &str, test: &str) -> Option<Peer> {
    match peer(name) {
        Ok(peer) => {
            println!("with {}", peer.version());
            Some(peer)
        }
        Err(missing) => {
            testbed::skip(test, missing);
            None
        }
    }
}

/// What a command printed to stdout; it has to succeed.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}: {}", output.status, said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A command that has to be refused, with words that a person understands.
fn is_refused(command: &mut Command) {
    let output = command.output().unwrap();
    let said = said(&output);
    assert!(!output.status.success(), "{command:?} overwrote a tag: {said}");
    assert!(said.contains(REFUSED), "{command:?} does not say why: {said}");
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Each blob and the manifest in a client's own folder are the image's, byte for byte.
fn assert_pulled(layout: &Path, image: &Image) {
    let manifest = read_blob(layout, &image.digest()).unwrap();
    assert_eq!(manifest, image.manifest);
    for blob in image.blobs() {
        assert_eq!(read_blob(layout, &blob.digest).unwrap(), blob.bytes);
    }
    let index = std::fs::read_to_string(layout.join("index.json")).unwrap();
    assert!(index.contains(&image.digest()), "{index}");
}
