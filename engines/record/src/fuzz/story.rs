//! A record told step by step, with a clock that ticks a minute a step; for tests of every layer.

use crate::claim::{
    BuildClaim, Claim, ClaimKey, ClusterId, ContainerRunClaim, DeployClaim, DeployKind,
    FindingChange, FindingClaim, FindingId, FindingKind, FindingOpened, FoundImage, Grade,
    HoldClaim, HoldState, ImageClaim, Mode, Moment, NamedBy, Outcome, PlatformImage, PublishedBy,
    Reported, RunBegan, RunChange, RunId, RunRole, Source, Text, WatchChange, WatchedClaim,
};
use crate::event::{Event, Sequenced, Stamp};
use crate::late_end::{deploy_key, late_end_key};
use crate::state::EnvironmentState;
use domain::{Actor, CommitId, Digest, EventId, Proof, Timestamp};

/// Some events in order.
pub struct Story {
    events: Vec<Sequenced>,
    clock: Timestamp,
}

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::missing_panics_doc, reason = "a story is told in tests, from literals")]
impl Story {
    /// Begins on 2026-03-17 at 14:00 UTC.
    #[must_use]
    pub fn new() -> Self {
        Self { events: Vec::new(), clock: "2026-03-17T14:00:00Z".parse().expect("a literal time") }
    }

    /// When the next step happens.
    #[must_use]
    pub fn next_time(&self) -> Timestamp {
        self.clock.plus_millis(60_000)
    }

    /// Moves the clock, backwards too.
    pub fn turn_clock(&mut self, ms: i64) {
        self.clock = self.clock.plus_millis(ms);
    }

    /// Records any claim.
    pub fn say(&mut self, claim: Claim) -> EventId {
        self.clock = self.next_time();
        let seq = self.events.len() as u64 + 1;
        let id = EventId::new(self.clock, u128::from(seq));
        let actor = Actor::new("ada", Proof::Git).expect("a literal name");
        let stamp = Stamp { id, at: self.clock, actor, cause: None, imported: None };
        self.events.push(Sequenced { seq, event: Event { stamp, claim } });
        id
    }

    fn key(&self, what: &str) -> ClaimKey {
        ClaimKey::try_from(format!("{what}/{}", self.events.len())).expect("a short key")
    }

    /// The commit that the build of `content` came from.
    #[must_use]
    pub fn commit_of(&self, content: &str) -> CommitId {
        Digest::sha256(content.as_bytes()).hex()[..40].parse().expect("40 hex digits")
    }

    /// Records a build of an image for an environment; its digest is that of `content`.
    pub fn build(&mut self, image: &str, content: &str, environment: &str) -> Digest {
        let digest = Digest::sha256(content.as_bytes());
        let source = Source {
            repository: Some("https://git.example.com/shop".to_owned()),
            commit: self.commit_of(content),
            merge_commit: None,
            source_ref: "refs/heads/develop".parse().ok(),
            dirty: false,
        };
        self.say(Claim::Build(BuildClaim {
            key: self.key("build"),
            digest,
            repository: format!("registry.example.com/shop/{image}").parse().expect("a repository"),
            image: image.parse().ok(),
            tags: vec![],
            aliases: vec![],
            environment: environment.parse().ok(),
            source: Some(source),
            run: None,
            published_by: PublishedBy::Publish,
        }));
        digest
    }

    /// Records what an image's bytes say.
    pub fn image(&mut self, digest: Digest, manifest: Digest, config: Digest) -> EventId {
        let platform = "linux/amd64".parse().ok();
        self.say(Claim::Image(ImageClaim {
            key: self.key("image"),
            digest,
            media_type: "application/vnd.oci.image.index.v1+json".to_owned(),
            size: 1_000,
            platforms: vec![PlatformImage { platform, manifest, config: Some(config) }],
        }))
    }

    /// Records a deploy that landed.
    pub fn deploy(
        &mut self,
        image: &str,
        environment: &str,
        to: Digest,
        how: DeployKind,
        named_by: NamedBy,
    ) -> EventId {
        let claim = self.deploy_claim(image, environment, to, how, named_by);
        self.say(Claim::Deploy(claim))
    }

