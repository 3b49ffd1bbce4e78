//! All SQL of the fraud room.

mod lists;
mod rules;

use diesel::prelude::*;

pub use lists::{all_entries, count_entries, delete_entry, insert_entry, list_entries, load_entry, purge_entries};
pub use rules::{KeptRules, add_rules, latest_rules, rules_at, rules_history};

use crate::db::Conn;
use crate::db::schema::versions;
use crate::error::Result;

/// The name of the lists in `versions`.
const LISTS: &str = "fraud_lists";
/// The name of the rules there; its number is the version of the latest set.
const RULES: &str = "fraud_rules";

/// How often the lists, and the rules, have been changed.
pub fn versions(conn: &mut Conn) -> Result<(i64, i64)> {
    let all: Vec<(String, i64)> = versions::table
        .filter(versions::name.eq_any([LISTS, RULES]))
        .select((versions::name, versions::version))
        .load(conn)?;
    let of = |name| all.iter().find(|(known, _)| known == name).map_or(0, |(_, version)| *version);
    Ok((of(LISTS), of(RULES)))
}

fn changed(conn: &mut Conn, name: &str) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(versions::table)
        .values((versions::name.eq(name), versions::version.eq(1)))
        .on_conflict(versions::name)
        .do_update()
        .set(versions::version.eq(versions::version + 1))
        .execute(c))?;
    Ok(())
}
