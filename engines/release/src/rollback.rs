//! The plan of a rollback: which build is returned to, and which one is left and condemned. Law 6.
//!
//! ```text
//! prod: A (promoted), B (by merge), C (bad)   -> to B, condemns C;  again -> to A, condemns B, never C
//! ```

use domain::{Digest, EnvironmentName, EventId, ImageName, Tag};
use record::claim::{DeployKind, Grade, Outcome};
use record::{Candidate, DeployFact, EnvironmentState};

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
        why: &'static str,
    },
    /// No build is left that is known to be good.
    #[error(
        "nothing known-good is left to return to in {environment}: {}",
        others(image, *looked_at)
    )]
    NothingKnownGood {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// How many builds were looked at.
        looked_at: usize,
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

fn others(image: &ImageName, looked_at: usize) -> String {
    match looked_at {
        0 => format!("no other build of `{image}` was ever there"),
        1 => format!("something speaks against the only other build of `{image}`"),
        more => format!("something speaks against each of {more} other builds of `{image}`"),
    }
}

/// Candidates in the order in which a rollback would take them: the best grade first, then the newest.
///
/// What speaks against a candidate stands beside it; `None`: nothing does.
#[must_use]
pub fn rollback_candidates(
    state: &EnvironmentState,
    image: &ImageName,
    least: Least,
) -> Vec<(Candidate, Option<&'static str>)> {
    let running =
        state.attempted(image).filter(|fact| !is_unfinished(fact)).map(|fact| fact.claim.to);
    let mut candidates: Vec<_> = state
        .candidates(image)
        .into_iter()
        .filter(|candidate| Some(candidate.deploy.claim.to) != running)
        .map(|candidate| {
            let why = against(&candidate, least);
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

fn against(candidate: &Candidate, least: Least) -> Option<&'static str> {
    if candidate.blocked {
        Some("it is blocked")
    } else if candidate.condemned {
        Some("a rollback left it, and nobody has named it since")
    } else if !candidate.eligible {
        Some("it is not eligible for this environment")
    } else if least == Least::Observed && candidate.grade != Grade::Observed {
        Some("no pod was observed to run it here")
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
    least: Least,
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
    let candidates = rollback_candidates(state, image, least);
    let chosen = match told {
        Told::Digest(digest) if digest == condemns => {
            return Err(RollbackRefused::Same { digest, environment });
        }
        Told::Digest(digest) => named(&candidates, digest, environment, pullable)?,
        Told::Image => newest_good(&candidates, pullable)?.ok_or_else(|| {
            let (image, looked_at) = (image.clone(), candidates.len());
            RollbackRefused::NothingKnownGood { image, environment, looked_at }
        })?,
    };
    let claim = &chosen.deploy.claim;
    let (returns_to, grade) = (chosen.deploy.stamp.id, chosen.grade);
    Ok(RollbackPlan { condemns, to: claim.to, tag: claim.tag.clone(), returns_to, grade })
}

fn newest_good<'a>(
    candidates: &'a [(Candidate, Option<&'static str>)],
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
    candidates: &'a [(Candidate, Option<&'static str>)],
    digest: Digest,
    environment: EnvironmentName,
    pullable: &dyn Fn(&Digest) -> Pullable,
) -> Result<&'a Candidate, RollbackRefused> {
    let is_named =
        |(candidate, _): &&(Candidate, Option<&str>)| candidate.deploy.claim.to == digest;
    let Some((candidate, _)) = candidates.iter().find(is_named) else {
        return Err(RollbackRefused::NeverHere { digest, environment });
    };
    if candidate.blocked {
        return Err(RollbackRefused::Against { digest, why: "it is blocked" });
    }
    if !candidate.eligible {
        return Err(RollbackRefused::Against {
            digest,
            why: "it is not eligible for this environment",
        });
    }
    match pullable(&digest) {
        Pullable::No => {
            Err(RollbackRefused::Against { digest, why: "its registry has it no longer" })
        }
        Pullable::Yes | Pullable::Unknown => Ok(candidate),
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
        let plan =
            plan_rollback(&story.state("prod"), &api(), Told::Image, Least::Anything, &|_| {
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
        assert!(matches!(
            roll(&mut story),
            Err(RollbackRefused::NothingKnownGood { looked_at: 2, .. })
        ));
    }

    #[test]
    fn what_cannot_be_pulled_is_passed_over_and_what_cannot_be_asked_is_said() {
        let (story, [a, b, _]) = story();
        let state = story.state("prod");
        let lost = |digest: &Digest| {
            if *digest == b { Pullable::No } else { Pullable::Yes }
        };
        assert_eq!(
            plan_rollback(&state, &api(), Told::Image, Least::Anything, &lost).unwrap().to,
            a
        );
        let silent = |_: &Digest| Pullable::Unknown;
        assert_eq!(
            plan_rollback(&state, &api(), Told::Image, Least::Anything, &silent),
            Err(RollbackRefused::CannotTell { digest: b })
        );
        assert_eq!(
            plan_rollback(&state, &api(), Told::Digest(b), Least::Anything, &silent).unwrap().to,
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
        let order: Vec<_> = rollback_candidates(&state, &api(), Least::Anything)
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
        let plan = plan_rollback(&story.state("prod"), &api(), Told::Image, Least::Anything, &yes)
            .unwrap();
        assert_eq!((plan.condemns, plan.to), (bad, c));
    }

    #[test]
    fn a_rollback_that_was_stopped_is_gone_on_with() {
        let (mut story, [_, b, c]) = story();
        let how = DeployKind::Rollback { condemns: c, returns_to: None };
        let id = story.deploy("api", "prod", b, how, NamedBy::Rule);
        let open = Outcome::Open { why: "begun".to_owned().try_into().unwrap() };
        let state = with(&story, id, |deploy| deploy.outcome = open.clone());
        let yes = |_: &Digest| Pullable::Yes;
        let plan = plan_rollback(&state, &api(), Told::Image, Least::Anything, &yes).unwrap();
        assert_eq!((plan.condemns, plan.to), (c, b));
    }

    #[test]
    fn where_pods_are_observed_nothing_less_is_chosen_unless_it_is_named() {
        let (mut story, [a, b, c]) = story();
        let yes = |_: &Digest| Pullable::Yes;
        let again = story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Name);
        story.deploy("api", "prod", c, DeployKind::Deploy, NamedBy::Name);
        let state = with(&story, again, |deploy| deploy.grade = Grade::Observed);
        let roll = |told| plan_rollback(&state, &api(), told, Least::Observed, &yes);
        assert_eq!(roll(Told::Image).unwrap().to, a);
        assert_eq!(roll(Told::Digest(b)).unwrap().to, b);
        let applied = story.state("prod");
        let refused = plan_rollback(&applied, &api(), Told::Image, Least::Observed, &yes);
        assert!(matches!(refused, Err(RollbackRefused::NothingKnownGood { looked_at: 2, .. })));
    }

    #[test]
    fn a_named_build_must_have_been_here_and_may_not_be_the_running_one() {
        let (story, [_, _, c]) = story();
        let state = story.state("prod");
        let yes = |_: &Digest| Pullable::Yes;
        let stranger = Digest::sha256(b"stranger");
        assert!(matches!(
            plan_rollback(&state, &api(), Told::Digest(stranger), Least::Anything, &yes),
            Err(RollbackRefused::NeverHere { .. })
        ));
        assert!(matches!(
            plan_rollback(&state, &api(), Told::Digest(c), Least::Anything, &yes),
            Err(RollbackRefused::Same { .. })
        ));
        let web = "web".parse().unwrap();
        assert!(matches!(
            plan_rollback(&state, &web, Told::Image, Least::Anything, &yes),
            Err(RollbackRefused::NothingDeployed { .. })
        ));
    }
}
