//! An opened place, whichever it is: what `copy` and `publish` read from and write to.
//!
//! ```text
//! Source + Opener -> Place      one image's place, its name resolved by `resolve`
//! Source + Opener -> Target     a registry's repository, or a layout
//! ```

use std::path::PathBuf;

use domain::{Digest, ImageRef, RegistryHost, Tag};
use oci::document::descriptor::Descriptor;
use oci::route::ManifestRef;

use crate::archive::{DockerArchive, OciArchive};
use crate::content::{BlobSource, BlobStream, ManifestBytes, Resolved};
use crate::daemon::{Daemon, DockerHost};
use crate::error::RemoteError;
use crate::layout::Layout;
use crate::registry::{Registry, RegistrySettings, RemoteRepository};
use crate::source::Source;

/// The tag that a reference without one means.
const DEFAULT_TAG: &str = "latest";

/// What is needed to open any place.
#[derive(Clone, Debug)]
pub struct Opener {
    /// For registries.
    pub registry: RegistrySettings,
    /// Where the docker daemon is.
    pub docker: DockerHost,
    /// A folder for what has to be unpacked or saved.
    pub temp: PathBuf,
}

/// An image's place that is read.
#[derive(Clone, Debug)]
pub enum Place {
    /// A registry's repository, and a tag or digest in it.
    Registry(RemoteRepository, ManifestRef),
    /// A layout, and a name in it.
    Layout(Layout, Option<String>),
    /// A tar of a layout, and a name in it.
    OciArchive(OciArchive, Option<String>),
    /// One image that docker saved; the daemon's are read the same way.
    DockerArchive(DockerArchive),
}

/// A place that is written.
#[derive(Clone, Debug)]
pub enum Target {
    /// A registry's repository.
    Registry(RemoteRepository),
    /// A layout.
    Layout(Layout),
}

impl Opener {
    /// Makes the client of a registry.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn registry(&self, host: &RegistryHost) -> Result<Registry, RemoteError> {
        Registry::new(host.clone(), self.registry.clone())
    }

    /// Opens a source; a registry's is not asked yet, an archive's whole index is read.
    ///
    /// # Errors
    /// There is no such place, or it cannot be read.
    pub async fn open(&self, source: &Source) -> Result<Place, RemoteError> {
        Ok(match source {
            Source::Layout { folder, name } => {
                Place::Layout(Layout::open(folder).await?, name.clone())
            }
            Source::OciArchive { file, name } => {
                Place::OciArchive(OciArchive::open(file, &self.temp).await?, name.clone())
            }
            Source::DockerArchive { file, name } => {
                Place::DockerArchive(DockerArchive::open(file, name.as_deref(), &self.temp).await?)
            }
            Source::Daemon { image } => {
                Place::DockerArchive(Daemon::new(&self.docker)?.open(image, &self.temp).await?)
            }
            Source::Registry(reference) => {
                let repository = reference.repository();
                let registry = self.registry(repository.host())?;
                Place::Registry(registry.repository(repository.path().clone()), wanted(reference))
            }
        })
    }
}

/// What a reference means: its digest, else its tag, else `latest`.
fn wanted(reference: &ImageRef) -> ManifestRef {
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => ManifestRef::Digest(*digest),
        (None, Some(tag)) => ManifestRef::Tag(tag.clone()),
        (None, None) => ManifestRef::Tag(DEFAULT_TAG.parse().expect("it is a tag")),
    }
}

impl Place {
    /// What the image's name leads to.
    ///
    /// # Errors
    /// There is no such image, there are several, or it could not be found out.
    pub async fn resolve(&self) -> Result<Resolved, RemoteError> {
        match self {
            Self::Registry(repository, name) => repository.resolve(name).await,
            Self::Layout(layout, name) => layout.resolve(name.as_deref()).await,
            Self::OciArchive(archive, name) => archive.resolve(name.as_deref()).await,
            Self::DockerArchive(archive) => archive.resolve(),
        }
    }

    /// Reads a manifest, and checks it against its digest.
    ///
    /// # Errors
    /// It is not there, or something else than its digest names.
    pub async fn manifest(&self, digest: &Digest) -> Result<ManifestBytes, RemoteError> {
        match self {
            Self::Registry(repository, _) => repository.manifest(digest).await,
            Self::Layout(layout, _) => layout.manifest(digest).await,
            Self::OciArchive(archive, _) => archive.manifest(digest).await,
            Self::DockerArchive(archive) => archive.manifest(digest),
        }
    }

    /// Streams a blob; the stream ends in an error when it is not what its digest and size name.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub async fn blob(&self, descriptor: &Descriptor) -> Result<BlobStream, RemoteError> {
        let (digest, size) = (&descriptor.digest, Some(descriptor.size));
        match self {
            Self::Registry(repository, _) => repository.blob(digest, size).await,
            Self::Layout(layout, _) => layout.blob(digest, size).await,
            Self::OciArchive(archive, _) => archive.blob(digest, size).await,
            Self::DockerArchive(archive) => archive.blob(digest, size).await,
        }
    }

    /// A blob as a source that can be read again.
    ///
    /// # Errors
    /// It is not there; a registry is asked only when it is read.
    pub async fn blob_source(&self, descriptor: &Descriptor) -> Result<BlobSource, RemoteError> {
        match self {
            Self::Registry(repository, _) => Ok(repository.blob_source(descriptor)),
            Self::Layout(layout, _) => layout.blob_source(descriptor).await,
            Self::OciArchive(archive, _) => archive.blob_source(descriptor),
            Self::DockerArchive(archive) => archive.blob_source(descriptor),
        }
    }

    /// What is attached to a manifest; only registries tell.
    ///
    /// # Errors
    /// It could not be found out.
    pub async fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, RemoteError> {
        match self {
            Self::Registry(repository, _) => repository.referrers(digest, None).await,
            Self::Layout(..) | Self::OciArchive(..) | Self::DockerArchive(_) => Ok(Vec::new()),
        }
    }
}

impl Target {
    /// Puts a manifest without a tag, once everything that it names is there.
    ///
    /// # Errors
    /// It is not taken.
    pub async fn put_manifest(&self, manifest: &ManifestBytes) -> Result<(), RemoteError> {
        match self {
            Self::Registry(repository) => repository.put_manifest(manifest).await.map(drop),
            Self::Layout(layout) => {
                let source = BlobSource::bytes(manifest.bytes.clone());
                layout.put_blob(&manifest.digest, manifest.bytes.len() as u64, &source).await
            }
        }
    }

    /// Gives a manifest that is there the names that a layout lists; a registry's tags are written by
    /// [`RemoteRepository::tag`], which tells what became of them.
    ///
    /// # Errors
    /// The index cannot be written.
    pub async fn list_in_layout(
        &self,
        manifest: &ManifestBytes,
        tags: &[Tag],
    ) -> Result<(), RemoteError> {
        match self {
            Self::Registry(_) => Ok(()),
            Self::Layout(layout) => {
                let media_type = manifest.read()?.media_type.as_str();
                layout.put_manifest(&manifest.digest, &manifest.bytes, media_type, tags).await
            }
        }
    }
}
