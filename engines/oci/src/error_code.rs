//! The codes that a registry names its errors by, and the body that carries them.
//!
//! ```text
//! {"errors":[{"code":"MANIFEST_UNKNOWN","message":"…","detail":{…}}]}
//! ```
//! Source: OCI distribution-spec 1.1, "Error Codes"; `TAG_INVALID`, `RANGE_INVALID`,
//! `PAGINATION_NUMBER_INVALID`, `UNAVAILABLE` and `UNKNOWN` are distribution's own, which clients know.

use crate::limit::{ERROR_BODY_BYTES_MAX, ERROR_TEXT_CHARS_MAX, ERRORS_IN_BODY_MAX};
use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong, in a word that programs read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The blob is not in the repository.
    BlobUnknown = "BLOB_UNKNOWN",
    /// The upload cannot go on.
    BlobUploadInvalid = "BLOB_UPLOAD_INVALID",
    /// No such upload.
    BlobUploadUnknown = "BLOB_UPLOAD_UNKNOWN",
    /// The content is not what the digest names, or the digest is none.
    DigestInvalid = "DIGEST_INVALID",
    /// A manifest names what is not there.
    ManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN",
    /// The manifest is not accepted.
    ManifestInvalid = "MANIFEST_INVALID",
    /// No such manifest.
    ManifestUnknown = "MANIFEST_UNKNOWN",
    /// The repository's name breaks the rules.
    NameInvalid = "NAME_INVALID",
    /// No such repository.
    NameUnknown = "NAME_UNKNOWN",
    /// The content has another length.
    SizeInvalid = "SIZE_INVALID",
    /// The tag breaks the rules.
    TagInvalid = "TAG_INVALID",
    /// A chunk is not the next one.
    RangeInvalid = "RANGE_INVALID",
    /// `n` is no number.
    PaginationNumberInvalid = "PAGINATION_NUMBER_INVALID",
    /// Nobody knows who asks.
    Unauthorized = "UNAUTHORIZED",
    /// Whoever asks may not; also: an immutable tag is taken. It ends a client's retries.
    Denied = "DENIED",
    /// There is no such operation.
    Unsupported = "UNSUPPORTED",
    /// Too fast.
    TooManyRequests = "TOOMANYREQUESTS",
    /// Not now.
    Unavailable = "UNAVAILABLE",
    /// Something else.
    Unknown = "UNKNOWN",
}

impl ErrorCode {
    /// The code of that word; `None` for a word that is not known here.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

/// One error of an answer that we write.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorEntry {
    /// The code.
    #[serde(serialize_with = "write_code")]
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// For programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
}

impl ErrorEntry {
    /// An error without detail.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None }
    }

    /// A blob or manifest that a manifest names and that is not there.
    #[must_use]
    pub fn missing(digest: &domain::Digest) -> Self {
        Self {
            code: ErrorCode::ManifestBlobUnknown,
            message: format!("{digest} is not in the repository: push it before the manifest"),
            detail: Some(serde_json::json!({ "digest": digest })),
        }
    }
}

fn write_code<S: serde::Serializer>(code: &ErrorCode, json: S) -> Result<S::Ok, S::Error> {
    json.serialize_str(code.as_str())
}

/// Writes the body of an error answer.
#[must_use]
pub fn write_errors(errors: &[ErrorEntry]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        errors: &'a [ErrorEntry],
    }
    serde_json::to_vec(&Body { errors }).expect("strings and JSON values are always JSON")
}

/// One error of an answer that a registry sent.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteError {
    /// The code's word, also one that is not known here.
    pub code: String,
    /// For people, cut.
    pub message: String,
    /// For programs.
    pub detail: Option<Value>,
}

impl RemoteError {
    /// The code, if it is known here.
    #[must_use]
    pub fn known(&self) -> Option<ErrorCode> {
        ErrorCode::read(&self.code)
    }
}

/// Reads the body of an error answer; empty where it is none that can be read.
///
/// At most [`ERROR_BODY_BYTES_MAX`] bytes and [`ERRORS_IN_BODY_MAX`] errors are looked at.
#[must_use]
pub fn read_errors(body: &[u8]) -> Vec<RemoteError> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        errors: Vec<Value>,
    }
    if body.len() > ERROR_BODY_BYTES_MAX {
        return Vec::new();
    }
    let read: Result<Body, _> = serde_json::from_slice(body);
    let errors = read.map(|body| body.errors).unwrap_or_default();
    let kept = errors.iter().take(ERRORS_IN_BODY_MAX).filter_map(|entry| {
        let text = |name| entry.get(name).and_then(Value::as_str).map(cut);
        Some(RemoteError {
            // GitHub sends a message alone at times; a code alone is common.
            code: text("code").or_else(|| text("message").map(|_| String::new()))?,
            message: text("message").unwrap_or_default(),
            detail: entry.get("detail").filter(|d| !d.is_null()).cloned(),
        })
    });
    kept.collect()
}

/// Cuts a stranger's text, and takes out what could move a terminal's cursor.
fn cut(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(ERROR_TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn codes_read_back() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::read(code.as_str()), Some(*code));
        }
        assert_eq!(ErrorCode::read("denied"), None);
    }

    #[test]
    fn a_written_body_has_the_specification_s_form_and_reads_back() {
        let mut entry = ErrorEntry::new(ErrorCode::Denied, "no");
        let body = write_errors(std::slice::from_ref(&entry));
        assert_eq!(body, br#"{"errors":[{"code":"DENIED","message":"no"}]}"#);
        entry.detail = Some(json!({"a": 1}));
        let read = read_errors(&write_errors(&[entry]));
        assert_eq!(read[0].known(), Some(ErrorCode::Denied));
        assert_eq!(read[0].detail, Some(json!({"a": 1})));
    }

    #[test]
    fn a_missing_blob_is_named_in_the_detail() {
        let digest = domain::Digest::sha256(b"");
        let entry = ErrorEntry::missing(&digest);
        assert_eq!(entry.detail, Some(json!({"digest": digest.to_string()})));
    }

    #[test]
    fn strangers_bodies_are_read_as_far_as_they_go() {
        let read = read_errors(br#"{"errors":[{"code":"NEW_CODE","message":"a\u001b[2Jb"},{"message":"m"},{"detail":1},7]}"#);
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].code.as_str(), read[0].known()), ("NEW_CODE", None));
        assert_eq!(read[0].message, "a [2Jb");
        assert_eq!(read[1].message, "m");
        for bad in ["", "<html>", "[]", "{}", r#"{"errors":{}}"#, r#"{"errors":null}"#] {
            assert!(read_errors(bad.as_bytes()).is_empty(), "{bad}");
        }
    }

    #[test]
    fn errors_texts_and_bodies_are_cut_at_their_limits() {
        let entry = |message: String| json!({"code": "DENIED", "message": message});
        let body = |entries: Vec<Value>| json!({ "errors": entries }).to_string().into_bytes();
        let many = |count| body(vec![entry(String::new()); count]);
        assert_eq!(read_errors(&many(16)).len(), 16);
        assert_eq!(read_errors(&many(17)).len(), 16);
        let long =
            |chars| read_errors(&body(vec![entry("é".repeat(chars))]))[0].message.chars().count();
        assert_eq!((long(1024), long(1025)), (1024, 1024));
        let mut padded = many(1);
        padded.resize(ERROR_BODY_BYTES_MAX, b' ');
        assert_eq!(read_errors(&padded).len(), 1);
        padded.push(b' ');
        assert!(read_errors(&padded).is_empty());
    }
}
