//! What is found, when, and what is left open because nobody could tell.

use super::*;
use crate::observed::differ::{Jurisdiction, differ};
use crate::observed::standing::tests::{at, begins, begins_in, cluster, digest, ends, place};
use record::FindingStates;
use record::claim::{
    ContainerRunClaim, DeployKind, FindingChange, FindingClaim, NamedBy, Outcome, PlatformImage,
    Reported, RunChange, Text,
};
use record::fuzz::story::Story;

const REPOSITORY: &str = "registry.example.com/shop/api";

/// What is known, built up by a test.
struct World {
    standing: Standing,
    registered: Registered,
    builds: Builds,
    environments: Vec<Ours>,
    elsewhere: Elsewhere,
}

impl World {
    fn of(claims: &[ContainerRunClaim]) -> Self {
        let mut standing = Standing::default();
        claims.iter().for_each(|claim| standing.apply(claim));
        let (registered, builds) = (Registered::default(), Builds::new());
        let elsewhere = Elsewhere::default();
        Self { standing, registered, builds, environments: Vec::new(), elsewhere }
    }

    /// The registry shows what these hold, each another configuration.
    fn shows(mut self, contents: &[&str]) -> Self {
        for content in contents {
            let config = Some(digest(&format!("{content} config")));
            let part = PlatformImage { platform: None, manifest: digest(content), config };
            self.registered.contents.insert(digest(content), vec![part]);
        }
        self
    }

    /// In prod-us this runs since then, under the same name.
    fn elsewhere(mut self, content: &str, since: &str) -> Self {
        let run = begins_in("shop", "deployment/api", "api-far", content, since);
        let tag = ("reg.example.com/shop/api".parse().unwrap(), "uat".parse().unwrap());
        let run = record::Run::begun(&run).unwrap();
        self.elsewhere.take(&Reported::of("prod-us"), &run, &BTreeSet::from([tag]));
        self
    }

    fn tag_names(mut self, now: TagNow) -> Self {
        let tag = ("reg.example.com/shop/api".parse().unwrap(), "uat".parse().unwrap());
        self.registered.tags.insert(tag, now);
        self
    }

    /// The environment of namespace `shop`, as a story tells it.
    fn environment(mut self, name: &str, story: &Story) -> Self {
        for build in story.builds() {
            let built = BuiltAs { environment: build.environment, name: REPOSITORY.to_owned() };
            self.builds.entry(build.digest).or_default().push(built);
        }
        self.environments.push(Ours {
            state: story.state(name),
            namespace: Some("shop".to_owned()),
            images: [("reg.example.com/shop/api".parse().unwrap(), "api".parse().unwrap())].into(),
            workloads: Vec::new(),
        });
        self
    }

    fn judge(&self, now: &str) -> Judged {
        let Self { standing, registered, builds, environments, elsewhere } = self;
        judge(&Facts { standing, registered, builds, environments, elsewhere }, at(now))
    }

    fn kinds(&self, now: &str) -> Vec<FindingKind> {
        self.judge(now).wrong.iter().map(|wrong| wrong.what).collect()
    }

    fn differ(&self, states: &FindingStates, now: &str) -> Vec<FindingClaim> {
        let cluster = cluster();
        let names = self.environments.iter().map(|one| one.state.name());
        let here =
            Jurisdiction { cluster: &cluster, namespace: None, environments: names.collect() };
        differ(&here, &self.judge(now), states, &self.standing, at(now))
    }
}

fn states(claims: impl IntoIterator<Item = FindingClaim>) -> FindingStates {
    let mut story = Story::new();
    for claim in claims {
        story.say(record::Claim::Finding(claim));
    }
    let mut states = FindingStates::default();
    story.events().iter().for_each(|event| states.add(event));
    states
}

/// Two replicas of one template that run other bytes: a tag moved, and one pod was made again.
fn replicas_that_differ() -> World {
    World::of(&[begins("api-6d5-x", "a", "14:00"), begins("api-6d5-y", "b", "15:00")])
        .shows(&["a", "b"])
        .tag_names(TagNow::Names(digest("b")))
}

