//! Lists of names: the tags of a repository, the repositories of a registry.
//!
//! ```text
//! {"name":"shop/api","tags":["1.4","uat"]}      {"repositories":["shop/api"]}
//! ```
//! Source: OCI distribution-spec 1.1, "Listing Tags"; distribution's `_catalog`.

use crate::document::DocumentError;
use crate::limit::LIST_BODY_BYTES_MAX;
use domain::{RepositoryPath, Tag};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One page of a list, as a registry sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesPage<T> {
    /// The names that are names, in the registry's order.
    pub names: Vec<T>,
    /// How many entries are no names here, and are left out.
    pub unreadable: usize,
}

#[derive(Serialize)]
struct Tags<'a> {
    name: &'a RepositoryPath,
    tags: &'a [Tag],
}

#[derive(Serialize)]
struct Repositories<'a> {
    repositories: &'a [RepositoryPath],
}

/// Writes a page of tags.
#[must_use]
pub fn write_tags(repository: &RepositoryPath, tags: &[Tag]) -> Vec<u8> {
    let name = repository;
    serde_json::to_vec(&Tags { name, tags }).expect("names are always JSON")
}

/// Writes a page of repositories.
#[must_use]
pub fn write_catalog(repositories: &[RepositoryPath]) -> Vec<u8> {
    serde_json::to_vec(&Repositories { repositories }).expect("names are always JSON")
}

/// Reads a page of tags; `null` is an empty list, as some registries write it.
///
/// # Errors
/// Larger than [`LIST_BODY_BYTES_MAX`], or no such list.
pub fn read_tags(bytes: &[u8]) -> Result<NamesPage<Tag>, DocumentError> {
    #[derive(Deserialize)]
    struct Body {
        tags: Option<Vec<String>>,
    }
    let body: Body = read(bytes)?;
    Ok(names(body.tags.unwrap_or_default()))
}

/// Reads a page of repositories.
///
/// # Errors
/// As [`read_tags`].
pub fn read_catalog(bytes: &[u8]) -> Result<NamesPage<RepositoryPath>, DocumentError> {
    #[derive(Deserialize)]
    struct Body {
        repositories: Option<Vec<String>>,
    }
    let body: Body = read(bytes)?;
    Ok(names(body.repositories.unwrap_or_default()))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DocumentError> {
    if bytes.len() > LIST_BODY_BYTES_MAX {
        return Err(DocumentError::Size { found: bytes.len(), max: LIST_BODY_BYTES_MAX });
    }
    serde_json::from_slice(bytes).map_err(|wrong| DocumentError::Json { reason: wrong.to_string() })
}

fn names<T: std::str::FromStr>(texts: Vec<String>) -> NamesPage<T> {
    let found = texts.len();
    let names: Vec<T> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    NamesPage { unreadable: found - names.len(), names }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_as_the_specification_says_and_read_back() {
        let repository = "shop/api".parse().unwrap();
        let tags: Vec<Tag> = ["1.4", "uat"].iter().map(|t| t.parse().unwrap()).collect();
        let written = write_tags(&repository, &tags);
        assert_eq!(written, br#"{"name":"shop/api","tags":["1.4","uat"]}"#);
        assert_eq!(read_tags(&written).unwrap().names, tags);
        assert_eq!(write_tags(&repository, &[]), br#"{"name":"shop/api","tags":[]}"#);
    }

    #[test]
    fn the_catalogue_is_written_and_read_back() {
        let repositories = ["shop/api".parse().unwrap()];
        let written = write_catalog(&repositories);
        assert_eq!(written, br#"{"repositories":["shop/api"]}"#);
        assert_eq!(read_catalog(&written).unwrap().names, repositories);
    }

    #[test]
    fn what_is_no_name_is_counted() {
        let page = read_tags(br#"{"name":"x","tags":["a","-b","c d"],"child":[]}"#).unwrap();
        assert_eq!((page.names.len(), page.unreadable), (1, 2));
        assert!(read_tags(br#"{"name":"x","tags":null}"#).unwrap().names.is_empty());
        for bad in ["", "[]", r#"{"tags":"a"}"#, r#"{"tags":[1]}"#] {
            assert!(read_tags(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_is_read_at_32_mib_and_refused_above() {
        let mut padded = br#"{"tags":[]}"#.to_vec();
        padded.resize(LIST_BODY_BYTES_MAX, b' ');
        assert!(read_tags(&padded).is_ok());
        padded.push(b' ');
        assert!(matches!(read_tags(&padded), Err(DocumentError::Size { .. })));
    }
}
