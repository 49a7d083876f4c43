//! Reading a request's target into a [`Route`].
//!
//! The last segments decide; what stands before them is the repository's name, of any depth. Words that
//! start with `_` cannot be in a name, so that the paths under them are never taken for another's.

use super::{
    Answer, ManifestPut, ManifestRef, PageQuery, Route, RouteError, UploadStart, end::End,
};
use crate::limit::{TAGS_IN_REQUEST_MAX, TARGET_BYTES_MAX};
use crate::query::{Query, decode};
use domain::{Algorithm, Digest, RepositoryPath, Tag};
use http::Method;

impl Route {
    /// Reads a request's method, path and query (without `?`).
    ///
    /// # Errors
    /// Not a request of the registry API, or one with a wrong part.
    pub fn read(method: &Method, path: &str, query: Option<&str>) -> Result<Self, RouteError> {
        let found = path.len() + query.map_or(0, |query| query.len() + 1);
        if found > TARGET_BYTES_MAX {
            return Err(RouteError::Long { found });
        }
        if path == "/v2" || path == "/v2/" {
            return match *method {
                Method::GET | Method::HEAD => Ok(Self::Ping),
                _ => Err(refuse(method, "GET, HEAD")),
            };
        }
        let rest = path.strip_prefix("/v2/").ok_or(RouteError::NotFound)?;
        let segments = rest.split('/').map(segment).collect::<Result<Vec<_>, _>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (name, end) = End::split(&segments).ok_or(RouteError::NotFound)?;
        let query = Query::read(query.unwrap_or_default())?;
        if end == End::Catalog {
            return only_get(method, || Ok(Self::Catalog { page: read_page(&query)? }));
        }
        let repository = name.join("/").parse().map_err(RouteError::Name)?;
        read_end(method, repository, end, &query)
    }
}

/// Decodes one segment; what would be a separator after decoding is refused.
fn segment(encoded: &str) -> Result<String, RouteError> {
    let plain = decode(encoded)?;
    if plain.contains(['/', '\\']) || plain.contains(char::is_control) {
        return Err(RouteError::Separator);
    }
    Ok(plain)
}

fn read_end(
    method: &Method,
    repository: RepositoryPath,
    end: End<'_>,
    query: &Query,
) -> Result<Route, RouteError> {
    match end {
        End::Catalog => Err(RouteError::NotFound),
        End::Blob(digest) => read_blob(method, repository, digest),
        End::Uploads => match *method {
            Method::POST => Ok(Route::StartUpload { start: read_start(query)?, repository }),
            _ => Err(refuse(method, "POST")),
        },
        End::Upload(id) => read_upload(method, repository, id, query),
        End::Manifest(reference) => read_manifest(method, repository, reference, query),
        End::Tags => only_get(method, || {
            let page = read_page(query)?;
            Ok(Route::Tags { repository, page })
        }),
        End::Referrers(digest) => only_get(method, || {
            Ok(Route::Referrers {
                subject: digest.parse().map_err(RouteError::Digest)?,
                artifact_type: read_artifact_type(query)?,
                page: read_page(query)?,
                repository,
            })
        }),
        End::History(tag) => only_get(method, || {
            Ok(Route::TagHistory {
                tag: tag.parse().map_err(RouteError::Tag)?,
                page: read_page(query)?,
                repository,
            })
        }),
    }
}

fn read_blob(
    method: &Method,
    repository: RepositoryPath,
    digest: &str,
) -> Result<Route, RouteError> {
    let allow = "GET, HEAD, DELETE";
    let digest: Digest = digest.parse().map_err(RouteError::Digest)?;
    match *method {
        Method::DELETE => Ok(Route::DeleteBlob { repository, digest }),
        _ => Ok(Route::GetBlob { repository, digest, answer: read_answer(method, allow)? }),
    }
}

fn read_start(query: &Query) -> Result<UploadStart, RouteError> {
    let digest = |text: &str| text.parse::<Digest>().map_err(RouteError::Digest);
    if let Some(mount) = query.one("mount")? {
        // A source that is no name is a source that has nothing: the client is to upload, not to fail.
        // Source: containerd#14086.
        let from = query.one("from")?.filter(|from| !from.is_empty());
        return Ok(match from.map(str::parse) {
            None => UploadStart::Mount { digest: digest(mount)?, from: None },
            Some(Ok(from)) => UploadStart::Mount { digest: digest(mount)?, from: Some(from) },
            Some(Err(_)) => UploadStart::Session { algorithm: digest(mount)?.algorithm() },
        });
    }
    if let Some(whole) = query.one("digest")? {
        return Ok(UploadStart::Whole { digest: digest(whole)? });
    }
    let algorithm = match query.one("digest-algorithm")? {
        None | Some("sha256") => Algorithm::Sha256,
        Some("sha512") => Algorithm::Sha512,
        Some(_) => return Err(RouteError::Algorithm),
    };
    Ok(UploadStart::Session { algorithm })
}

