//! What the API server lets this user do, asked before it is needed.
//!
//! ```text
//! watch pods in shop  ->  SelfSubjectAccessReview  ->  yes, no, or not known
//! ```
//! Source: Kubernetes API reference, authorization.k8s.io/v1. Each user may ask about itself.

use crate::connect::Cluster;
use crate::error::ClusterError;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};

/// A right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedRight {
    /// `watch`, `patch`.
    pub verb: &'static str,
    /// `apps`; empty for the core group.
    pub group: &'static str,
    /// `deployments`.
    pub resource: &'static str,
}

impl std::fmt::Display for AskedRight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.group {
            "" => write!(f, "{} {}", self.verb, self.resource),
            group => write!(f, "{} {}.{group}", self.verb, self.resource),
        }
    }
}

impl Cluster {
    /// Whether this user has a right in a namespace; none: in all of them.
    ///
    /// # Errors
    /// The API server could not be asked.
    pub async fn has_right(
        &self,
        right: &AskedRight,
        namespace: Option<&str>,
    ) -> Result<bool, ClusterError> {
        let attributes = ResourceAttributes {
            verb: Some(right.verb.to_owned()),
            group: Some(right.group.to_owned()),
            resource: Some(right.resource.to_owned()),
            namespace: namespace.map(str::to_owned),
            ..ResourceAttributes::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let (what, params) = (|| "a review of its own rights".to_owned(), PostParams::default());
        let asked = self.within("create", what, api.create(&params, &review)).await?;
        Ok(asked.status.is_some_and(|status| status.allowed))
    }
}
