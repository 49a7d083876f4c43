//! A small registry to test on: manifests by a word, pushes by whom.

use bytes::Bytes;
use domain::{Actor, Algorithm, Digest, Expect, Proof, RepositoryPath, Tag, Timestamp};
use oci::{Descriptor, ImageFormat, Manifest};
use record::ClaimKey;
use record::claim::{ImageClaim, PlatformImage, Right};
use std::sync::atomic::{AtomicU64, Ordering};
use store::{
    BlobLimits, Catalog, DataFolder, Ledger, PutDone, PutError, PutManifest, Rights, Stamping,
};

pub(crate) const START_MS: i64 = 1_773_758_398_000;

pub(crate) struct Shop {
    pub(crate) home: tempfile::TempDir,
    pub(crate) folder: DataFolder,
    pub(crate) catalog: Catalog,
    pub(crate) ledger: Ledger,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&home.path().join("data"), BlobLimits::default()).unwrap();
        let (catalog, ledger) = (folder.catalog(), folder.ledger());
        Self { home, folder, catalog, ledger }
    }

    /// Pushes the image of a word, config included, under tags.
    pub(crate) async fn push(&self, word: &str, tags: &[&str]) -> Result<PutDone, PutError> {
        self.push_as(word, tags, |_| ()).await
    }

    pub(crate) async fn push_as(
        &self,
        word: &str,
        tags: &[&str],
        change: impl FnOnce(&mut PutManifest),
    ) -> Result<PutDone, PutError> {
        push_to(&self.catalog, word, tags, change).await
    }

    pub(crate) async fn names(&self, tag: &str) -> Option<Digest> {
        let reference = oci::ManifestRef::Tag(self::tag(tag));
        let found = self.catalog.manifest(&repository(), &reference).await.unwrap();
        found.map(|found| found.digest)
    }

    pub(crate) async fn changes(&self, tag: &str) -> usize {
        let (path, tag) = (repository(), self::tag(tag));
        self.catalog.tag_history(&path, &tag, None, 100).await.unwrap().len()
    }
}

pub(crate) async fn push_to(
    catalog: &Catalog,
    word: &str,
    tags: &[&str],
    change: impl FnOnce(&mut PutManifest),
) -> Result<PutDone, PutError> {
    let (digest, size) = (config(word).digest, word.len() as u64);
    catalog.link_blob(repository(), digest, size).await.unwrap();
    let mut put = put(word, tags);
    change(&mut put);
    catalog.put_manifest(put).await
}

pub(crate) fn repository() -> RepositoryPath {
    "shop/api".parse().unwrap()
}

pub(crate) fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// A stamping of its own for each call, by one clock that only goes forward.
pub(crate) fn by(name: &str) -> Stamping {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    Stamping {
        actor: Actor::new(name, Proof::Token).unwrap(),
        now: Timestamp::from_millis(START_MS + i64::try_from(call).unwrap()),
        // Room for the events of one call, and another half for each process.
        randomness: u128::from(call) << 20 | u128::from(std::process::id()) << 60,
        cause: None,
    }
}

pub(crate) fn config(word: &str) -> Descriptor {
    Descriptor::of("application/vnd.oci.image.config.v1+json", word.as_bytes())
}

pub(crate) fn manifest(word: &str) -> Manifest {
    Manifest::image(ImageFormat::Oci, config(word), Vec::new())
}

pub(crate) fn put(word: &str, tags: &[&str]) -> PutManifest {
    put_of(manifest(word), tags)
}

pub(crate) fn put_of(manifest: Manifest, tags: &[&str]) -> PutManifest {
    let bytes = Bytes::from(manifest.write());
    let digest = Digest::of(Algorithm::Sha256, &bytes);
    let image = ImageClaim {
        key: ClaimKey::try_from(format!("image/{digest}")).unwrap(),
        digest,
        media_type: manifest.media_type.to_string(),
        size: bytes.len() as u64,
        platforms: vec![PlatformImage {
            platform: None,
            manifest: digest,
            config: manifest.config().map(|config| config.digest),
        }],
    };
    PutManifest {
        repository: repository(),
        digest,
        bytes,
        manifest,
        image: Some(image),
        tags: tags.iter().map(|text| tag(text)).collect(),
        expect: Expect::Anything,
        rights: Rights::all(),
        reason: None,
        by: by("ci"),
    }
}

pub(crate) fn rights(rights: &[Right]) -> Rights {
    rights.iter().copied().collect()
}

pub(crate) fn digest_of(word: &str) -> Digest {
    Digest::sha256(&manifest(word).write())
}
