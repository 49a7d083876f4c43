//! What is attached to a manifest: asked by the API, else kept and read under the fallback tag.
//!
//! Source: OCI distribution-spec 1.1, "Listing Referrers" and "Unavailable Referrers API".

use std::collections::BTreeSet;

use domain::{Digest, Tag};
use http::header;
use oci::ImageFormat;
use oci::client::header::is_filtered_by_artifact_type;
use oci::document::descriptor::Descriptor;
use oci::document::manifest::Manifest;
use oci::document::referrers::{fallback_tag, referrer_descriptor};
use oci::limit::{MANIFEST_BYTES_SETTABLE_MAX, ManifestLimit};
use oci::media_type::{ManifestType, essence};
use oci::route::{ManifestRef, PageQuery};
use oci::target;

use super::list::PAGES_MAX;
use super::request::Request;
use super::{AliasMove, RemoteRepository, SubjectNoted, TagAt};
use crate::content::ManifestBytes;
use crate::error::{RemoteError, or_absent};

/// How often the fallback list is written again after another writer was quicker.
const LIST_TRIES: usize = 5;

impl RemoteRepository {
    /// Lists what is attached to a manifest, all or of one artifact type.
    ///
    /// # Errors
    /// It could not be found out, also where the list does not end or leads to itself; nothing attached is an
    /// empty list.
    pub async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, RemoteError> {
        let first = target::referrers(
            &self.path,
            subject,
            artifact_type,
            &PageQuery { n: None, last: None },
        );
        let mut asked = BTreeSet::from([first.clone()]);
        let mut request = self.referrers_request(first);
        let (mut found, mut is_filtered) = (Vec::new(), true);
        for page in 0..PAGES_MAX {
            let (max, what) = (MANIFEST_BYTES_SETTABLE_MAX, "the list of referrers");
            let answer = self.connection.exchange_whole(&request, max, what).await?;
            if page == 0
                && is_without_api(answer.status().as_u16(), answer.header(header::CONTENT_TYPE))
            {
                let listed = self.fallback_list(subject).await?;
                return Ok(of_type(
                    listed.map(|(_, list)| list).unwrap_or_default(),
                    artifact_type,
                ));
            }
            let answer = answer.expect(&[200], &request).await?;
            is_filtered &= is_filtered_by_artifact_type(answer.headers());
            let next = self.next_page(&answer)?;
            let body = answer.body(max, what).await?;
            let listed = read_list(&body).map_err(|cause| self.unreadable(subject, cause))?;
            found.extend(listed);
            let Some(next) = next else {
                return Ok(of_type(found, artifact_type.filter(|_| !is_filtered)));
            };
            // A page may hold nothing, because its entries are of other types, and still have a next one.
            if !asked.insert(next.clone()) {
                let why = "its list of referrers leads to itself: the rest cannot be read";
                return Err(RemoteError::protocol(self.place(), why));
            }
            request = self.referrers_request(next);
        }
        Err(RemoteError::protocol(
            self.place(),
            format!("its list of referrers has more than {PAGES_MAX} pages"),
        ))
    }

    /// Puts a manifest that has a subject, and keeps the fallback list where the registry does not.
    ///
    /// # Errors
    /// The manifest is not taken, or the list cannot be written.
    pub async fn put_referrer(&self, referrer: &ManifestBytes) -> Result<(), RemoteError> {
        let manifest = referrer.read()?;
        let noted = self.put_manifest(referrer).await?;
        let Some(subject) = &manifest.subject else {
            return Ok(());
        };
        match noted {
            SubjectNoted::ByRegistry => Ok(()),
            SubjectNoted::No => {
                let size = referrer.bytes.len() as u64;
                let entry = referrer_descriptor(referrer.digest, size, &manifest);
                self.add_to_fallback_list(&subject.digest, entry).await
            }
        }
    }

    async fn add_to_fallback_list(
        &self,
        subject: &Digest,
        entry: Descriptor,
    ) -> Result<(), RemoteError> {
        let tag = list_tag(subject)?;
        for _ in 0..LIST_TRIES {
            let (at, mut list) = match self.fallback_list(subject).await? {
                Some((at, list)) => (TagAt::Digest(at), list),
                None => (TagAt::Absent, Vec::new()),
            };
            if list.iter().any(|listed| listed.digest == entry.digest) {
                return Ok(());
            }
            list.push(entry.clone());
            let index = Manifest::index(ImageFormat::Oci, list);
            let index = ManifestBytes::new(ManifestType::OciIndex.as_str(), index.write());
            match self.move_alias(&index, &tag, at).await? {
                AliasMove::Moved { .. } | AliasMove::Same => return Ok(()),
                AliasMove::Elsewhere { .. } => {}
                AliasMove::Denied { answered } => {
                    let action = format!("write the list of referrers {}:{tag}", self.path);
                    return Err(RemoteError::Denied { answered, action });
                }
            }
        }
        Err(RemoteError::protocol(
            self.place(),
            format!(
                "the list of referrers {}:{tag} is written by others faster than by us",
                self.path
            ),
        ))
    }

    async fn fallback_list(
        &self,
        subject: &Digest,
    ) -> Result<Option<(Digest, Vec<Descriptor>)>, RemoteError> {
        let asked = self.manifest_by_tag(&list_tag(subject)?).await;
        let Some(found) = or_absent(asked)? else {
            return Ok(None);
        };
        let list = read_list(&found.bytes).map_err(|cause| self.unreadable(subject, cause))?;
        Ok(Some((found.digest, list)))
    }

    fn referrers_request(&self, target: String) -> Request {
        Request::get(target)
            .text(header::ACCEPT, ManifestType::OciIndex.as_str())
            .scopes(self.pull())
            .about(format!("list of referrers in {}", self.path))
            .doing(format!("list the referrers of {}", self.path))
    }

    fn unreadable(&self, subject: &Digest, cause: oci::DocumentError) -> RemoteError {
        let name = self.called(&ManifestRef::Digest(*subject));
        RemoteError::document(format!("the list of referrers of {name}"), cause)
    }
}

fn list_tag(subject: &Digest) -> Result<Tag, RemoteError> {
    let tag = fallback_tag(subject).parse::<Tag>();
    tag.map_err(|wrong| RemoteError::protocol("the referrers tag", wrong.to_string()))
}

/// A registry without the API answers 404, some 400 or 405, and some 200 with a web page.
fn is_without_api(status: u16, content_type: Option<&str>) -> bool {
    let is_index = content_type.is_some_and(|kind| essence(kind).ends_with("json"));
    matches!(status, 400 | 404 | 405) || (status == 200 && !is_index)
}

fn read_list(bytes: &[u8]) -> Result<Vec<Descriptor>, oci::DocumentError> {
    let limit =
        ManifestLimit::new(MANIFEST_BYTES_SETTABLE_MAX).expect("the largest that can be set");
    let index = Manifest::read_within(bytes, Some(ManifestType::OciIndex.as_str()), limit)?;
    Ok(index.children().to_vec())
}

fn of_type(mut list: Vec<Descriptor>, artifact_type: Option<&str>) -> Vec<Descriptor> {
    list.retain(|entry| {
        artifact_type.is_none_or(|wanted| entry.artifact_type.as_deref() == Some(wanted))
    });
    list
}
