//! Changes of the rule set: by the rules' names, merged into what is, with each rule's version kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::engine::{RuleMode, Rules};

crate::text_enum! {
    /// A rule of the fraud engine.
    pub enum RuleId as "FraudRuleId" {
        NumberUnverified = "number.unverified",
        KeyVelocity = "key.velocity",
        DestinationPrice = "destination.price",
        PrefixConversion = "prefix.conversion",
        PrefixSequence = "prefix.sequence",
        PrefixVolume = "prefix.volume",
        NetworkConversion = "network.conversion",
        VerifyShape = "verify.shape",
        PrefixHold = "prefix.hold",
    }
}

impl RuleId {
    /// Its member in a rule set.
    const fn member(self) -> &'static str {
        match self {
            RuleId::NumberUnverified => "number",
            RuleId::KeyVelocity => "velocity",
            RuleId::DestinationPrice => "price",
            RuleId::PrefixConversion => "conversion",
            RuleId::PrefixSequence => "sequence",
            RuleId::PrefixVolume => "volume",
            RuleId::NetworkConversion => "network",
            RuleId::VerifyShape => "shape",
            RuleId::PrefixHold => "hold",
        }
    }
}

/// What to change of a rule; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"mode": "shadow", "parameters": {"hold_at": 2.5}}))]
pub struct RuleChange {
    /// Whether it acts. Where parameters change and no mode is named, a rule that acted only watches from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RuleMode>,
    /// Parameters to set, by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    pub parameters: Option<Map<String, Value>>,
}

/// A rule as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleView {
    /// Which.
    pub id: RuleId,
    /// Goes up with each change; decisions name it.
    pub version: u32,
    /// Whether it acts, only watches, or sleeps. A level may only take from this.
    pub mode: RuleMode,
    /// Its parameters.
    #[schema(value_type = BTreeMap<String, Value>, example = json!({"hold_at": 2.2}))]
    pub parameters: Value,
}

/// A change that makes no rule set: which rule, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {why}")]
pub struct NotARule {
    /// Which.
    pub rule: RuleId,
    /// Why.
    pub why: String,
}

/// Every rule of a set.
pub fn rules_shown(rules: &Rules) -> Vec<RuleView> {
    let all = serde_json::to_value(rules).unwrap_or_default();
    RuleId::ALL.iter().filter_map(|id| shown(&all, *id)).collect()
}

fn shown(all: &Value, id: RuleId) -> Option<RuleView> {
    let own = all.get(id.member())?;
    Some(RuleView {
        id,
        version: u32::try_from(own.get("version")?.as_u64()?).ok()?,
        mode: own.get("mode")?.as_str()?.parse().ok()?,
        parameters: own.get("with")?.clone(),
    })
}

/// `rules` with these changed, each relative to what it is.
pub fn change_rules(rules: &Rules, changes: &BTreeMap<RuleId, RuleChange>) -> Result<Rules, NotARule> {
    changes.iter().try_fold(rules.clone(), |rules, (id, change)| {
        let base = shown(&serde_json::to_value(&rules).unwrap_or_default(), *id);
        put(&rules, *id, base.map(|base| base.parameters), change)
    })
}

/// A whole set in place of `rules`: what `list` does not name is as it was built.
pub fn replace_rules(rules: &Rules, list: &BTreeMap<RuleId, RuleChange>) -> Result<Rules, NotARule> {
    let built_in = rules_shown(&Rules::built_in());
    built_in.into_iter().try_fold(rules.clone(), |rules, built| {
        let unnamed = RuleChange { mode: Some(built.mode), parameters: None };
        put(&rules, built.id, Some(built.parameters), list.get(&built.id).unwrap_or(&unnamed))
    })
}

