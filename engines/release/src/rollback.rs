//! The plan of a rollback: which build is returned to, and which one is left and condemned. Law 6.
//!
//! ```text
//! prod: A (promoted), B (by merge), C (bad)   -> to B, condemns C;  again -> to A, condemns B, never C
//! ```

use domain::{Digest, EnvironmentName, EventId, ImageName, Tag, Timestamp};
use record::claim::{DeployKind, Grade, Outcome};
use record::when::length;
use record::{Candidate, DeployFact, EnvironmentState, intended_intervals, longest_intended};
use std::collections::BTreeSet;
use std::fmt;

/// Builds that a refusal names; of more their number is told.
const BUILDS_NAMED_MAX: usize = 3;

/// Whether the registry still has a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pullable {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// That could not be found out.
    Unknown,
}

/// What the person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Only the image: the newest known-good build is chosen.
    Image,
    /// This very build.
    Digest(Digest),
}

/// How much must be known of a build before a rollback chooses it by itself. Source: DESIGN, law 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// Its imageIDs were observed here: for what is deployed to clusters.
    Observed,
    /// Whatever there is.
    Anything,
}

/// What a build must have shown here before a rollback chooses it by itself. A name asks for none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// The least that is known of it.
    pub least: Least,
    /// How long it was intended without a break, at least.
    pub soak_ms: i64,
    /// Builds that a watcher saw to run here steadily, whatever their deploys knew when they were recorded: a pull
    /// request that was merged, a push from a runner that could not look.
    pub seen: BTreeSet<Digest>,
    /// The moment at which this is asked: what is intended still, is so until then.
    pub now: Timestamp,
}

impl Demands {
    /// Whatever there is, however short it was there.
    #[must_use]
    pub fn none(now: Timestamp) -> Self {
        Self { least: Least::Anything, soak_ms: 0, seen: BTreeSet::new(), now }
    }
}

/// What speaks against a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Somebody forbade it everywhere.
    Blocked,
    /// A rollback left it.
    Condemned,
    /// It may not come here.
    NotEligible,
    /// Nobody observed it: only files, git or somebody else's record said it, and no watcher saw it run steadily.
    NotObserved {
        /// The best grade that it reached here.
        grade: Grade,
    },
    /// It was left too soon to have shown anything.
    NotSoaked {
        /// How long it was intended.
        ran_ms: i64,
        /// How long it had to be.
        soak_ms: i64,
    },
    /// The registry does not have it any more.
    Gone,
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked => f.write_str("it is blocked"),
            Self::Condemned => f.write_str("a rollback left it, and nobody has named it since"),
            Self::NotEligible => f.write_str("it is not eligible for this environment"),
            Self::NotObserved { grade } => {
                write!(f, "it is only {grade}: its pods were not observed to run here steadily")
            }
            Self::NotSoaked { ran_ms, soak_ms } => {
                let (ran, soak) = (length(*ran_ms), length(*soak_ms));
                write!(f, "it was here for {ran}, and `soak` asks for {soak}")
            }
            Self::Gone => f.write_str("its registry has it no longer"),
        }
    }
}

/// A candidate in the order in which a rollback would take it, and what speaks against it; none: nothing does.
pub type Judged = (Candidate, Option<Against>);

/// What a rollback would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackPlan {
    /// What is left, and condemned here.
    pub condemns: Digest,
    /// What is returned to.
    pub to: Digest,
    /// The tag that stood beside it.
    pub tag: Option<Tag>,
    /// The deploy that is returned to.
    pub returns_to: EventId,
    /// The best grade that this build ever reached here.
    pub grade: Grade,
    /// Builds that are newer here and were not chosen, each with the reason; not those that a rollback left.
    pub passed_over: Vec<(Digest, Against)>,
}