    /// Records a deploy that failed.
    pub fn fail(&mut self, image: &str, environment: &str, to: Digest) -> EventId {
        let mut claim =
            self.deploy_claim(image, environment, to, DeployKind::Deploy, NamedBy::Rule);
        claim.outcome =
            Outcome::Failed { why: Text::try_from("refused".to_owned()).expect("a short text") };
        self.say(Claim::Deploy(claim))
    }

    /// Records that a deploy begins.
    pub fn begin(
        &mut self,
        image: &str,
        environment: &str,
        to: Digest,
        how: DeployKind,
    ) -> EventId {
        let mut claim = self.deploy_claim(image, environment, to, how, NamedBy::Rule);
        let state = self.state(environment);
        let last = state.newest(&claim.image).map(|fact| fact.stamp.id);
        claim.key = deploy_key(&claim.environment, &claim.image, last);
        claim.outcome = Outcome::Open { why: Text::try_from("begun".to_owned()).expect("short") };
        self.say(Claim::Deploy(claim))
    }

    /// Records how a deploy ended that was begun, also where another one has begun meanwhile.
    pub fn end(&mut self, begun: EventId, outcome: Outcome) -> EventId {
        let deploys = self.events.iter().filter_map(|event| {
            Some((event.event.stamp.id, event.event.claim.as_deploy()?.clone()))
        });
        let deploys: Vec<_> = deploys.collect();
        let (_, mut claim) =
            deploys.iter().find(|(id, _)| *id == begun).cloned().expect("it was begun");
        let is_behind =
            |(id, other): &(EventId, DeployClaim)| *id > begun && other.image == claim.image;
        let own = deploy_key(&claim.environment, &claim.image, Some(begun));
        let key = if deploys.iter().any(is_behind) { late_end_key(&own) } else { own };
        (claim.key, claim.outcome) = (key, outcome);
        self.say(Claim::Deploy(claim))
    }

    fn deploy_claim(
        &self,
        image: &str,
        environment: &str,
        to: Digest,
        how: DeployKind,
        named_by: NamedBy,
    ) -> DeployClaim {
        DeployClaim {
            key: self.key("deploy"),
            environment: environment.parse().expect("an environment"),
            image: image.parse().expect("an image"),
            repository: format!("registry.example.com/shop/{image}").parse().expect("a repository"),
            from: None,
            to,
            tag: None,
            how,
            named_by,
            mode: Mode::Git,
            grade: Grade::Applied,
            outcome: Outcome::Done,
            commit: None,
            places: vec![],
            reason: None,
            ticket: None,
        }
    }

    /// Records a hold or its end.
    pub fn hold(&mut self, environment: &str, image: Option<&str>, state: HoldState) -> EventId {
        self.say(Claim::Hold(HoldClaim {
            key: self.key("hold"),
            environment: environment.parse().expect("an environment"),
            image: image.map(|image| image.parse().expect("an image")),
            state,
            reason: None,
        }))
    }

    /// Records that a container began, exactly then.
    pub fn run_began(&mut self, container: &str, began: Timestamp) -> RunId {
        let cluster = ClusterId::try_from("cluster-1".to_owned()).expect("a short identity");
        let container_id = format!("containerd://{}", self.events.len());
        let run = RunId::of(&cluster, "pod-1", container, &container_id);
        let digest = Digest::sha256(container.as_bytes());
        let image_id = format!("registry.example.com/shop/{container}@{digest}");
        let change = RunChange::Began(Box::new(RunBegan {
            pod: Reported::of("pod-1"),
            pod_uid: Reported::of("pod-1"),
            workload: Reported::of(&format!("deployment/{container}")),
            container: Reported::of(container),
            role: RunRole::Main,
            container_id: Reported::of(&container_id),
            node: Some(Reported::of("node-a")),
            reference: Reported::of(&format!("registry.example.com/shop/{container}:uat")),
            image_id: Reported::of(&image_id),
            began: Moment::Exact { at: began },
            created: Some(began),
            restarts: 0,
            missed: 0,
            changed_in_place: false,
            node_info: None,
        }));
        self.container(run, Some(digest), change, began)
    }