/// Sets a rule to `base` with `change` over it. Its version goes up where it is another than before.
fn put(rules: &Rules, rule: RuleId, base: Option<Value>, change: &RuleChange) -> Result<Rules, NotARule> {
    let wrong = |why: String| NotARule { rule, why };
    let mut all = serde_json::to_value(rules).map_err(|fault| wrong(fault.to_string()))?;
    let before = shown(&all, rule).ok_or_else(|| wrong(String::from("is not in the set")))?;
    let mut parameters = base.unwrap_or_default();
    for (name, value) in change.parameters.iter().flatten() {
        let known = parameters.as_object_mut().and_then(|known| known.get_mut(name));
        match known {
            Some(known) => *known = value.clone(),
            None => return Err(wrong(format!("{name} is no parameter of it"))),
        }
    }
    set(&mut all, rule, "with", parameters);
    let after = Rules::from_json(&all.to_string()).map_err(&wrong)?;
    // As it is read: 2 and 2.0 are one.
    let mut all = serde_json::to_value(&after).map_err(|fault| wrong(fault.to_string()))?;
    let is_tuned = shown(&all, rule).is_none_or(|after| after.parameters != before.parameters);
    let mode = change.mode.unwrap_or(if is_tuned { before.mode.max(RuleMode::Shadow) } else { before.mode });
    if is_tuned || mode != before.mode {
        set(&mut all, rule, "mode", Value::from(mode.as_str()));
        set(&mut all, rule, "version", Value::from(before.version.saturating_add(1)));
    }
    Rules::from_json(&all.to_string()).map_err(wrong)
}

fn set(all: &mut Value, rule: RuleId, member: &str, value: Value) {
    if let Some(slot) = all.get_mut(rule.member()).and_then(|own| own.get_mut(member)) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changes(text: Value) -> BTreeMap<RuleId, RuleChange> {
        serde_json::from_value(text).unwrap()
    }

    fn rule(rules: &Rules, id: RuleId) -> RuleView {
        rules_shown(rules).into_iter().find(|rule| rule.id == id).unwrap()
    }

    #[test]
    fn a_tuned_rule_only_watches_until_it_is_told_to_act() {
        let built = Rules::built_in();
        let tuned = change_rules(&built, &changes(json!({"prefix.hold": {"parameters": {"hold_at": 3}}}))).unwrap();
        let hold = rule(&tuned, RuleId::PrefixHold);
        assert_eq!((hold.version, hold.mode, tuned.hold.with.hold_at), (2, RuleMode::Shadow, 3.0));
        assert_eq!(rule(&tuned, RuleId::PrefixVolume), rule(&built, RuleId::PrefixVolume));
        let acts = change_rules(&tuned, &changes(json!({"prefix.hold": {"mode": "enforce"}}))).unwrap();
        assert_eq!((acts.hold.version, acts.hold.mode, acts.hold.with.hold_at), (3, RuleMode::Enforce, 3.0));
        let same = change_rules(&acts, &changes(json!({"prefix.hold": {"parameters": {"hold_at": 3.0}}}))).unwrap();
        assert_eq!(same, acts);
    }

    #[test]
    fn a_whole_set_puts_what_it_does_not_name_back() {
        let tuned =
            changes(json!({"prefix.hold": {"mode": "off"}, "number.unverified": {"parameters": {"proven": 9}}}));
        let tuned = change_rules(&Rules::built_in(), &tuned).unwrap();
        let back = replace_rules(&tuned, &changes(json!({"prefix.hold": {"mode": "off"}}))).unwrap();
        assert_eq!((back.hold.version, back.hold.mode), (2, RuleMode::Off));
        assert_eq!((back.number.version, back.number.with.proven, back.number.mode), (3, 12, RuleMode::Enforce));
    }

    #[test]
    fn what_makes_no_sense_names_its_rule() {
        for (change, word) in [
            (json!({"prefix.hold": {"parameters": {"hold_for": 3}}}), "hold_for"),
            (json!({"prefix.hold": {"parameters": {"hold_at": -9}}}), "challenge_at"),
            (json!({"number.unverified": {"parameters": {"proven": "many"}}}), "u32"),
        ] {
            let fault = change_rules(&Rules::built_in(), &changes(change)).unwrap_err();
            assert!(fault.to_string().contains(word), "{fault}");
        }
    }
}
