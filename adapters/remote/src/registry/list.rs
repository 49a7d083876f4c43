//! Lists tags, and deletes.

use std::collections::BTreeSet;

use domain::{Digest, Tag};
use http::{Method, Uri, header};
use oci::client::location::{Origin, resolve};
use oci::limit::{LIST_BODY_BYTES_MAX, PAGE_ENTRIES_MAX};
use oci::link::read_next;
use oci::page::read_tags;
use oci::route::{ManifestRef, PageQuery};
use oci::target;

use super::RemoteRepository;
use super::answer::Answer;
use super::request::Request;
use crate::error::RemoteError;

/// How many pages are read: a million tags, or a registry whose pages never end.
pub(super) const PAGES_MAX: usize = 1000;

/// The tags of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagList {
    /// In the registry's order.
    pub tags: Vec<Tag>,
    /// How many entries are no tags, and are left out.
    pub unreadable: usize,
}

impl RemoteRepository {
    /// Lists all tags, page after page.
    ///
    /// # Errors
    /// [`RemoteError::NotFound`] when there is no such repository; the list does not end, or leads to itself.
    pub async fn tags(&self) -> Result<TagList, RemoteError> {
        let page = PageQuery { n: Some(PAGE_ENTRIES_MAX), last: None };
        let first = target::tags(&self.path, &page);
        let mut asked = BTreeSet::from([first.clone()]);
        let mut request = self.list_request(first);
        let mut list = TagList::default();
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES_MAX {
            let (max, what) = (LIST_BODY_BYTES_MAX, "the list of tags");
            let answer = self.connection.exchange_whole(&request, max, what).await?;
            let answer = answer.expect(&[200], &request).await?;
            let next = self.next_page(&answer)?;
            let body = answer.body(max, what).await?;
            let page = read_tags(&body).map_err(|cause| {
                RemoteError::document(format!("the list of tags of {}", self.path), cause)
            })?;
            list.unreadable += page.unreadable;
            list.tags.extend(page.names.into_iter().filter(|tag| seen.insert(tag.clone())));
            let Some(next) = next else { return Ok(list) };
            // A page may hold nothing new, because another tag was deleted meanwhile, and still have a next one.
            if !asked.insert(next.clone()) {
                let why = "its list of tags leads to itself: the rest cannot be read";
                return Err(RemoteError::protocol(self.place(), why));
            }
            request = self.list_request(next);
        }
        Err(RemoteError::protocol(
            self.place(),
            format!("its list of tags has more than {PAGES_MAX} pages"),
        ))
    }

    fn list_request(&self, target: String) -> Request {
        Request::get(target)
            .scopes(self.pull())
            .about(format!("repository {}", self.path))
            .doing(format!("list the tags of {}", self.path))
    }

    /// The target of the next page, on the same registry.
    pub(super) fn next_page(&self, answer: &Answer) -> Result<Option<String>, RemoteError> {
        let links = answer.headers().get_all(header::LINK).iter();
        let Some(next) = read_next(links.filter_map(|value| value.to_str().ok())) else {
            return Ok(None);
        };
        let next = resolve(&answer.uri, &next).map_err(|cause| {
            RemoteError::protocol(self.place(), format!("a list's next page: {cause}"))
        })?;
        match next.origin {
            Origin::Same => Ok(Some(target_of(&next.uri))),
            Origin::Other => {
                Err(RemoteError::protocol(self.place(), "a list goes on at another host"))
            }
        }
    }

    /// Deletes a tag, or a manifest with its tags. Many registries do not allow the first.
    ///
    /// # Errors
    /// It is not there, or the registry does not delete.
    pub async fn delete_manifest(&self, name: &ManifestRef) -> Result<(), RemoteError> {
        let request = Request::new(Method::DELETE, target::manifest(&self.path, name))
            .scopes(self.delete())
            .about(self.called(name))
            .doing(format!("delete {}", self.called(name)));
        let answer = self.connection.exchange(&request).await?;
        answer.expect(&[200, 202, 204], &request).await.map(drop)
    }

    /// Deletes a blob.
    ///
    /// # Errors
    /// It is not there, or the registry does not delete.
    pub async fn delete_blob(&self, digest: &Digest) -> Result<(), RemoteError> {
        let request = Request::new(Method::DELETE, target::blob(&self.path, digest))
            .scopes(self.delete())
            .about(format!("blob {digest} in {}", self.path))
            .doing(format!("delete blobs of {}", self.path));
        let answer = self.connection.exchange(&request).await?;
        answer.expect(&[200, 202, 204], &request).await.map(drop)
    }
}

fn target_of(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}
