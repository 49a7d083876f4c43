//! The rules that somebody set, and a kept copy of them for the writer.

use crate::catalog::RuleError;
use crate::catalog::tag_row::read_class;
use crate::database::DatabaseError;
use crate::ledger::decision::{RULES_MARKER, marker};
use crate::ledger::event_row::Prepared;
use crate::stamping::Stamping;
use domain::rule::RULES_MAX;
use domain::{Pattern, Rule, RuleSet};
use record::claim::RuleClaim;
use record::{Claim, ClaimKey, Event};
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};

/// The rules as they were last read, and the event that they go up to.
///
/// The event's id has 80 random bits: a rule that was taken back with its batch never passes for another.
#[derive(Debug, Default)]
pub(super) struct KeptRules(Mutex<Option<(Option<String>, Arc<RuleSet>)>>);

impl KeptRules {
    /// The rules inside this transaction.
    pub(super) fn current(&self, tx: &Connection) -> Result<Arc<RuleSet>, DatabaseError> {
        let upto = marker(tx, RULES_MARKER)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, rules)) if *of == upto => Ok(Arc::clone(rules)),
            Some(_) | None => {
                let rules = Arc::new(read(tx)?);
                *kept = Some((upto, Arc::clone(&rules)));
                Ok(rules)
            }
        }
    }
}

/// All rules, in the order of asking: the newest first.
pub(super) fn read(connection: &Connection) -> Result<RuleSet, DatabaseError> {
    let mut select = connection
        .prepare_cached("SELECT repositories, tags, class FROM rule ORDER BY seq DESC")?;
    let mut rows = select.query([])?;
    let mut rules = Vec::new();
    while let Some(row) = rows.next()? {
        rules.push(Rule {
            repositories: read_pattern(&row.get::<_, String>(0)?)?,
            tags: read_pattern(&row.get::<_, String>(1)?)?,
            class: read_class(&row.get::<_, String>(2)?)?,
        });
    }
    Ok(RuleSet::new(rules))
}

pub(super) fn read_pattern(text: &str) -> Result<Pattern, DatabaseError> {
    text.parse().map_err(|why| DatabaseError::unreadable("pattern in a row", why))
}

/// Sets a rule and says so in the record; a rule that is first already is no event.
pub(super) fn set(tx: &Connection, rule: &Rule, by: &Stamping) -> Result<(), RuleError> {
    let mut rules = read(tx)?;
    if rules.rules().first() == Some(rule) {
        return Ok(());
    }
    rules.set(rule.clone());
    if rules.rules().len() > RULES_MAX {
        return Err(RuleError::TooMany);
    }
    let stamp = by.stamp(0);
    let key = ClaimKey::try_from(format!("rule/{}", stamp.id)).expect("a ULID is visible ASCII");
    let claim = Claim::Rule(RuleClaim { key, rule: rule.clone() });
    Prepared::new(Event { stamp, claim })?.insert(tx)?;
    Ok(())
}
