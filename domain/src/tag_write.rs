//! The decision about one write to one tag: laws 1, 2 and 3.
//!
//! ```text
//! no row, immutable rule, digest A          -> Create
//! immutable, names A, digest A              -> Same       success, no event
//! immutable, names A, digest B              -> Refuse(Taken)
//! immutable, named A, deleted, digest B     -> Refuse(Burnt)
//! alias, names A, digest B                  -> Move { from: A }
//! ```
//! Decides only; the store calls it inside the transaction that carries the answer out.

use crate::digest::Digest;
use crate::rule::TagClass;

/// What the registry holds about a tag that was written at least once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagState {
    /// The class, fixed at the first write.
    pub class: TagClass,
    /// The digest that it names, or, when it was deleted, the last that it named.
    pub digest: Digest,
    /// Whether the name still resolves.
    pub life: Life,
}

/// Whether a name that was written resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It does.
    Live,
    /// It was deleted; an immutable name stays burnt.
    Deleted,
}

/// What the writer says the tag must be before the write (`If-Match`, `If-None-Match: *`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No condition.
    Anything,
    /// The tag resolves to nothing.
    Absent,
    /// The tag resolves to this.
    Digest(Digest),
}

/// Whether the new manifest keeps every descriptor of the one that an append tag names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extends {
    /// It does.
    Yes,
    /// It drops some, or that could not be found out.
    No,
}

/// Whether an administrator has unlocked this very tag, and the hour is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlock {
    /// No.
    Locked,
    /// Yes.
    Open,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagDecision {
    /// The first write: the tag gets this class for ever.
    Create {
        /// The class by the rule that is valid now.
        class: TagClass,
    },
    /// The tag names this digest already: success, and no event.
    Same,
    /// A deleted tag comes back with the digest that it had, or an alias with any.
    Restore {
        /// The digest that it named last.
        last: Digest,
    },
    /// The tag names another digest from now on.
    Move {
        /// The digest that it named until now.
        from: Digest,
    },
    /// Nothing is written.
    Refuse(TagRefusal),
}

/// Why a write is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagRefusal {
    /// The immutable tag names other bytes.
    Taken {
        /// What it names.
        digest: Digest,
    },
    /// The immutable tag was deleted; its name stays burnt for other bytes.
    Burnt {
        /// What it named last.
        digest: Digest,
    },
    /// The append tag would lose entries.
    Drops {
        /// What it names.
        digest: Digest,
    },
    /// The writer's condition does not hold.
    Stale {
        /// What the tag resolves to, if to anything.
        found: Option<Digest>,
    },
}

/// Decides about one write.
///
/// `existing` is the row inside the transaction, `by_rule` the class that a new tag would get.
#[must_use]
pub fn decide_tag_write(
    existing: Option<&TagState>,
    by_rule: TagClass,
    incoming: &Digest,
    expect: Expect,
    extends: Extends,
    unlock: Unlock,
) -> TagDecision {
    let live = existing.filter(|state| state.life == Life::Live).map(|state| state.digest);
    // Before any condition: a re-run of the same write must succeed also when it says "must be absent".
    if live == Some(*incoming) {
        return TagDecision::Same;
    }
    let holds = match expect {
        Expect::Anything => true,
        Expect::Absent => live.is_none(),
        Expect::Digest(digest) => live == Some(digest),
    };
    if !holds {
        return TagDecision::Refuse(TagRefusal::Stale { found: live });
    }
    match existing {
        None => TagDecision::Create { class: by_rule },
        Some(state) => decide_rewrite(state, incoming, extends, unlock),
    }
}

