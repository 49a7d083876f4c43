//! One tag that is two builds in two clusters: what others run under the names that this one uses.
//!
//! ```text
//! here shop/api:prod is sha256:9f…, in prod-us it is sha256:3c…   ->  shared-tag, with both digests and places
//! prod-us is not watched                                         ->  what is open about it stays open
//! ```
//! Each cluster's watcher says it of its own cluster, and closes what it said. Whoever watches gathers what the record
//! says of the others.

use super::super::findings::{Place, Told, apart};
use super::super::image_id::ImageId;
use super::super::overview::Row;
use super::{ByPlace, Facts, Judged, ROLLOUT_GRACE_MS, Wrong};
use domain::{Digest, ImageRef, Repository, Tag, Timestamp};
use record::claim::{
    FOUND_IMAGES_MAX, FOUND_NAMED_MAX, FindingKind, FoundImage, Reported, RunRole,
};
use record::{FindingState, Run};
use std::collections::{BTreeMap, BTreeSet};

/// What stands between the name of another cluster and a place in it; no place of a cluster of one's own has it.
const IN_CLUSTER: &str = ": ";

/// What runs in other clusters under names that can move.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    names: BTreeMap<(Repository, Tag), BTreeMap<Digest, BTreeMap<Far, Since>>>,
    /// Whether a cluster that was watched once does not tell what it runs now.
    is_partly_silent: bool,
}

/// A workload of another cluster: what its cluster is called, and where it is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Far {
    cluster: String,
    namespace: String,
    workload: String,
}

/// Since when it runs these bytes, and in how many containers.
#[derive(Clone, Copy, Debug)]
struct Since {
    at: Timestamp,
    count: u32,
}

impl Elsewhere {
    /// Takes in a container that runs in another cluster, where its name is one of those that are asked about.
    pub fn take(&mut self, cluster: &Reported, run: &Run, asked: &BTreeSet<(Repository, Tag)>) {
        let is_judged = run.ended.is_none() && run.began.role == RunRole::Main;
        let Some(name) = moving(run.began.reference.as_str()).filter(|name| asked.contains(name))
        else {
            return;
        };
        let digest = run.digest.or_else(|| ImageId::read(run.began.image_id.as_str()).digest());
        let (true, Some(digest)) = (is_judged, digest) else { return };
        let far = Far {
            cluster: cluster.to_string(),
            namespace: run.namespace.to_string(),
            workload: run.began.workload.to_string(),
        };
        let at = run.from();
        let here = self.names.entry(name).or_default().entry(digest).or_default();
        let since = here.entry(far).or_insert(Since { at, count: 0 });
        *since = Since { at: since.at.min(at), count: since.count.saturating_add(1) };
    }

    /// A cluster that was watched once is not watched now: what it runs is not known.
    pub fn silent(&mut self) {
        self.is_partly_silent = true;
    }

    /// The digests that run there, each with the repository that they were asked for in.
    pub fn sources(&self) -> impl Iterator<Item = (Digest, &Repository)> {
        self.names.iter().flat_map(|((repository, _), digests)| {
            digests.keys().map(move |digest| (*digest, repository))
        })
    }
}

/// The name that a new pod would be given the bytes of.
fn moving(reference: &str) -> Option<(Repository, Tag)> {
    match reference.parse::<ImageRef>().ok()? {
        ImageRef::Tagged(tagged) => Some((tagged.repository, tagged.tag)),
        ImageRef::Bare(repository) => Some((repository, "latest".parse().ok()?)),
        ImageRef::Pinned(_) => None,
    }
}

/// Each build under a name, with who runs it.
type Build<'a> = (Digest, Vec<Who<'a>>);

