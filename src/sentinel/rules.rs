//! The rule set that acts: shown with its history, and changed by operators.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::fraud::engine::{RuleMode, Rules};
use crate::fraud::{
    KeptRules, NotARule, RuleChange, RuleId, RuleView, add_rules, change_rules, latest_rules, replace_rules,
    rules_history, rules_shown,
};

/// The rules that act, and how they came to be.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FraudRules {
    /// Version of the set; 0 is the built-in one. Decisions name it.
    pub version: i64,
    /// Every rule.
    pub data: Vec<RuleView>,
    /// The latest changes, newest first.
    pub history: Vec<RulesChanged>,
}

/// A change of the rule set.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RulesChanged {
    /// The version of the set that it made.
    pub version: i64,
    /// Who: an operator's id, or `cli`.
    pub author: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// The rules it changed.
    pub rules: Vec<RuleChanged>,
}

/// A rule that a change changed, as it was from then on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleChanged {
    /// Which.
    pub id: RuleId,
    /// Its version from then on.
    pub version: u32,
    /// Whether it acted.
    pub mode: RuleMode,
}

/// Changes that are shown.
const HISTORY: i64 = 50;

/// The rules that act, with their latest changes.
pub fn show_rules(conn: &mut Conn) -> Result<FraudRules> {
    let kept = rules_history(conn, i64::MAX, HISTORY + 1)?;
    let sets = kept.iter().map(KeptRules::rules).collect::<Result<Vec<_>>>()?;
    let mut history = Vec::new();
    for (index, (change, after)) in kept.iter().zip(&sets).enumerate().take(usize::try_from(HISTORY).unwrap_or(0)) {
        let before = sets.get(index + 1).cloned().unwrap_or_else(Rules::built_in);
        history.push(RulesChanged {
            version: change.version,
            author: change.author.clone(),
            reason: change.reason.clone(),
            created_at: change.created_at,
            rules: changed(&before, after),
        });
    }
    let version = kept.first().map_or(0, |kept| kept.version);
    Ok(FraudRules { version, data: rules_shown(sets.first().unwrap_or(&Rules::built_in())), history })
}

fn changed(before: &Rules, after: &Rules) -> Vec<RuleChanged> {
    let both = rules_shown(before).into_iter().zip(rules_shown(after));
    let changed = both.filter(|(before, after)| before != after);
    changed.map(|(_, after)| RuleChanged { id: after.id, version: after.version, mode: after.mode }).collect()
}

/// Changes one rule. Error: `validation_failed`.
pub fn set_rule(conn: &mut Conn, by: &By, id: RuleId, change: &RuleChange) -> Result<RuleView> {
    let one = BTreeMap::from([(id, change.clone())]);
    let (before, after) =
        store(conn, by, |rules| change_rules(rules, &one).map_err(|fault| refused("parameters", fault)))?;
    let view = |rules: &Rules| rules_shown(rules).into_iter().find(|rule| rule.id == id);
    let (before, after) = (view(&before), view(&after).ok_or_else(|| Error::new(Code::NotFound))?);
    by.tell(conn, "fraud.rule", id, Change::changed(&before, &after))?;
    Ok(after)
}

/// Puts a whole set in place of the one that acts. Error: `validation_failed`.
pub fn set_rules(conn: &mut Conn, by: &By, list: &BTreeMap<RuleId, RuleChange>) -> Result<FraudRules> {
    let (before, after) = store(conn, by, |rules| replace_rules(rules, list).map_err(|fault| refused("rules", fault)))?;
    by.tell(conn, "fraud.rules", "rules", Change::changed(&rules_shown(&before), &rules_shown(&after)))?;
    show_rules(conn)
}

fn refused(field: &str, fault: NotARule) -> Error {
    Error::field(field, fault.to_string())
}

/// Stores what `change` makes of the set that acts, where it is another; both.
fn store(conn: &mut Conn, by: &By, change: impl Fn(&Rules) -> Result<Rules>) -> Result<(Rules, Rules)> {
    let acting = latest_rules(conn)?.map_or_else(|| Ok(Rules::built_in()), |kept| kept.rules())?;
    let wanted = change(&acting)?;
    if wanted == acting {
        return Ok((acting, wanted));
    }
    let (before, kept) = add_rules(conn, (by.actor.to_string(), by.reason.clone()), by.now, change)?;
    tracing::warn!(version = kept.version, by = %by.actor, "the fraud rules were changed");
    Ok((before, kept.rules()?))
}
