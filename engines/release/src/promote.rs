//! The plan of a promotion: the same digest comes to another environment, with its tag and alias.
//!
//! ```text
//! uat intends A as 20260317-143958-uat  ->  prod: A, tag 20260317-160201-prod, alias prod
//! ```
//! Source: DESIGN §5, "Promotion".

use crate::deploy::{DeployRefused, guard_promotion, left};
use domain::{Digest, EnvironmentName, EventId, ImageName, Tag};
use record::claim::NamedBy;
use record::{EnvironmentState, Hold};

/// The tag that the target environment's scheme asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagStep {
    /// The digest has such a tag: it is used again, no event.
    Reuse(Tag),
    /// A new one, create-only.
    Create(Tag),
    /// The scheme names no environment: the tag of the build stays.
    Keep(Option<Tag>),
}

impl TagStep {
    /// The tag that goes into files.
    #[must_use]
    pub fn tag(&self) -> Option<&Tag> {
        match self {
            Self::Reuse(tag) | Self::Create(tag) => Some(tag),
            Self::Keep(tag) => tag.as_ref(),
        }
    }
}

/// What a promotion would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromotePlan {
    /// The digest comes.
    Bring {
        /// The build.
        digest: Digest,
        /// What was intended there until then.
        replaces: Option<Digest>,
        /// The deploy in the first environment that is promoted.
        promotes: EventId,
        /// Its tag there.
        tag: Option<Tag>,
    },
    /// It is intended there already.
    Same {
        /// The build.
        digest: Digest,
    },
    /// The target waits.
    Held(Hold),
}

/// Why nothing is promoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromoteRefused {
    /// Nothing to promote.
    #[error("no deploy of `{image}` to {environment} is recorded: there is nothing to promote")]
    NothingThere {
        /// The image.
        image: ImageName,
        /// Where it was looked for.
        environment: EnvironmentName,
    },
    /// What speaks against the build at the target.
    #[error(transparent)]
    Against(#[from] DeployRefused),
}

/// Plans to bring what one environment intends to another.
///
/// # Errors
/// Refuses when nothing is there, or the build is blocked or condemned in the target.
pub fn plan_promote(
    from: &EnvironmentState,
    to: &EnvironmentState,
    image: &ImageName,
    named_by: NamedBy,
) -> Result<PromotePlan, PromoteRefused> {
    let Some(source) = from.current(image) else {
        let (image, environment) = (image.clone(), from.name().clone());
        return Err(PromoteRefused::NothingThere { image, environment });
    };
    if let Some(hold) = to.held(image) {
        return Ok(PromotePlan::Held(hold.clone()));
    }
    let digest = source.claim.to;
    guard_promotion(to, image, &digest, named_by)?;
    if to.is_settled_on(image, &digest) {
        return Ok(PromotePlan::Same { digest });
    }
    let replaces = left(to, image, &digest);
    let (promotes, tag) = (source.stamp.id, source.claim.tag.clone());
    Ok(PromotePlan::Bring { digest, replaces, promotes, tag })
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::claim::DeployKind;
    use record::fuzz::story::Story;

    #[test]
    fn the_same_digest_comes_once() {
        let mut story = Story::new();
        let a = story.build("api", "a", "uat");
        let deployed = story.deploy("api", "uat", a, DeployKind::Deploy, NamedBy::Rule);
        let plan = |story: &Story| {
            plan_promote(
                &story.state("uat"),
                &story.state("prod"),
                &"api".parse().unwrap(),
                NamedBy::Rule,
            )
        };
        assert_eq!(
            plan(&story),
            Ok(PromotePlan::Bring { digest: a, replaces: None, promotes: deployed, tag: None })
        );
        let from = "uat".parse().unwrap();
        story.deploy("api", "prod", a, DeployKind::Promote { from }, NamedBy::Rule);
        assert_eq!(plan(&story), Ok(PromotePlan::Same { digest: a }));
    }

    #[test]
    fn nothing_is_promoted_from_an_empty_environment() {
        let story = Story::new();
        let plan = plan_promote(
            &story.state("uat"),
            &story.state("prod"),
            &"api".parse().unwrap(),
            NamedBy::Name,
        );
        assert!(matches!(plan, Err(PromoteRefused::NothingThere { .. })));
    }
}
