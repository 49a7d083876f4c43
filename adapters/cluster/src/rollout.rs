//! One look at a rollout: the workload, its newest ReplicaSet, its pods; and why a pod fails.

mod changes;
mod revisions;

pub use changes::Changes;

use crate::apply::is_ours;
use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::pods::PAGE;
use crate::workload::{Newest, REVISION, WorkloadFacts};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::api::{Api, DeleteParams, ListParams, LogParams, ObjectMeta, Preconditions};
use release::observed::Role;
use release::rollout::{PodState, Seen, SeenContainer, SeenPod, Template, Workload};

/// Pods or ReplicaSets of one workload that are looked at. Source: Kubernetes, "Considerations for large clusters": no
/// more than 150 000 pods in a whole cluster.
const LISTED_MAX: usize = 150_000;
/// Events of one object that are read: a server keeps an hour of them.
const EVENTS_READ_MAX: u32 = 500;
/// Events of a failing pod that are told.
const EVENTS_MAX: usize = 3;
/// Log lines of a failing container that are told, and their bytes.
const LOG_LINES_MAX: i64 = 5;
const LOG_BYTES_MAX: i64 = 4_096;

/// What the kubelet writes in place of a log that it has removed.
const NO_LOG: &str = "unable to retrieve container logs for ";

/// What a cluster adds about a pod that fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// Warnings about it, the newest last.
    pub events: Vec<String>,
    /// The last lines of its log.
    pub log: Vec<String>,
}