#[test]
fn two_builds_of_one_template_are_found_at_once_with_both_digests_and_pods() {
    let judged = replicas_that_differ().judge("15:00");
    let wrong = &judged.wrong[0];
    assert_eq!((wrong.what, wrong.place()), (FindingKind::TwoBuilds, Some(&place())));
    let mut found: Vec<_> =
        wrong.opened.found.iter().map(|one| (one.digest, one.pods[0].as_str())).collect();
    found.sort();
    let mut expected = vec![(digest("a"), "api-6d5-x"), (digest("b"), "api-6d5-y")];
    expected.sort();
    assert_eq!(found, expected);
    let kinds: Vec<_> = judged.wrong.iter().map(|wrong| wrong.what).collect();
    assert_eq!(kinds, [FindingKind::TwoBuilds, FindingKind::TagMoved, FindingKind::Unpinned]);
}

#[test]
fn a_rollout_under_way_is_no_finding_until_its_grace_is_over() {
    let old = begins("api-6d5-x", "a", "14:00");
    let mut rolling =
        World::of(&[old.clone(), begins("api-7c9-y", "b", "15:00")]).shows(&["a", "b"]);
    assert_eq!(rolling.kinds("15:09"), [FindingKind::Unpinned]);
    let judged = rolling.judge("15:09");
    assert_eq!(judged.next, Some(at("15:10")), "ten minutes after its newest pod began");
    assert!(judged.unsure.contains(&(FindingKind::TwoBuilds, Some(place()))));
    assert_eq!(rolling.kinds("15:10")[0], FindingKind::TwoBuilds);
    // A pod that begins later starts the grace again; the end of the old one ends it.
    rolling.standing.apply(&begins("api-7c9-z", "b", "15:08"));
    assert_eq!(rolling.kinds("15:10"), [FindingKind::Unpinned]);
    rolling.standing.apply(&ends(&old, "15:09"));
    assert_eq!(rolling.kinds("16:00"), [FindingKind::Unpinned]);
}

#[test]
fn nodes_that_report_one_build_in_two_ways_do_not_differ() {
    let mut world = replicas_that_differ();
    let parts = world.registered.contents[&digest("a")].clone();
    world.registered.contents.insert(digest("b"), parts);
    assert_eq!(world.kinds("15:00"), [FindingKind::Unpinned]);
    // What nobody could look into is not said to differ, and what is open stays open.
    world.registered.contents.clear();
    let judged = world.judge("15:00");
    assert!(judged.wrong.iter().all(|wrong| wrong.what != FindingKind::TwoBuilds));
    assert!(judged.unsure.contains(&(FindingKind::TwoBuilds, Some(place()))));
}

#[test]
fn a_build_of_another_environment_is_found_until_it_is_promoted() {
    let mut story = Story::new();
    let build = story.build("api", "a", "uat");
    let claims = [begins("api-6d5-x", "a", "14:00")];
    let world = World::of(&claims).environment("prod", &story);
    let judged = world.judge("15:00");
    assert_eq!(judged.wrong[0].what, FindingKind::NotEligible);
    assert_eq!(judged.wrong[0].environment.as_ref().map(EnvironmentName::as_str), Some("prod"));
    assert!(judged.wrong[0].opened.says.as_str().contains("built for uat"), "{judged:?}");
    let from = "uat".parse().unwrap();
    story.deploy("api", "prod", build, DeployKind::Promote { from }, NamedBy::Name);
    let world = World::of(&claims).environment("prod", &story);
    assert_eq!(world.kinds("15:00"), [FindingKind::Unpinned]);
}

#[test]
fn a_build_on_its_way_by_a_promotion_is_not_found_until_that_has_failed() {
    let mut story = Story::new();
    let build = story.build("api", "a", "uat");
    let claims = [begins("api-6d5-x", "a", "14:00")];
    let from = "uat".parse().unwrap();
    let begun = story.begin("api", "prod", build, DeployKind::Promote { from });
    let world = World::of(&claims).environment("prod", &story);
    assert_eq!(world.kinds("15:00"), [FindingKind::Unpinned]);
    let why = Text::try_from("it does not start".to_owned()).unwrap();
    story.end(begun, Outcome::Failed { why });
    let world = World::of(&claims).environment("prod", &story);
    assert_eq!(world.judge("15:00").wrong[0].what, FindingKind::NotEligible);
}

