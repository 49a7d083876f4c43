//! The stage of the demo in a real cluster: two namespaces of its own, each with one Deployment, and their removal.
//!
//! ```text
//! Stage::look(…, "testbed", indelible-demo)  ->  clear -> make(image) -> wait_until_running -> … -> remove
//! ```
//! Nothing that was there before is changed. What is removed bears our label; at the end only what this very run made.

mod error;
mod objects;
mod prefix;

use crate::look::connect_to;
use crate::surroundings::Surroundings;
use cluster::{Cluster, Labelled, Occupant, Scope};
use release::observed::{ContainerState, Pod};
use std::time::Duration;

pub use error::StageError;
pub use objects::WORKLOAD;
pub use prefix::{PREFIX_LEN_MAX, Prefix, PrefixError};

/// The field manager of the Deployments, as they are made: somebody who is not `indelible deploy`.
const MAKER: &str = "indelible-demo";
/// How long pods may take to run, with the pull of an image of a few kilobytes.
const RUNNING_WITHIN: Duration = Duration::from_secs(180);
/// How long Kubernetes may take to remove a namespace.
const GONE_WITHIN: Duration = Duration::from_secs(120);
/// How often the cluster is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// What no time heals. Source: Kubernetes, `pkg/kubelet/images/types.go` and `pkg/kubelet/kuberuntime`.
const PERMANENT: [&str; 6] = [
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
];

/// An environment of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// `uat` or `prod`.
    pub environment: &'static str,
    /// Where its builds come from.
    pub promotes_from: Option<&'static str>,
    /// How many pods.
    pub replicas: u8,
}

/// The demo's environments.
pub const SCENES: [Scene; 2] = [
    Scene { environment: "prod", promotes_from: Some("uat"), replicas: 2 },
    Scene { environment: "uat", promotes_from: None, replicas: 1 },
];

/// What becomes of a demo that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It stays, and this one is not played.
    Stays,
    /// It is removed first.
    Replaced,
}

/// A cluster in which the demo is played, or will be.
#[derive(Debug)]
pub struct Stage {
    cluster: Cluster,
    prefix: Prefix,
    run: String,
}

impl Stage {
    /// Opens a cluster; nothing is asked yet.
    ///
    /// # Errors
    /// No kubeconfig, or no such context.
    pub async fn open(
        surroundings: &Surroundings,
        context: &str,
        prefix: Prefix,
    ) -> Result<Self, StageError> {
        let cluster = Cluster::connect(&connect_to(surroundings, context)).await?;
        let run = format!("{:016x}", surroundings.seed());
        Ok(Self { cluster, prefix, run })
    }

    /// The context of the kubeconfig.
    #[must_use]
    pub fn context(&self) -> &str {
        self.cluster.context()
    }

    /// The address of the API server.
    #[must_use]
    pub fn server(&self) -> &str {
        self.cluster.server()
    }

    /// The namespace of a scene.
    #[must_use]
    pub fn namespace(&self, scene: Scene) -> String {
        self.prefix.namespace(scene.environment)
    }

    /// All its namespaces.
    #[must_use]
    pub fn namespaces(&self) -> Vec<String> {
        SCENES.iter().map(|scene| self.namespace(*scene)).collect()
    }

    /// Asks whether its names are free, and gives those that an earlier demo left and that are to be replaced.
    ///
    /// # Errors
    /// One is somebody else's, or a demo's and was not told to be replaced, or the cluster does not answer.
    pub async fn check(&self, earlier: Earlier) -> Result<Vec<String>, StageError> {
        let mut replaced = Vec::new();
        for name in self.namespaces() {
            let context = self.cluster.context().to_owned();
            match (self.cluster.occupant_of(&name).await?, earlier) {
                (Occupant::Nobody, _) => {}
                (Occupant::Foreign, _) => return Err(StageError::Foreign { context, name }),
                (Occupant::Labelled(Labelled { made, .. }), Earlier::Stays) => {
                    return Err(StageError::Left { context, name, made });
                }
                (Occupant::Labelled(_), Earlier::Replaced) => replaced.push(name),
            }
        }
        Ok(replaced)
    }

    /// Removes what earlier demos left under these names, and waits until it is gone.
    ///
    /// # Errors
    /// One is somebody else's, or the cluster does not remove them.
    pub async fn clear(&self) -> Result<(), StageError> {
        self.remove_where(|_| true).await
    }

    /// Makes the namespaces, and in each a Deployment of this image.
    ///
    /// # Errors
    /// One is there, or the cluster does not let it in.
    pub async fn make(&self, image: &str) -> Result<(), StageError> {
        for scene in SCENES {
            let namespace = self.namespace(scene);
            self.cluster.make_labelled(&namespace, &self.run, MAKER).await?;
            let deployment = objects::deployment(&namespace, scene.replicas, image);
            self.cluster.make_deployment(&namespace, deployment, MAKER).await?;
        }
        Ok(())
    }