impl Cluster {
    /// Looks at a workload and its pods; none: it is not there any more.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn rollout(
        &self,
        namespace: &str,
        workload: &Workload,
    ) -> Result<Option<Seen>, ClusterError> {
        let Some(facts) = self.workload(namespace, workload).await? else { return Ok(None) };
        let newest = self.newest(namespace, &facts).await?;
        // Without a selector it has no pods of its own, and every pod would be asked for.
        let pods = match facts.selector.as_str() {
            "" => Vec::new(),
            selector => self.of_selector::<Pod>(namespace, selector, "pods").await?,
        };
        let pods = pods.into_iter().filter_map(|pod| seen_pod(pod, &newest)).collect();
        Ok(Some(Seen {
            observed_generation: facts.observed_generation,
            template: facts.template,
            counts: facts.counts,
            cannot_create: newest.cannot_create,
            pods,
        }))
    }

    async fn newest(&self, namespace: &str, facts: &WorkloadFacts) -> Result<Pick, ClusterError> {
        let revision = match &facts.newest {
            Newest::RevisionOrGeneration(generation) => {
                let hash = self.newest_revision(namespace, facts).await;
                let by = By::RevisionOrGeneration { hash, generation: generation.clone() };
                return Ok(self.own_pods(namespace, facts, by).await);
            }
            Newest::Every => {
                return Ok(self.own_pods(namespace, facts, By::Nothing).await);
            }
            Newest::OfReplicaSet(label, value) => {
                let sets =
                    self.of_selector::<ReplicaSet>(namespace, &facts.selector, "replicasets");
                let sets = sets.await?.into_iter().filter(|set| is_of(&set.metadata, &facts.uid));
                return Ok(of_labelled_sets(sets.collect(), label, value.clone()));
            }
            Newest::Revision { newest, before } => {
                let (newest, before) = (newest.clone(), before.clone());
                return Ok(self.own_pods(namespace, facts, By::Revision { newest, before }).await);
            }
            Newest::ReplicaSet(revision) => revision,
        };
        let sets =
            self.of_selector::<ReplicaSet>(namespace, &facts.selector, "replicasets").await?;
        let mut sets: Vec<_> =
            sets.into_iter().filter(|set| is_of(&set.metadata, &facts.uid)).collect();
        let has = |set: &ReplicaSet| {
            let annotations = set.metadata.annotations.as_ref();
            revision.is_some() && annotations.and_then(|all| all.get(REVISION)) == revision.as_ref()
        };
        let uid = |set: &ReplicaSet| set.metadata.uid.clone().unwrap_or_default();
        let owner = Owner(sets.iter().map(uid).collect());
        let newest = sets.iter().position(has).map(|at| sets.swap_remove(at));
        let by = By::Owner(newest.as_ref().map(uid));
        Ok(Pick { owner, by, cannot_create: newest.and_then(replica_failure) })
    }

    /// The pods of a controller that makes them itself, and says only in events what it cannot make.
    async fn own_pods(&self, namespace: &str, facts: &WorkloadFacts, by: By) -> Pick {
        let cannot_create = self.refused_pod(namespace, facts).await;
        Pick { owner: Owner(vec![facts.uid.clone()]), by, cannot_create }
    }

    /// The newest word about making pods since the image was set, where that is a refusal; none where events cannot be read.
    async fn refused_pod(&self, namespace: &str, facts: &WorkloadFacts) -> Option<String> {
        let told = facts.meta.managed_fields.iter().flatten();
        let told = told.filter_map(|entry| entry.time.as_ref().filter(|_| is_ours(entry))).max()?;
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let of = format!("involvedObject.uid={}", facts.uid);
        let asked = ListParams::default().fields(&of).limit(EVENTS_READ_MAX);
        let listed = self.within("list", String::new, api.list(&asked)).await.ok()?;
        let at = |event: &Event| event.last_timestamp.as_ref().map(|at| at.0);
        let newest = listed
            .items
            .into_iter()
            .filter(|event| at(event).is_some_and(|at| at >= told.0))
            .filter(|event| {
                matches!(event.reason.as_deref(), Some("FailedCreate" | "SuccessfulCreate"))
            })
            .max_by_key(at)?;
        (newest.reason.as_deref() == Some("FailedCreate"))
            .then(|| newest.message.unwrap_or_default())
    }

    /// Deletes a pod, and no other one that has its name meanwhile; one that is gone is deleted.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn delete_pod(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<(), ClusterError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let only = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams { preconditions: Some(only), ..DeleteParams::default() };
        let what = || format!("pod {name} in namespace {namespace}");
        let asked = async {
            match api.delete(name, &params).await {
                Ok(_) => Ok(()),
                // It is gone, or another one has its name.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
                Err(error) => Err(error),
            }
        };
        self.within("delete", what, asked).await
    }

    async fn of_selector<K>(
        &self,
        namespace: &str,
        selector: &str,
        kind: &'static str,
    ) -> Result<Vec<K>, ClusterError>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
        K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let what = || format!("{kind} in namespace {namespace}");
        self.pages(&api, selector, what, LISTED_MAX).await
    }

    /// All pages of a list. A part of the pods says nothing about the others, so a list without an end is no answer.
    async fn pages<K>(
        &self,
        api: &Api<K>,
        selector: &str,
        what: impl Fn() -> String,
        items_max: usize,
    ) -> Result<Vec<K>, ClusterError>
    where
        K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        let (mut page, mut items) = (ListParams::default().labels(selector).limit(PAGE), vec![]);
        loop {
            let listed = self.within("list", &what, api.list(&page)).await?;
            items.extend(listed.items);
            match listed.metadata.continue_.filter(|token| !token.is_empty()) {
                None => return Ok(items),
                Some(_) if items.len() >= items_max => {
                    let (context, what) = (self.context.clone(), what());
                    return Err(ClusterError::TooMany { context, what, read: items.len() });
                }
                Some(token) => page.continue_token = Some(token),
            }
        }
    }

    /// Adds what events and the log say about a failing pod; nothing where they cannot be read.
    pub async fn explain(&self, namespace: &str, pod: &str, container: Option<&str>) -> Explained {
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let of_pod = format!("involvedObject.name={pod},type=Warning");
        let asked = ListParams::default().fields(&of_pod).limit(EVENTS_READ_MAX);
        let listed = self.within("list", String::new, events.list(&asked)).await;
        let mut events: Vec<_> = listed.map(|list| list.items).unwrap_or_default();
        events.sort_by_key(|event| event.last_timestamp.as_ref().map(|at| at.0));
        let line = |event: Event| {
            let reason = event.reason.unwrap_or_default();
            format!("{reason}: {}", event.message.unwrap_or_default())
        };
        let from = events.len().saturating_sub(EVENTS_MAX);
        let events = events.into_iter().skip(from).map(line).collect();
        let log = match container {
            Some(container) => self.log(namespace, pod, container).await,
            None => Vec::new(),
        };
        Explained { events, log }
    }

    /// The end of this run, or of the last one for a container that is between two; else of the run before.
    ///
    /// The kubelet keeps one ended run of a container: asked for an older one, it says so with status 200.
    async fn log(&self, namespace: &str, pod: &str, container: &str) -> Vec<String> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        for previous in [false, true] {
            let asked = LogParams {
                container: Some(container.to_owned()),
                tail_lines: Some(LOG_LINES_MAX),
                limit_bytes: Some(LOG_BYTES_MAX),
                previous,
                ..LogParams::default()
            };
            let text = self.within("get", String::new, pods.logs(pod, &asked)).await;
            let lines = text.map(|text| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>());
            match lines {
                Ok(lines) if lines.iter().any(|line| !line.starts_with(NO_LOG)) => return lines,
                Ok(_) | Err(_) => {}
            }
        }
        Vec::new()
    }
}