fn decide_rewrite(
    state: &TagState,
    incoming: &Digest,
    extends: Extends,
    unlock: Unlock,
) -> TagDecision {
    let digest = state.digest;
    let may_change = match state.class {
        TagClass::Alias => true,
        TagClass::Immutable => unlock == Unlock::Open,
        TagClass::Append => extends == Extends::Yes || unlock == Unlock::Open,
    };
    match (state.life, may_change) {
        (Life::Deleted, _) if digest == *incoming => TagDecision::Restore { last: digest },
        (Life::Deleted, true) => TagDecision::Restore { last: digest },
        (Life::Live, true) => TagDecision::Move { from: digest },
        (Life::Deleted, false) => TagDecision::Refuse(TagRefusal::Burnt { digest }),
        (Life::Live, false) if state.class == TagClass::Append => {
            TagDecision::Refuse(TagRefusal::Drops { digest })
        }
        (Life::Live, false) => TagDecision::Refuse(TagRefusal::Taken { digest }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(content: &str) -> Digest {
        Digest::sha256(content.as_bytes())
    }

    fn state(class: TagClass, life: Life) -> TagState {
        TagState { class, digest: digest("a"), life }
    }

    fn plain(existing: Option<TagState>, by_rule: TagClass, incoming: &str) -> TagDecision {
        decide_tag_write(
            existing.as_ref(),
            by_rule,
            &digest(incoming),
            Expect::Anything,
            Extends::No,
            Unlock::Locked,
        )
    }

    #[test]
    fn the_table_of_the_laws() {
        use TagClass::{Alias, Append, Immutable};
        use TagDecision as D;
        let (a, live, gone) = (digest("a"), Life::Live, Life::Deleted);
        let cases = [
            (None, Immutable, "a", D::Create { class: Immutable }),
            (None, Alias, "a", D::Create { class: Alias }),
            (Some(state(Immutable, live)), Immutable, "a", D::Same),
            (Some(state(Alias, live)), Alias, "a", D::Same),
            (
                Some(state(Immutable, live)),
                Immutable,
                "b",
                D::Refuse(TagRefusal::Taken { digest: a }),
            ),
            // The class was fixed at the first write: a rule that came later changes nothing.
            (Some(state(Immutable, live)), Alias, "b", D::Refuse(TagRefusal::Taken { digest: a })),
            (Some(state(Immutable, gone)), Alias, "b", D::Refuse(TagRefusal::Burnt { digest: a })),
            (Some(state(Immutable, gone)), Immutable, "a", D::Restore { last: a }),
            (Some(state(Alias, live)), Immutable, "b", D::Move { from: a }),
            (Some(state(Alias, gone)), Alias, "b", D::Restore { last: a }),
            (Some(state(Append, live)), Append, "b", D::Refuse(TagRefusal::Drops { digest: a })),
        ];
        for (existing, by_rule, incoming, expected) in cases {
            assert_eq!(plain(existing, by_rule, incoming), expected, "{existing:?} {incoming}");
        }
    }

    #[test]
    fn an_append_tag_moves_only_to_what_keeps_its_entries() {
        let old = state(TagClass::Append, Life::Live);
        let write = |extends| {
            decide_tag_write(
                Some(&old),
                TagClass::Append,
                &digest("b"),
                Expect::Anything,
                extends,
                Unlock::Locked,
            )
        };
        assert_eq!(write(Extends::Yes), TagDecision::Move { from: digest("a") });
        assert_eq!(
            write(Extends::No),
            TagDecision::Refuse(TagRefusal::Drops { digest: digest("a") })
        );
    }

    #[test]
    fn an_unlocked_tag_moves_once_told() {
        let old = state(TagClass::Immutable, Life::Live);
        let moved = decide_tag_write(
            Some(&old),
            TagClass::Immutable,
            &digest("b"),
            Expect::Anything,
            Extends::No,
            Unlock::Open,
        );
        assert_eq!(moved, TagDecision::Move { from: digest("a") });
    }

    #[test]
    fn a_condition_that_does_not_hold_is_refused_with_what_is_there() {
        let alias = state(TagClass::Alias, Life::Live);
        let write = |existing: Option<&TagState>, incoming, expect| {
            let incoming = digest(incoming);
            decide_tag_write(
                existing,
                TagClass::Alias,
                &incoming,
                expect,
                Extends::No,
                Unlock::Locked,
            )
        };
        let stale = |found| TagDecision::Refuse(TagRefusal::Stale { found });
        assert_eq!(write(Some(&alias), "b", Expect::Absent), stale(Some(digest("a"))));
        assert_eq!(write(Some(&alias), "b", Expect::Digest(digest("c"))), stale(Some(digest("a"))));
        assert_eq!(write(None, "b", Expect::Digest(digest("c"))), stale(None));
        assert_eq!(
            write(Some(&alias), "b", Expect::Digest(digest("a"))),
            TagDecision::Move { from: digest("a") }
        );
        // A re-run finds its own work.
        assert_eq!(write(Some(&alias), "a", Expect::Absent), TagDecision::Same);
    }
}