/// Why nothing is rolled back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackRefused {
    /// Nothing was deployed here.
    #[error("nothing to roll back: no deploy of `{image}` to {environment} is recorded")]
    NothingDeployed {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
    },
    /// The build that was named is the one that is intended.
    #[error("{digest} is what is intended for {environment} already")]
    Same {
        /// The build.
        digest: Digest,
        /// Where.
        environment: EnvironmentName,
    },
    /// The build that was named was never deployed here.
    #[error(
        "{digest} was never deployed to {environment}: `deploy` brings a build that is new there"
    )]
    NeverHere {
        /// The build.
        digest: Digest,
        /// Where.
        environment: EnvironmentName,
    },
    /// The build that was named may not come here.
    #[error("{digest} cannot be returned to: {why}")]
    Against {
        /// The build.
        digest: Digest,
        /// What speaks against it.
        why: Against,
    },
    /// No build is left that is known to be good.
    #[error(
        "nothing known-good is left to return to in {environment}: {}",
        others(image, looked_at)
    )]
    NothingKnownGood {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// The builds that were looked at, each with what speaks against it.
        looked_at: Vec<(Digest, Against)>,
    },
    /// The choice cannot be checked.
    #[error(
        "could not find out whether {digest} can still be pulled; by its name it is returned to all the same"
    )]
    CannotTell {
        /// The build.
        digest: Digest,
    },
}

fn others(image: &ImageName, looked_at: &[(Digest, Against)]) -> String {
    if looked_at.is_empty() {
        return format!("no other build of `{image}` was ever there");
    }
    let named = looked_at.iter().take(BUILDS_NAMED_MAX);
    let named: Vec<_> = named.map(|(digest, why)| format!("{}: {why}", digest.short())).collect();
    let more = match looked_at.len().saturating_sub(BUILDS_NAMED_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("of `{image}` there was {}{more}", named.join("; "))
}

/// Candidates in the order in which a rollback would take them: the best grade first, then the newest.
#[must_use]
pub fn rollback_candidates(
    state: &EnvironmentState,
    image: &ImageName,
    demands: &Demands,
) -> Vec<Judged> {
    let running =
        state.attempted(image).filter(|fact| !is_unfinished(fact)).map(|fact| fact.claim.to);
    let intervals = intended_intervals(state);
    let mut candidates: Vec<_> = state
        .candidates(image)
        .into_iter()
        .filter(|candidate| Some(candidate.deploy.claim.to) != running)
        .map(|mut candidate| {
            // What runs is what the kubelets say, never the last deploy.
            if demands.seen.contains(&candidate.deploy.claim.to) {
                candidate.grade = Grade::Observed;
            }
            let ran_ms =
                longest_intended(&intervals, image, &candidate.deploy.claim.to, demands.now);
            let why = against(&candidate, demands, ran_ms);
            (candidate, why)
        })
        .collect();
    // Stable: inside a grade the newest stays first.
    candidates.sort_by_key(|(candidate, _)| candidate.grade);
    candidates
}

/// A rollback that was stopped, or whose end nobody recorded: another one goes on with it.
fn is_unfinished(fact: &DeployFact) -> bool {
    let is_rollback = matches!(fact.claim.how, DeployKind::Rollback { .. });
    is_rollback && matches!(fact.claim.outcome, Outcome::Open { .. })
}

fn against(candidate: &Candidate, demands: &Demands, ran_ms: i64) -> Option<Against> {
    let Demands { least, soak_ms, .. } = *demands;
    if candidate.blocked {
        Some(Against::Blocked)
    } else if candidate.condemned {
        Some(Against::Condemned)
    } else if !candidate.eligible {
        Some(Against::NotEligible)
    } else if least == Least::Observed && candidate.grade != Grade::Observed {
        Some(Against::NotObserved { grade: candidate.grade })
    } else if ran_ms < soak_ms {
        Some(Against::NotSoaked { ran_ms, soak_ms })
    } else {
        None
    }
}

/// Chooses what a rollback returns to.
///
/// `pullable` answers for a digest in this environment's repository.
///
/// # Errors
/// Refuses when nothing that is known to be good, eligible and still pullable is left, or nothing tells.
pub fn plan_rollback(
    state: &EnvironmentState,
    image: &ImageName,
    told: Told,
    demands: &Demands,
    pullable: &dyn Fn(&Digest) -> Pullable,
) -> Result<RollbackPlan, RollbackRefused> {
    let environment = state.name().clone();
    let current = state.attempted(image).ok_or_else(|| RollbackRefused::NothingDeployed {
        image: image.clone(),
        environment: environment.clone(),
    })?;
    let (condemns, goes_on_to) = match &current.claim.how {
        DeployKind::Rollback { condemns, .. } if is_unfinished(current) => {
            (*condemns, Some(current.claim.to))
        }
        DeployKind::Rollback { .. }
        | DeployKind::Deploy
        | DeployKind::Promote { .. }
        | DeployKind::PromotedByMerge { .. }
        | DeployKind::Noted
        | DeployKind::Imported => (current.claim.to, None),
    };
    let told = match (told, goes_on_to) {
        (Told::Image, Some(digest)) => Told::Digest(digest),
        (told, _) => told,
    };
    let candidates = rollback_candidates(state, image, demands);
    let chosen = match told {
        Told::Digest(digest) if digest == condemns => {
            return Err(RollbackRefused::Same { digest, environment });
        }
        Told::Digest(digest) => named(&candidates, digest, environment, pullable)?,
        Told::Image => newest_good(&candidates, pullable)?.ok_or_else(|| {
            let looked_at = spoken_against(&candidates, pullable).collect();
            RollbackRefused::NothingKnownGood { image: image.clone(), environment, looked_at }
        })?,
    };
    let claim = &chosen.deploy.claim;
    let (returns_to, grade) = (chosen.deploy.stamp.id, chosen.grade);
    let passed_over = match told {
        Told::Image => passed_over(&candidates, chosen, pullable),
        Told::Digest(_) => Vec::new(),
    };
    let (to, tag) = (claim.to, claim.tag.clone());
    Ok(RollbackPlan { condemns, to, tag, returns_to, grade, passed_over })
}

/// What speaks against each candidate against which anything does; one that nobody asked about counts as there.
fn spoken_against<'a>(
    candidates: &'a [Judged],
    pullable: &'a dyn Fn(&Digest) -> Pullable,
) -> impl Iterator<Item = (Digest, Against)> + 'a {
    candidates.iter().filter_map(|(candidate, against)| {
        let digest = candidate.deploy.claim.to;
        let gone = || (pullable(&digest) == Pullable::No).then_some(Against::Gone);
        Some((digest, against.or_else(gone)?))
    })
}

