//! Images as other tools push them, before `indelible` sees anything: crane into registries, skopeo into archives.

use std::path::{Path, PathBuf};

use e2e::Image;
use testbed::{Peer, peer};

use super::Registry;

/// A client that nobody here wrote, and the folder in which it keeps what it needs.
pub(crate) struct Builder {
    peer: Peer,
    folder: PathBuf,
}

impl Builder {
    /// Finds a client and prints its version; where it is not installed the test is noted as skipped.
    pub(crate) fn find(name: &str, folder: &Path, test: &str) -> Option<Self> {
        match peer(name) {
            Ok(peer) => {
                println!("with {}", peer.version());
                Some(Self { peer, folder: folder.join("builder") })
            }
            Err(missing) => {
                testbed::skip(test, missing);
                None
            }
        }
    }

    fn layout(&self, image: &Image) -> PathBuf {
        let layout = self.folder.join(image.digest().replace(':', "-"));
        if !layout.exists() {
            e2e::write_layout(&layout, "image", image).unwrap();
        }
        layout
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = self.peer.command_at_home(&self.folder);
        let output = command.args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
    }

    /// `Docker@2` pushes a tag of its own, as the build's number.
    pub(crate) fn push_by_tag(&self, registry: &Registry, name: &str, image: &Image) {
        let to = format!("{}/{name}", registry.host());
        self.run(&["push", "--insecure", self.layout(image).to_str().unwrap(), &to]);
    }

    /// `build-push-action` with `push-by-digest=true` leaves no tag at all.
    pub(crate) fn push_by_digest(&self, registry: &Registry, repository: &str, image: &Image) {
        let to = format!("{}/{repository}@{}", registry.host(), image.digest());
        self.run(&["push", "--insecure", self.layout(image).to_str().unwrap(), &to]);
    }

    /// `buildx build -o type=oci,dest=…`.
    pub(crate) fn archive(&self, image: &Image, file: &Path) {
        let from = format!("oci:{}:image", self.layout(image).display());
        let to = format!("oci-archive:{}:image", file.display());
        self.run(&["copy", "--quiet", &from, &to]);
    }

    /// `docker save`.
    pub(crate) fn saved(&self, image: &Image, name: &str, file: &Path) {
        let from = format!("oci:{}:image", self.layout(image).display());
        let to = format!("docker-archive:{}:{name}", file.display());
        self.run(&["copy", "--quiet", &from, &to]);
    }
}
