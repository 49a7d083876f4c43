//! An API server with a few Deployments and Applications, and what tests tell it to do wrong.
//!
//! ```text
//! PATCH …/deployments/api  ->  generation 2, whose pods are new at once, or never, or which is refused
//! ```
//! For what a real cluster does not do when it is told to: refuse the second of two changes, hang, fail a sync. What it
//! answers has the fields of Kubernetes 1.35 that are read; real rollouts are looked at in `e2e`.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A cluster on loopback that runs until the test ends.
pub(crate) struct ScriptedCluster {
    host: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    deployments: BTreeMap<String, Deployment>,
    /// Applications, and whether they sync by themselves.
    applications: BTreeMap<String, bool>,
    /// Builds that never come to run: their Deployment says so at once.
    failing: BTreeSet<String>,
    /// Builds whose pods stay old.
    stuck: BTreeSet<String>,
    /// Objects whose change is refused, and those whose change is never answered.
    refused: BTreeSet<String>,
    hanging: BTreeSet<String>,
    /// The repository whose branch `main` Argo CD brings here.
    config: Option<PathBuf>,
    log: Vec<String>,
}

struct Deployment {
    image: String,
    generation: i64,
    application: Option<String>,
}

impl ScriptedCluster {
    /// A cluster whose namespace `shop` has these Deployments, with their images.
    pub(crate) fn start(deployments: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let one = |(name, image): &(&str, &str)| {
            let image = (*image).to_owned();
            ((*name).to_owned(), Deployment { image, generation: 1, application: None })
        };
        let deployments = deployments.iter().map(one).collect();
        let state = Arc::new(Mutex::new(State { deployments, ..State::default() }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { host, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// This build never comes to run here, and its Deployment says so.
    pub(crate) fn fails(&self, digest: &str) {
        self.state().failing.insert(digest.to_owned());
    }

    /// The pods stay old where this build is told.
    pub(crate) fn is_stuck_at(&self, digest: &str) {
        self.state().stuck.insert(digest.to_owned());
    }

    /// A change of this object is refused, though its rehearsal was not.
    pub(crate) fn refuses(&self, name: &str) {
        self.state().refused.insert(name.to_owned());
    }

    /// A change of this object is never answered.
    pub(crate) fn hangs(&self, name: &str) {
        self.state().hanging.insert(name.to_owned());
    }

    /// A Deployment is brought by an Application that syncs by itself.
    pub(crate) fn brought_by(&self, deployment: &str, application: &str) {
        let mut state = self.state();
        state.applications.insert(application.to_owned(), true);
        state.deployments.get_mut(deployment).unwrap().application = Some(application.to_owned());
    }

    /// Argo CD brings the branch `main` of this repository.
    pub(crate) fn brings(&self, config: PathBuf) {
        self.state().config = Some(config);
    }

    pub(crate) fn is_automated(&self, application: &str) -> bool {
        self.state().applications[application]
    }

    pub(crate) fn image(&self, deployment: &str) -> String {
        self.state().deployments[deployment].image.clone()
    }

    /// What was asked of it: `PATCH /apis/…`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state().log.clone()
    }
}

/// A kubeconfig with these clusters, each under its name.
pub(crate) fn kubeconfig(clusters: &[(&str, &ScriptedCluster)]) -> String {
    let each = |part: &dyn Fn(&str, &ScriptedCluster) -> String| {
        clusters.iter().map(|(name, one)| part(name, one)).collect::<Vec<_>>().join(", ")
    };
    let servers =
        each(&|name, one| format!("{{name: {name}, cluster: {{server: 'http://{}'}}}}", one.host));
    let contexts =
        each(&|name, _| format!("{{name: {name}, context: {{cluster: {name}, user: ada}}}}"));
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{servers}]\ncontexts: [{contexts}]\nusers: [{{name: ada, user: {{}}}}]\n"
    )
}

/// Answers one connection's requests.
fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let Some((code, answer)) = answer(&mut state.lock().unwrap(), method, target, &body) else {
            // Longer than any test: the client gives up first.
            std::thread::sleep(Duration::from_secs(600));
            return;
        };
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 {code} Scripted\r\ncontent-type: application/json\r\ncontent-length: {}",
            text.len()
        );
        if write!(writer, "{head}\r\n\r\n{text}").is_err() {
            return;
        }
    }
}

fn status(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message});
    (code, status)
}