/// Which pods are the workload's, and which of them are new.
struct Pick {
    owner: Owner,
    by: By,
    cannot_create: Option<String>,
}

/// The pods of an Argo Rollout: its newest ReplicaSet is the one with this label.
fn of_labelled_sets(sets: Vec<ReplicaSet>, label: &'static str, value: Option<String>) -> Pick {
    let uid = |set: &ReplicaSet| set.metadata.uid.clone();
    let owner = Owner(sets.iter().filter_map(uid).collect());
    let newest = sets.into_iter().find(|set| {
        let labels = set.metadata.labels.as_ref();
        value.is_some() && labels.and_then(|labels| labels.get(label)) == value.as_ref()
    });
    Pick { owner, by: By::Label(label, value), cannot_create: newest.and_then(replica_failure) }
}

/// Why a ReplicaSet cannot make pods. Source: Kubernetes API v1.33, `ReplicaSetReplicaFailure`.
fn replica_failure(set: ReplicaSet) -> Option<String> {
    let mut conditions = set.status?.conditions?.into_iter();
    let failure = conditions.find(|one| one.type_ == "ReplicaFailure" && one.status == "True")?;
    Some(failure.message.unwrap_or_default())
}

/// The objects whose pods are the workload's.
struct Owner(Vec<String>);

