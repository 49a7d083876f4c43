//! Server-side apply of images, and of nothing else.
//!
//! ```text
//! {spec: {template: {spec: {containers: [{name: api, image: reg/shop/api:1@sha256:9f…}]}}}}   as `indelible`
//! ```
//! First without force: where another manager owns a field, the server says who, and that decides.

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::workload::{Edits, WorkloadFacts};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, ObjectMeta, Patch, PatchParams,
};
use kube::core::Status;
use positions::Positions;
use release::rollout::{Manager, Slot, Workload, WorkloadKind};
use serde_json::Value;
use std::collections::BTreeSet;

mod body;
mod job;
mod positions;

/// Our name as a field manager.
pub const FIELD_MANAGER: &str = "indelible";

/// Whether an image that kubectl or a stranger set is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// Only ours is changed.
    Never,
    /// We were told to.
    Told,
    /// Also from Argo CD, whose automatic sync is suspended meanwhile.
    BreakGlass,
}

/// Whether the server stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// It checks everything and stores nothing.
    Only,
    /// It stores it.
    No,
}

/// Why images were not set.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Another system deploys there.
    #[error("{system} owns the image of {workload} and would put its own back: deploy through it")]
    System {
        /// The workload.
        workload: Workload,
        /// The system, and its field manager.
        system: String,
    },
    /// Somebody else set the image.
    #[error("the image of {workload} was set by {}", owners(.managers))]
    Owned {
        /// The workload.
        workload: Workload,
        /// Who.
        managers: Vec<Manager>,
    },
    /// A policy or webhook of the cluster does not let it in.
    #[error("the cluster does not let the change of {workload} in: {message}")]
    NotAdmitted {
        /// The workload.
        workload: Workload,
        /// Its words.
        message: String,
    },
}

/// Whether a server said that a change is wrong, rather than that it could not tell.
///
/// Source: `k8s.io/apiserver/pkg/admission`: webhooks answer 400 or 403 unless they say more, policies 422 or 403.
fn not_admitted(error: ClusterError, workload: &Workload) -> ApplyError {
    if let ClusterError::Refused { code: 400 | 403 | 422, message, .. } = error {
        return ApplyError::NotAdmitted { workload: workload.clone(), message };
    }
    ApplyError::Cluster(error)
}

/// Whether a webhook cannot rehearse: then only the change itself can tell.
///
/// Source: `k8s.io/apiserver/pkg/admission/plugin/webhook/errors`, `NewDryRunUnsupportedErr`.
fn cannot_rehearse(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Refused { message, .. } if message.contains("does not support dry run"))
}

fn owners(managers: &[Manager]) -> String {
    managers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Cluster {
    /// Sets images of a workload's template; gives the generation that this made.
    ///
    /// # Errors
    /// Another manager owns one of them, or the cluster refuses or does not answer.
    pub async fn apply_images(
        &self,
        (namespace, workload): (&str, &Workload),
        facts: &WorkloadFacts,
        images: &[Slot],
        take_over: TakeOver,
        rehearsal: Rehearsal,
    ) -> Result<i64, ApplyError> {
        if let Edits::New(base) = &facts.edits {
            // A copy of a marked Job would be taken for its system's own, and removed by it.
            may_copy(workload, base, take_over)?;
            let body = job::next_of(workload, base, images);
            return self.create_job((namespace, workload), &body, rehearsal).await;
        }
        let named = match &facts.edits {
            Edits::Deployment(name) => &Workload::of(WorkloadKind::Deployment, name.clone()),
            Edits::Itself | Edits::Positions(_) | Edits::New(_) => workload,
        };
        if let Edits::Positions(object) = &facts.edits {
            let asked = Positions { namespace, workload, object, images, take_over, rehearsal };
            return self.replace_images(&asked).await;
        }
        let body = body::body(named, facts, images);
        let params = PatchParams {
            dry_run: rehearsal == Rehearsal::Only,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let tell =
            async |params: &PatchParams| match self.patch(namespace, named, params, &body).await {
                Err(error) if params.dry_run && cannot_rehearse(&error) => {
                    Ok(Patched::Generation(facts.generation))
                }
                told => told.map_err(|error| not_admitted(error, workload)),
            };
        let status = match tell(&params).await? {
            Patched::Generation(generation) => return Ok(generation),
            Patched::Conflict(status) => status,
        };
        may_take(workload, managers(&status), &facts.meta, take_over)?;
        match tell(&params.force()).await? {
            Patched::Generation(generation) => Ok(generation),
            Patched::Conflict(status) => {
                let of = |status| {
                    ClusterError::of(kube::Error::Api(status), &self.context, "patch", String::new)
                };
                Err(of(status).into())
            }
        }
    }

    async fn patch(
        &self,
        namespace: &str,
        workload: &Workload,
        params: &PatchParams,
        body: &Value,
    ) -> Result<Patched, ClusterError> {
        let api = self.api_of(namespace, workload.kind);
        let what = || format!("{workload} in namespace {namespace}");
        let patch = Patch::Apply(body);
        let asked = async {
            match api.patch(workload.name(), params, &patch).await {
                Ok(object) => {
                    Ok(Patched::Generation(object.metadata.generation.unwrap_or_default()))
                }
                Err(kube::Error::Api(status)) if is_conflict(&status) => {
                    Ok(Patched::Conflict(status))
                }
                Err(error) => Err(error),
            }
        };
        self.within("patch", what, asked).await
    }
}

impl Cluster {
    /// The objects of a kind, whatever they hold.
    pub(crate) fn api_of(&self, namespace: &str, kind: WorkloadKind) -> Api<DynamicObject> {
        let (group, version) = kind.api_version().split_once('/').unwrap_or_default();
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind.name()));
        Api::namespaced_with(self.client.clone(), namespace, &kind)
    }
}

