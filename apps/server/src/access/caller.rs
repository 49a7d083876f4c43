//! What one caller may do in which repositories.
//!
//! A right to write or delete in a repository carries the right to read there: every client asks
//! whether a blob or tag is there before it pushes one, and reads a manifest before it deletes it.

use crate::options::Anonymous;
use crate::reply::Refusal;
use domain::{Actor, Pattern, Proof, RepositoryPath};
use record::claim::Right;
use store::{Rights, Token};

/// Somebody who was let in.
#[derive(Debug)]
pub(crate) struct Caller {
    actor: Actor,
    rights: Rights,
    /// `None`: in all.
    repositories: Option<Pattern>,
}

/// What an operation needs; the first right is the one that a refusal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Reading images, tags and history.
    Read,
    /// Pushing blobs.
    Push,
    /// Writing manifests and tags; which right it needs, the write itself finds out.
    Write,
    /// Deleting.
    Delete,
    /// Unlocking an immutable tag.
    Unlock,
    /// Reading the record.
    ReadRecord,
    /// Saying what was built or deployed.
    Claim,
    /// Saying what people decided.
    Decide,
    /// Saying what was seen to run.
    ClaimRun,
}

impl Need {
    /// Any of these will do.
    fn rights(self) -> &'static [Right] {
        match self {
            Self::Read => &[Right::Pull, Right::PushNewTags, Right::MoveAlias, Right::Delete],
            Self::Push => &[Right::PushNewTags],
            Self::Write => &[Right::PushNewTags, Right::MoveAlias],
            Self::Delete => &[Right::Delete],
            Self::Unlock => &[Right::Unlock],
            Self::ReadRecord => &[
                Right::Pull,
                Right::PushNewTags,
                Right::MoveAlias,
                Right::Delete,
                Right::Claims,
                Right::Decisions,
                Right::Runs,
            ],
            Self::Claim => &[Right::Claims],
            Self::Decide => &[Right::Decisions],
            Self::ClaimRun => &[Right::Runs],
        }
    }
}

impl Caller {
    /// Whoever can read `admin.token`.
    pub(crate) fn administrator() -> Self {
        let actor = Actor::new("admin", Proof::Token).expect("the name is a literal that fits");
        Self { actor, rights: Rights::all(), repositories: None }
    }

    /// Somebody without a token, where that is allowed.
    pub(crate) fn anonymous(anonymous: Anonymous) -> Self {
        let actor = match anonymous {
            Anonymous::OnLoopback | Anonymous::Nowhere => Actor::anonymous_loopback(),
            Anonymous::Everywhere => {
                Actor::new("anonymous", Proof::None).expect("the name is a literal that fits")
            }
        };
        Self { actor, rights: Rights::all(), repositories: None }
    }

