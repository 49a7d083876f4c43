//! What the record says about one environment: what is intended, eligible, condemned, blocked, held.
//!
//! ```text
//! build api A for uat · promote A to prod · deploy B · deploy C · rollback (C -> B)
//!   -> current: B   eligible: A, B, C   condemned: C   candidates for a rollback: A
//! ```
//! A fold over events in the order of their sequence; an event's own clock decides nothing.

use crate::claim::{
    AllowClaim, BlockClaim, BuildClaim, Claim, DeployClaim, DeployKind, Grade, HoldClaim,
    HoldState, NamedBy, Outcome, Text,
};
use crate::event::{Sequenced, Stamp};
use crate::imported::ImportedFact;
use crate::late_end::is_late_end;
use domain::{Digest, EnvironmentName, EventId, ImageName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A deploy as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployFact {
    /// Its place in the record.
    pub seq: u64,
    /// Who, when, and its name.
    pub stamp: Stamp,
    /// What was said.
    pub claim: DeployClaim,
}

/// Why a digest may go to an environment. Source: DESIGN §2, "eligible".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EligibleBecause {
    /// It was built for it.
    Built(EventId),
    /// It was promoted to it.
    Promoted(EventId),
    /// A named person allowed it.
    Allowed(EventId),
}

/// Automation waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Since when, who, and by which event.
    pub stamp: Stamp,
    /// Why.
    pub reason: Option<Text>,
}

/// A digest that a rollback could return to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The newest deploy that brought it here.
    pub deploy: DeployFact,
    /// The best grade that it reached here.
    pub grade: Grade,
    /// A rollback left it.
    pub condemned: bool,
    /// Somebody forbade it.
    pub blocked: bool,
    /// It may come here.
    pub eligible: bool,
}

/// The state of one environment after some events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentState {
    name: EnvironmentName,
    deploys: Vec<DeployFact>,
    /// Ends that came after somebody else had begun: they change nothing of what was tried last.
    late: BTreeSet<EventId>,
    imported: Vec<ImportedFact>,
    eligible: BTreeMap<Digest, BTreeSet<EligibleBecause>>,
    blocked: BTreeMap<Digest, (Stamp, Text)>,
    condemned: BTreeMap<(ImageName, Digest), EventId>,
    held: BTreeMap<Option<ImageName>, Hold>,
}

