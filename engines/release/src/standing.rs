//! How an image of an environment stands: what is desired, decided and running, side by side, and where they differ.
//!
//! ```text
//! files say B · decided B · running B ×3                ->  nothing differs
//! files say C · decided B · running A ×1, B ×2          ->  a place says C; one container runs A
//! files say B · decided B · nobody looked               ->  what runs is unknown, never "not running"
//! ```
//! Source: DESIGN §3, law 12. Pure: who reads files, watches and asks clusters hands the answers in.

use domain::{Digest, ImageName, ImageRef, Timestamp};
use record::claim::Outcome;
use record::{DeployFact, EnvironmentState, Precision};
use std::collections::BTreeMap;
use std::fmt;

/// What the files of an environment ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Desired {
    /// Each place that names the image's repository, and what stands there.
    Says(Vec<(String, ImageRef)>),
    /// They could not be read.
    Unknown(String),
    /// No file says it: what was decided is told to the cluster itself.
    NotKept,
}

/// What runs, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Running {
    /// It was seen.
    Seen(Seen),
    /// Somebody should have looked, and it could not be found out everywhere.
    Unknown {
        /// Why.
        why: String,
        /// What was seen where somebody looked.
        known: Seen,
    },
    /// The settings name no place where it runs, and nobody watches one.
    NotObserved,
}

/// Containers of one image that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many run which build.
    pub builds: BTreeMap<Digest, Build>,
    /// How many run what their runtime does not tell.
    pub untold: usize,
    /// How many do not run yet, each with the kubelet's word and how many.
    pub waiting: BTreeMap<String, usize>,
}

/// Containers that run one build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// How many.
    pub containers: usize,
    /// Since when the first of them.
    pub since: Option<Timestamp>,
    /// Whether it is the decided build.
    pub is: Is,
    /// How sharp that is.
    pub precision: Precision,
}

/// Whether two digests are one build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// The decided one, or a part of it.
    Decided,
    /// Another one.
    Other,
    /// That could not be found out.
    CannotTell,
}

/// Where desired, decided and running do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A place of the files names another digest.
    PlaceSaysOther {
        /// The place.
        place: String,
        /// What stands there.
        says: ImageRef,
    },
    /// A place names no digest: what it brings is not what was decided, but what the tag names then.
    PlaceCanMove {
        /// The place.
        place: String,
        /// What stands there.
        says: ImageRef,
    },
    /// No place names the image that was decided.
    NoPlace,
    /// Containers run another build than the decided one.
    RunsOther {
        /// The build.
        digest: Digest,
        /// How many containers.
        containers: usize,
    },
    /// It was looked for everywhere, and no container of it runs.
    NotRunning,
    /// Containers do not start.
    Waiting {
        /// The kubelet's word.
        reason: String,
        /// How many containers.
        containers: usize,
    },
    /// It runs, and nobody decided that.
    NotDecided {
        /// The build.
        digest: Digest,
    },
    /// The newest deploy failed, or nobody recorded its end.
    Unfinished {
        /// What was to come.
        digest: Digest,
        /// What became of it.
        outcome: Outcome,
    },
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub image: ImageName,
    /// What files ask for.
    pub desired: Desired,
    /// The newest deploy that landed.
    pub decided: Option<DeployFact>,
    /// The newest deploy, where a pull request asks for it: not decided yet, and no difference.
    pub asked: Option<DeployFact>,
    /// What runs.
    pub running: Running,
    /// Where these differ.
    pub differences: Vec<Difference>,
    /// What could not be found out.
    pub unknown: Vec<String>,
}

impl Standing {
    /// Puts the three side by side.
    #[must_use]
    pub fn of(
        state: &EnvironmentState,
        image: &ImageName,
        desired: Desired,
        running: Running,
    ) -> Self {
        let decided = state.current(image).cloned();
        let mut standing = Self {
            image: image.clone(),
            desired,
            decided,
            asked: None,
            running,
            differences: Vec::new(),
            unknown: Vec::new(),
        };
        if let Some(tried) = state.attempted(image).filter(|one| one.claim.outcome != Outcome::Done)
        {
            if tried.claim.is_asked() {
                standing.asked = Some(tried.clone());
            } else {
                let (digest, outcome) = (tried.claim.to, tried.claim.outcome.clone());
                standing.differences.push(Difference::Unfinished { digest, outcome });
            }
        }
        standing.compare_desired();
        standing.compare_running();
        standing
    }

