//! What runs now, a small row for each container, and since when each place has run which bytes.
//!
//! ```text
//! began api-1 sha256:9f… 14:40 · began api-2 sha256:9f… 14:41 · ended api-1  ->  api-2; sha256:9f… since 14:40
//! ```
//! A fold over what the tracker says: pods themselves are not kept. A restart does not begin a new stretch of the same
//! bytes; other bytes between two stretches do.

use super::findings::Place;
use super::image_id::ImageId;
use super::overview::{Bytes, Row};
use super::owner::Owner;
use super::pod::Role;
use super::words::Words;
use domain::{Digest, ImageRef, Repository, Timestamp};
use record::Run;
use record::claim::{ContainerRunClaim, RunBegan, RunChange, RunId, RunRole};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Places that are remembered where nothing runs any more: a pod that is made again goes on where it was.
const EMPTY_PLACES_MAX: usize = 4_096;
/// Stretches of a place that are remembered.
const STRETCHES_MAX: usize = 16;
/// From this length on a pod's name may have been cut. Source: Kubernetes, `names.maxNameLength`.
const POD_NAME_CUT: usize = 63;

/// The containers that run.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    runs: HashMap<RunId, Open>,
    places: BTreeMap<Arc<Place>, Vec<Stretch>>,
    words: Words,
}

/// One container that runs.
#[derive(Clone, Debug)]
struct Open {
    place: Arc<Place>,
    role: Role,
    pod: Box<str>,
    reference: Arc<str>,
    /// The repository of its imageID, where the spec names another.
    pulled_from: Option<Arc<str>>,
    bytes: Bytes,
    began: Timestamp,
}

/// Since when a place runs some bytes.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    digest: Digest,
    since: Timestamp,
    open: u32,
}

impl Standing {
    /// What runs by the record; `runs` may hold ended ones.
    #[must_use]
    pub fn of(runs: &[Run]) -> Self {
        let mut standing = Self::default();
        let mut in_order: Vec<&Run> = runs.iter().collect();
        in_order.sort_by_key(|run| (run.from(), run.id));
        for run in in_order {
            standing.begin(run.id, run.namespace.as_str(), run.digest, &run.began);
            if run.ended.is_some() {
                standing.end(run.id);
            }
        }
        standing
    }

    /// Takes in what the tracker says.
    pub fn apply(&mut self, claim: &ContainerRunClaim) {
        match &claim.change {
            RunChange::Began(began) => {
                self.begin(claim.run, claim.namespace.as_str(), claim.digest, began);
            }
            RunChange::Ended { .. } => self.end(claim.run),
            // What is doubted is the last that is known.
            RunChange::Doubted { .. } | RunChange::Confirmed => {}
        }
    }

    /// How many containers run.
    #[must_use]
    pub fn count(&self) -> usize {
        self.runs.len()
    }

