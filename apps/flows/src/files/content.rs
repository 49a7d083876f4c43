//! What the bytes of a file are to us: a workload file, one that cannot be read, or none.
//!
//! ```text
//! compose.yaml, b"services: …"     -> a workload file        notes.txt -> none of ours
//! compose.yaml, b"\xff\xfes\0e\0"  -> cannot be read: it is not UTF-8, and may name an image
//! ```
//! Asked of files of a work tree and of a commit alike; what a name alone speaks against is never read.

use super::walk::Unreadable;
use domain::Repository;
use pin::Format;
use pin::scan::FILE_BYTES_MAX;

/// What the bytes of a file are.
#[derive(Debug)]
pub(crate) enum Content<'b> {
    /// A workload file that can name an image, or say which one runs.
    Workload {
        /// The text.
        text: &'b str,
        /// What it is read as.
        format: Format,
    },
    /// A workload file that cannot be read.
    Unread {
        /// Why.
        why: Unreadable,
        /// What of it can be told.
        guess: Guess,
    },
    /// A workload file that can name no image.
    Silent,
    /// No workload file.
    Other,
}

/// What can be told of a file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Guess {
    /// Its ASCII characters, more or less.
    Text(String),
    /// Nothing.
    Nothing,
}

impl Guess {
    /// Whether the file could name the repository.
    pub(crate) fn may_name(&self, repository: &Repository) -> bool {
        match self {
            Self::Text(text) => crate::edit::mentions(text, repository),
            Self::Nothing => true,
        }
    }
}

/// Looks at a file's bytes; of one that is too large, at as many as are there.
pub(crate) fn content<'b>(path: &str, bytes: &'b [u8]) -> Content<'b> {
    if bytes.len() > FILE_BYTES_MAX {
        return unread(path, bytes, Unreadable::Size, |_| Guess::Nothing);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return unread(path, bytes, Unreadable::Encoding, Guess::Text);
    };
    match pin::classify(path, text) {
        None => Content::Other,
        // A kustomization without an image says all the same whose images another one sets.
        Some(format) if format != Format::Kustomize && !pin::prefilter(bytes) => Content::Silent,
        Some(format) => Content::Workload { text, format },
    }
}

fn unread<'b>(
    path: &str,
    bytes: &[u8],
    why: Unreadable,
    guess: impl FnOnce(String) -> Guess,
) -> Content<'b> {
    // In UTF-16 every second byte of such a text is zero: without them its words can be found.
    let mark =
        [&b"\xff\xfe"[..], b"\xfe\xff"].into_iter().find_map(|mark| bytes.strip_prefix(mark));
    let bytes: Vec<u8> = mark.unwrap_or(bytes).iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let may_name = match why {
        // What was not read may name any image, whatever the beginning says.
        Unreadable::Size => true,
        Unreadable::Encoding | Unreadable::Io(_) | Unreadable::Walk(_) | Unreadable::Scan(_) => {
            pin::prefilter(&bytes)
        }
    };
    match pin::classify(path, &text) {
        Some(_) if may_name => Content::Unread { why, guess: guess(text) },
        Some(_) | None => Content::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPOSE: &str =
        "services:\n  api:\n    image: r.example.com/shop/api:v1 # gr\u{f6}\u{df}er\n";

    #[test]
    fn a_workload_file_in_another_encoding_is_never_taken_for_none() {
        let latin: Vec<u8> = COMPOSE.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let utf16 = COMPOSE.encode_utf16().flat_map(u16::to_le_bytes);
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16).collect();
        let (ours, other) = ("r.example.com/shop/api", "r.example.com/shop/web");
        for bytes in [latin, utf16] {
            for path in ["compose.yaml", "stack.yml"] {
                let Content::Unread { why, guess } = content(path, &bytes) else {
                    panic!("{path}: {bytes:?}")
                };
                assert!(matches!(why, Unreadable::Encoding));
                assert!(guess.may_name(&ours.parse().unwrap()), "{path}");
                assert!(!guess.may_name(&other.parse().unwrap()), "{path}");
            }
            assert!(matches!(content("notes.txt", &bytes), Content::Other));
        }
    }

    #[test]
    fn names_and_words_tell_what_is_read() {
        assert!(matches!(content("compose.yaml", COMPOSE.as_bytes()), Content::Workload { .. }));
        assert!(matches!(content("compose.yaml", b"services: {}\n"), Content::Silent));
        assert!(matches!(content("logo.json", b"\xff\xd8 image"), Content::Other));
        assert!(pin::is_worth_opening("a.YAML") && pin::is_worth_opening("api.Dockerfile"));
        // What has no dot in its name may be a script: its first line tells.
        assert!(!pin::is_worth_opening("a.png") && pin::is_worth_opening("entrypoint"));
    }

    #[test]
    fn a_file_has_so_many_bytes_and_no_more() {
        let mut text = b"FROM a\n#".to_vec();
        text.resize(FILE_BYTES_MAX, b'x');
        assert!(matches!(content("Dockerfile", &text), Content::Workload { .. }));
        text.push(b'x');
        let Content::Unread { why: Unreadable::Size, guess } = content("Dockerfile", &text) else {
            panic!("it is too large")
        };
        assert!(guess.may_name(&"anything/at-all".parse().unwrap()), "the rest was never read");
    }

    #[test]
    fn a_file_that_is_too_large_is_ours_wherever_its_images_stand() {
        let large = |start: &str| {
            let mut text = start.as_bytes().to_vec();
            text.resize(FILE_BYTES_MAX + 1, b'#');
            text
        };
        let object = large("apiVersion: apps/v1\nkind: Deployment\n#");
        for (path, bytes) in [("api.yaml", &object), ("compose.yaml", &large("services:\n#"))] {
            let found = content(path, bytes);
            let is_unread = matches!(found, Content::Unread { why: Unreadable::Size, .. });
            assert!(is_unread, "{path}: {found:?}");
        }
        assert!(matches!(content("notes.yaml", &large("a: 1\n#")), Content::Other));
    }
}