    /// Whether every container that was seen runs what was decided, and everybody looked.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        let Running::Seen(seen) = &self.running else { return false };
        let is_all = seen.builds.values().all(|build| build.is == Is::Decided);
        self.decided.is_some() && !seen.builds.is_empty() && is_all && seen.untold == 0
    }

    fn compare_desired(&mut self) {
        let places = match &self.desired {
            Desired::NotKept => return,
            Desired::Unknown(why) => {
                self.unknown.push(format!("what its files ask for: {why}"));
                return;
            }
            Desired::Says(places) => places,
        };
        let Some(decided) = self.decided.as_ref().map(|fact| fact.claim.to) else { return };
        if places.is_empty() {
            self.differences.push(Difference::NoPlace);
        }
        for (place, says) in places {
            let (place, says) = (place.clone(), says.clone());
            match says.digest() {
                Some(digest) if *digest == decided => {}
                Some(_) => self.differences.push(Difference::PlaceSaysOther { place, says }),
                None => self.differences.push(Difference::PlaceCanMove { place, says }),
            }
        }
    }

    fn compare_running(&mut self) {
        let (seen, is_all) = match &self.running {
            Running::NotObserved => return,
            Running::Seen(seen) => (seen, true),
            Running::Unknown { why, known } => {
                self.unknown.push(format!("what runs: {why}"));
                (known, false)
            }
        };
        for (digest, build) in &seen.builds {
            let (digest, containers) = (*digest, build.containers);
            match (&self.decided, build.is) {
                (None, _) => self.differences.push(Difference::NotDecided { digest }),
                (Some(_), Is::Decided) => {}
                (Some(_), Is::Other) => {
                    self.differences.push(Difference::RunsOther { digest, containers });
                }
                (Some(_), Is::CannotTell) => self.unknown.push(format!(
                    "whether {} is the decided build: neither the record nor its registry says what it holds",
                    digest.short()
                )),
            }
        }
        if seen.untold > 0 {
            let count = seen.untold;
            self.unknown.push(format!("what {count} of its containers run: nothing is reported"));
        }
        let waiting = seen.waiting.iter();
        self.differences.extend(waiting.map(|(reason, containers)| Difference::Waiting {
            reason: reason.clone(),
            containers: *containers,
        }));
        let is_none = seen.builds.is_empty() && seen.untold == 0 && seen.waiting.is_empty();
        if is_all && is_none && self.decided.is_some() {
            self.differences.push(Difference::NotRunning);
        }
    }
}