/// Who runs some bytes under a name.
enum Who<'a> {
    Here(&'a Place, Digest),
    There(&'a Far, Since),
}

/// Judges each name that this cluster uses.
pub(super) fn judge(facts: &Facts<'_>, rows: &ByPlace<'_>, now: Timestamp, judged: &mut Judged) {
    let elsewhere = facts.elsewhere;
    let mut own: BTreeMap<(Repository, Tag), Vec<(&Place, &Row)>> = BTreeMap::new();
    for (place, rows) in rows {
        for row in rows {
            if let Some(name) = row.moving() {
                own.entry(name).or_default().push((place, row));
            }
        }
    }
    if elsewhere.is_partly_silent {
        let digests = own.values().flatten().flat_map(|(_, row)| row.digests());
        judged.unsure_elsewhere.extend(digests);
    }
    for (name, own) in own {
        let Some(there) = elsewhere.names.get(&name) else { continue };
        let mut running: BTreeMap<Digest, Vec<Who<'_>>> = BTreeMap::new();
        for (place, row) in &own {
            for digest in row.digests() {
                running.entry(digest).or_default().push(Who::Here(place, digest));
            }
        }
        for (digest, all) in there {
            let all = all.iter().map(|(far, since)| Who::There(far, *since));
            running.entry(*digest).or_default().extend(all);
        }
        let (builds, told) = apart(running, facts.registered);
        if differ(&builds) {
            judged.say(facts, rows, (&name, &builds, told), now);
        }
    }
}

/// Whether the others run anything that this cluster does not, or the other way round.
fn differ(builds: &[Build<'_>]) -> bool {
    let is_here = |who: &Who<'_>| matches!(who, Who::Here(..));
    let one_sided = |(_, who): &Build<'_>| who.iter().all(is_here) || !who.iter().any(is_here);
    builds.len() > 1 && builds.iter().any(one_sided)
}

impl Judged {
    fn say(
        &mut self,
        facts: &Facts<'_>,
        rows: &ByPlace<'_>,
        (name, builds, told): (&(Repository, Tag), &[Build<'_>], Told),
        now: Timestamp,
    ) {
        let all = || builds.iter().flat_map(|(_, who)| who);
        let places: BTreeSet<Place> = all().filter_map(Who::place).cloned().collect();
        let arrived = all().filter_map(|who| who.since(facts)).max();
        let until = arrived.map(|at| at.plus_millis(ROLLOUT_GRACE_MS)).filter(|until| now < *until);
        if let Some(until) = until {
            self.again_at(until);
        }
        if until.is_some() || told == Told::CannotTell {
            self.unsure_elsewhere.extend(builds.iter().map(|(digest, _)| *digest));
            return;
        }
        let found = builds.iter().take(FOUND_IMAGES_MAX);
        let found: Vec<FoundImage> = found.filter_map(|build| image(facts, rows, build)).collect();
        let name = format!("{}:{}", name.0, name.1);
        let listed: Vec<String> = found.iter().map(super::say::told_with_places).collect();
        let (count, listed) = (builds.len(), listed.join(" and "));
        let says = format!("clusters that name {name} run {count} builds: {listed}");
        let digests = builds.iter().map(|(digest, _)| *digest);
        let wrong = Wrong::between(FindingKind::SharedTag, places, digests, says)
            .with(found, Some(name.clone()), None)
            .about(format!("{name} elsewhere"));
        self.wrong.push(wrong);
    }
}

impl Who<'_> {
    fn place(&self) -> Option<&Place> {
        match self {
            Self::Here(place, _) => Some(place),
            Self::There(..) => None,
        }
    }

    /// Since when it runs these bytes: until the others have had their time, a rollout may go from one to the next.
    fn since(&self, facts: &Facts<'_>) -> Option<Timestamp> {
        match self {
            Self::Here(place, digest) => facts.standing.since(place, digest),
            Self::There(_, since) => Some(since.at),
        }
    }

    fn named(&self) -> String {
        match self {
            Self::Here(place, _) => format!("{}/{}", place.namespace, place.owner),
            Self::There(Far { cluster, namespace, workload }, _) => {
                format!("{cluster}{IN_CLUSTER}{namespace}/{workload}")
            }
        }
    }
}

fn image(facts: &Facts<'_>, rows: &ByPlace<'_>, (digest, who): &Build<'_>) -> Option<FoundImage> {
    let places: BTreeSet<String> = who.iter().map(Who::named).collect();
    let there = who.iter().map(|who| match who {
        Who::Here(..) => 0,
        Who::There(_, since) => since.count,
    });
    let own = facts.found(rows, who.iter().filter_map(Who::place), &[*digest]).pop()?;
    Some(FoundImage {
        pods_total: there.fold(own.pods_total, u32::saturating_add),
        places: places.iter().take(FOUND_NAMED_MAX).map(|one| Reported::of(one)).collect(),
        ..own
    })
}

/// Whether a finding is about another cluster too.
pub(in super::super) fn is_about_elsewhere(state: &FindingState) -> bool {
    let places = state.opened.found.iter().flat_map(|one| &one.places);
    let is_far = |place: &Reported| place.as_str().contains(IN_CLUSTER);
    state.what == FindingKind::SharedTag && places.into_iter().any(is_far)
}
