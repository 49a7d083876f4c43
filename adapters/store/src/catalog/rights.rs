//! What a writer may do, handed in with the write: only the transaction knows what a write turns out to be.

use record::claim::Right;
use std::collections::BTreeSet;

/// A set of rights in one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights(BTreeSet<Right>);

impl Rights {
    /// Every right.
    #[must_use]
    pub fn all() -> Self {
        Right::ALL.into_iter().collect()
    }

    /// Whether this right is among them; an administrator has each.
    #[must_use]
    pub fn allow(&self, right: Right) -> bool {
        self.0.contains(&right) || self.0.contains(&Right::Admin)
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<T: IntoIterator<Item = Right>>(rights: T) -> Self {
        Self(rights.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_has_each_right_and_others_what_they_have() {
        let admin = Rights::from_iter([Right::Admin]);
        let robot = Rights::from_iter([Right::PushNewTags]);
        assert!(Right::ALL.into_iter().all(|right| admin.allow(right)));
        assert!(robot.allow(Right::PushNewTags) && !robot.allow(Right::MoveAlias));
    }
}
