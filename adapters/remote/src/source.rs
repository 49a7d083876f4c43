//! The texts that name where an image comes from or goes to.
//!
//! ```text
//! oci:DIR[:ref]   oci-archive:FILE[:ref]   docker-archive:FILE[:ref]   docker-daemon:IMAGE   docker://REF
//! ```
//! The words are those of skopeo. Opens nothing: whether the place is there is asked later.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use domain::{ImageRef, ReferenceError};

/// The longest text that is looked at: a path's limit on Linux, a reference, and the joints.
pub const SOURCE_LEN_MAX: usize = 5000;

/// A place and, where it can hold several, the name of one image in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder with an OCI image layout.
    Layout {
        /// The folder.
        folder: PathBuf,
        /// The name in its index.
        name: Option<String>,
    },
    /// A tar of an OCI image layout, plain or gzip.
    OciArchive {
        /// The file.
        file: PathBuf,
        /// The name in its index.
        name: Option<String>,
    },
    /// What `docker save` writes, plain or gzip.
    DockerArchive {
        /// The file.
        file: PathBuf,
        /// The name among its `RepoTags`.
        name: Option<String>,
    },
    /// An image of the docker daemon on this machine.
    Daemon {
        /// Its name, or its id in hex, as `docker save` takes it.
        image: String,
    },
    /// An image in a registry.
    Registry(ImageRef),
}

/// The text names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The word before the first colon is none that is known.
    #[error("`{text}` names no place: write oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:IMAGE or docker://REF", text = text.escape_debug())]
    Transport {
        /// The text, cut.
        text: String,
    },
    /// Longer than [`SOURCE_LEN_MAX`].
    #[error("a source has at most {SOURCE_LEN_MAX} characters, found {found}")]
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// No path stands after the colon.
    #[error("`{transport}:` needs a path after the colon")]
    NoPath {
        /// The transport.
        transport: &'static str,
    },
    /// The path would be an option to some program.
    #[error("the path `{path}` starts with `-`: write `./{path}`", path = path.escape_debug())]
    Option {
        /// The path.
        path: String,
    },
    /// A control character, which no path of an image needs.
    #[error("`{text}` holds a control character", text = text.escape_debug())]
    Control {
        /// The text, cut.
        text: String,
    },
    /// A name stands after the second colon, and is empty.
    #[error("`{text}` ends in a colon without a name", text = text.escape_debug())]
    NoName {
        /// The text.
        text: String,
    },
    /// The image's name is none.
    #[error("`{text}` is not an image", text = text.escape_debug())]
    Reference {
        /// What was read as a reference.
        text: String,
        /// Why not.
        #[source]
        cause: ReferenceError,
    },
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        if text.len() > SOURCE_LEN_MAX {
            return Err(SourceError::Length { found: text.len() });
        }
        let cut = || text.chars().take(128).collect::<String>();
        if text.chars().any(char::is_control) {
            return Err(SourceError::Control { text: cut() });
        }
        let (transport, rest) =
            text.split_once(':').ok_or_else(|| SourceError::Transport { text: cut() })?;
        match transport {
            "oci" => path_and_name("oci", rest).map(|(folder, name)| Self::Layout { folder, name }),
            "oci-archive" => path_and_name("oci-archive", rest)
                .map(|(file, name)| Self::OciArchive { file, name }),
            "docker-archive" => path_and_name("docker-archive", rest)
                .map(|(file, name)| Self::DockerArchive { file, name }),
            "docker-daemon" => daemon(rest),
            "docker" => match rest.strip_prefix("//") {
                Some(reference) => read_reference(reference).map(Self::Registry),
                None => Err(SourceError::Transport { text: cut() }),
            },
            _ => Err(SourceError::Transport { text: cut() }),
        }
    }
}