enum By {
    /// New pods belong to this one.
    Owner(Option<String>),
    /// New pods carry the hash of the newest revision, or the generation of the template that they were made for.
    RevisionOrGeneration { hash: Option<String>, generation: Option<String> },
    /// New pods carry this label.
    Label(&'static str, Option<String>),
    /// All of them are new.
    Nothing,
    /// Pods carry the name of their revision.
    Revision { newest: Option<String>, before: Option<String> },
}

/// What each pod of a StatefulSet or DaemonSet carries.
pub(crate) const REVISION_HASH: &str = "controller-revision-hash";
/// What each pod of a DaemonSet carries besides.
const TEMPLATE_GENERATION: &str = "pod-template-generation";

fn is_of(meta: &ObjectMeta, uid: &str) -> bool {
    controller(meta) == Some(uid)
}

fn controller(meta: &ObjectMeta) -> Option<&str> {
    let owners = meta.owner_references.iter().flatten();
    owners.filter(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str()).next()
}

/// Reads a pod; none: it only has the same labels.
fn seen_pod(pod: Pod, newest: &Pick) -> Option<SeenPod> {
    let owner = controller(&pod.metadata)?;
    if !newest.owner.0.iter().any(|uid| uid == owner) {
        return None;
    }
    let label = |name: &str| pod.metadata.labels.as_ref().and_then(|labels| labels.get(name));
    let new_or_old = |is_new: bool| if is_new { Template::New } else { Template::Old };
    let template = match &newest.by {
        By::Owner(uid) => new_or_old(uid.as_deref() == Some(owner)),
        By::Label(name, value) => new_or_old(value.is_some() && label(name) == value.as_ref()),
        By::RevisionOrGeneration { hash, generation } => {
            let has = |name: &str, value: &Option<String>| {
                value.is_some() && label(name) == value.as_ref()
            };
            new_or_old(has(REVISION_HASH, hash) || has(TEMPLATE_GENERATION, generation))
        }
        By::Nothing => Template::New,
        By::Revision { newest, before } => match label(REVISION_HASH) {
            Some(hash) if Some(hash) == newest.as_ref() => Template::New,
            Some(hash) if before.as_ref().is_some_and(|before| before != hash) => {
                Template::Abandoned
            }
            Some(_) | None => Template::Old,
        },
    };
    let status = pod.status.unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let is = |kind: &str, word: &str| {
        conditions.iter().find(|one| one.type_ == kind && one.status == word)
    };
    let no_node =
        is("PodScheduled", "False").filter(|one| one.reason.as_deref() == Some("Unschedulable"));
    let state = if pod.metadata.deletion_timestamp.is_some() {
        PodState::Leaving
    } else if status.phase.as_deref() == Some("Succeeded") {
        PodState::Completed
    } else if is("Ready", "True").is_some() {
        PodState::Ready
    } else if let Some(condition) = no_node {
        PodState::Unschedulable(condition.message.clone().unwrap_or_default())
    } else {
        PodState::NotReady
    };
    let init = status.init_container_statuses.into_iter().flatten().map(|one| (Role::Init, one));
    let main = status.container_statuses.into_iter().flatten().map(|one| (Role::Main, one));
    Some(SeenPod {
        name: pod.metadata.name.unwrap_or_default(),
        uid: pod.metadata.uid.unwrap_or_default(),
        template,
        state,
        containers: init.chain(main).map(|(role, one)| seen_container(role, one)).collect(),
    })
}

fn seen_container(role: Role, status: ContainerStatus) -> SeenContainer {
    let (state, last) = (status.state.unwrap_or_default(), status.last_state.unwrap_or_default());
    let ended = state.terminated.as_ref().or(last.terminated.as_ref());
    SeenContainer {
        role,
        name: status.name,
        has_ended: state.terminated.is_some(),
        has_started: state.running.is_some() || state.terminated.is_some(),
        last_exit: ended.map(|ended| ended.exit_code),
        waiting: state.waiting.map(|waiting| {
            (waiting.reason.unwrap_or_default(), waiting.message.unwrap_or_default())
        }),
        image_id: status.image_id,
        restarts: u32::try_from(status.restart_count).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::scripted::{Answer, cluster};
    use serde_json::{Value, json};

    #[test]
    fn what_the_newest_replica_set_of_a_rollout_cannot_make_is_told_and_not_what_an_older_one_could_not()
     {
        let set = |hash: &str, status: &str| {
            let failure = json!({"type": "ReplicaFailure", "status": status, "reason": "FailedCreate", "message": format!("{hash} is refused")});
            let meta = json!({"name": format!("web-{hash}"), "uid": hash, "labels": {"app": "web", "rollouts-pod-template-hash": hash}});
            serde_json::from_value(
                json!({"metadata": meta, "status": {"replicas": 0, "conditions": [failure]}}),
            )
            .unwrap()
        };
        let pick = |newest: Option<&str>, status: &str| {
            let sets = vec![set("old", "True"), set("new", status)];
            let newest = newest.map(ToOwned::to_owned);
            of_labelled_sets(sets, "rollouts-pod-template-hash", newest)
        };
        assert_eq!(pick(Some("new"), "True").cannot_create.as_deref(), Some("new is refused"));
        assert_eq!(pick(Some("new"), "False").cannot_create, None, "it could at last");
        assert_eq!(pick(None, "True").cannot_create, None, "its controller has not said which");
        assert_eq!(pick(Some("new"), "True").owner.0, ["old", "new"]);
    }

    fn pods(names: std::ops::Range<usize>, more: &str) -> Answer {
        let pod = |at: usize| {
            json!({"metadata": {"name": format!("api-{at}"), "uid": format!("p{at}"),
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-1", "uid": "s1", "controller": true}]}})
        };
        let items: Vec<Value> = names.map(pod).collect();
        let list = json!({"apiVersion": "v1", "kind": "PodList", "metadata": {"continue": more}, "items": items});
        Answer::Whole(200, list.to_string())
    }

    fn answers(pods: impl IntoIterator<Item = Answer>) -> Vec<Answer> {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "api", "uid": "d1", "annotations": {REVISION: "3"}},
            "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {}}});
        let set = json!({"metadata": {"name": "api-1", "uid": "s1", "annotations": {REVISION: "3"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "api", "uid": "d1", "controller": true}]}});
        let sets = json!({"apiVersion": "apps/v1", "kind": "ReplicaSetList", "metadata": {}, "items": [set]});
        let first = [deployment, sets].map(|one| Answer::Whole(200, one.to_string()));
        first.into_iter().chain(pods).collect()
    }

    #[tokio::test]
    async fn every_page_of_a_workloads_pods_is_looked_at() {
        let (cluster, asked) =
            cluster(answers([pods(0..500, "b"), pods(500..1_000, "c"), pods(1_000..1_001, "")]));
        let seen = cluster.rollout("shop", &"deployment/api".parse().unwrap()).await;
        let seen = seen.unwrap().unwrap();
        assert_eq!(seen.pods.len(), 1_001);
        assert!(seen.pods.iter().all(|pod| pod.template == Template::New));
        let asked = asked.lock().unwrap().clone();
        assert!(asked[3].contains("continue=b") && asked[4].contains("continue=c"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_list_whose_rest_cannot_be_had_is_no_answer() {
        let gone = crate::watch::scripted::status(410, "Expired");
        let (cluster, _) = cluster(answers([pods(0..500, "b"), Answer::Whole(410, gone)]));
        let seen = cluster.rollout("shop", &"deployment/api".parse().unwrap()).await;
        assert!(matches!(seen, Err(ClusterError::Refused { code: 410, .. })), "{seen:?}");
    }

    #[tokio::test]
    async fn as_many_pods_as_may_be_are_looked_at_and_a_page_more_is_no_answer() {
        for (more, is_whole) in [("", true), ("more", false)] {
            let (cluster, _) = cluster(vec![pods(0..2, "b"), pods(2..3, more)]);
            let api: Api<Pod> = Api::namespaced(cluster.client.clone(), "shop");
            let listed = cluster.pages(&api, "app=api", || "pods".to_owned(), 3).await;
            match listed {
                Ok(listed) => assert!(is_whole && listed.len() == 3),
                Err(error) => {
                    let said = "scripted has more pods than can be looked at: 3 were read";
                    assert_eq!((is_whole, error.to_string().as_str()), (false, said));
                }
            }
        }
    }

    #[tokio::test]
    async fn no_more_events_of_a_failing_pod_are_read_than_of_a_workload() {
        let events = json!({"apiVersion": "v1", "kind": "EventList", "metadata": {}, "items": []});
        let (cluster, asked) = cluster(vec![Answer::Whole(200, events.to_string())]);
        cluster.explain("shop", "api-1", None).await;
        let asked = asked.lock().unwrap().clone();
        assert!(asked[0].contains("limit=500"), "{asked:?}");
    }
}
