//! Counts that fraud reports take over a whole stretch, along the ids of decisions and the index of changed holds.

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{decisions, fraud_holds};
use crate::error::Result;
use crate::ids::DecisionId;
use crate::terms::Mode;

/// Refusals since `since` by what the request was told, most first.
pub fn refusal_counts(conn: &mut Conn, since: Millis, mode: Mode) -> Result<Vec<(String, i64)>> {
    let query = decisions::table
        .filter(decisions::id.ge(DecisionId::first_at(since)))
        .filter(decisions::mode.eq(mode))
        .group_by(decisions::code)
        .select((decisions::code, count_star()));
    let mut counts: Vec<(String, i64)> = query.load(conn)?;
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Ok(counts)
}

/// Holds that somebody has ended by hand since `since`.
pub fn released_by_hand(conn: &mut Conn, since: Millis, mode: Mode) -> Result<i64> {
    let query = fraud_holds::table
        .filter(fraud_holds::changed_at.ge(since))
        .filter(fraud_holds::mode.eq(mode))
        .filter(fraud_holds::ended_at.is_not_null())
        .filter(fraud_holds::ended_by.ne("engine"));
    Ok(query.count().get_result(conn)?)
}
