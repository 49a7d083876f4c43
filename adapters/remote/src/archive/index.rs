//! Where each file of a tar lies, found in one pass over its headers.
//!
//! ```text
//! "blobs/sha256/9f…" -> bytes 1536..8192 of image.tar
//! "ab12/layer.tar"   -> "../cd34/layer.tar"        a link of an older docker, followed inside the archive
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempPath;

use super::header::{self, BLOCK_BYTES, EntryKind, Header};
use super::wrong;
use crate::content::{BlobSource, BlobStream};
use crate::error::RemoteError;
use crate::file_read::FileSpan;
use oci::document::archive::ArchivePath;

/// How many entries an archive may have. Source: DESIGN §12.
pub const ARCHIVE_ENTRIES_MAX: usize = 100_000;
/// How many links are followed one after another.
pub const LINKS_MAX: usize = 8;
/// The longest name or set of pax records, in bytes.
const RECORD_BYTES_MAX: u64 = 64 << 10;

/// What a name in the archive stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    File { offset: u64, size: u64 },
    Link { to: String },
}

/// The files of one archive.
#[derive(Clone, Debug)]
pub(super) struct TarIndex {
    /// The file that the user named, for messages.
    named: PathBuf,
    /// The plain tar that is read: the same, or its unpacked form.
    plain: PathBuf,
    entries: BTreeMap<String, Entry>,
    /// Removes the unpacked form with the last reader.
    _unpacked: Option<Arc<TempPath>>,
}

impl TarIndex {
    /// Reads all headers of an archive, of `unpacked` where it was gzip.
    pub(super) fn read(named: &Path, unpacked: Option<TempPath>) -> Result<Self, RemoteError> {
        let plain = unpacked.as_ref().map_or_else(|| named.to_owned(), |path| path.to_path_buf());
        let file = File::open(&plain).map_err(|cause| RemoteError::file("read", named, cause))?;
        let length =
            file.metadata().map_err(|cause| RemoteError::file("read", named, cause))?.len();
        let mut pass = Pass {
            named,
            file: BufReader::with_capacity(4096, file),
            at: 0,
            length,
            entries: BTreeMap::new(),
            count: 0,
        };
        pass.run()?;
        Ok(Self {
            named: named.to_owned(),
            plain,
            entries: pass.entries,
            _unpacked: unpacked.map(Arc::new),
        })
    }

    /// The file as the user named it.
    pub(super) fn path(&self) -> &Path {
        &self.named
    }

    /// Whether a name stands in the archive.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The size of a file; links are followed inside the archive. `None` when it is not there.
    pub(super) fn size(&self, name: &str) -> Result<Option<u64>, RemoteError> {
        Ok(self.find(name)?.map(|(_, size)| size))
    }

    fn find(&self, name: &str) -> Result<Option<(u64, u64)>, RemoteError> {
        let mut name = name.to_owned();
        for _ in 0..=LINKS_MAX {
            match self.entries.get(&name) {
                None => return Ok(None),
                Some(Entry::File { offset, size }) => return Ok(Some((*offset, *size))),
                Some(Entry::Link { to }) => name.clone_from(to),
            }
        }
        Err(wrong(
            &self.named,
            format!("`{}` is a link after {LINKS_MAX} links", name.escape_debug()),
        ))
    }

    /// Where a file lies.
    pub(super) fn span(&self, name: &str) -> Result<Option<FileSpan>, RemoteError> {
        Ok(self.find(name)?.map(|(offset, size)| FileSpan {
            path: self.plain.clone(),
            offset,
            size,
        }))
    }

    /// A file as a source that can be read again; keeps the unpacked form alive.
    pub(super) fn source(&self, name: &str) -> Result<Option<BlobSource>, RemoteError> {
        let Some(span) = self.span(name)? else {
            return Ok(None);
        };
        let alive = self._unpacked.clone();
        Ok(Some(BlobSource::restartable(move || {
            let (span, alive) = (span.clone(), alive.clone());
            Box::pin(async move {
                let stream = span.stream().await;
                drop(alive);
                stream
            })
        })))
    }

    /// Streams a file.
    pub(super) async fn stream(&self, name: &str) -> Result<Option<BlobStream>, RemoteError> {
        match self.span(name)? {
            Some(span) => span.stream().await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads a small file whole.
    pub(super) async fn bytes(&self, name: &str, max: usize) -> Result<Option<Bytes>, RemoteError> {
        let Some(size) = self.size(name)? else {
            return Ok(None);
        };
        let what = format!("`{name}` in {}", self.named.display());
        if size > max as u64 {
            let max = max as u64;
            return Err(RemoteError::TooLarge { what, max });
        }
        match self.stream(name).await? {
            Some(stream) => crate::content::read_whole(stream, max, &what).await.map(Some),
            None => Ok(None),
        }
    }
}

/// One pass over the headers.
struct Pass<'a> {
    named: &'a Path,
    file: BufReader<File>,
    at: u64,
    length: u64,
    entries: BTreeMap<String, Entry>,
    count: usize,
}

/// What the records before an entry say of it.
#[derive(Default)]
struct Before {
    name: Option<String>,
    link: Option<String>,
    pax: Vec<u8>,
}

impl Pass<'_> {
    fn run(&mut self) -> Result<(), RemoteError> {
        let mut before = Before::default();
        while let Some(mut header) = self.header()? {
            self.count += 1;
            if self.count > ARCHIVE_ENTRIES_MAX {
                return Err(self.wrong(format!("it has more than {ARCHIVE_ENTRIES_MAX} entries")));
            }
            match header.kind {
                EntryKind::LongName => before.name = Some(header::text(&self.record(&header)?)),
                EntryKind::LongLink => before.link = Some(header::text(&self.record(&header)?)),
                EntryKind::Pax => before.pax = self.record(&header)?,
                EntryKind::PaxGlobal => {
                    self.record(&header)?;
                }
                EntryKind::File
                | EntryKind::HardLink
                | EntryKind::SymLink
                | EntryKind::Folder
                | EntryKind::Other => {
                    std::mem::take(&mut before)
                        .apply(&mut header)
                        .map_err(|problem| self.at_entry(&header, problem))?;
                    self.entry(&header)?;
                }
            }
        }
        if self.count == 0 {
            return Err(self.wrong("it is empty, or no tar"));
        }
        Ok(())
    }

