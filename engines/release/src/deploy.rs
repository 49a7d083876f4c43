//! The plan of a deploy: may this build come here, and what changes?
//!
//! ```text
//! prod intends A, B was built for prod   -> Change { from: A, to: B }
//! prod intends B already                 -> Same: no restart
//! a build of uat                         -> refused: not eligible, promote it
//! ```

use crate::merge::{MergeEvidence, VerifiedThere};
use domain::{Digest, EnvironmentName, EventId, ImageName, Repository, Tag};
use record::claim::{DeployKind, NamedBy, Text};
use record::{EnvironmentState, Hold};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployRequest {
    /// The image's short name.
    pub image: ImageName,
    /// Its repository in this environment.
    pub repository: Repository,
    /// The build.
    pub to: Digest,
    /// The tag that stands beside the digest in files.
    pub tag: Option<Tag>,
    /// Who chose it.
    pub named_by: NamedBy,
    /// Where this environment is promoted to from, and what the merge shows.
    pub merge: Option<(EnvironmentName, VerifiedThere, MergeEvidence)>,
}

/// What a deploy would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeployPlan {
    /// Another digest from now on.
    Change {
        /// What is intended until then.
        from: Option<Digest>,
        /// How it is recorded.
        how: DeployKind,
        /// What a person should know.
        warnings: Vec<String>,
    },
    /// The digest is intended already: nothing restarts. Files may still have to be made to say so.
    Same,
    /// Automation waits.
    Held(Hold),
}

/// Why a build may not come here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeployRefused {
    /// It was neither built for this environment, nor promoted to it, nor allowed.
    #[error(
        "{digest} may not go to {environment}: it was neither built for it, nor promoted to it, nor allowed"
    )]
    NotEligible {
        /// The build.
        digest: Digest,
        /// Where it was to go.
        environment: EnvironmentName,
    },
    /// Somebody forbade it everywhere.
    #[error("{digest} is blocked since {since} by {who}: {why}")]
    Blocked {
        /// The build.
        digest: Digest,
        /// Since when.
        since: domain::Timestamp,
        /// Who blocked it.
        who: String,
        /// Why.
        why: Text,
    },
    /// A rollback left it here, and nobody has named it since.
    #[error(
        "{digest} was left by a rollback of {environment} ({by}) and stays condemned there until it is named"
    )]
    Condemned {
        /// The build.
        digest: Digest,
        /// Where.
        environment: EnvironmentName,
        /// The rollback.
        by: EventId,
    },
    /// The environment asks for a verified build, and none is shown.
    #[error("{environment} asks for a build that was verified in {from}: {why}")]
    NotVerified {
        /// Where it was to go.
        environment: EnvironmentName,
        /// Where it should have been verified.
        from: EnvironmentName,
        /// What was found.
        why: String,
    },
}

/// Checks what speaks against a digest that a promotion makes eligible: a block or a condemnation.
///
/// # Errors
/// Says what speaks against it.
pub fn guard_promotion(
    state: &EnvironmentState,
    image: &ImageName,
    digest: &Digest,
    named_by: NamedBy,
) -> Result<(), DeployRefused> {
    if let Some((stamp, why)) = state.blocked(digest) {
        let (since, who) = (stamp.happened(), stamp.who().to_string());
        return Err(DeployRefused::Blocked { digest: *digest, since, who, why: why.clone() });
    }
    match (named_by, state.condemned(image, digest)) {
        (NamedBy::Rule, Some(by)) => {
            let environment = state.name().clone();
            Err(DeployRefused::Condemned { digest: *digest, environment, by })
        }
        (NamedBy::Name, _) | (NamedBy::Rule, None) => Ok(()),
    }
}

/// Checks what speaks against a digest in an environment, its eligibility included.
///
/// # Errors
/// Says what speaks against it.
pub fn guard(
    state: &EnvironmentState,
    image: &ImageName,
    digest: &Digest,
    named_by: NamedBy,
) -> Result<(), DeployRefused> {
    if state.blocked(digest).is_none() && state.eligible(digest).is_empty() {
        let environment = state.name().clone();
        return Err(DeployRefused::NotEligible { digest: *digest, environment });
    }
    guard_promotion(state, image, digest, named_by)
}

/// Plans the deploy of one image.
///
/// # Errors
/// Refuses what is not eligible, blocked, condemned, or not verified where that is required.
pub fn plan_deploy(
    state: &EnvironmentState,
    request: &DeployRequest,
) -> Result<DeployPlan, DeployRefused> {
    if let Some(hold) = state.held(&request.image) {
        return Ok(DeployPlan::Held(hold.clone()));
    }
    guard(state, &request.image, &request.to, request.named_by)?;
    // A cluster may have been told of a build whose deploy did not end well: then it is not "the same".
    let is_same = state.is_settled_on(&request.image, &request.to);
    let is_condemned = state.condemned(&request.image, &request.to).is_some();
    // A condemned build that is named again must be recorded, also where files never changed.
    if is_same && !is_condemned {
        return Ok(DeployPlan::Same);
    }
    let (how, warnings) = kind(state, request)?;
    let from = left(state, &request.image, &request.to);
    Ok(DeployPlan::Change { from, how, warnings })
}