    /// Waits until all pods run.
    ///
    /// # Errors
    /// They cannot, or did not in time.
    pub async fn wait_until_running(&self) -> Result<(), StageError> {
        let deadline = tokio::time::Instant::now() + RUNNING_WITHIN;
        for scene in SCENES {
            let namespace = self.namespace(scene);
            loop {
                let list = self.cluster.pods(&Scope::Namespace(namespace.clone())).await?;
                match running(&list.pods, scene.replicas) {
                    Running::All => break,
                    Running::NotYet(_) if tokio::time::Instant::now() < deadline => {}
                    Running::NotYet(why) | Running::Never(why) => {
                        return Err(StageError::NotRunning { namespace, why });
                    }
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        }
        Ok(())
    }

    /// Removes what this run made, and nothing else; waits until it is gone.
    ///
    /// # Errors
    /// The cluster does not answer, or does not remove them.
    pub async fn remove(&self) -> Result<(), StageError> {
        self.remove_where(|labelled| labelled.run == self.run).await
    }

    async fn remove_where(&self, is_wanted: impl Fn(&Labelled) -> bool) -> Result<(), StageError> {
        let deadline = tokio::time::Instant::now() + GONE_WITHIN;
        let mut names = self.namespaces();
        let mut asked = Vec::new();
        loop {
            let mut there = Vec::new();
            for name in names {
                if let Occupant::Labelled(found) = self.cluster.occupant_of(&name).await?
                    && is_wanted(&found)
                {
                    if !asked.contains(&found.uid) {
                        self.cluster.remove_labelled(&name, &found).await?;
                        asked.push(found.uid);
                    }
                    there.push(name);
                }
            }
            if there.is_empty() {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                let context = self.cluster.context().to_owned();
                return Err(StageError::StillThere { context, names: there });
            }
            names = there;
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Running {
    All,
    NotYet(String),
    Never(String),
}

/// Whether so many pods run, and if not, what the first of them that does not is said to wait for.
fn running(pods: &[Pod], replicas: u8) -> Running {
    let mut why = None;
    for pod in pods {
        for container in &pod.containers {
            match &container.state {
                ContainerState::Running { .. } => {}
                ContainerState::Waiting { reason } => {
                    let line = format!("pod {}: {reason} of {}", pod.name, container.reference);
                    if PERMANENT.contains(&reason.as_str()) {
                        return Running::Never(line);
                    }
                    why = Some(line);
                }
                ContainerState::Ended { exit_code, .. } => {
                    why = Some(format!("pod {}: it ended with {exit_code}", pod.name));
                }
                ContainerState::Unreported => {
                    why = Some(format!("pod {}: no node has taken it", pod.name));
                }
            }
        }
    }
    match why {
        Some(why) => Running::NotYet(why),
        None if pods.len() == usize::from(replicas) => Running::All,
        None => Running::NotYet(format!("there are {} pods of {replicas}", pods.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use release::observed::{Container, Owner, Phase, Role};

    fn pod(state: ContainerState) -> Pod {
        Pod {
            namespace: "demo-uat".to_owned(),
            name: "api-1".to_owned(),
            uid: "1".to_owned(),
            version: None,
            created: None,
            deleted: None,
            node: None,
            owner: Owner { kind: "deployment".to_owned(), name: "api".to_owned() },
            phase: Phase::Pending,
            containers: vec![Container {
                name: "api".to_owned(),
                role: Role::Main,
                reference: "r.example/demo:edge".to_owned(),
                image_id: String::new(),
                container_id: String::new(),
                state,
                restarts: 0,
                previous: None,
            }],
        }
    }

    fn waiting(reason: &str) -> ContainerState {
        ContainerState::Waiting { reason: reason.to_owned() }
    }

    #[test]
    fn pods_run_when_all_of_them_do_and_never_where_no_time_helps() {
        let runs = || pod(ContainerState::Running { since: None });
        assert_eq!(running(&[runs()], 1), Running::All);
        for (pods, expected) in [
            (vec![], "there are 0 pods of 2"),
            (vec![runs()], "there are 1 pods of 2"),
            (
                vec![runs(), pod(waiting("ContainerCreating"))],
                "pod api-1: ContainerCreating of r.example/demo:edge",
            ),
            // The kubelet tries again by itself.
            (
                vec![runs(), pod(waiting("ErrImagePull"))],
                "pod api-1: ErrImagePull of r.example/demo:edge",
            ),
            (vec![runs(), pod(ContainerState::Unreported)], "pod api-1: no node has taken it"),
        ] {
            assert_eq!(running(&pods, 2), Running::NotYet(expected.to_owned()));
        }
        let never = running(&[pod(waiting("ImagePullBackOff")), runs()], 2);
        let expected = "pod api-1: ImagePullBackOff of r.example/demo:edge".to_owned();
        assert_eq!(never, Running::Never(expected));
    }
}
