//! Whether an alias may move: forward by itself, back only when told. Law 3.
//!
//! ```text
//! uat names build 7, build 9 comes   -> Move
//! uat names build 9, build 7 comes   -> refused: an older pipeline finished last
//! ```

use domain::{Digest, Tag};

/// How the build that comes stands to the one that the alias names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It is newer.
    Newer,
    /// It is older.
    Older,
    /// Neither the record's sequence nor the commits' ancestry tells.
    CannotTell,
}

/// Whether a person told to move it in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasTold {
    /// No.
    No,
    /// Yes.
    Yes,
}

/// What is to be done with an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AliasStep {
    /// It names nothing yet.
    Create,
    /// It names this digest already.
    Same,
    /// From one digest to this one.
    Move {
        /// What it names until then; the registry is asked to compare.
        from: Digest,
    },
}

/// Why an alias stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AliasRefused {
    /// The build that comes is older.
    #[error("alias `{alias}` names {there}, a newer build: it is not moved back to {new}")]
    Older {
        /// The alias.
        alias: Tag,
        /// What it names.
        there: Digest,
        /// What was to come.
        new: Digest,
    },
    /// Nothing tells which is older.
    #[error("alias `{alias}` names {there}, and nothing tells whether {new} is newer")]
    CannotTell {
        /// The alias.
        alias: Tag,
        /// What it names.
        there: Digest,
        /// What was to come.
        new: Digest,
    },
}

/// The order of two builds by the record's sequence, else by their commits.
///
/// A sequence is that of the release's reservation, else of its first build; none where nothing is recorded.
/// `ancestry` is asked only where the sequences do not tell.
#[must_use]
pub fn order_of(
    there: Option<u64>,
    coming: Option<u64>,
    ancestry: impl FnOnce() -> Option<Order>,
) -> Order {
    match (there, coming) {
        (Some(there), Some(coming)) if coming > there => Order::Newer,
        (Some(there), Some(coming)) if coming < there => Order::Older,
        (_, _) => ancestry().unwrap_or(Order::CannotTell),
    }
}

/// Decides about one alias.
///
/// # Errors
/// Refuses to move it to an older build, or where nothing tells, unless told.
pub fn decide_alias(
    alias: &Tag,
    there: Option<Digest>,
    new: Digest,
    order: Order,
    told: AliasTold,
) -> Result<AliasStep, AliasRefused> {
    let Some(there) = there else {
        return Ok(AliasStep::Create);
    };
    if there == new {
        return Ok(AliasStep::Same);
    }
    match (told, order) {
        (AliasTold::Yes, _) | (AliasTold::No, Order::Newer) => Ok(AliasStep::Move { from: there }),
        (AliasTold::No, Order::Older) => {
            Err(AliasRefused::Older { alias: alias.clone(), there, new })
        }
        (AliasTold::No, Order::CannotTell) => {
            Err(AliasRefused::CannotTell { alias: alias.clone(), there, new })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_moves_forward_alone_and_back_when_told() {
        let (uat, old, new) =
            ("uat".parse().unwrap(), Digest::sha256(b"old"), Digest::sha256(b"new"));
        let decide = |there, order, told| decide_alias(&uat, there, new, order, told);
        assert_eq!(decide(None, Order::CannotTell, AliasTold::No), Ok(AliasStep::Create));
        assert_eq!(decide(Some(new), Order::CannotTell, AliasTold::No), Ok(AliasStep::Same));
        let moved = Ok(AliasStep::Move { from: old });
        assert_eq!(decide(Some(old), Order::Newer, AliasTold::No), moved);
        assert!(matches!(
            decide(Some(old), Order::Older, AliasTold::No),
            Err(AliasRefused::Older { .. })
        ));
        assert!(matches!(
            decide(Some(old), Order::CannotTell, AliasTold::No),
            Err(AliasRefused::CannotTell { .. })
        ));
        assert_eq!(decide(Some(old), Order::Older, AliasTold::Yes), moved);
    }

    #[test]
    fn the_sequence_decides_before_the_commits() {
        assert_eq!(order_of(Some(1), Some(2), || Some(Order::Older)), Order::Newer);
        assert_eq!(order_of(Some(2), Some(1), || Some(Order::Newer)), Order::Older);
        assert_eq!(order_of(None, Some(1), || Some(Order::Newer)), Order::Newer);
        assert_eq!(order_of(None, None, || None), Order::CannotTell);
    }
}
