//! Kubernetes Events: a word on a workload, where `kubectl describe` and `kubectl get events` show it.
//!
//! Source: Kubernetes API, events.k8s.io/v1: `eventTime`, `reportingController`, `reportingInstance`, `action`,
//! `reason` and `type` are required of new events; a note has at most 1 024 bytes.

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::owner::Looked;
use domain::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff;
use kube::api::{Api, ObjectMeta, PostParams};
use release::observed::Owner;

/// Who says it. Source: Kubernetes API: a qualified name.
const CONTROLLER: &str = "indelible.dev/watch";
/// Source: Kubernetes API, events.k8s.io/v1, `note`.
const NOTE_BYTES_MAX: usize = 1_024;

/// What is said about a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The name of the object: the same remark again is not made twice.
    pub name: String,
    /// `TwoBuilds`
    pub reason: String,
    /// One sentence.
    pub note: String,
    /// Whether somebody should look.
    pub weight: Weight,
    /// When.
    pub at: Timestamp,
}

/// Whether somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Yes.
    Warning,
    /// No: it is over.
    Normal,
}

impl Cluster {
    /// Makes an Event; one that is there already is left as it is.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn remark(
        &self,
        namespace: &str,
        owner: &Owner,
        looked: &Looked,
        remark: &Remark,
    ) -> Result<(), ClusterError> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let what = || format!("events in namespace {namespace}");
        let event = event(namespace, owner, looked, remark);
        let made = self.within("create", what, api.create(&PostParams::default(), &event)).await;
        match made {
            Err(ClusterError::Refused { code: 409, .. }) => Ok(()),
            made => made.map(drop),
        }
    }
}

fn event(namespace: &str, owner: &Owner, looked: &Looked, remark: &Remark) -> Event {
    let at = jiff::Timestamp::from_millisecond(remark.at.as_millis()).unwrap_or_default();
    Event {
        metadata: ObjectMeta {
            name: Some(remark.name.clone()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime(at)),
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some("indelible".to_owned()),
        action: Some("Watch".to_owned()),
        reason: Some(remark.reason.clone()),
        regarding: Some(ObjectReference {
            api_version: Some(looked.api_version.clone()),
            kind: Some(looked.kind.clone()),
            namespace: Some(namespace.to_owned()),
            name: Some(owner.name.clone()),
            uid: Some(looked.uid.clone()),
            ..ObjectReference::default()
        }),
        note: Some(cut(&remark.note)),
        type_: Some(
            match remark.weight {
                Weight::Warning => "Warning",
                Weight::Normal => "Normal",
            }
            .to_owned(),
        ),
        ..Event::default()
    }
}

/// As much as fits, whole characters.
fn cut(note: &str) -> String {
    let mut end = note.len().min(NOTE_BYTES_MAX);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_of_the_longest_length_stays_and_a_longer_one_is_cut_between_characters() {
        let longest = "x".repeat(NOTE_BYTES_MAX);
        assert_eq!(cut(&longest), longest);
        assert_eq!(cut(&format!("{longest}y")), longest);
        assert_eq!(cut(&format!("{}é", "x".repeat(NOTE_BYTES_MAX - 1))).len(), NOTE_BYTES_MAX - 1);
    }
}