    /// Records what became of a container.
    pub fn run_says(&mut self, run: RunId, change: RunChange, seen: Timestamp) {
        self.container(run, None, change, seen);
    }

    fn container(
        &mut self,
        run: RunId,
        digest: Option<Digest>,
        change: RunChange,
        seen: Timestamp,
    ) -> RunId {
        self.say(Claim::ContainerRun(ContainerRunClaim {
            key: ContainerRunClaim::key_of(run, seen, &change),
            run,
            cluster: ClusterId::try_from("cluster-1".to_owned()).expect("a short identity"),
            namespace: Reported::of("shop"),
            digest,
            seen,
            change,
        }));
        run
    }

    /// Records that a cluster is watched from then on, with a sign of life every two minutes.
    pub fn watch_began(&mut self, at: Timestamp) -> EventId {
        let watch = EventId::new(at, self.events.len() as u128);
        let name = Reported::of("prod-eu");
        self.watch_says(
            watch,
            at,
            WatchChange::Began { name, sign_every_ms: 120_000, server_ahead_ms: None },
        );
        watch
    }

    /// Records what became of a watch.
    pub fn watch_says(&mut self, watch: EventId, at: Timestamp, change: WatchChange) {
        self.say(Claim::Watched(WatchedClaim {
            key: WatchedClaim::key_of(watch, at, &change),
            watch,
            cluster: ClusterId::try_from("cluster-1".to_owned()).expect("a short identity"),
            namespace: None,
            at,
            change,
        }));
    }

    /// Records that two builds run in a workload, for the n-th time.
    pub fn finding_opens(&mut self, workload: &str, opening: u32, at: Timestamp) -> EventId {
        let found = ["a", "b"].map(|content| FoundImage {
            digest: Digest::sha256(content.as_bytes()),
            build: None,
            pods: vec![Reported::of(&format!("{workload}-{content}"))],
            pods_total: 1,
            places: vec![],
        });
        let opened = FindingOpened {
            says: Reported::of("two builds run in one workload"),
            reference: Some(Reported::of("registry.example.com/shop/api:uat")),
            found: found.to_vec(),
            expected: None,
            by: None,
        };
        self.finding(workload, opening, at, FindingChange::Opened(Box::new(opened)))
    }

    /// Records that it is so no more.
    pub fn finding_closes(&mut self, workload: &str, opening: u32, at: Timestamp) -> EventId {
        let why = Reported::of("all pods run one build");
        self.finding(workload, opening, at, FindingChange::Closed { why })
    }

    fn finding(
        &mut self,
        workload: &str,
        opening: u32,
        at: Timestamp,
        change: FindingChange,
    ) -> EventId {
        let cluster = ClusterId::try_from("cluster-1".to_owned()).expect("a short identity");
        let workload = format!("deployment/{workload}");
        let finding = FindingId::of(FindingKind::TwoBuilds, &cluster, ["shop", &workload]);
        self.say(Claim::Finding(FindingClaim {
            key: FindingClaim::key_of(finding, opening, &change),
            finding,
            opening,
            what: FindingKind::TwoBuilds,
            cluster,
            environment: "uat".parse().ok(),
            namespace: Some(Reported::of("shop")),
            workload: Some(Reported::of(&workload)),
            container: Some(Reported::of("api")),
            digests: ["a", "b"].map(|content| Digest::sha256(content.as_bytes())).to_vec(),
            at,
            change,
        }))
    }

    /// All events, oldest first.
    #[must_use]
    pub fn events(&self) -> &[Sequenced] {
        &self.events
    }

    /// All builds, oldest first.
    #[must_use]
    pub fn builds(&self) -> Vec<BuildClaim> {
        self.events.iter().filter_map(|event| event.event.claim.as_build().cloned()).collect()
    }

    /// The state of an environment after all events.
    #[must_use]
    pub fn state(&self, environment: &str) -> EnvironmentState {
        EnvironmentState::of(&environment.parse().expect("an environment"), &self.events)
    }
}
