//! Where each file stands.
//!
//! ```text
//! blobs/sha256/ab/abcd…       uploads/0f8fad5b-….5f2c0a9d3e7b1846
//! ```
//! An upload's name ends in a hash of its repository, so that it is found in no other one, also after a
//! restart.

use domain::{Digest, RepositoryPath};
use oci::UploadId;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// The folders that stand from the first start on.
    pub(super) fn folders(&self) -> [PathBuf; 4] {
        let blobs = self.root.join("blobs");
        [blobs.clone(), blobs.join("sha256"), blobs.join("sha512"), self.uploads()]
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let algorithm = self.root.join("blobs").join(digest.algorithm().name());
        algorithm.join(&hex[..2]).join(hex)
    }

    pub(super) fn upload(&self, repository: &RepositoryPath, id: UploadId) -> PathBuf {
        let owner = Digest::sha256(repository.as_str().as_bytes()).hex();
        self.uploads().join(format!("{id}.{}", &owner[..16]))
    }
}

/// The upload that a file of `uploads/` holds; none: it is a temporary file.
pub(super) fn upload_of(name: &str) -> Option<UploadId> {
    name.split_once('.')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stand_where_the_design_says() {
        let layout = Layout::new(Path::new("d"));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(layout.blob(&Digest::sha256(b"")), Path::new("d/blobs/sha256/e3").join(empty));
        let id = UploadId::new(1);
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert_ne!(layout.upload(&a, id), layout.upload(&b, id));
        let path = layout.upload(&a, id);
        assert_eq!(upload_of(path.file_name().unwrap().to_str().unwrap()), Some(id));
        assert_eq!(upload_of("write-x8"), None);
    }
}
