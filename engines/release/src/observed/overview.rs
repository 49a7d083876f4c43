//! What runs, a row for each container of a workload and reference, and what to ask registries about it.
//!
//! ```text
//! shop  deployment/api  api  shop/api:uat  sha256:9f… × 2, sha256:3c… × 1  since 2026-03-17T14:40Z
//! ```

use super::image_id::ImageId;
use super::owner::Owner;
use super::pod::{Container, ContainerState, Phase, Pod, Role};
use super::resolve::{Registered, TagNow};
use domain::{Digest, ImageRef, Repository, Tag, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The tag that runtimes put in for none.
const TAG_DEFAULT: &str = "latest";

/// One container of one workload under one reference, over all of its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The namespace.
    pub namespace: String,
    /// The workload.
    pub owner: Owner,
    /// The container's name.
    pub container: String,
    /// Its list in the spec.
    pub role: Role,
    /// The image as the spec writes it.
    pub reference: String,
    /// What its pods run, each with the pods' names.
    pub bytes: BTreeMap<Bytes, Vec<String>>,
    /// When the oldest of these containers started; none: not told.
    pub since: Option<Timestamp>,
}

/// What a container runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bytes {
    /// What this digest names, in a repository that the node pulled it from.
    Pulled(Digest),
    /// An image with this configuration, which the node did not pull from a registry that it remembers.
    Configured(Digest),
    /// Nothing yet, in the kubelet's word: `ImagePullBackOff`.
    Waiting(String),
    /// It runs, and its runtime does not say what.
    NotReported,
    /// It runs, and what is reported is no imageID that we know.
    Unreadable(String),
}

impl Bytes {
    fn of(container: &Container) -> Self {
        if let ContainerState::Waiting { reason } = &container.state {
            return Self::Waiting(reason.clone());
        }
        match ImageId::read(&container.image_id) {
            ImageId::InRepository { digest, .. } => Self::Pulled(digest),
            ImageId::Alone(digest) => Self::Configured(digest),
            ImageId::NotReported => Self::NotReported,
            ImageId::Unreadable => Self::Unreadable(container.image_id.chars().take(64).collect()),
        }
    }

    /// The digest, where one is known.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::Pulled(digest) | Self::Configured(digest) => Some(*digest),
            Self::Waiting(_) | Self::NotReported | Self::Unreadable(_) => None,
        }
    }
}

impl Row {
    /// The reference, read; none where it is not one.
    #[must_use]
    pub fn image(&self) -> Option<ImageRef> {
        self.reference.parse().ok()
    }

    /// The repository and tag that a new pod would be given the bytes of; none where it is pinned.
    #[must_use]
    pub fn moving(&self) -> Option<(Repository, Tag)> {
        match self.image()? {
            ImageRef::Bare(repository) => {
                Some((repository, TAG_DEFAULT.parse().expect("a literal tag")))
            }
            ImageRef::Tagged(tagged) => Some((tagged.repository, tagged.tag)),
            ImageRef::Pinned(_) => None,
        }
    }

    /// The repository and tag that it was written under, pinned or not.
    #[must_use]
    pub fn named(&self) -> Option<(Repository, Tag)> {
        match self.image()? {
            ImageRef::Pinned(pinned) => Some((pinned.repository, pinned.tag?)),
            ImageRef::Bare(_) | ImageRef::Tagged(_) => self.moving(),
        }
    }

    /// The digests that its pods run.
    pub fn digests(&self) -> impl Iterator<Item = Digest> + '_ {
        self.bytes.keys().filter_map(Bytes::digest)
    }
}