impl EnvironmentState {
    /// Folds the record's events, oldest first; those of other environments are passed over.
    #[must_use]
    pub fn of<'a>(name: &EnvironmentName, events: impl IntoIterator<Item = &'a Sequenced>) -> Self {
        let mut state = Self::empty(name);
        events.into_iter().for_each(|event| state.apply(event));
        state
    }

    /// The state before any event.
    #[must_use]
    pub fn empty(name: &EnvironmentName) -> Self {
        Self {
            name: name.clone(),
            deploys: Vec::new(),
            late: BTreeSet::new(),
            imported: Vec::new(),
            eligible: BTreeMap::new(),
            blocked: BTreeMap::new(),
            condemned: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    /// Takes the next event in.
    pub fn apply(&mut self, sequenced: &Sequenced) {
        let stamp = &sequenced.event.stamp;
        match &sequenced.event.claim {
            Claim::Build(claim) => self.built(stamp, claim),
            Claim::Deploy(claim) if claim.environment == self.name => {
                let fact =
                    DeployFact { seq: sequenced.seq, stamp: stamp.clone(), claim: claim.clone() };
                self.deployed(fact);
            }
            Claim::Imported(claim) if claim.environment == self.name => {
                let (seq, stamp) = (sequenced.seq, stamp.clone());
                self.imported.push(ImportedFact { seq, stamp, claim: claim.clone() });
            }
            Claim::Allow(claim) => self.allowed(stamp, claim),
            Claim::Block(claim) => self.block(stamp, claim),
            Claim::Hold(claim) => self.hold(stamp, claim),
            Claim::Deploy(_)
            | Claim::TagChange(_)
            | Claim::Image(_)
            | Claim::Reservation(_)
            | Claim::Rule(_)
            | Claim::Unlock(_)
            | Claim::Token(_)
            | Claim::Note(_)
            | Claim::ContainerRun(_)
            | Claim::Watched(_)
            | Claim::Finding(_)
            | Claim::Imported(_) => {}
        }
    }

    fn built(&mut self, stamp: &Stamp, claim: &BuildClaim) {
        if claim.environment.as_ref() == Some(&self.name) {
            let reasons = self.eligible.entry(claim.digest).or_default();
            reasons.insert(EligibleBecause::Built(stamp.id));
        }
    }

    fn allowed(&mut self, stamp: &Stamp, claim: &AllowClaim) {
        if claim.environment == self.name {
            let reasons = self.eligible.entry(claim.digest).or_default();
            reasons.insert(EligibleBecause::Allowed(stamp.id));
            // A named person has named this build again.
            self.condemned.retain(|(_, digest), _| *digest != claim.digest);
        }
    }

    fn block(&mut self, stamp: &Stamp, claim: &BlockClaim) {
        if claim.blocked {
            self.blocked.insert(claim.digest, (stamp.clone(), claim.reason.clone()));
        } else {
            self.blocked.remove(&claim.digest);
        }
    }

    fn hold(&mut self, stamp: &Stamp, claim: &HoldClaim) {
        if claim.environment != self.name {
            return;
        }
        match (claim.state, &claim.image) {
            (HoldState::Held, image) => {
                let hold = Hold { stamp: stamp.clone(), reason: claim.reason.clone() };
                self.held.insert(image.clone(), hold);
            }
            (HoldState::Resumed, Some(image)) => {
                self.held.remove(&Some(image.clone()));
            }
            // The whole environment goes on, and with it each of its images.
            (HoldState::Resumed, None) => self.held.clear(),
        }
    }

    fn deployed(&mut self, fact: DeployFact) {
        let (image, to) = (&fact.claim.image, fact.claim.to);
        if fact.claim.outcome != Outcome::Done && is_late_end(&fact.claim, &self.deploys) {
            // Its beginning has condemned what it was to leave; a person may have named that since.
            self.late.insert(fact.stamp.id);
            self.deploys.push(fact);
            return;
        }
        // Whoever leaves a build has said that it is bad, also where the way back did not succeed at once.
        if let DeployKind::Rollback { condemns, .. } = &fact.claim.how {
            self.condemned.insert((image.clone(), *condemns), fact.stamp.id);
        }
        if fact.claim.outcome == Outcome::Done {
            if fact.claim.named_by == NamedBy::Name {
                self.condemned.remove(&(image.clone(), to));
            }
            match &fact.claim.how {
                DeployKind::Promote { .. } => {
                    let reasons = self.eligible.entry(to).or_default();
                    reasons.insert(EligibleBecause::Promoted(fact.stamp.id));
                }
                DeployKind::Deploy
                | DeployKind::PromotedByMerge { .. }
                | DeployKind::Rollback { .. }
                | DeployKind::Noted
                | DeployKind::Imported => {}
            }
        }
        self.deploys.push(fact);
    }

    /// The environment.
    #[must_use]
    pub fn name(&self) -> &EnvironmentName {
        &self.name
    }

    /// All deploys, failed ones too, oldest first.
    #[must_use]
    pub fn deploys(&self) -> &[DeployFact] {
        &self.deploys
    }

    /// What somebody else kept of this environment, in the order in which it was recorded.
    #[must_use]
    pub fn imported(&self) -> &[ImportedFact] {
        &self.imported
    }

    /// The newest deploy of an image that landed: what is intended now.
    #[must_use]
    pub fn current<'a>(&'a self, image: &'a ImageName) -> Option<&'a DeployFact> {
        self.landed(image).next()
    }

    /// The newest deploy of an image, whatever became of it: a cluster may have been told of one that failed.
    /// What a pull request only asks for has told nobody, and one that was overtaken is not the newest for ending last.
    #[must_use]
    pub fn attempted<'a>(&'a self, image: &'a ImageName) -> Option<&'a DeployFact> {
        self.in_order(image).find(|fact| !fact.claim.is_asked())
    }

    /// What the next deploy of an image follows.
    #[must_use]
    pub fn newest<'a>(&'a self, image: &'a ImageName) -> Option<&'a DeployFact> {
        self.in_order(image).next()
    }

    /// Deploys of an image, newest first, without the late ends of those that were overtaken.
    fn in_order<'a>(&'a self, image: &'a ImageName) -> impl Iterator<Item = &'a DeployFact> {
        let is_in_time = |fact: &&DeployFact| !self.late.contains(&fact.stamp.id);
        self.deploys.iter().rev().filter(|fact| fact.claim.image == *image).filter(is_in_time)
    }

    /// Whether a build is what the newest deploy of an image was to bring, and that deploy landed.
    #[must_use]
    pub fn is_settled_on(&self, image: &ImageName, digest: &Digest) -> bool {
        self.attempted(image)
            .is_some_and(|fact| fact.claim.to == *digest && fact.claim.outcome == Outcome::Done)
    }

    /// The images that were ever deployed here.
    #[must_use]
    pub fn images(&self) -> BTreeSet<&ImageName> {
        self.deploys.iter().map(|fact| &fact.claim.image).collect()
    }

    /// Deploys of an image that landed, newest first.
    pub fn landed<'a>(&'a self, image: &'a ImageName) -> impl Iterator<Item = &'a DeployFact> {
        let is_landed = |fact: &&DeployFact| fact.claim.outcome == Outcome::Done;
        self.deploys.iter().rev().filter(is_landed).filter(move |fact| fact.claim.image == *image)
    }

    /// Why a digest may come here; empty: it may not.
    #[must_use]
    pub fn eligible(&self, digest: &Digest) -> Vec<EligibleBecause> {
        self.eligible.get(digest).map(|set| set.iter().cloned().collect()).unwrap_or_default()
    }

    /// Every digest that may come here, each with why.
    pub fn all_eligible(&self) -> impl Iterator<Item = (&Digest, &BTreeSet<EligibleBecause>)> {
        self.eligible.iter()
    }

    /// Who forbade a digest, and why.
    #[must_use]
    pub fn blocked(&self, digest: &Digest) -> Option<&(Stamp, Text)> {
        self.blocked.get(digest)
    }

    /// The rollback that left this digest, while nobody has named it again.
    #[must_use]
    pub fn condemned(&self, image: &ImageName, digest: &Digest) -> Option<EventId> {
        self.condemned.get(&(image.clone(), *digest)).copied()
    }

    /// The hold that stops automation for an image: its own, else the environment's.
    #[must_use]
    pub fn held(&self, image: &ImageName) -> Option<&Hold> {
        self.held.get(&Some(image.clone())).or_else(|| self.held.get(&None))
    }

    /// All holds: of the environment (`None`) and of single images.
    #[must_use]
    pub fn holds(&self) -> &BTreeMap<Option<ImageName>, Hold> {
        &self.held
    }

    /// Each digest that ever landed here, newest landing first, with what speaks for and against it.
    #[must_use]
    pub fn candidates(&self, image: &ImageName) -> Vec<Candidate> {
        let mut seen = BTreeMap::<Digest, usize>::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut kept: Vec<_> = self.imported.iter().filter_map(ImportedFact::as_deploy).collect();
        kept.retain(|fact| fact.claim.image == *image);
        kept.sort_by_key(|fact| std::cmp::Reverse((fact.at(), fact.seq)));
        for fact in self.landed(image).chain(&kept) {
            let (digest, grade) = (fact.claim.to, fact.claim.grade);
            match seen.get(&digest) {
                Some(at) if grade < candidates[*at].grade => candidates[*at].grade = grade,
                Some(_) => {}
                None => {
                    seen.insert(digest, candidates.len());
                    candidates.push(Candidate {
                        deploy: fact.clone(),
                        grade,
                        condemned: self.condemned(image, &digest).is_some(),
                        blocked: self.blocked(&digest).is_some(),
                        eligible: !self.eligible(&digest).is_empty(),
                    });
                }
            }
        }
        candidates
    }
}

impl DeployFact {
    /// When, by the clock of the record that heard it first.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.stamp.happened()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::story::Story;

    #[test]
    fn a_rollback_condemns_until_the_build_is_named_again() {
        let mut story = Story::new();
        let (a, b, c) = (
            story.build("api", "a", "prod"),
            story.build("api", "b", "prod"),
            story.build("api", "c", "prod"),
        );
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        story.deploy("api", "prod", c, DeployKind::Deploy, NamedBy::Rule);
        let back = DeployKind::Rollback { condemns: c, returns_to: None };
        story.deploy("api", "prod", b, back, NamedBy::Rule);
        let api: ImageName = "api".parse().unwrap();
        let state = story.state("prod");
        assert_eq!(state.current(&api).unwrap().claim.to, b);
        assert!(state.condemned(&api, &c).is_some());
        let order: Vec<_> =
            state.candidates(&api).iter().map(|x| (x.deploy.claim.to, x.condemned)).collect();
        assert_eq!(order, [(b, false), (c, true), (a, false)]);

        story.deploy("api", "prod", c, DeployKind::Deploy, NamedBy::Rule);
        assert!(
            story.state("prod").condemned(&api, &c).is_some(),
            "a pipeline's re-run does not lift it"
        );
        story.deploy("api", "prod", c, DeployKind::Deploy, NamedBy::Name);
        assert_eq!(story.state("prod").condemned(&api, &c), None);
    }

    #[test]
    fn eligibility_is_per_environment() {
        let mut story = Story::new();
        let a = story.build("api", "a", "uat");
        story.deploy("api", "uat", a, DeployKind::Deploy, NamedBy::Rule);
        assert!(story.state("prod").eligible(&a).is_empty());
        let from = "uat".parse().unwrap();
        let promotion = story.deploy("api", "prod", a, DeployKind::Promote { from }, NamedBy::Name);
        assert_eq!(story.state("prod").eligible(&a), [EligibleBecause::Promoted(promotion)]);
    }

    #[test]
    fn resuming_an_environment_resumes_its_images() {
        let mut story = Story::new();
        story.hold("prod", None, HoldState::Held);
        story.hold("prod", Some("api"), HoldState::Held);
        let (api, web): (ImageName, ImageName) = ("api".parse().unwrap(), "web".parse().unwrap());
        assert!(
            story.state("prod").held(&api).is_some() && story.state("prod").held(&web).is_some()
        );
        story.hold("prod", Some("api"), HoldState::Resumed);
        assert!(story.state("prod").held(&api).is_some(), "the environment's hold is still there");
        story.hold("prod", None, HoldState::Resumed);
        assert!(
            story.state("prod").held(&api).is_none() && story.state("prod").held(&web).is_none()
        );
    }

    #[test]
    fn a_failed_deploy_changes_nothing() {
        let mut story = Story::new();
        let (a, b) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        story.fail("api", "prod", b);
        let api: ImageName = "api".parse().unwrap();
        assert_eq!(story.state("prod").current(&api).unwrap().claim.to, a);
        assert_eq!(story.state("prod").deploys().len(), 2);
        assert_eq!(story.state("prod").attempted(&api).unwrap().claim.to, b);
        assert!(!story.state("prod").is_settled_on(&api, &a));
    }

    #[test]
    fn a_rollback_that_failed_condemns_what_it_was_to_leave_all_the_same() {
        let mut story = Story::new();
        let (a, b) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        let back = DeployKind::Rollback { condemns: b, returns_to: None };
        story.deploy("api", "prod", a, back, NamedBy::Rule);
        let mut events = story.events().to_vec();
        if let Claim::Deploy(deploy) = &mut events.last_mut().unwrap().event.claim {
            deploy.outcome = Outcome::Open { why: Text::try_from("begun".to_owned()).unwrap() };
        }
        let state = EnvironmentState::of(&"prod".parse().unwrap(), &events);
        let api: ImageName = "api".parse().unwrap();
        assert!(state.condemned(&api, &b).is_some());
        assert_eq!(state.current(&api).unwrap().claim.to, b);
    }
}