#[test]
fn a_build_that_nobody_published_is_told_only_where_its_bytes_were_seen() {
    let story = Story::new();
    let world = || World::of(&[begins("api-6d5-x", "a", "14:00")]).environment("prod", &story);
    let judged = world().judge("15:00");
    assert_eq!(judged.wrong.len(), 1, "unpinned, and nothing that nobody could find out");
    assert!(judged.unsure.contains(&(FindingKind::UnknownBuild, Some(place()))));
    let kinds = world().shows(&["a"]).kinds("15:00");
    assert_eq!(kinds, [FindingKind::UnknownBuild, FindingKind::Unpinned]);
}

#[test]
fn an_image_around_a_known_build_is_that_build() {
    let mut story = Story::new();
    story.build("api", "index", "prod");
    let mut world =
        World::of(&[begins("api-6d5-x", "rewrapped", "14:00")]).environment("prod", &story);
    let part = |manifest: &str| PlatformImage {
        platform: "linux/amd64".parse().ok(),
        manifest: digest(manifest),
        config: Some(digest("config")),
    };
    // A builder put an attestation beside the same platform image: another index, the same bits.
    world.registered.contents.insert(digest("index"), vec![part("amd64")]);
    world.registered.contents.insert(digest("rewrapped"), vec![part("amd64")]);
    assert_eq!(world.kinds("15:00"), [FindingKind::Unpinned]);
    // A mirror that changed the manifest's form keeps the configuration.
    world.registered.contents.insert(digest("rewrapped"), vec![part("converted")]);
    assert_eq!(world.kinds("15:00"), [FindingKind::Unpinned]);
}

#[test]
fn what_no_deploy_brought_is_a_change_from_outside_and_what_has_not_left_yet_is_none() {
    let mut story = Story::new();
    let (a, b) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
    // By the story's clock: 14:03 and 14:04.
    story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
    story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
    let first = begins("api-6d5-x", "a", "14:03");
    let lagging = World::of(std::slice::from_ref(&first)).shows(&["a", "b"]);
    let lagging = lagging.environment("prod", &story);
    assert_eq!(lagging.kinds("14:30"), [FindingKind::Unpinned], "it was there before");
    // b comes, and then a again: as `kubectl rollout undo` does.
    let second = begins("api-7c9-y", "b", "14:05");
    let undone = [
        first.clone(),
        second.clone(),
        ends(&first, "14:06"),
        begins("api-6d5-z", "a", "14:20"),
        ends(&second, "14:21"),
    ];
    let undone = World::of(&undone).shows(&["a", "b"]).environment("prod", &story);
    let early = undone.judge("14:20");
    assert_eq!(early.wrong.len(), 1, "the record of a deploy may come a little later: {early:?}");
    assert_eq!(early.next, Some(at("14:20").plus_millis(DEPLOY_LATE_MAX_MS)));
    let judged = undone.judge("14:30");
    assert_eq!(judged.wrong[0].what, FindingKind::OutsideChange);
    assert_eq!(judged.wrong[0].opened.expected, Some(digest("b")));
    // Somebody writes it down: it is decided from then on.
    story.deploy("api", "prod", a, DeployKind::Noted, NamedBy::Name);
    let noted = World { environments: Vec::new(), ..undone }.environment("prod", &story);
    assert_eq!(noted.kinds("14:40"), [FindingKind::Unpinned]);
}

#[test]
fn one_tag_that_is_two_builds_in_two_namespaces_is_found_once_for_both() {
    let world = World::of(&[
        begins("api-6d5-x", "a", "14:00"),
        begins_in("shop-prod", "deployment/api", "api-6d5-y", "b", "14:00"),
    ])
    .shows(&["a", "b"]);
    let judged = world.judge("15:00");
    let shared: Vec<_> =
        judged.wrong.iter().filter(|wrong| wrong.what == FindingKind::SharedTag).collect();
    assert_eq!(shared.len(), 1);
    assert_eq!(shared[0].places.len(), 2);
    let claims = world.differ(&FindingStates::default(), "15:00");
    let claim = claims.iter().find(|claim| claim.what == FindingKind::SharedTag).unwrap();
    assert_eq!((&claim.namespace, &claim.workload), (&None, &None));
    let FindingChange::Opened(opened) = &claim.change else { panic!("it opens") };
    let mut places: Vec<_> =
        opened.found.iter().flat_map(|one| &one.places).map(ToString::to_string).collect();
    places.sort();
    assert_eq!(places, ["shop-prod/deployment/api", "shop/deployment/api"]);
}