/// The builds that came here after the chosen one and were not taken: a person would look for them.
fn passed_over(
    candidates: &[Judged],
    chosen: &Candidate,
    pullable: &dyn Fn(&Digest) -> Pullable,
) -> Vec<(Digest, Against)> {
    let newer: Vec<Digest> = candidates
        .iter()
        .filter(|(candidate, _)| candidate.deploy.seq > chosen.deploy.seq)
        .map(|(candidate, _)| candidate.deploy.claim.to)
        .collect();
    spoken_against(candidates, pullable)
        .filter(|(digest, why)| newer.contains(digest) && *why != Against::Condemned)
        .collect()
}

fn newest_good<'a>(
    candidates: &'a [Judged],
    pullable: &dyn Fn(&Digest) -> Pullable,
) -> Result<Option<&'a Candidate>, RollbackRefused> {
    for (candidate, _) in candidates.iter().filter(|(_, against)| against.is_none()) {
        let digest = candidate.deploy.claim.to;
        match pullable(&digest) {
            Pullable::Yes => return Ok(Some(candidate)),
            Pullable::No => {}
            Pullable::Unknown => return Err(RollbackRefused::CannotTell { digest }),
        }
    }
    Ok(None)
}

/// A person's name for a build lifts a condemnation and an unknown, never a block or a missing right.
fn named<'a>(
    candidates: &'a [Judged],
    digest: Digest,
    environment: EnvironmentName,
    pullable: &dyn Fn(&Digest) -> Pullable,
) -> Result<&'a Candidate, RollbackRefused> {
    let is_named = |(candidate, _): &&Judged| candidate.deploy.claim.to == digest;
    let Some((candidate, _)) = candidates.iter().find(is_named) else {
        return Err(RollbackRefused::NeverHere { digest, environment });
    };
    let against = |why| Err(RollbackRefused::Against { digest, why });
    if candidate.blocked {
        return against(Against::Blocked);
    }
    if !candidate.eligible {
        return against(Against::NotEligible);
    }
    match pullable(&digest) {
        Pullable::No => against(Against::Gone),
        Pullable::Yes | Pullable::Unknown => Ok(candidate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claim::{DeployKind, NamedBy};
    use record::fuzz::story::Story;

    /// A day behind every story.
    fn later() -> Timestamp {
        "2026-03-18T14:00:00Z".parse().unwrap()
    }

    fn anything() -> Demands {
        Demands::none(later())
    }

    fn observed() -> Demands {
        Demands { least: Least::Observed, ..anything() }
    }

    fn api() -> ImageName {
        "api".parse().unwrap()
    }

    /// A promoted, B by merge, C bad: the demo's story.
    fn story() -> (Story, [Digest; 3]) {
        let mut story = Story::new();
        let a = story.build("api", "a", "uat");
        let (b, c) = (story.build("api", "b", "prod"), story.build("api", "c", "prod"));
        let from = "uat".parse().unwrap();
        story.deploy("api", "prod", a, DeployKind::Promote { from }, NamedBy::Name);
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        story.deploy("api", "prod", c, DeployKind::Deploy, NamedBy::Rule);
        (story, [a, b, c])
    }

    fn roll(story: &mut Story) -> Result<RollbackPlan, RollbackRefused> {
        let plan = plan_rollback(&story.state("prod"), &api(), Told::Image, &anything(), &|_| {
            Pullable::Yes
        })?;
        let how =
            DeployKind::Rollback { condemns: plan.condemns, returns_to: Some(plan.returns_to) };
        story.deploy("api", "prod", plan.to, how, NamedBy::Rule);
        Ok(plan)
    }

    #[test]
    fn two_rollbacks_never_return_to_the_bad_build() {
        let (mut story, [a, b, c]) = story();
        let first = roll(&mut story).unwrap();
        assert_eq!((first.condemns, first.to), (c, b));
        let second = roll(&mut story).unwrap();
        assert_eq!((second.condemns, second.to), (b, a));
        let Err(RollbackRefused::NothingKnownGood { looked_at, .. }) = roll(&mut story) else {
            panic!("B and C are condemned")
        };
        assert_eq!(looked_at, [(b, Against::Condemned), (c, Against::Condemned)]);
    }

    #[test]
    fn what_cannot_be_pulled_is_passed_over_and_what_cannot_be_asked_is_said() {
        let (story, [a, b, _]) = story();
        let state = story.state("prod");
        let lost = |digest: &Digest| {
            if *digest == b { Pullable::No } else { Pullable::Yes }
        };
        let plan = plan_rollback(&state, &api(), Told::Image, &anything(), &lost).unwrap();
        assert_eq!((plan.to, plan.passed_over), (a, vec![(b, Against::Gone)]));
        let silent = |_: &Digest| Pullable::Unknown;
        assert_eq!(
            plan_rollback(&state, &api(), Told::Image, &anything(), &silent),
            Err(RollbackRefused::CannotTell { digest: b })
        );
        assert_eq!(
            plan_rollback(&state, &api(), Told::Digest(b), &anything(), &silent).unwrap().to,
            b
        );
    }

    #[test]
    fn the_best_grade_comes_before_the_newest() {
        let (mut story, [a, b, c]) = story();
        let imported = story.build("api", "imported", "prod");
        let id = story.deploy("api", "prod", imported, DeployKind::Imported, NamedBy::Rule);
        story.deploy("api", "prod", c, DeployKind::Deploy, NamedBy::Name);
        let mut events = story.events().to_vec();
        for sequenced in events.iter_mut().filter(|sequenced| sequenced.event.stamp.id == id) {
            if let record::Claim::Deploy(deploy) = &mut sequenced.event.claim {
                deploy.grade = Grade::Imported;
            }
        }
        let state = EnvironmentState::of(&"prod".parse().unwrap(), &events);
        let order: Vec<_> = rollback_candidates(&state, &api(), &anything())
            .iter()
            .map(|(x, _)| (x.deploy.claim.to, x.grade))
            .collect();
        assert_eq!(order, [(b, Grade::Applied), (a, Grade::Applied), (imported, Grade::Imported)]);
    }

    /// A deploy as it is recorded, with another outcome or grade.
    fn with(
        story: &Story,
        id: EventId,
        change: impl Fn(&mut record::claim::DeployClaim),
    ) -> EnvironmentState {
        let mut events = story.events().to_vec();
        for sequenced in events.iter_mut().filter(|sequenced| sequenced.event.stamp.id == id) {
            if let record::Claim::Deploy(deploy) = &mut sequenced.event.claim {
                change(deploy);
            }
        }
        EnvironmentState::of(&"prod".parse().unwrap(), &events)
    }

    #[test]
    fn what_failed_is_left_for_what_landed_before_it() {
        let (mut story, [_, _, c]) = story();
        let bad = story.build("api", "bad", "prod");
        story.fail("api", "prod", bad);
        let yes = |_: &Digest| Pullable::Yes;
        let plan =
            plan_rollback(&story.state("prod"), &api(), Told::Image, &anything(), &yes).unwrap();
        assert_eq!((plan.condemns, plan.to), (bad, c));
    }

    #[test]
    fn a_deploy_that_was_overtaken_and_failed_late_is_neither_left_nor_condemned() {
        let (mut story, [_, b, c]) = story();
        let overtaken = story.build("api", "overtaken", "prod");
        let begun = story.begin("api", "prod", overtaken, DeployKind::Deploy);
        let winner = story.begin("api", "prod", b, DeployKind::Deploy);
        story.end(winner, Outcome::Done);
        let why = "pods of another deploy".to_owned().try_into().unwrap();
        story.end(begun, Outcome::Failed { why });
        let yes = |_: &Digest| Pullable::Yes;
        let plan =
            plan_rollback(&story.state("prod"), &api(), Told::Image, &anything(), &yes).unwrap();
        assert_eq!((plan.condemns, plan.to), (b, c));
    }

    #[test]
    fn a_rollback_that_was_stopped_is_gone_on_with() {
        let (mut story, [_, b, c]) = story();
        let how = DeployKind::Rollback { condemns: c, returns_to: None };
        let id = story.deploy("api", "prod", b, how, NamedBy::Rule);
        let open = Outcome::Open { why: "begun".to_owned().try_into().unwrap() };
        let state = with(&story, id, |deploy| deploy.outcome = open.clone());
        let yes = |_: &Digest| Pullable::Yes;
        let plan = plan_rollback(&state, &api(), Told::Image, &anything(), &yes).unwrap();
        assert_eq!((plan.condemns, plan.to), (c, b));
    }

    #[test]
    fn where_pods_are_observed_nothing_less_is_chosen_unless_it_is_named() {
        let (mut story, [a, b, c]) = story();
        let yes = |_: &Digest| Pullable::Yes;
        let again = story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Name);
        story.deploy("api", "prod", c, DeployKind::Deploy, NamedBy::Name);
        let state = with(&story, again, |deploy| deploy.grade = Grade::Observed);
        let roll = |told| plan_rollback(&state, &api(), told, &observed(), &yes);
        assert_eq!(roll(Told::Image).unwrap().to, a);
        assert_eq!(roll(Told::Digest(b)).unwrap().to, b);
        let applied = story.state("prod");
        let refused = plan_rollback(&applied, &api(), Told::Image, &observed(), &yes);
        let Err(RollbackRefused::NothingKnownGood { looked_at, .. }) = refused else {
            panic!("{refused:?}")
        };
        let only = Against::NotObserved { grade: Grade::Applied };
        assert_eq!(looked_at, [(a, only), (b, only)]);
        assert_eq!(
            only.to_string(),
            "it is only applied: its pods were not observed to run here steadily"
        );
    }

    #[test]
    fn what_a_watcher_saw_to_run_is_observed_whatever_its_deploy_knew() {
        let (story, [a, b, _]) = story();
        let state = story.state("prod");
        let yes = |_: &Digest| Pullable::Yes;
        let seen = |digest| Demands { seen: BTreeSet::from([digest]), ..observed() };
        let plan = plan_rollback(&state, &api(), Told::Image, &seen(a), &yes).unwrap();
        assert_eq!((plan.to, plan.grade), (a, Grade::Observed), "b is newer, and nobody saw it");
        let plan = plan_rollback(&state, &api(), Told::Image, &seen(b), &yes).unwrap();
        assert_eq!((plan.to, plan.grade), (b, Grade::Observed));
        // To be seen lifts nothing else that speaks against it.
        let never = Demands { soak_ms: i64::MAX, ..seen(a) };
        assert!(plan_rollback(&state, &api(), Told::Image, &never, &yes).is_err());
    }

    #[test]
    fn a_named_build_must_have_been_here_and_may_not_be_the_running_one() {
        let (story, [_, _, c]) = story();
        let state = story.state("prod");
        let yes = |_: &Digest| Pullable::Yes;
        let stranger = Digest::sha256(b"stranger");
        assert!(matches!(
            plan_rollback(&state, &api(), Told::Digest(stranger), &anything(), &yes),
            Err(RollbackRefused::NeverHere { .. })
        ));
        assert!(matches!(
            plan_rollback(&state, &api(), Told::Digest(c), &anything(), &yes),
            Err(RollbackRefused::Same { .. })
        ));
        let web = "web".parse().unwrap();
        assert!(matches!(
            plan_rollback(&state, &web, Told::Image, &anything(), &yes),
            Err(RollbackRefused::NothingDeployed { .. })
        ));
    }

    /// A was there for an hour, B for two minutes, then C.
    fn soaked() -> (Story, [Digest; 3]) {
        let mut story = Story::new();
        let builds = ["a", "b", "c"].map(|name| story.build("api", name, "prod"));
        for (digest, minutes) in builds.into_iter().zip([59, 1, 0]) {
            story.deploy("api", "prod", digest, DeployKind::Deploy, NamedBy::Rule);
            story.turn_clock(minutes * 60_000);
        }
        (story, builds)
    }

    #[test]
    fn a_build_that_was_there_too_short_is_passed_over_and_that_is_said() {
        let (story, [a, b, _]) = soaked();
        let state = story.state("prod");
        let yes = |_: &Digest| Pullable::Yes;
        let roll = |told, soak_ms| {
            plan_rollback(&state, &api(), told, &Demands { soak_ms, ..anything() }, &yes)
        };
        // At the limit it has soaked, above it has not.
        assert_eq!(roll(Told::Image, 120_000).unwrap().to, b);
        let plan = roll(Told::Image, 120_001).unwrap();
        let short = Against::NotSoaked { ran_ms: 120_000, soak_ms: 120_001 };
        assert_eq!((plan.to, plan.passed_over), (a, vec![(b, short)]));
        assert_eq!(roll(Told::Digest(b), 120_001).unwrap().to, b, "a name asks for no soak");
        let Err(refused) = roll(Told::Image, 86_400_000) else { panic!("an hour is no day") };
        let (a, b) = (a.short(), b.short());
        assert_eq!(
            refused.to_string(),
            format!(
                "nothing known-good is left to return to in prod: of `api` there was \
                 {b}: it was here for 2m 0s, and `soak` asks for 1d 0h; \
                 {a}: it was here for 1h 0m, and `soak` asks for 1d 0h"
            )
        );
    }

    #[test]
    fn a_build_soaks_without_a_break_and_until_now() {
        let (mut story, [a, b, _]) = soaked();
        // B again, and only attempts since: it is what is intended until now.
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Name);
        story.fail("api", "prod", a);
        let state = story.state("prod");
        let ran = |digest: &Digest| {
            longest_intended(&intended_intervals(&state), &api(), digest, later())
        };
        assert_eq!(ran(&a), 3_600_000);
        assert!(ran(&b) > 20 * 3_600_000);
        assert_eq!(ran(&Digest::sha256(b"stranger")), 0);
    }
}
