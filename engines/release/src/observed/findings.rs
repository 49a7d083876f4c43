//! What is wrong about what runs, worst first, and what could not be found out.

use super::overview::Row;
use super::owner::Owner;
use super::resolve::{Presence, Registered, TagNow};
use domain::{Digest, ImageRef, Repository, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// Something that should not be; the order is the order in which to look at them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// Pods of one workload run different bytes.
    TwoBuilds {
        /// Where.
        place: Place,
        /// Its references: one, or several while a rollout is under way.
        references: BTreeSet<String>,
        /// Each build, with the pods that run it.
        builds: Vec<(Digest, Vec<String>)>,
        /// Whether they were proved to differ.
        told: Told,
    },
    /// Workloads that name one tag run different bytes.
    SharedTag {
        /// The tag.
        tag: (Repository, Tag),
        /// Each build, with the workloads that run it.
        builds: Vec<(Digest, BTreeSet<Place>)>,
        /// Whether they were proved to differ.
        told: Told,
    },
    /// The registry has the bytes no more: a pod that moves to another node will not start.
    DigestGone {
        /// Where.
        place: Place,
        /// From where it is pulled.
        repository: Repository,
        /// What is gone.
        digest: Digest,
    },
    /// There is no such tag any more: a new pod will not start.
    TagGone {
        /// Where.
        place: Place,
        /// The tag.
        tag: (Repository, Tag),
    },
    /// The tag names other bytes than when the pods started: a restart changes what runs.
    TagMoved {
        /// Where.
        place: Place,
        /// The tag.
        tag: (Repository, Tag),
        /// What runs.
        running: Digest,
        /// What a new pod would run.
        now: Digest,
    },
    /// The reference can move.
    Unpinned {
        /// Where.
        place: Place,
        /// The reference.
        reference: String,
    },
}

/// A container of a workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The namespace.
    pub namespace: String,
    /// The workload.
    pub owner: Owner,
    /// The container.
    pub container: String,
}

/// Whether two digests are known to be two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// Their contents differ.
    Apart,
    /// They are two digests; what one of them holds could not be found out.
    CannotTell,
}

/// What was found, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Worst first.
    pub found: Vec<Finding>,
    /// Why something could not be found out, and of what.
    pub unknown: BTreeMap<String, BTreeSet<String>>,
}

/// Judges the rows.
#[must_use]
pub fn find(rows: &[Row], registered: &Registered) -> Findings {
    let mut findings = Findings::default();
    two_builds(rows, registered, &mut findings);
    shared_tags(rows, registered, &mut findings);
    for row in rows {
        judge_tag(row, registered, &mut findings);
        judge_digests(row, registered, &mut findings);
    }
    findings.found.sort();
    findings.found.dedup();
    findings
}

impl Findings {
    fn unknown(&mut self, why: &str, what: String) {
        self.unknown.entry(why.to_owned()).or_default().insert(what);
    }
}

impl Row {
    pub(super) fn place(&self) -> Place {
        Place {
            namespace: self.namespace.clone(),
            owner: self.owner.clone(),
            container: self.container.clone(),
        }
    }
}

fn two_builds(rows: &[Row], registered: &Registered, findings: &mut Findings) {
    let mut places: BTreeMap<Place, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        places.entry(row.place()).or_default().push(row);
    }
    for (place, rows) in places {
        let mut running: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
        for (bytes, pods) in rows.iter().flat_map(|row| &row.bytes) {
            if let Some(digest) = bytes.digest() {
                running.entry(digest).or_default().extend(pods.iter().cloned());
            }
        }
        let (builds, told) = apart(running, registered);
        if builds.len() > 1 {
            let references = rows.iter().map(|row| row.reference.clone()).collect();
            findings.found.push(Finding::TwoBuilds { place, references, builds, told });
        }
    }
}