#[test]
fn one_tag_that_is_two_builds_in_two_clusters_is_found_with_both_places() {
    let here = || World::of(&[begins("api-6d5-x", "a", "14:00")]).shows(&["a", "b"]);
    let shared = |world: &World, now: &str| -> Vec<Wrong> {
        let wrong = world.judge(now).wrong.into_iter();
        wrong.filter(|one| one.what == FindingKind::SharedTag).collect()
    };
    let world = here().elsewhere("b", "14:05");
    assert_eq!(shared(&world, "14:14"), [], "a rollout may go from one cluster to the next");
    assert_eq!(world.judge("14:14").next, Some(at("14:15")));
    let found = shared(&world, "14:15");
    assert_eq!(found.len(), 1);
    let says = found[0].opened.says.as_str();
    assert!(says.starts_with("clusters that name reg.example.com/shop/api:uat run 2 builds: "));
    assert!(says.contains("in prod-us: shop/deployment/api"), "{says}");
    let mut places: Vec<_> =
        found[0].opened.found.iter().flat_map(|one| &one.places).map(Reported::as_str).collect();
    places.sort_unstable();
    assert_eq!(places, ["prod-us: shop/deployment/api", "shop/deployment/api"]);
    assert_eq!(found[0].digests, BTreeSet::from([digest("a"), digest("b")]));
    // The same bytes, and another name or a pinned one, are nothing.
    assert_eq!(shared(&here().elsewhere("a", "14:05"), "15:00"), []);
    // Nobody knows what b is: it is told of neither, and what is open stays open.
    let unknown = World::of(&[begins("api-6d5-x", "a", "14:00")]).elsewhere("b", "14:05");
    assert_eq!(shared(&unknown, "15:00"), []);
    assert!(unknown.judge("15:00").unsure_elsewhere.contains(&digest("a")));
}

#[test]
fn what_is_open_between_clusters_closes_when_they_agree_and_waits_while_one_is_silent() {
    let here = || World::of(&[begins("api-6d5-x", "a", "14:00")]).shows(&["a", "b"]);
    let is_shared = |claim: &FindingClaim| claim.what == FindingKind::SharedTag;
    let world = here().elsewhere("b", "14:05");
    let opened = world.differ(&FindingStates::default(), "15:00");
    assert_eq!(opened.iter().filter(|claim| is_shared(claim)).count(), 1);
    let states = states(opened);
    assert_eq!(world.differ(&states, "15:01"), [], "it opens once");
    let mut silent = here();
    silent.elsewhere.silent();
    assert!(!silent.differ(&states, "15:01").iter().any(is_shared), "nobody can tell");
    let closed = here().elsewhere("a", "14:30").differ(&states, "15:01");
    let closed: Vec<_> = closed.into_iter().filter(is_shared).collect();
    assert!(matches!(closed[..], [FindingClaim { change: FindingChange::Closed { .. }, .. }]));
    // A cluster that is gone for ever keeps nothing open that does not run here any more.
    let mut other = World::of(&[begins("api-6d5-y", "c", "14:50")]).shows(&["a", "b", "c"]);
    other.elsewhere.silent();
    assert!(other.differ(&states, "15:01").iter().any(is_shared));
}

#[test]
fn a_job_runs_once_and_its_names_are_not_judged() {
    let world = World::of(&[begins_in("shop", "job/migrate", "migrate-x", "a", "14:00")])
        .tag_names(TagNow::Gone);
    assert_eq!(world.kinds("15:00"), []);
}