/// Splits at the first colon, as skopeo does: a path with a colon cannot be named.
fn path_and_name(
    transport: &'static str,
    rest: &str,
) -> Result<(PathBuf, Option<String>), SourceError> {
    let (path, name) = match rest.split_once(':') {
        Some((_, "")) => {
            return Err(SourceError::NoName { text: rest.to_owned() });
        }
        Some((path, name)) => (path, Some(name.to_owned())),
        None => (rest, None),
    };
    if path.is_empty() {
        return Err(SourceError::NoPath { transport });
    }
    if path.starts_with('-') {
        return Err(SourceError::Option { path: path.to_owned() });
    }
    Ok((PathBuf::from(path), name))
}

fn daemon(image: &str) -> Result<Source, SourceError> {
    let id = image.strip_prefix("sha256:").unwrap_or(image);
    let is_id =
        (12..=64).contains(&id.len()) && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_id {
        // The daemon knows names as people write them, so the text is kept and only checked.
        read_reference(image)?;
    }
    Ok(Source::Daemon { image: image.to_owned() })
}

fn read_reference(text: &str) -> Result<ImageRef, SourceError> {
    text.parse()
        .map_err(|cause| SourceError::Reference { text: text.chars().take(128).collect(), cause })
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, path, name) = match self {
            Self::Layout { folder, name } => ("oci", folder, name),
            Self::OciArchive { file, name } => ("oci-archive", file, name),
            Self::DockerArchive { file, name } => ("docker-archive", file, name),
            Self::Daemon { image } => return write!(f, "docker-daemon:{image}"),
            Self::Registry(reference) => return write!(f, "docker://{reference}"),
        };
        write!(f, "{transport}:{}", path.display())?;
        name.as_ref().map_or(Ok(()), |name| write!(f, ":{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_read_and_printed() {
        for text in [
            "oci:build/image",
            "oci:/tmp/a:v1",
            "oci:/tmp/a:registry.example.com/shop/api:1",
            "oci-archive:image.tar",
            "docker-archive:image.tar.gz:shop/api:1",
            "docker-daemon:shop/api:1",
            "docker-daemon:sha256:0123456789ab",
            "docker://ghcr.io/shop/api:1",
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        let Ok(Source::DockerArchive { file, name }) = "docker-archive:a.tar:shop/api:1".parse()
        else {
            panic!("it is a docker archive");
        };
        assert_eq!(file, PathBuf::from("a.tar"));
        assert_eq!(name.as_deref(), Some("shop/api:1"));
    }

    #[test]
    fn what_names_no_place_is_refused() {
        let transport = |text: &str| SourceError::Transport { text: text.into() };
        let cases = [
            ("", transport("")),
            ("image.tar", transport("image.tar")),
            ("docker:shop/api", transport("docker:shop/api")),
            ("ftp:x", transport("ftp:x")),
            ("oci:", SourceError::NoPath { transport: "oci" }),
            ("oci::v1", SourceError::NoPath { transport: "oci" }),
            ("oci:a:", SourceError::NoName { text: "a:".into() }),
            ("oci:--rm", SourceError::Option { path: "--rm".into() }),
            ("oci:a\nb", SourceError::Control { text: "oci:a\nb".into() }),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Source>(), Err(expected), "{text}");
        }
        for bad in [
            "docker://",
            "docker://Shop/API:1",
            "docker-daemon:",
            "docker-daemon:--help",
            "docker-daemon:a?x=1",
        ] {
            let refused = bad.parse::<Source>();
            assert!(matches!(refused, Err(SourceError::Reference { .. })), "{bad}: {refused:?}");
        }
    }

    #[test]
    fn a_source_has_5000_characters_and_not_5001() {
        let long = |length: usize| format!("oci:{}", "a".repeat(length - 4)).parse::<Source>();
        assert!(long(SOURCE_LEN_MAX).is_ok());
        assert_eq!(long(SOURCE_LEN_MAX + 1), Err(SourceError::Length { found: 5001 }));
    }
}