/// Groups what runs, or waits to run; what has ended is not shown.
#[must_use]
pub fn rows(pods: &[Pod]) -> Vec<Row> {
    let mut rows: BTreeMap<_, Row> = BTreeMap::new();
    for pod in pods {
        match pod.phase {
            Phase::Succeeded | Phase::Failed => continue,
            Phase::Pending | Phase::Running | Phase::Unknown => {}
        }
        for container in &pod.containers {
            let since = match &container.state {
                ContainerState::Running { since } => *since,
                ContainerState::Waiting { reason } if is_in_turn(container.role, reason) => {
                    continue;
                }
                ContainerState::Waiting { .. } => None,
                ContainerState::Ended { .. } | ContainerState::Unreported => continue,
            };
            let names = [&pod.namespace, &container.name, &container.reference].map(Clone::clone);
            let key = (
                names[0].clone(),
                pod.owner.clone(),
                container.role,
                names[1].clone(),
                names[2].clone(),
            );
            let row = rows.entry(key).or_insert_with(|| Row {
                namespace: pod.namespace.clone(),
                owner: pod.owner.clone(),
                container: container.name.clone(),
                role: container.role,
                reference: container.reference.clone(),
                bytes: BTreeMap::new(),
                since: None,
            });
            row.bytes.entry(Bytes::of(container)).or_default().push(pod.name.clone());
            row.since = [row.since, since].into_iter().flatten().min();
        }
    }
    rows.into_values().collect()
}

/// Init containers wait for each other, and the main ones for them: that is no news.
fn is_in_turn(role: Role, reason: &str) -> bool {
    match role {
        Role::Init | Role::Main => reason == "PodInitializing",
        Role::Ephemeral => false,
    }
}

/// What has to be asked of registries to judge the rows: whether it is there, which costs a HEAD each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Tags that may have moved.
    pub tags: BTreeSet<(Repository, Tag)>,
    /// Digests that may be gone, each where a new pod would look for it.
    pub images: BTreeSet<(Repository, Digest)>,
}

/// Lists the questions of some rows.
#[must_use]
pub fn wanted(rows: &[Row]) -> Wanted {
    let mut wanted = Wanted::default();
    for row in rows {
        let Some(image) = row.image() else { continue };
        wanted.tags.extend(row.moving());
        let pulled = row.bytes.keys().filter_map(|bytes| match bytes {
            Bytes::Pulled(digest) => Some(*digest),
            Bytes::Configured(_)
            | Bytes::Waiting(_)
            | Bytes::NotReported
            | Bytes::Unreadable(_) => None,
        });
        let repository = image.repository();
        let digests = pulled.chain(image.digest().copied());
        wanted.images.extend(digests.map(|digest| (repository.clone(), digest)));
    }
    wanted
}

