//! The rule sets that act: the operators' own, and what each level makes of it.

use std::sync::Arc;

use super::engine::Rules;
use crate::accounts::Protection;

/// The rules of one attempt, and how they came to be.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSet {
    /// The rules themselves.
    pub rules: Rules,
    /// Which version of the operators' set they are made of; 0 is the built-in one.
    pub version: i64,
    /// At which level.
    pub level: Protection,
    /// Whether the engine only watches the organization yet.
    pub is_learning: bool,
}

impl RuleSet {
    /// What `level` makes of `base`.
    pub fn of(base: &Rules, version: i64, level: Protection, is_learning: bool) -> RuleSet {
        let rules = base.at(level);
        let rules = if is_learning { rules.learning() } else { rules };
        RuleSet { rules, version, level, is_learning }
    }
}

/// Every rule set of one version.
#[derive(Debug)]
pub struct Book {
    /// The version; 0 is the built-in one.
    pub version: i64,
    /// The operators' set.
    pub base: Rules,
    sets: Vec<Arc<RuleSet>>,
}

impl Book {
    /// The sets that `base` makes.
    pub fn new(version: i64, base: Rules) -> Book {
        let both = |level: &Protection| [false, true].map(|learning| RuleSet::of(&base, version, *level, learning));
        let sets = Protection::ALL.iter().flat_map(both).map(Arc::new).collect();
        Book { version, base, sets }
    }

    /// The set of a level; none where the level is off.
    pub fn set(&self, level: Protection, is_learning: bool) -> Option<Arc<RuleSet>> {
        if level == Protection::Off {
            return None;
        }
        self.sets.iter().find(|set| set.level == level && set.is_learning == is_learning).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::engine::RuleMode;

    #[test]
    fn a_level_and_a_first_week_only_ever_take_from_what_a_rule_may_do() {
        let mut base = Rules::built_in();
        base.sequence.mode = RuleMode::Off;
        base.volume.mode = RuleMode::Shadow;
        let book = Book::new(3, base);
        let modes = |level, learning| {
            let set = book.set(level, learning).unwrap();
            let rules = &set.rules;
            [rules.hold.mode, rules.volume.mode, rules.sequence.mode, rules.velocity.mode]
        };
        use RuleMode::{Enforce, Off, Shadow};
        assert_eq!(modes(Protection::Standard, false), [Enforce, Shadow, Off, Enforce]);
        assert_eq!(modes(Protection::Strict, true), [Shadow, Shadow, Off, Enforce]);
        assert_eq!(modes(Protection::Monitor, false), [Shadow, Shadow, Off, Shadow]);
        assert!(book.set(Protection::Off, false).is_none());
    }
}