/// Answers one request; none: it hangs.
fn answer(state: &mut State, method: &str, target: &str, body: &Value) -> Option<(u16, Value)> {
    state.log.push(format!("{method} {target}"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_rehearsal = query.contains("dryRun=All");
    if query.contains("watch=true") {
        return Some(status(403, "Forbidden", "nobody may watch here"));
    }
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    if method == "PATCH" && !is_rehearsal {
        if state.hanging.contains(&name) {
            return None;
        }
        if state.refused.contains(&name) {
            let denied = "admission webhook \"strict.example.com\" denied the request: not today";
            return Some(status(403, "Forbidden", denied));
        }
    }
    let selected = |query: &str| {
        let named = query.split('&').find_map(|one| one.strip_prefix("labelSelector=app%3D"));
        named.unwrap_or_default().to_owned()
    };
    Some(match path.trim_start_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        ["apis", "apps", "v1", "namespaces", "shop", "deployments", name] => {
            let Some(deployment) = state.deployments.get_mut(*name) else {
                return Some(status(404, "NotFound", "no such deployment"));
            };
            if method == "PATCH" && !is_rehearsal {
                let image = &body["spec"]["template"]["spec"]["containers"][0]["image"];
                image.as_str().unwrap().clone_into(&mut deployment.image);
                deployment.generation += 1;
            }
            (200, state.deployment(name))
        }
        ["apis", "apps", "v1", "namespaces", "shop", "replicasets"] => {
            (200, list("ReplicaSetList", "apps/v1", vec![state.replica_set(&selected(query))]))
        }
        ["api", "v1", "namespaces", "shop", "pods"] => {
            // Without a selector it is somebody who looks at the whole namespace.
            let named = match query.contains("labelSelector=") {
                true => vec![selected(query)],
                false => state.deployments.keys().cloned().collect(),
            };
            let pods = named.iter().map(|name| state.pod(name)).collect();
            (200, list("PodList", "v1", pods))
        }
        ["api", "v1", "namespaces", "shop", "events"] => (200, list("EventList", "v1", Vec::new())),
        ["apis", "argoproj.io", "v1alpha1", "applications"] => {
            let named = query.split('&').find_map(|one| one.strip_prefix("fieldSelector="));
            let named = named.unwrap_or_default().trim_start_matches("metadata.name%3D").to_owned();
            let found = state.applications.contains_key(&named);
            let items = if found { vec![state.application(&named)] } else { Vec::new() };
            (200, list("ApplicationList", "argoproj.io/v1alpha1", items))
        }
        ["apis", "argoproj.io", "v1alpha1", "namespaces", "argocd", "applications", name] => {
            if method == "PATCH" {
                let automated = body["spec"]["syncPolicy"]["automated"].is_object();
                state.applications.insert((*name).to_owned(), automated);
            }
            (200, state.application(name))
        }
        _ => status(404, "NotFound", "not in the script"),
    })
}

fn list(kind: &str, version: &str, items: Vec<Value>) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": "1"}, "items": items})
}

impl State {
    fn is_any(image: &str, digests: &BTreeSet<String>) -> bool {
        digests.iter().any(|digest| image.ends_with(digest))
    }

    fn deployment(&self, name: &str) -> Value {
        let Deployment { image, generation, application } = &self.deployments[name];
        let is_old = Self::is_any(image, &self.stuck) || Self::is_any(image, &self.failing);
        let mut conditions = Vec::new();
        if Self::is_any(image, &self.failing) {
            conditions.push(json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "it has timed out progressing"}));
        }
        let mut annotations = json!({"deployment.kubernetes.io/revision": generation.to_string()});
        if let Some(application) = application {
            let id = format!("{application}:apps/Deployment:shop/{name}");
            annotations["argocd.argoproj.io/tracking-id"] = json!(id);
        }
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "generation": generation, "annotations": annotations},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name, "image": image}]}}},
            "status": {"observedGeneration": generation, "replicas": 1, "updatedReplicas": i32::from(!is_old),
                "availableReplicas": 1, "conditions": conditions}})
    }

    fn replica_set(&self, name: &str) -> Value {
        let generation = self.deployments[name].generation;
        json!({"metadata": {"name": format!("{name}-{generation}"), "uid": format!("set-{name}"),
            "annotations": {"deployment.kubernetes.io/revision": generation.to_string()},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": format!("uid-{name}"), "controller": true}]}})
    }

    fn pod(&self, name: &str) -> Value {
        let image = &self.deployments[name].image;
        let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": format!("set-{name}"), "controller": true});
        let container = json!({"name": name, "image": image, "imageID": image, "ready": true, "restartCount": 0, "state": {"running": {}}});
        json!({"metadata": {"name": format!("{name}-1"), "uid": format!("pod-{name}"), "ownerReferences": [owner]},
            "spec": {"containers": [{"name": name, "image": image}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [container]}})
    }

    /// An Application, as Argo CD keeps it; it brings what its branch says now, unless that fails.
    fn application(&mut self, name: &str) -> Value {
        let automated = self.applications[name].then(|| json!({"selfHeal": true}));
        let mut status = json!({"sync": {"status": "Synced"}});
        if let Some(config) = &self.config {
            let git = |arguments: &[&str]| {
                let output =
                    Command::new("git").arg("-C").arg(config).args(arguments).output().unwrap();
                String::from_utf8(output.stdout).unwrap()
            };
            let tip = git(&["rev-parse", "main"]).trim().to_owned();
            let text = git(&["show", "main:apps/prod/api.yaml"]);
            let image = text.lines().find_map(|line| line.trim().strip_prefix("image: "));
            let image = image.unwrap().to_owned();
            let has_failed = Self::is_any(&image, &self.failing);
            let (phase, sync) =
                if has_failed { ("Failed", "OutOfSync") } else { ("Succeeded", "Synced") };
            status = json!({"sync": {"status": sync, "revision": tip},
                "operationState": {"phase": phase, "message": "one or more objects failed to apply", "syncResult": {"revision": tip}}});
            let api = self.deployments.get_mut("api").unwrap();
            if !has_failed && api.image != image {
                (api.image, api.generation) = (image, api.generation + 1);
            }
        }
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd", "resourceVersion": "1",
                "annotations": {"indelible.dev/suspended-sync": "{\"selfHeal\":true}"}},
            "spec": {"syncPolicy": {"automated": automated}}, "status": status})
    }
}