/// Lists the images whose contents decide whether two digests are one build.
///
/// Few: only what differs is looked into, for reading a manifest counts against the limits of public registries.
#[must_use]
pub fn to_compare(rows: &[Row], registered: &Registered) -> BTreeSet<(Repository, Digest)> {
    let mut groups: BTreeMap<String, BTreeSet<(Repository, Digest)>> = BTreeMap::new();
    for row in rows {
        let Some(image) = row.image() else { continue };
        let of = |digest| (image.repository().clone(), digest);
        let mut running: BTreeSet<_> = row.digests().map(of).collect();
        let place = format!("place {} {} {}", row.namespace, row.owner, row.container);
        groups.entry(place).or_default().extend(running.clone());
        if let Some(tag) = row.moving() {
            let name = format!("tag {}:{}", tag.0, tag.1);
            if let Some(TagNow::Names(now)) = registered.tags.get(&tag) {
                running.insert(of(*now));
            }
            groups.entry(name).or_default().extend(running);
        }
    }
    let differ = groups
        .into_values()
        .filter(|group| group.iter().map(|(_, digest)| digest).collect::<BTreeSet<_>>().len() > 1);
    differ.flatten().collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn digest(name: &str) -> Digest {
        Digest::sha256(name.as_bytes())
    }

    pub(crate) fn running(image_id: &str, since: &str) -> Container {
        Container {
            name: "api".to_owned(),
            role: Role::Main,
            reference: "reg.example.com/shop/api:uat".to_owned(),
            image_id: image_id.to_owned(),
            container_id: format!("containerd://{image_id}{since}"),
            state: ContainerState::Running { since: Some(since.parse().unwrap()) },
            restarts: 0,
            previous: None,
        }
    }

    pub(crate) fn pod(name: &str, container: Container) -> Pod {
        Pod {
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            uid: name.to_owned(),
            version: None,
            created: None,
            deleted: None,
            node: Some("node-a".to_owned()),
            owner: Owner { kind: "deployment".to_owned(), name: "api".to_owned() },
            phase: Phase::Running,
            containers: vec![container],
        }
    }

    pub(crate) fn id(name: &str) -> String {
        format!("reg.example.com/shop/api@{}", digest(name))
    }

    #[test]
    fn replicas_of_one_reference_are_one_row_with_the_oldest_start() {
        let rows = rows(&[
            pod("api-1", running(&id("b"), "2026-03-17T15:00:00Z")),
            pod("api-2", running(&id("a"), "2026-03-17T14:40:00Z")),
            pod("api-3", running(&id("b"), "2026-03-17T16:00:00Z")),
        ]);
        assert_eq!(rows.len(), 1);
        let pods = |name| rows[0].bytes[&Bytes::Pulled(digest(name))].clone();
        assert_eq!(pods("a"), ["api-2"]);
        assert_eq!(pods("b"), ["api-1", "api-3"]);
        assert_eq!(rows[0].since, Some("2026-03-17T14:40:00Z".parse().unwrap()));
    }

    #[test]
    fn an_id_that_is_left_over_while_a_container_waits_is_not_what_it_runs() {
        let mut waiting = running(&id("old"), "2026-03-17T15:00:00Z");
        waiting.state = ContainerState::Waiting { reason: "ImagePullBackOff".to_owned() };
        let rows = rows(&[pod("api-1", waiting)]);
        let bytes: Vec<_> = rows[0].bytes.keys().cloned().collect();
        assert_eq!(bytes, [Bytes::Waiting("ImagePullBackOff".to_owned())]);
    }

    #[test]
    fn what_has_ended_is_not_running() {
        let mut ended = pod("job-1", running(&id("a"), "2026-03-17T15:00:00Z"));
        ended.phase = Phase::Succeeded;
        let mut init = running(&id("a"), "2026-03-17T15:00:00Z");
        init.role = Role::Init;
        init.state = ContainerState::Ended { started: None, finished: None, exit_code: 0 };
        assert!(rows(&[ended, pod("api-1", init)]).is_empty());
    }

    #[test]
    fn a_moving_reference_asks_for_its_tag_and_every_pulled_digest_is_asked_for() {
        let mut bare = running(&id("b"), "2026-03-17T15:00:00Z");
        bare.reference = "reg.example.com/shop/api".to_owned();
        let mut pinned = running(&digest("config").to_string(), "2026-03-17T15:00:00Z");
        pinned.reference = format!("reg.example.com/shop/api:1@{}", digest("meant"));
        let rows = rows(&[
            pod("api-1", running(&id("a"), "2026-03-17T15:00:00Z")),
            pod("api-2", bare),
            pod("api-3", pinned),
        ]);
        let wanted = wanted(&rows);
        let tags: Vec<_> = wanted.tags.iter().map(|(_, tag)| tag.as_str()).collect();
        assert_eq!(tags, ["latest", "uat"]);
        // A configuration cannot be asked for by its digest.
        let mut expected = vec![digest("a"), digest("b"), digest("meant")];
        expected.sort();
        assert_eq!(wanted.images.into_iter().map(|(_, one)| one).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn only_what_differs_is_looked_into() {
        let at = "2026-03-17T15:00:00Z";
        let one = rows(&[pod("api-1", running(&id("a"), at))]);
        let tag = one[0].moving().unwrap();
        let mut registered = Registered::default();
        registered.tags.insert(tag.clone(), TagNow::Names(digest("a")));
        assert!(to_compare(&one, &registered).is_empty());
        registered.tags.insert(tag.clone(), TagNow::Names(digest("b")));
        let both: BTreeSet<_> = ["a", "b"].map(|name| (tag.0.clone(), digest(name))).into();
        assert_eq!(to_compare(&one, &registered), both);
        let two = rows(&[pod("api-1", running(&id("a"), at)), pod("api-2", running(&id("b"), at))]);
        assert_eq!(to_compare(&two, &Registered::default()), both);
    }
}