#[test]
fn a_finding_opens_once_closes_by_itself_and_its_next_opening_is_counted() {
    let mut world = replicas_that_differ();
    let opened = world.differ(&FindingStates::default(), "15:00");
    assert_eq!(opened.len(), 3);
    assert!(opened.iter().all(|claim| claim.opening == 1));
    // A second watcher, or the same one started again, has nothing to say.
    assert_eq!(world.differ(&states(opened.clone()), "15:05"), []);
    world.standing.apply(&ends(&begins("api-6d5-x", "a", "14:00"), "15:10"));
    world.standing.apply(&begins("api-6d5-z", "b", "15:10"));
    let closed = world.differ(&states(opened.clone()), "15:11");
    let kinds: BTreeSet<_> = closed.iter().map(|claim| claim.what).collect();
    assert_eq!(kinds, BTreeSet::from([FindingKind::TwoBuilds, FindingKind::TagMoved]));
    assert!(closed.iter().all(|claim| matches!(claim.change, FindingChange::Closed { .. })));
    let so_far: Vec<_> = opened.into_iter().chain(closed).collect();
    let again = replicas_that_differ().differ(&states(so_far), "16:00");
    assert!(again.iter().all(|claim| claim.opening == 2) && again.len() == 2, "{again:?}");
}

#[test]
fn what_nobody_could_find_out_closes_nothing_until_nothing_runs_there() {
    let opened = replicas_that_differ().differ(&FindingStates::default(), "15:00");
    let mut away = replicas_that_differ();
    away.registered = Registered::default();
    away = away.tag_names(TagNow::Unknown("no answer".to_owned()));
    assert_eq!(away.differ(&states(opened.clone()), "15:05"), []);
    let empty = World::of(&[]);
    assert_eq!(empty.differ(&states(opened), "15:10").len(), 3, "all close");
}

#[test]
fn a_watcher_without_the_environment_closes_none_of_its_findings() {
    let story = Story::new();
    let world = World::of(&[begins("api-6d5-x", "a", "14:00")]).shows(&["a"]);
    let ours = world.environment("prod", &story);
    let opened = ours.differ(&FindingStates::default(), "15:00");
    assert!(opened.iter().any(|claim| claim.what == FindingKind::UnknownBuild));
    let stranger = World { environments: Vec::new(), ..ours };
    assert_eq!(stranger.differ(&states(opened), "15:05"), []);
}

/// Each form is one that research/deploy.md §2.3 names with its source: containerd 2.4 reports the index that the
/// reference led to, or a platform's manifest where a node pulled that; cri-dockerd a repository digest with its prefix;
/// CRI-O from OpenShift 4.15 on the bare image id, which is the configuration's.
#[test]
fn nodes_of_every_runtime_and_platform_that_run_one_index_do_not_differ() {
    let hex = |name: &str| digest(name).hex();
    let mirror = "mirror.example.com:5000/shop/api";
    let forms = [
        format!("reg.example.com/shop/api@{}", digest("index")),
        format!("{mirror}@{}", digest("index")),
        format!("reg.example.com/shop/api@{}", digest("arm64")),
        format!("docker-pullable://reg.example.com/shop/api@{}", digest("amd64")),
        format!("docker://{}", digest("amd64 config")),
        hex("arm64 config"),
        digest("amd64 config").to_string(),
    ];
    let part = |name: &str| PlatformImage {
        platform: format!("linux/{name}").parse().ok(),
        manifest: digest(name),
        config: Some(digest(&format!("{name} config"))),
    };
    let claims: Vec<_> = forms
        .iter()
        .enumerate()
        .map(|(nth, form)| reports(&begins(&format!("api-6d5-{nth}"), form, "14:00"), form))
        .collect();
    let mut world = World::of(&claims);
    world.registered.contents.insert(digest("index"), vec![part("amd64"), part("arm64")]);
    assert_eq!(world.kinds("15:00"), [FindingKind::Unpinned]);
    // One node that runs something else is found among them.
    let other = format!("reg.example.com/shop/api@{}", digest("other"));
    world.standing.apply(&reports(&begins("api-6d5-x", "other", "14:30"), &other));
    world = world.shows(&["other"]);
    assert_eq!(world.kinds("15:00"), [FindingKind::TwoBuilds, FindingKind::Unpinned]);
}

/// The same begin with another imageID.
fn reports(claim: &ContainerRunClaim, image_id: &str) -> ContainerRunClaim {
    let mut claim = claim.clone();
    if let RunChange::Began(began) = &mut claim.change {
        began.image_id = Reported::of(image_id);
    }
    claim.digest = crate::observed::ImageId::read(image_id).digest();
    claim
}