enum Patched {
    Generation(i64),
    Conflict(Box<Status>),
}

fn is_conflict(status: &Status) -> bool {
    status.code == 409 && !managers(status).is_empty()
}

/// The managers that a conflict names: `conflict with "kubectl-edit" using apps/v1`.
///
/// Source: `k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go`.
fn managers(status: &Status) -> Vec<Manager> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let named = causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .filter_map(|cause| cause.message.split('"').nth(1));
    named.map(Manager::of).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Goes on only where the owners of an image may be taken over.
fn may_take(
    workload: &Workload,
    managers: Vec<Manager>,
    meta: &ObjectMeta,
    take_over: TakeOver,
) -> Result<(), ApplyError> {
    if let Some(system) = system(&managers, meta).filter(|system| !is_broken(system, take_over)) {
        return Err(ApplyError::System { workload: workload.clone(), system });
    }
    if take_over == TakeOver::Never && !managers.is_empty() {
        return Err(ApplyError::Owned { workload: workload.clone(), managers });
    }
    Ok(())
}

/// Goes on only where no system says that a Job is its own.
fn may_copy(workload: &Workload, base: &Value, take_over: TakeOver) -> Result<(), ApplyError> {
    let meta: ObjectMeta = serde_json::from_value(base["metadata"].clone()).unwrap_or_default();
    may_take(workload, Vec::new(), &meta, take_over)
}

/// Whether we were told to go past a system: past Argo CD only, whose sync is suspended meanwhile.
fn is_broken(system: &str, take_over: TakeOver) -> bool {
    take_over == TakeOver::BreakGlass && system.starts_with("Argo CD")
}

/// The system that would put its own image back.
fn system(managers: &[Manager], meta: &ObjectMeta) -> Option<String> {
    let by_manager = managers.iter().find_map(|manager| match manager {
        Manager::System { .. } => Some(manager.to_string()),
        Manager::Kubectl(_) | Manager::Other(_) => None,
    });
    by_manager.or_else(|| {
        let labels = meta.labels.iter().flat_map(|map| map.keys().map(String::as_str));
        let annotations = meta.annotations.iter().flat_map(|map| map.keys().map(String::as_str));
        Manager::marked(labels, annotations).map(ToOwned::to_owned)
    })
}

/// Whether we wrote what an entry of `managedFields` speaks of.
pub(crate) fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an API server of Kubernetes 1.35 answers a conflict.
    #[test]
    fn a_conflict_names_its_managers() {
        let text = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 409, "reason": "Conflict",
          "message": "Apply failed with 2 conflicts",
          "details": {"causes": [
            {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-client-side-apply\" using apps/v1", "field": ".spec.template.spec.containers[name=\"api\"].image"},
            {"reason": "FieldManagerConflict", "message": "conflict with \"argocd-controller\" using apps/v1", "field": ".x"}]}}"#;
        let status: Status = serde_json::from_str(text).unwrap();
        assert!(is_conflict(&status));
        let managers = managers(&status);
        let names: Vec<_> = managers.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Argo CD (argocd-controller)", "kubectl-client-side-apply"]);
        assert_eq!(
            system(&managers, &ObjectMeta::default()).as_deref(),
            Some("Argo CD (argocd-controller)")
        );
        let kubectl = [Manager::of("kubectl-client-side-apply")];
        assert_eq!(system(&kubectl, &ObjectMeta::default()), None);
        let annotations = [("meta.helm.sh/release-name".to_owned(), "api".to_owned())];
        let marked = ObjectMeta { annotations: Some(annotations.into()), ..ObjectMeta::default() };
        assert_eq!(system(&kubectl, &marked).as_deref(), Some("Helm"));
    }

    #[test]
    fn a_system_s_image_is_taken_only_from_argo_cd_and_only_where_the_glass_is_broken() {
        let workload: Workload = "rollout/api".parse().unwrap();
        let kubectl = || vec![Manager::of("kubectl-edit")];
        let marked = |key: &str| ObjectMeta {
            annotations: Some([(key.to_owned(), "x".to_owned())].into()),
            ..ObjectMeta::default()
        };
        let (argo, helm) =
            (marked("argocd.argoproj.io/tracking-id"), marked("meta.helm.sh/release-name"));
        let told = |managers, meta: &ObjectMeta, take_over| match may_take(
            &workload, managers, meta, take_over,
        ) {
            Ok(()) => "taken".to_owned(),
            Err(ApplyError::System { system, .. }) => system,
            Err(ApplyError::Owned { managers, .. }) => owners(&managers),
            Err(other) => panic!("{other}"),
        };
        let plain = ObjectMeta::default();
        assert_eq!(told(kubectl(), &plain, TakeOver::Never), "kubectl-edit");
        assert_eq!(told(kubectl(), &plain, TakeOver::Told), "taken");
        assert_eq!(told(kubectl(), &argo, TakeOver::Told), "Argo CD");
        assert_eq!(told(kubectl(), &argo, TakeOver::BreakGlass), "taken");
        assert_eq!(told(kubectl(), &helm, TakeOver::BreakGlass), "Helm");
        assert_eq!(told(Vec::new(), &plain, TakeOver::Never), "taken");
        // A Job is copied, so its own marks decide.
        let job = |key: &str| serde_json::json!({"metadata": {"labels": {key: "shop"}}});
        let copied = |base: &Value, how| may_copy(&workload, base, how).is_ok();
        assert!(copied(&job("app"), TakeOver::Never));
        assert!(!copied(&job("argocd.argoproj.io/instance"), TakeOver::Told));
        assert!(!copied(&job("kustomize.toolkit.fluxcd.io/name"), TakeOver::BreakGlass));
    }
}
