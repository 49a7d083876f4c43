//! Bodies for fuzzers: plain functions that read a stranger's bytes and check what must hold.
//!
//! The tests run each for a while on made-up input; `cargo fuzz` runs them on demand.

use crate::client::{challenge, header, location, retry, token};
use crate::document::{archive, layout};
use crate::range::{BlobPart, ChunkRange, read_content_range, read_upload_progress};
use crate::{
    DocumentError, ImageConfig, Manifest, ManifestPut, ManifestRef, Route, extends, target,
};
use domain::{Digest, Timestamp};
use http::{HeaderMap, HeaderValue, Method, Uri};

/// Every document, from any bytes.
///
/// # Panics
/// When an invariant breaks, which is what a fuzzer looks for.
pub fn documents(bytes: &[u8]) {
    match Manifest::read(bytes, None) {
        Ok(manifest) => manifest_holds(&manifest),
        Err(DocumentError::Size { found, max }) => assert!(found > max),
        Err(_) => {}
    }
    let _ = ImageConfig::read(bytes).map(|config| config.labels);
    let _ = layout::read_marker(bytes);
    let _ = layout::read_index(bytes);
    let _ = archive::read(bytes);
    let _ = crate::page::read_tags(bytes);
    let _ = crate::page::read_catalog(bytes);
    let _ = crate::history::HistoryPage::read(bytes);
    let _ = token::Token::read(bytes);
    for error in crate::read_errors(bytes) {
        let _ = crate::RefusedWrite::read(&error);
    }
}

/// What was read is written, and read again, as the same.
fn manifest_holds(manifest: &Manifest) {
    assert!(extends(manifest, manifest), "{manifest:?}");
    let said = Some(manifest.media_type.as_str());
    let written = manifest.write();
    // Escapes may make the second text longer than the first, and so too large.
    if written.len() <= crate::limit::MANIFEST_BYTES_DEFAULT {
        let again = Manifest::read(&written, said);
        assert_eq!(again.as_ref(), Ok(manifest));
    }
    let digest = Digest::sha256(&written);
    let size = written.len() as u64;
    let referrer = crate::referrer_descriptor(digest, size, manifest);
    let page = crate::referrers_page(&[referrer], None, usize::MAX);
    assert!(Manifest::read_within(&page.bytes, None, largest()).is_ok() || size > 1 << 20);
}

fn largest() -> crate::ManifestLimit {
    crate::ManifestLimit::new(crate::limit::MANIFEST_BYTES_SETTABLE_MAX)
        .expect("the largest setting is one")
}

/// The router, from any method and target: what it reads, [`target`] writes so that it reads as the same.
///
/// # Panics
/// When an invariant breaks.
pub fn routes(method: &Method, path: &str, query: Option<&str>) {
    let Ok(route) = Route::read(method, path, query) else {
        return;
    };
    let Some(written) = write(&route) else {
        return;
    };
    let (path, query) = written
        .split_once('?')
        .map_or((written.as_str(), None), |(path, query)| (path, Some(query)));
    assert_eq!(Route::read(method, path, query), Ok(route), "{written}");
}

/// The target of a route.
fn write(route: &Route) -> Option<String> {
    use crate::UploadStart::{Mount, Session, Whole};
    Some(match route {
        Route::Ping => target::PING.to_owned(),
        Route::GetBlob { repository, digest, .. } | Route::DeleteBlob { repository, digest } => {
            target::blob(repository, digest)
        }
        Route::StartUpload { repository, start } => match start {
            Session { algorithm } => target::uploads_hashed(repository, *algorithm),
            Whole { digest } => target::upload_whole(repository, digest),
            Mount { digest, from } => target::mount(repository, digest, from.as_ref()),
        },
        Route::PatchUpload { repository, upload }
        | Route::UploadStatus { repository, upload }
        | Route::CancelUpload { repository, upload } => target::upload(repository, upload),
        Route::FinishUpload { repository, upload, digest } => {
            format!("{}?digest={digest}", target::upload(repository, upload))
        }
        Route::GetManifest { repository, reference, .. }
        | Route::DeleteManifest { repository, reference } => {
            target::manifest(repository, reference)
        }
        Route::PutManifest { repository, put } => match put {
            ManifestPut::Tag(tag) => target::manifest(repository, &ManifestRef::Tag(tag.clone())),
            ManifestPut::Digest { digest, tags } => {
                target::manifest_with_tags(repository, digest, tags)
            }
        },
        Route::Tags { repository, page } => target::tags(repository, page),
        Route::Referrers { repository, subject, artifact_type, page } => {
            target::referrers(repository, subject, artifact_type.as_deref(), page)
        }
        Route::Catalog { page } => target::catalog(page),
        Route::TagHistory { repository, tag, page } => target::tag_history(repository, tag, page),
    })
    // Encoding can make a query longer than what is read.
    .filter(|text| text.len() <= crate::limit::TARGET_BYTES_MAX)
}

/// Every header that is read, from any text.
///
/// # Panics
/// When an invariant breaks.
pub fn headers(text: &str) {
    for length in [0, 1, 10, u64::MAX] {
        if let BlobPart::Part { first, last } = BlobPart::read(Some(text), length) {
            assert!(first <= last && last < length, "{text:?} of {length}");
        }
    }
    if let Ok(chunk) = ChunkRange::read(text) {
        assert!(chunk.length() > 0);
        assert_eq!(ChunkRange::read(&chunk.to_string()), Ok(chunk));
    }
    let _ = read_content_range(text);
    let _ = read_upload_progress(text);
    let _ = challenge::read_challenges([text]);
    let _ = crate::link::read_next([text]);
    let _ = retry::RetryAfter::read(text, Timestamp::from_millis(0));
    let written = crate::warning::write_warnings(&[text]);
    for value in &written {
        assert!(HeaderValue::from_str(value).is_ok(), "{value:?}");
    }
    let base = Uri::from_static("https://registry.example/v2/a/blobs/uploads/");
    if let Ok(next) = location::resolve(&base, text) {
        assert_eq!(next.uri.scheme_str(), Some("https"), "{text:?}");
        let with = location::with_digest(&next.uri, &Digest::sha256(b""));
        assert!(with.query().is_some_and(|query| query.contains("digest=sha256:")));
    }
    if let Ok(value) = HeaderValue::from_str(text) {
        let mut map = HeaderMap::new();
        for name in [header::CONTENT_DIGEST, header::TAG, header::CHUNK_MIN_LENGTH] {
            map.append(name, value.clone());
        }
        let _ = (header::content_digest(&map), header::tags(&map));
        let _ = (header::chunk_min_length(&map), header::rate_limit(&map));
    }
}