fn shared_tags(rows: &[Row], registered: &Registered, findings: &mut Findings) {
    let mut tags: BTreeMap<(Repository, Tag), BTreeMap<Digest, Vec<Place>>> = BTreeMap::new();
    for row in rows {
        let Some(tag) = row.moving() else { continue };
        for digest in row.digests() {
            tags.entry(tag.clone()).or_default().entry(digest).or_default().push(row.place());
        }
    }
    for (tag, running) in tags {
        let (builds, told) = apart(running, registered);
        let places: BTreeSet<&Place> = builds.iter().flat_map(|(_, places)| places).collect();
        // One workload alone has been told of already.
        if builds.len() > 1 && places.len() > 1 {
            let builds = builds.into_iter().map(|(digest, at)| (digest, at.into_iter().collect()));
            findings.found.push(Finding::SharedTag { tag, builds: builds.collect(), told });
        }
    }
}

/// Joins digests that are one build, under the first of them.
pub(super) fn apart<T>(
    running: BTreeMap<Digest, Vec<T>>,
    registered: &Registered,
) -> (Vec<(Digest, Vec<T>)>, Told) {
    let mut builds: Vec<(Digest, Vec<T>)> = Vec::new();
    let mut told = Told::Apart;
    for (digest, who) in running {
        let same = builds.iter_mut().find(|(known, _)| {
            let same = registered.is_same_build(&digest, known);
            if same.is_none() {
                told = Told::CannotTell;
            }
            same == Some(true)
        });
        match same {
            Some((_, all)) => all.extend(who),
            None => builds.push((digest, who)),
        }
    }
    (builds, told)
}

fn judge_tag(row: &Row, registered: &Registered, findings: &mut Findings) {
    let Some(tag) = row.moving() else {
        if row.image().is_none() {
            let what = format!("{} {} {}", row.namespace, row.owner, row.container);
            findings.unknown("its image is no reference that can be read", what);
        }
        return;
    };
    findings.found.push(Finding::Unpinned { place: row.place(), reference: row.reference.clone() });
    let written = format!("{}:{}", tag.0, tag.1);
    match registered.tags.get(&tag) {
        None => {}
        Some(TagNow::Unknown(why)) => findings.unknown(why, written),
        Some(TagNow::Gone) => findings.found.push(Finding::TagGone { place: row.place(), tag }),
        Some(TagNow::Names(now)) => {
            for running in row.digests() {
                match registered.is_same_build(&running, now) {
                    Some(true) => {}
                    Some(false) => findings.found.push(Finding::TagMoved {
                        place: row.place(),
                        tag: tag.clone(),
                        running,
                        now: *now,
                    }),
                    None => {
                        let why = "whether the tag has moved cannot be told: its registry does not show what runs";
                        findings.unknown(why, written.clone());
                    }
                }
            }
        }
    }
}