/// What a deploy leaves: what was tried last, also where that did not end well.
pub(crate) fn left(state: &EnvironmentState, image: &ImageName, to: &Digest) -> Option<Digest> {
    let other = |digest: &Digest| digest != to;
    let tried = state.attempted(image).map(|fact| fact.claim.to).filter(other);
    tried.or_else(|| state.current(image).map(|fact| fact.claim.to).filter(other))
}

fn kind(
    state: &EnvironmentState,
    request: &DeployRequest,
) -> Result<(DeployKind, Vec<String>), DeployRefused> {
    let Some((from, asked, evidence)) = &request.merge else {
        return Ok((DeployKind::Deploy, Vec::new()));
    };
    let by_merge =
        |verified, commit| DeployKind::PromotedByMerge { from: from.clone(), verified, commit };
    // What cannot be told to be a promotion is not recorded as one.
    let (how, why) = match evidence {
        MergeEvidence::Verified { digest, commit } => {
            return Ok((by_merge(Some(*digest), Some(commit.clone())), Vec::new()));
        }
        MergeEvidence::NoneVerified { from } => {
            (by_merge(None, None), format!("no build of the merged commits was deployed to {from}"))
        }
        MergeEvidence::CannotTell { why } => (DeployKind::Deploy, format!("cannot tell: {why}")),
    };
    match asked {
        VerifiedThere::Required => {
            let (environment, from) = (state.name().clone(), from.clone());
            Err(DeployRefused::NotVerified { environment, from, why })
        }
        VerifiedThere::Warn => {
            let warning = format!("not known to be verified in {from}: {why}");
            Ok((how, vec![warning]))
        }
        VerifiedThere::Off => Ok((how, Vec::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claim::HoldState;
    use record::fuzz::story::Story;

    fn request(to: Digest, named_by: NamedBy) -> DeployRequest {
        DeployRequest {
            image: "api".parse().unwrap(),
            repository: "registry.example.com/shop/api".parse().unwrap(),
            to,
            tag: None,
            named_by,
            merge: None,
        }
    }

    #[test]
    fn a_build_reaches_only_environments_that_it_is_eligible_for() {
        let mut story = Story::new();
        let a = story.build("api", "a", "uat");
        let plan =
            |story: &Story, env: &str| plan_deploy(&story.state(env), &request(a, NamedBy::Name));
        assert!(matches!(plan(&story, "uat"), Ok(DeployPlan::Change { from: None, .. })));
        assert!(matches!(plan(&story, "prod"), Err(DeployRefused::NotEligible { .. })));
    }

    #[test]
    fn the_same_digest_again_is_no_deploy() {
        let mut story = Story::new();
        let a = story.build("api", "a", "prod");
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        assert_eq!(
            plan_deploy(&story.state("prod"), &request(a, NamedBy::Rule)),
            Ok(DeployPlan::Same)
        );
    }

    #[test]
    fn a_deploy_that_failed_is_not_the_same_and_neither_is_what_it_replaced() {
        let mut story = Story::new();
        let (a, b) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        story.fail("api", "prod", b);
        for (to, from) in [(a, b), (b, a)] {
            let plan = plan_deploy(&story.state("prod"), &request(to, NamedBy::Rule)).unwrap();
            let DeployPlan::Change { from: left, .. } = plan else { panic!("{plan:?}") };
            assert_eq!(left, Some(from));
        }
    }

    #[test]
    fn a_condemned_build_comes_back_only_by_name() {
        let mut story = Story::new();
        let (a, b) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        story.deploy(
            "api",
            "prod",
            a,
            DeployKind::Rollback { condemns: b, returns_to: None },
            NamedBy::Rule,
        );
        let state = story.state("prod");
        assert!(matches!(
            plan_deploy(&state, &request(b, NamedBy::Rule)),
            Err(DeployRefused::Condemned { .. })
        ));
        assert!(matches!(
            plan_deploy(&state, &request(b, NamedBy::Name)),
            Ok(DeployPlan::Change { .. })
        ));
    }

    #[test]
    fn a_held_environment_waits() {
        let mut story = Story::new();
        let a = story.build("api", "a", "prod");
        story.hold("prod", None, HoldState::Held);
        assert!(matches!(
            plan_deploy(&story.state("prod"), &request(a, NamedBy::Name)),
            Ok(DeployPlan::Held(_))
        ));
    }

    #[test]
    fn verified_there_is_required_said_or_not_asked() {
        let mut story = Story::new();
        let b = story.build("api", "b", "prod");
        let plan = |asked| {
            let mut request = request(b, NamedBy::Rule);
            let evidence = MergeEvidence::CannotTell { why: "a squash".to_owned() };
            request.merge = Some(("uat".parse().unwrap(), asked, evidence));
            plan_deploy(&story.state("prod"), &request)
        };
        assert!(matches!(plan(VerifiedThere::Required), Err(DeployRefused::NotVerified { .. })));
        let warnings = |plan| match plan {
            Ok(DeployPlan::Change { warnings, .. }) => warnings.len(),
            other => panic!("{other:?}"),
        };
        let Ok(DeployPlan::Change { how, .. }) = plan(VerifiedThere::Warn) else {
            panic!("it may go")
        };
        assert_eq!(how, DeployKind::Deploy, "a squash is not recorded as a promotion");
        assert_eq!(warnings(plan(VerifiedThere::Warn)), 1);
        assert_eq!(warnings(plan(VerifiedThere::Off)), 0);
    }
}