    /// What runs, a row for each container of a workload and reference.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: BTreeMap<(&Place, Role, &str), Row> = BTreeMap::new();
        for run in self.runs.values() {
            let row = rows.entry((&run.place, run.role, &run.reference)).or_insert_with(|| Row {
                namespace: run.place.namespace.clone(),
                owner: run.place.owner.clone(),
                container: run.place.container.clone(),
                role: run.role,
                reference: run.reference.to_string(),
                bytes: BTreeMap::new(),
                since: None,
            });
            row.bytes.entry(run.bytes.clone()).or_default().push(run.pod.to_string());
            row.since = [row.since, Some(run.began)].into_iter().flatten().min();
        }
        let mut rows: Vec<Row> = rows.into_values().collect();
        rows.iter_mut().flat_map(|row| row.bytes.values_mut()).for_each(|pods| pods.sort());
        rows
    }

    /// Where bytes can be asked for: the repository of the spec first, then that of the imageID.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<Digest, Vec<Repository>> {
        let mut sources: BTreeMap<Digest, Vec<Repository>> = BTreeMap::new();
        for run in self.runs.values() {
            let Bytes::Pulled(digest) = run.bytes else { continue };
            let known = sources.entry(digest).or_default();
            if known.len() > 1 {
                continue;
            }
            let meant = run.reference.parse::<ImageRef>().ok();
            let meant = meant.map(|meant| meant.repository().clone());
            let other = run.pulled_from.as_ref().and_then(|text| text.parse().ok());
            let new: Vec<_> =
                meant.into_iter().chain(other).filter(|one| !known.contains(one)).collect();
            known.extend(new);
        }
        sources
    }

    /// Whether anything runs at a place.
    #[must_use]
    pub fn runs_at(&self, place: &Place) -> bool {
        self.places.get(place).is_some_and(|stretches| stretches.iter().any(|one| one.open > 0))
    }

    /// Since when a place runs these bytes without other bytes between.
    #[must_use]
    pub fn since(&self, place: &Place, digest: &Digest) -> Option<Timestamp> {
        let stretches = self.places.get(place)?;
        stretches.iter().find(|one| one.digest == *digest).map(|one| one.since)
    }

    /// When the newest container of a place began, where its pods are of several templates or that cannot be told:
    /// a rollout may be under way. None: all its pods are of one template.
    #[must_use]
    pub(super) fn rolled(&self, place: &Place) -> Option<Timestamp> {
        let own = self.runs.values().filter(|run| *run.place == *place);
        let (mut newest, mut templates) = (None, std::collections::BTreeSet::new());
        for run in own {
            newest = newest.max(Some(run.began));
            templates.insert(template(&place.owner, &run.pod));
        }
        let is_one = templates.len() == 1 && !templates.contains(&None);
        newest.filter(|_| !is_one)
    }

    fn begin(&mut self, id: RunId, namespace: &str, digest: Option<Digest>, began: &RunBegan) {
        if self.runs.contains_key(&id) {
            return;
        }
        let place = Place {
            namespace: namespace.to_owned(),
            owner: Owner::read(began.workload.as_str()),
            container: began.container.as_str().to_owned(),
        };
        let place = match self.places.get_key_value(&place) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(place),
        };
        let at = began.began.latest();
        let stretches = self.places.entry(Arc::clone(&place)).or_default();
        if let Some(digest) = digest {
            arrive(stretches, digest, at);
        }
        let run = Open {
            place,
            role: role(began.role),
            pod: began.pod.as_str().into(),
            reference: self.words.keep(began.reference.as_str()),
            pulled_from: other_repository(began).map(|other| self.words.keep(&other)),
            bytes: bytes(began.image_id.as_str()),
            began: at,
        };
        self.runs.insert(id, run);
        self.forget_empty();
    }

    fn end(&mut self, id: RunId) {
        let Some(run) = self.runs.remove(&id) else { return };
        let Some(digest) = run.bytes.digest() else { return };
        let stretches = self.places.get_mut(&run.place).into_iter().flatten();
        for one in stretches.filter(|one| one.digest == digest) {
            one.open = one.open.saturating_sub(1);
        }
    }

    fn forget_empty(&mut self) {
        if self.places.len() > self.runs.len() + EMPTY_PLACES_MAX {
            self.places.retain(|_, stretches| stretches.iter().any(|one| one.open > 0));
        }
    }
}

/// A container with these bytes began.
fn arrive(stretches: &mut Vec<Stretch>, digest: Digest, at: Timestamp) {
    let other = stretches.iter().filter(|one| one.digest != digest).map(|one| one.since).max();
    match stretches.iter_mut().find(|one| one.digest == digest) {
        Some(own) => {
            let has_left = own.open == 0 && other.is_some_and(|other| other > own.since);
            own.since = if has_left { at } else { own.since.min(at) };
            own.open += 1;
        }
        None => stretches.push(Stretch { digest, since: at, open: 1 }),
    }
    if stretches.len() > STRETCHES_MAX {
        let gone = stretches.iter().enumerate().filter(|(_, one)| one.open == 0);
        let oldest = gone.min_by_key(|(_, one)| one.since).map(|(nth, _)| nth);
        oldest.map(|nth| stretches.remove(nth));
    }
}

/// The template that a pod was made from; none: its name does not tell.
///
/// Source: Kubernetes, `podControl.CreatePods`: a pod's name is its ReplicaSet's, a dash and five letters.
fn template<'a>(owner: &Owner, pod: &'a str) -> Option<&'a str> {
    match owner.kind.as_str() {
        "deployment" | "rollout" if pod.len() < POD_NAME_CUT => {
            pod.rsplit_once('-').map(|(set, _)| set)
        }
        // Their template cannot be changed, or a change does not touch pods that are there.
        "job" | "pod" => Some(""),
        _ => None,
    }
}

/// A node chooses the first of all names that it knows for some bytes: a mirror's, or a copy's.
fn other_repository(began: &RunBegan) -> Option<String> {
    let ImageId::InRepository { repository, .. } = ImageId::read(began.image_id.as_str()) else {
        return None;
    };
    let meant = began.reference.as_str().parse::<ImageRef>().ok();
    let is_meant = meant.is_some_and(|meant| *meant.repository() == repository);
    (!is_meant).then(|| repository.to_string())
}

fn role(role: RunRole) -> Role {
    match role {
        RunRole::Main => Role::Main,
        RunRole::Init => Role::Init,
        RunRole::Ephemeral => Role::Ephemeral,
    }
}

fn bytes(image_id: &str) -> Bytes {
    match ImageId::read(image_id) {
        ImageId::InRepository { digest, .. } => Bytes::Pulled(digest),
        ImageId::Alone(digest) => Bytes::Configured(digest),
        ImageId::NotReported => Bytes::NotReported,
        ImageId::Unreadable => Bytes::Unreadable(image_id.chars().take(64).collect()),
    }
}

#[cfg(test)]
pub(super) mod tests;
