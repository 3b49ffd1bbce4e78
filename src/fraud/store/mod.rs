//! All SQL of the fraud room.

mod lists;
mod rules;

pub use lists::{
    all_entries, count_entries, delete_entry, insert_entry, list_entries, lists_changed, load_entry, purge_entries,
};
pub use rules::{KeptRules, add_rules, latest_rules, rules_at, rules_history};

use crate::db::{Conn, version_of};
use crate::error::Result;

/// The name of the lists among the versions.
const LISTS: &str = "fraud_lists";
/// The name of the rules there; its number is the version of the latest set.
const RULES: &str = "fraud_rules";

/// How often the lists, and the rules, have been changed.
pub fn versions(conn: &mut Conn) -> Result<(i64, i64)> {
    Ok((version_of(conn, LISTS)?, version_of(conn, RULES)?))
}