    /// The holder of a token.
    pub(crate) fn of(token: Token) -> Result<Self, Refusal> {
        let actor = Actor::new(&token.name, Proof::Token).map_err(Refusal::internal)?;
        let rights = token.rights.into_iter().collect();
        Ok(Self { actor, rights, repositories: Some(token.repositories) })
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether it may; `Admin` is every right in the repositories of its token.
    pub(crate) fn may(&self, need: Need, repository: &RepositoryPath) -> bool {
        self.covers(repository) && need.rights().iter().any(|right| self.rights.allow(*right))
    }

    /// Goes on only where it may.
    pub(crate) fn needs(&self, need: Need, repository: &RepositoryPath) -> Result<(), Refusal> {
        if self.may(need, repository) {
            return Ok(());
        }
        Err(Refusal::RightMissing {
            actor: self.actor.to_string(),
            right: need.rights()[0],
            repository: Some(repository.clone()),
        })
    }

    /// The same for what names no repository: in which ones the right holds does not matter.
    pub(crate) fn needs_anywhere(&self, need: Need) -> Result<(), Refusal> {
        if need.rights().iter().any(|right| self.rights.allow(*right)) {
            return Ok(());
        }
        Err(Refusal::RightMissing {
            actor: self.actor.to_string(),
            right: need.rights()[0],
            repository: None,
        })
    }

    /// The rights by name, and where they hold.
    pub(crate) fn told(&self) -> (Vec<Right>, Pattern) {
        let rights = Right::ALL.into_iter().filter(|right| self.rights.allow(*right)).collect();
        (rights, self.repositories.clone().unwrap_or_else(Pattern::everything))
    }

    /// Whether no row of the record is left out for it, but those for administrators.
    pub(crate) fn reads_whole_record(&self) -> bool {
        let everywhere = self.repositories.as_ref().is_none_or(|pattern| pattern.as_str() == "**");
        everywhere && Need::ReadRecord.rights().iter().any(|right| self.rights.allow(*right))
    }

    /// Rules and tokens belong to the whole registry: a token for some repositories is not enough.
    pub(crate) fn needs_admin(&self) -> Result<(), Refusal> {
        let everywhere = self.repositories.as_ref().is_none_or(|pattern| pattern.as_str() == "**");
        if everywhere && self.rights.allow(Right::Admin) {
            return Ok(());
        }
        Err(Refusal::RightMissing {
            actor: self.actor.to_string(),
            right: Right::Admin,
            repository: None,
        })
    }

    /// Whether it may read every repository: then a list needs no filter.
    pub(crate) fn reads_everything(&self) -> bool {
        let everywhere = self.repositories.as_ref().is_none_or(|pattern| pattern.as_str() == "**");
        everywhere && Need::Read.rights().iter().any(|right| self.rights.allow(*right))
    }

    /// The rights for a write in a repository that [`Caller::needs`] let through.
    pub(crate) fn rights(&self) -> Rights {
        self.rights.clone()
    }

    fn covers(&self, repository: &RepositoryPath) -> bool {
        self.repositories.as_ref().is_none_or(|pattern| pattern.matches(repository.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn robot(rights: &[Right], repositories: &str) -> Caller {
        let token = Token {
            name: "ci".to_owned(),
            rights: rights.to_vec(),
            repositories: repositories.parse().unwrap(),
            created: Timestamp::from_millis(0),
            revoked: None,
        };
        Caller::of(token).unwrap()
    }

    #[test]
    fn a_right_holds_in_its_repositories_only() {
        let (ours, theirs) = ("shop/api".parse().unwrap(), "bank/api".parse().unwrap());
        let pusher = robot(&[Right::PushNewTags], "shop/*");
        assert!(pusher.may(Need::Push, &ours) && pusher.may(Need::Read, &ours));
        assert!(!pusher.may(Need::Delete, &ours) && !pusher.may(Need::Unlock, &ours));
        assert!(!pusher.may(Need::Read, &theirs));
        assert!(!robot(&[Right::Pull], "**").may(Need::Push, &ours));
        assert!(!robot(&[Right::Claims], "**").may(Need::Read, &ours));
    }

    #[test]
    fn a_publisher_says_nothing_about_runs_and_a_watcher_nothing_about_builds() {
        let ours = "shop/api".parse().unwrap();
        let (publisher, watcher) =
            (robot(&[Right::Claims], "shop/*"), robot(&[Right::Runs], "shop/*"));
        assert!(publisher.may(Need::Claim, &ours) && !publisher.may(Need::ClaimRun, &ours));
        assert!(watcher.may(Need::ClaimRun, &ours) && !watcher.may(Need::Claim, &ours));
        // Whoever writes there asks first what is there.
        assert!(publisher.may(Need::ReadRecord, &ours) && watcher.may(Need::ReadRecord, &ours));
        assert!(publisher.needs_anywhere(Need::ClaimRun).is_err());
        // Whoever builds does not decide what else may go where, and who decides deploys nothing by that.
        assert!(publisher.needs_anywhere(Need::Decide).is_err());
        let person = robot(&[Right::Decisions], "shop/*");
        assert!(person.needs_anywhere(Need::Decide).is_ok() && !person.may(Need::Claim, &ours));
        assert!(person.may(Need::ReadRecord, &ours));
        assert!(robot(&[Right::Unlock], "**").needs_anywhere(Need::ReadRecord).is_err());
        assert!(
            !publisher.reads_whole_record() && robot(&[Right::Runs], "**").reads_whole_record()
        );
    }

    #[test]
    fn an_administrator_of_some_repositories_is_none_of_the_registry() {
        assert!(robot(&[Right::Admin], "shop/*").needs_admin().is_err());
        assert!(robot(&[Right::Admin], "**").needs_admin().is_ok());
        assert!(robot(&[Right::Delete], "**").needs_admin().is_err());
    }
}
