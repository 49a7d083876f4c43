//! The last segments of a path, which say what is asked for.

/// What stands after the repository's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End<'a> {
    /// `_catalog`, without a name.
    Catalog,
    /// `blobs/<digest>`.
    Blob(&'a str),
    /// `blobs/uploads/`, with or without the slash.
    Uploads,
    /// `blobs/uploads/<id>`.
    Upload(&'a str),
    /// `manifests/<reference>`.
    Manifest(&'a str),
    /// `tags/list`.
    Tags,
    /// `referrers/<digest>`.
    Referrers(&'a str),
    /// `_indelible/tags/<tag>/history` or `_oci/tag-history/<tag>`.
    History(&'a str),
}

impl<'a> End<'a> {
    /// Splits the segments after `/v2/` into the name's and the end.
    pub(super) fn split<'b>(segments: &'b [&'a str]) -> Option<(&'b [&'a str], Self)> {
        // First what has a word with `_`: a tag called `manifests` would else be taken for the place.
        match segments {
            ["_catalog"] => return Some((&[], Self::Catalog)),
            [name @ .., "_indelible", "tags", tag, "history"] => {
                return Some((name, Self::History(tag)));
            }
            [name @ .., "_oci", "tag-history", tag] => return Some((name, Self::History(tag))),
            _ => {}
        }
        let (name, end) = match segments {
            [name @ .., "blobs", "uploads", ""] => (name, Self::Uploads),
            [name @ .., "blobs", "uploads", id] => (name, Self::Upload(id)),
            [name @ .., "blobs", "uploads"] => (name, Self::Uploads),
            [name @ .., "blobs", digest] => (name, Self::Blob(digest)),
            [name @ .., "manifests", reference] => (name, Self::Manifest(reference)),
            [name @ .., "tags", "list"] => (name, Self::Tags),
            [name @ .., "referrers", digest] => (name, Self::Referrers(digest)),
            _ => return None,
        };
        if name.is_empty() { None } else { Some((name, end)) }
    }
}