impl Difference {
    /// The word for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::PlaceSaysOther { .. } => "place-says-other",
            Self::PlaceCanMove { .. } => "place-can-move",
            Self::NoPlace => "no-place",
            Self::RunsOther { .. } => "runs-other",
            Self::NotRunning => "not-running",
            Self::Waiting { .. } => "waiting",
            Self::NotDecided { .. } => "not-decided",
            Self::Unfinished { .. } => "unfinished",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let containers = |count: &usize| match count {
            1 => "1 container".to_owned(),
            count => format!("{count} containers"),
        };
        match self {
            Self::PlaceSaysOther { place, says } => {
                write!(f, "{place} says {says}, which is not what was decided")
            }
            Self::PlaceCanMove { place, says } => {
                write!(f, "{place} says {says}, which names no digest and can move")
            }
            Self::NoPlace => f.write_str("no file names what was decided"),
            Self::RunsOther { digest, containers: count } => {
                let verb = if *count == 1 { "runs" } else { "run" };
                let (many, digest) = (containers(count), digest.short());
                write!(f, "{many} {verb} {digest}, which is not what was decided")
            }
            Self::NotRunning => f.write_str("no container of it runs, and all of them were seen"),
            Self::Waiting { reason, containers: count } => {
                let verb = if *count == 1 { "does" } else { "do" };
                write!(f, "{} {verb} not run: {reason}", containers(count))
            }
            Self::NotDecided { digest } => {
                write!(f, "{} runs, and no deploy of the image is recorded", digest.short())
            }
            Self::Unfinished { digest, outcome } => {
                let what = match outcome {
                    Outcome::Failed { why } => format!("failed: {why}"),
                    Outcome::Open { why } => format!("began, and its end is not recorded: {why}"),
                    Outcome::Done => "landed".to_owned(),
                };
                write!(f, "the newest deploy, of {}, {what}", digest.short())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claim::{DeployKind, NamedBy};
    use record::fuzz::story::Story;

    fn api() -> ImageName {
        "api".parse().unwrap()
    }

    /// B is decided for prod.
    fn decided() -> (Story, Digest) {
        let mut story = Story::new();
        let b = story.build("api", "b", "prod");
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        (story, b)
    }

    fn seen(builds: &[(Digest, usize, Is)]) -> Seen {
        let build =
            |containers, is| Build { containers, since: None, is, precision: Precision::Exact };
        let builds = builds.iter().map(|(digest, count, is)| (*digest, build(*count, *is)));
        Seen { builds: builds.collect(), ..Seen::default() }
    }

    fn words(standing: &Standing) -> Vec<&'static str> {
        standing.differences.iter().map(Difference::word).collect()
    }

    #[test]
    fn what_is_desired_decided_and_running_alike_has_no_difference() {
        let (story, b) = decided();
        let place = format!("registry.example.com/shop/api:v2@{b}").parse().unwrap();
        let desired = Desired::Says(vec![("api.yaml:3".to_owned(), place)]);
        let running = Running::Seen(seen(&[(b, 3, Is::Decided)]));
        let standing = Standing::of(&story.state("prod"), &api(), desired, running);
        assert!(standing.differences.is_empty() && standing.unknown.is_empty(), "{standing:?}");
        assert!(standing.is_verified());
    }

    #[test]
    fn every_difference_is_one() {
        let (mut story, b) = decided();
        let (a, c) = (Digest::sha256(b"a"), Digest::sha256(b"c"));
        story.fail("api", "prod", c);
        let place = |text: String| (format!("{text}.yaml:1"), text.parse().unwrap());
        let desired =
            Desired::Says(vec![place(format!("shop/api@{c}")), place("shop/api:v2".to_owned())]);
        let mut seen = seen(&[(a, 1, Is::Other), (b, 2, Is::Decided)]);
        seen.waiting.insert("ImagePullBackOff".to_owned(), 1);
        let standing = Standing::of(&story.state("prod"), &api(), desired, Running::Seen(seen));
        assert_eq!(
            words(&standing),
            ["unfinished", "place-says-other", "place-can-move", "runs-other", "waiting"]
        );
        assert!(!standing.is_verified());
        let nothing = Standing::of(
            &story.state("prod"),
            &api(),
            Desired::Says(Vec::new()),
            Running::Seen(Seen::default()),
        );
        assert_eq!(words(&nothing), ["unfinished", "no-place", "not-running"]);
        let web = "web".parse().unwrap();
        let running = Running::Seen(self::seen(&[(a, 1, Is::CannotTell)]));
        let standing = Standing::of(&story.state("prod"), &web, Desired::NotKept, running);
        assert_eq!(words(&standing), ["not-decided"]);
    }

    #[test]
    fn what_nobody_looked_at_is_unknown_and_never_not_running() {
        let (story, _) = decided();
        let unknown =
            Running::Unknown { why: "prod-eu: no answer".to_owned(), known: Seen::default() };
        for (running, unknowns) in [(unknown, 1), (Running::NotObserved, 0)] {
            let standing = Standing::of(&story.state("prod"), &api(), Desired::NotKept, running);
            assert!(standing.differences.is_empty(), "{standing:?}");
            assert_eq!(standing.unknown.len(), unknowns);
            assert!(!standing.is_verified());
        }
    }

    #[test]
    fn where_somebody_looked_a_difference_is_told_beside_what_is_unknown() {
        let (story, _) = decided();
        let a = Digest::sha256(b"a");
        let known = seen(&[(a, 1, Is::Other)]);
        let running = Running::Unknown { why: "prod-us: no answer".to_owned(), known };
        let standing = Standing::of(&story.state("prod"), &api(), Desired::NotKept, running);
        assert_eq!((words(&standing), standing.unknown.len()), (vec!["runs-other"], 1));
    }
}
