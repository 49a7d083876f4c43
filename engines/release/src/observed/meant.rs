//! What a name means by what runs under it: the digest to pin a workload file to without changing what runs.
//!
//! ```text
//! shop/api:uat, all pods on sha256:9f…                 ->  Meant::One(sha256:9f…)
//! shop/api:uat, sha256:9f… in shop, 3c… in shop-prod   ->  Meant::Several
//! ```

use super::findings::{Place, Told, apart};
use super::overview::{Bytes, Row};
use super::resolve::{Match, Registered, TagNow};
use domain::{Digest, Repository, Tag};
use std::collections::BTreeMap;

/// What runs under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// This build, everywhere.
    One(Digest),
    /// Several builds, each with where it runs: replicas or environments disagree.
    Several {
        /// The builds.
        builds: Vec<(Digest, Vec<Place>)>,
        /// Whether they were proved to differ.
        told: Told,
    },
    /// Its pods report a configuration only, which no registry can be asked for.
    NotAManifest(Digest),
    /// No container runs under this name.
    NotRunning,
}

/// Says what runs under a repository's tag, also where it is pinned beside its tag.
#[must_use]
pub fn meant(rows: &[Row], registered: &Registered, tag: &(Repository, Tag)) -> Meant {
    let mut running: BTreeMap<Digest, Vec<Place>> = BTreeMap::new();
    let mut configured = None;
    for row in rows.iter().filter(|row| row.named().as_ref() == Some(tag)) {
        for bytes in row.bytes.keys() {
            match bytes {
                Bytes::Pulled(digest) => {
                    let build = as_registered(*digest, registered, tag).unwrap_or(*digest);
                    running.entry(build).or_default().push(row.place());
                }
                Bytes::Configured(digest) => match as_registered(*digest, registered, tag) {
                    Some(build) => running.entry(build).or_default().push(row.place()),
                    None => configured = Some(*digest),
                },
                Bytes::Waiting(_) | Bytes::NotReported | Bytes::Unreadable(_) => {}
            }
        }
    }
    let (mut builds, told) = apart(running, registered);
    match (builds.len(), configured) {
        (0, None) => Meant::NotRunning,
        (_, Some(digest)) => Meant::NotAManifest(digest),
        (1, None) => Meant::One(builds.swap_remove(0).0),
        (_, None) => Meant::Several { builds, told },
    }
}

/// The tag's own digest, where what is reported is a part of it: a pin of the index serves every platform.
fn as_registered(
    reported: Digest,
    registered: &Registered,
    tag: &(Repository, Tag),
) -> Option<Digest> {
    let Some(TagNow::Names(now)) = registered.tags.get(tag) else { return None };
    match registered.compare(&reported, now) {
        Match::Exact | Match::Platform | Match::Config => Some(*now),
        Match::Alias | Match::Other | Match::Unknown => None,
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

    #[test]
    fn what_all_pods_run_is_meant_whatever_the_tag_names_now() {
        let pods = [pod("api-1", running(&id("a"), AT)), pod("api-2", running(&id("a"), AT))];
        let mut registered = Registered::default();
        registered.tags.insert(tag(), TagNow::Names(digest("b")));
        assert_eq!(meant(&rows(&pods), &registered, &tag()), Meant::One(digest("a")));
    }

    #[test]
    fn environments_that_disagree_are_told_with_both_digests() {
        let mut prod = pod("api-2", running(&id("b"), AT));
        prod.namespace = "shop-prod".to_owned();
        let pods = [pod("api-1", running(&id("a"), AT)), prod];
        let Meant::Several { builds, told } = meant(&rows(&pods), &Registered::default(), &tag())
        else {
            panic!("one build is meant")
        };
        let mut namespaces: Vec<_> =
            builds.iter().flat_map(|(_, at)| at).map(|at| at.namespace.as_str()).collect();
        namespaces.sort_unstable();
        assert_eq!((namespaces, told), (vec!["shop", "shop-prod"], Told::CannotTell));
    }

    #[test]
    fn a_part_of_the_tags_image_is_pinned_by_the_image() {
        let config = digest("config");
        let part =
            PlatformImage { platform: None, manifest: digest("amd64"), config: Some(config) };
        let mut registered = Registered::default();
        registered.tags.insert(tag(), TagNow::Names(digest("index")));
        for reported in [id("amd64"), config.to_string()] {
            let rows = rows(&[pod("api-1", running(&reported, AT))]);
            let unknown = meant(&rows, &registered, &tag());
            assert_ne!(unknown, Meant::One(digest("index")), "its contents are not known yet");
            let mut known = registered.clone();
            known.contents.insert(digest("index"), vec![part.clone()]);
            assert_eq!(meant(&rows, &known, &tag()), Meant::One(digest("index")));
        }
    }

    #[test]
    fn a_configuration_that_no_registry_knows_and_nothing_at_all_are_told_apart() {
        let by_config = rows(&[pod("api-1", running(&digest("c").to_string(), AT))]);
        let registered = Registered::default();
        assert_eq!(meant(&by_config, &registered, &tag()), Meant::NotAManifest(digest("c")));
        assert_eq!(meant(&[], &registered, &tag()), Meant::NotRunning);
    }

    #[test]
    fn a_pinned_row_with_the_same_tag_counts() {
        let mut pinned = running(&id("a"), AT);
        pinned.reference = format!("reg.example.com/shop/api:uat@{}", digest("a"));
        let rows = rows(&[pod("api-1", pinned)]);
        assert_eq!(meant(&rows, &Registered::default(), &tag()), Meant::One(digest("a")));
    }
}