fn judge_digests(row: &Row, registered: &Registered, findings: &mut Findings) {
    let Some(image) = row.image() else { return };
    let meant = match &image {
        ImageRef::Pinned(pinned) => Some(pinned.digest),
        ImageRef::Bare(_) | ImageRef::Tagged(_) => None,
    };
    for digest in row.digests().chain(meant).collect::<BTreeSet<_>>() {
        match registered.presence.get(&(image.repository().clone(), digest)) {
            None | Some(Presence::There) => {}
            Some(Presence::Gone) => findings.found.push(Finding::DigestGone {
                place: row.place(),
                repository: image.repository().clone(),
                digest,
            }),
            Some(Presence::Unknown(why)) => {
                findings.unknown(why, format!("{}@{}", image.repository(), digest.short()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::overview::rows;
    use super::super::overview::tests::{digest, id, pod, running};
    use super::*;
    use record::claim::PlatformImage;

    const AT: &str = "2026-03-17T15:00:00Z";

    fn tag() -> (Repository, Tag) {
        ("reg.example.com/shop/api".parse().unwrap(), "uat".parse().unwrap())
    }

    fn holds(names: &[&str]) -> Registered {
        let part = |name: &str| PlatformImage {
            platform: None,
            manifest: digest(name),
            config: Some(digest(&format!("{name} config"))),
        };
        let contents = names.iter().map(|name| (digest(name), vec![part(name)]));
        Registered { contents: contents.collect(), ..Registered::default() }
    }

    fn place() -> Place {
        let owner = Owner { kind: "deployment".to_owned(), name: "api".to_owned() };
        Place { namespace: "shop".to_owned(), owner, container: "api".to_owned() }
    }

    #[test]
    fn replicas_that_run_two_builds_come_first_with_both_digests_and_pods() {
        let pods = [pod("api-1", running(&id("a"), AT)), pod("api-2", running(&id("b"), AT))];
        let mut registered = holds(&["a", "b"]);
        registered.tags.insert(tag(), TagNow::Names(digest("b")));
        let findings = find(&rows(&pods), &registered);
        let mut builds =
            vec![(digest("a"), vec!["api-1".to_owned()]), (digest("b"), vec!["api-2".to_owned()])];
        builds.sort();
        let reference = "reg.example.com/shop/api:uat".to_owned();
        let expected = [
            Finding::TwoBuilds {
                place: place(),
                references: BTreeSet::from([reference.clone()]),
                builds,
                told: Told::Apart,
            },
            Finding::TagMoved {
                place: place(),
                tag: tag(),
                running: digest("a"),
                now: digest("b"),
            },
            Finding::Unpinned { place: place(), reference },
        ];
        assert_eq!(findings.found, expected);
        assert!(findings.unknown.is_empty());
    }

    #[test]
    fn nodes_that_report_one_build_in_two_ways_do_not_differ() {
        let by_config = digest("a config").to_string();
        let pods = [pod("api-1", running(&id("a"), AT)), pod("api-2", running(&by_config, AT))];
        let mut registered = holds(&["a"]);
        registered.tags.insert(tag(), TagNow::Names(digest("a")));
        let findings = find(&rows(&pods), &registered);
        assert!(matches!(findings.found[..], [Finding::Unpinned { .. }]), "{findings:?}");
    }

    #[test]
    fn two_digests_that_nobody_could_look_into_are_said_to_be_that() {
        let pods = [pod("api-1", running(&id("a"), AT)), pod("api-2", running(&id("b"), AT))];
        let findings = find(&rows(&pods), &Registered::default());
        let Finding::TwoBuilds { told, .. } = &findings.found[0] else { panic!("{findings:?}") };
        assert_eq!(*told, Told::CannotTell);
    }

    #[test]
    fn one_tag_that_is_two_builds_in_two_namespaces_is_found() {
        let mut prod = pod("api-2", running(&id("b"), AT));
        prod.namespace = "shop-prod".to_owned();
        let pods = [pod("api-1", running(&id("a"), AT)), prod];
        let findings = find(&rows(&pods), &holds(&["a", "b"]));
        let Finding::SharedTag { builds, .. } = &findings.found[0] else { panic!("{findings:?}") };
        let namespaces: BTreeSet<_> = builds
            .iter()
            .flat_map(|(_, places)| places)
            .map(|place| place.namespace.as_str())
            .collect();
        assert_eq!(namespaces, BTreeSet::from(["shop", "shop-prod"]));
    }

    #[test]
    fn a_registry_that_could_not_be_asked_is_unknown_and_never_a_moved_tag() {
        let pods = [pod("api-1", running(&id("a"), AT))];
        let mut registered = Registered::default();
        registered.tags.insert(tag(), TagNow::Unknown("401".to_owned()));
        registered.presence.insert((tag().0, digest("a")), Presence::Unknown("401".to_owned()));
        let findings = find(&rows(&pods), &registered);
        assert!(matches!(findings.found[..], [Finding::Unpinned { .. }]), "{findings:?}");
        assert_eq!(findings.unknown["401"].len(), 2);
    }

    #[test]
    fn a_pinned_digest_that_is_gone_is_found_also_when_it_still_runs() {
        let mut pinned = running(&id("a"), AT);
        pinned.reference = format!("reg.example.com/shop/api:1@{}", digest("a"));
        let mut registered = Registered::default();
        registered.presence.insert((tag().0, digest("a")), Presence::Gone);
        let findings = find(&rows(&[pod("api-1", pinned)]), &registered);
        assert!(matches!(findings.found[..], [Finding::DigestGone { .. }]), "{findings:?}");
    }
}
