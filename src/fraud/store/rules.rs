//! Rule sets: one row a change; none is ever changed or removed, so that a decision can be computed again.

use diesel::prelude::*;

use super::RULES;
use crate::clock::Millis;
use crate::db::schema::fraud_rules;
use crate::db::{Conn, count_change, version_of};
use crate::error::{Error, Result};
use crate::fraud::engine::Rules;

/// A rule set as it is stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = fraud_rules, treat_none_as_default_value = false)]
pub struct KeptRules {
    /// Its version, from 1.
    pub version: i64,
    /// JSON of [`Rules`].
    pub rules: String,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub created_at: Millis,
}

impl KeptRules {
    /// The rules themselves.
    pub fn rules(&self) -> Result<Rules> {
        Rules::from_json(&self.rules).map_err(Error::internal)
    }
}

/// The set that acts; none where nobody has changed the built-in one.
pub fn latest_rules(conn: &mut Conn) -> Result<Option<KeptRules>> {
    Ok(fraud_rules::table.order(fraud_rules::version.desc()).select(KeptRules::as_select()).first(conn).optional()?)
}

/// The set of `version`; the built-in one is 0.
pub fn rules_at(conn: &mut Conn, version: i64) -> Result<Option<Rules>> {
    if version == 0 {
        return Ok(Some(Rules::built_in()));
    }
    let kept: Option<KeptRules> =
        fraud_rules::table.find(version).select(KeptRules::as_select()).first(conn).optional()?;
    kept.map(|kept| kept.rules()).transpose()
}

/// Sets before `before`, newest first.
pub fn rules_history(conn: &mut Conn, before: i64, limit: i64) -> Result<Vec<KeptRules>> {
    Ok(fraud_rules::table
        .filter(fraud_rules::version.lt(before))
        .order(fraud_rules::version.desc())
        .limit(limit)
        .select(KeptRules::as_select())
        .load(conn)?)
}

/// Adds a set after all others, made of the latest by `change`; both. Two that change at once come one after the other.
pub fn add_rules(
    conn: &mut Conn,
    (author, reason): (String, Option<String>),
    now: Millis,
    change: impl FnOnce(&Rules) -> Result<Rules>,
) -> Result<(Rules, KeptRules)> {
    // The version's row is the lock.
    count_change(conn, RULES)?;
    let version = version_of(conn, RULES)?;
    let before = latest_rules(conn)?.map_or_else(|| Ok(Rules::built_in()), |kept| kept.rules())?;
    let rules = serde_json::to_string(&change(&before)?).map_err(Error::internal)?;
    let kept = KeptRules { version, rules, author, reason, created_at: now };
    diesel::insert_into(fraud_rules::table).values(kept.clone()).execute(conn)?;
    Ok((before, kept))
}