fn read_upload(
    method: &Method,
    repository: RepositoryPath,
    id: &str,
    query: &Query,
) -> Result<Route, RouteError> {
    let upload = id.parse()?;
    match *method {
        Method::PATCH => Ok(Route::PatchUpload { repository, upload }),
        Method::GET => Ok(Route::UploadStatus { repository, upload }),
        Method::DELETE => Ok(Route::CancelUpload { repository, upload }),
        Method::PUT => {
            let digest = query.one("digest")?.ok_or(RouteError::DigestMissing)?;
            Ok(Route::FinishUpload {
                repository,
                upload,
                digest: digest.parse().map_err(RouteError::Digest)?,
            })
        }
        _ => Err(refuse(method, "GET, PATCH, PUT, DELETE")),
    }
}

fn read_manifest(
    method: &Method,
    repository: RepositoryPath,
    reference: &str,
    query: &Query,
) -> Result<Route, RouteError> {
    let allow = "GET, HEAD, PUT, DELETE";
    match *method {
        Method::PUT => Ok(Route::PutManifest { put: read_put(reference, query)?, repository }),
        Method::DELETE => {
            Ok(Route::DeleteManifest { reference: read_reference(reference)?, repository })
        }
        _ => Ok(Route::GetManifest {
            answer: read_answer(method, allow)?,
            reference: read_reference(reference)?,
            repository,
        }),
    }
}

/// A colon cannot stand in a tag, so that with one it is meant as a digest.
fn read_reference(text: &str) -> Result<ManifestRef, RouteError> {
    if text.contains(':') {
        return text.parse().map(ManifestRef::Digest).map_err(RouteError::Digest);
    }
    // What cannot be a tag is answered like a tag that is not there. Source: the conformance suite of
    // distribution-spec 1.0 asks for `.INVALID_MANIFEST_NAME` and expects 404.
    text.parse().map(ManifestRef::Tag).map_err(|_| RouteError::NoSuchManifest)
}

fn read_put(reference: &str, query: &Query) -> Result<ManifestPut, RouteError> {
    if !reference.contains(':') {
        return reference.parse().map(ManifestPut::Tag).map_err(RouteError::Tag);
    }
    let digest = reference.parse().map_err(RouteError::Digest)?;
    let found = query.all("tag").count();
    if found > TAGS_IN_REQUEST_MAX {
        return Err(RouteError::ManyTags { found });
    }
    let mut tags: Vec<Tag> = Vec::new();
    for text in query.all("tag") {
        let tag = text.parse().map_err(RouteError::Tag)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(ManifestPut::Digest { digest, tags })
}

fn read_artifact_type(query: &Query) -> Result<Option<String>, RouteError> {
    let asked = query.one("artifactType")?.filter(|kind| !kind.is_empty());
    // A media type has no blank: one was a `+` that the client did not encode.
    Ok(asked.map(|kind| kind.replace(' ', "+")))
}

fn read_page(query: &Query) -> Result<PageQuery, RouteError> {
    let n = query.one("n")?.map(read_number).transpose()?;
    let last = query.one("last")?.filter(|last| !last.is_empty());
    Ok(PageQuery { n, last: last.map(str::to_owned) })
}

fn read_number(text: &str) -> Result<usize, RouteError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RouteError::PageNumber);
    }
    // A number that is too large for the machine is more than a page, which is cut anyway.
    Ok(text.parse().unwrap_or(usize::MAX))
}

fn read_answer(method: &Method, allow: &'static str) -> Result<Answer, RouteError> {
    match *method {
        Method::GET => Ok(Answer::Whole),
        Method::HEAD => Ok(Answer::HeadersOnly),
        _ => Err(refuse(method, allow)),
    }
}

fn only_get(
    method: &Method,
    route: impl FnOnce() -> Result<Route, RouteError>,
) -> Result<Route, RouteError> {
    match *method {
        Method::GET | Method::HEAD => route(),
        _ => Err(refuse(method, "GET, HEAD")),
    }
}

fn refuse(method: &Method, allow: &'static str) -> RouteError {
    RouteError::Method { method: method.as_str().chars().take(16).collect(), allow }
}
