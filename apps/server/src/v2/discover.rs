//! Lists: tags, repositories, and what is attached to a manifest.

use super::Context;
use super::answer::Answering;
use crate::access::Need;
use crate::body::Body;
use crate::reply::Refusal;
use domain::{Digest, RepositoryPath};
use http::header::{self, HeaderName};
use http::{Response, StatusCode};
use oci::limit::MANIFEST_BYTES_DEFAULT;
use oci::query::encode;
use oci::{ErrorCode, PageQuery, RouteError, media_type::ManifestType};

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// Repositories that are read at a time while those that the caller may not read are left out.
const CATALOG_STEP: usize = 1_000;
/// Steps for one page: a page may be short, its link still leads on.
const CATALOG_STEPS_MAX: usize = 32;

impl Context<'_> {
    /// `GET …/tags/list`.
    pub(super) async fn tags(
        &self,
        repository: &RepositoryPath,
        page: &PageQuery,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Read, repository)?;
        let n = page.entries();
        let found = self.app.catalog.tags(repository, page.last.as_deref(), n + 1).await?;
        let mut tags = found.ok_or_else(|| {
            Refusal::unknown(ErrorCode::NameUnknown, format!("there is no repository {repository}"))
        })?;
        let has_more = tags.len() > n;
        tags.truncate(n);
        let mut answer = Answering::new(StatusCode::OK);
        if let Some(last) = tags.last().filter(|_| has_more) {
            let target = format!("/v2/{repository}/tags/list?n={n}&last={}", encode(last.as_str()));
            answer = answer.with(header::LINK, &oci::link::write_next(&target));
        }
        Ok(answer.json(oci::page::write_tags(repository, &tags)))
    }

    /// `GET /v2/_catalog`: only what the caller may read.
    pub(super) async fn catalog(&self, page: &PageQuery) -> Result<Response<Body>, Refusal> {
        let n = page.entries();
        let mut after = page.last.clone();
        let mut repositories: Vec<RepositoryPath> = Vec::new();
        let mut has_more = n > 0;
        let step = if self.caller.reads_everything() { n + 1 } else { CATALOG_STEP };
        for _ in 0..CATALOG_STEPS_MAX {
            if repositories.len() > n || !has_more {
                break;
            }
            let found = self.app.catalog.repositories(after.as_deref(), step).await?;
            has_more = found.len() == step;
            after = found.last().map(|last| last.as_str().to_owned()).or(after);
            repositories.extend(found.into_iter().filter(|name| self.caller.may(Need::Read, name)));
        }
        if repositories.len() > n {
            repositories.truncate(n);
            after = repositories.last().map(|last| last.as_str().to_owned());
            has_more = n > 0;
        }
        let mut answer = Answering::new(StatusCode::OK);
        if let Some(last) = after.filter(|_| has_more) {
            let target = format!("/v2/_catalog?n={n}&last={}", encode(&last));
            answer = answer.with(header::LINK, &oci::link::write_next(&target));
        }
        Ok(answer.json(oci::page::write_catalog(&repositories)))
    }

    /// `GET …/referrers/<digest>`: a list, never a 404.
    pub(super) async fn referrers(
        &self,
        repository: &RepositoryPath,
        subject: &Digest,
        artifact_type: Option<&str>,
        page: &PageQuery,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Read, repository)?;
        let after = page.last.as_deref().map(str::parse::<Digest>).transpose();
        let after = after.map_err(|error| Refusal::Route(RouteError::Digest(error)))?;
        // A page of no entries would lead nowhere.
        let n = page.entries().max(1);
        let catalog = &self.app.catalog;
        let mut found =
            catalog.referrers(repository, subject, artifact_type, after.as_ref(), n + 1).await?;
        let mut has_more = found.len() > n;
        found.truncate(n);
        let written = oci::referrers_page(&found, artifact_type, MANIFEST_BYTES_DEFAULT);
        has_more |= written.looked_at < found.len();
        let mut answer = Answering::new(StatusCode::OK)
            .with_static(header::CONTENT_TYPE, ManifestType::OciIndex.as_str());
        if artifact_type.is_some() {
            answer = answer.with_static(FILTERS_APPLIED, "artifactType");
        }
        let last = written.looked_at.checked_sub(1).and_then(|at| found.get(at));
        if let Some(last) = last.filter(|_| has_more) {
            let filter = artifact_type
                .map_or_else(String::new, |kind| format!("&artifactType={}", encode(kind)));
            let digest = encode(&last.digest.to_string());
            let target =
                format!("/v2/{repository}/referrers/{subject}?n={n}&last={digest}{filter}");
            answer = answer.with(header::LINK, &oci::link::write_next(&target));
        }
        Ok(answer.body(Body::full(written.bytes.into())))
    }
}