    fn header(&mut self) -> Result<Option<Header>, RemoteError> {
        // The end is a block of zeros: an archive that stops before it was cut, wherever that was.
        if self.at + BLOCK_BYTES > self.length {
            return Err(self
                .wrong(format!("it is truncated after entry {} (byte {})", self.count, self.at)));
        }
        let mut block = [0; 512];
        self.file
            .read_exact(&mut block)
            .map_err(|cause| RemoteError::file("read", self.named, cause))?;
        self.at += BLOCK_BYTES;
        header::read(&block).map_err(|problem| {
            self.wrong(format!(
                "entry {} at byte {}: {problem}",
                self.count + 1,
                self.at - BLOCK_BYTES
            ))
        })
    }

    /// Reads the content of a record, and its padding.
    fn record(&mut self, header: &Header) -> Result<Vec<u8>, RemoteError> {
        if header.size > RECORD_BYTES_MAX {
            return Err(self.at_entry(header, "a name of more than 64 KiB"));
        }
        self.check_end(header)?;
        let mut bytes = Vec::new();
        let padded = header.size.next_multiple_of(BLOCK_BYTES);
        (&mut self.file)
            .take(padded)
            .read_to_end(&mut bytes)
            .map_err(|cause| RemoteError::file("read", self.named, cause))?;
        self.at += padded;
        bytes.truncate(usize::try_from(header.size).expect("a record has at most 64 KiB"));
        Ok(bytes)
    }

    fn entry(&mut self, header: &Header) -> Result<(), RemoteError> {
        let found = match header.kind {
            EntryKind::File => {
                self.check_end(header)?;
                let (offset, size) = (self.at, header.size);
                Some(Entry::File { offset, size })
            }
            EntryKind::HardLink => Some(Entry::Link { to: self.inside(header, &header.link)? }),
            EntryKind::SymLink => Some(Entry::Link { to: self.link_target(header)? }),
            EntryKind::Folder
            | EntryKind::Other
            | EntryKind::LongName
            | EntryKind::LongLink
            | EntryKind::Pax
            | EntryKind::PaxGlobal => None,
        };
        if let Some(entry) = found {
            let name = self.inside(header, &header.name)?;
            if self.entries.insert(name, entry).is_some() {
                // Readers differ on which of the two counts.
                return Err(self.at_entry(header, "the name stands twice in the archive"));
            }
        }
        self.skip(header)
    }

    /// The content of links and folders is nothing, whatever their size field says.
    fn skip(&mut self, header: &Header) -> Result<(), RemoteError> {
        let padded = match header.kind {
            EntryKind::HardLink | EntryKind::SymLink | EntryKind::Folder => return Ok(()),
            EntryKind::File
            | EntryKind::Other
            | EntryKind::LongName
            | EntryKind::LongLink
            | EntryKind::Pax
            | EntryKind::PaxGlobal => header.size.next_multiple_of(BLOCK_BYTES),
        };
        self.check_end(header)?;
        self.at += padded;
        let at = SeekFrom::Start(self.at);
        self.file.seek(at).map_err(|cause| RemoteError::file("read", self.named, cause))?;
        Ok(())
    }

    fn check_end(&self, header: &Header) -> Result<(), RemoteError> {
        let padded = header.size.checked_next_multiple_of(BLOCK_BYTES);
        let end = padded.and_then(|padded| self.at.checked_add(padded));
        match end.filter(|end| *end <= self.length) {
            Some(_) => Ok(()),
            None => Err(self.at_entry(header, "the archive is truncated inside it")),
        }
    }

    fn inside(&self, header: &Header, name: &str) -> Result<String, RemoteError> {
        ArchivePath::read(name)
            .map(|path| path.as_str().to_owned())
            .map_err(|_| self.at_entry(header, "its path leads out of the archive"))
    }

    /// A symbolic link's target, counted from the link's folder.
    fn link_target(&self, header: &Header) -> Result<String, RemoteError> {
        let leads_out = || self.at_entry(header, "it links out of the archive");
        let name = self.inside(header, &header.name)?;
        if header.link.starts_with('/') || header.link.contains(['\\', '\0']) {
            return Err(leads_out());
        }
        let mut parts: Vec<&str> = name.split('/').collect();
        parts.pop();
        for part in header.link.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop().ok_or_else(leads_out)?),
                plain => parts.push(plain),
            }
        }
        Ok(parts.join("/"))
    }

    fn at_entry(&self, header: &Header, problem: &str) -> RemoteError {
        let name: String = header.name.chars().take(128).collect();
        self.wrong(format!("entry `{}`: {problem}", name.escape_debug()))
    }

    fn wrong(&self, problem: impl Into<String>) -> RemoteError {
        wrong(self.named, problem)
    }
}

impl Before {
    fn apply(self, header: &mut Header) -> Result<(), &'static str> {
        if let Some(name) = self.name {
            header.name = name;
        }
        if let Some(link) = self.link {
            header.link = link;
        }
        header::apply_pax(&self.pax, header)
    }
}
