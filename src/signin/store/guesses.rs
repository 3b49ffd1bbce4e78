//! Table `operator_guesses`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::operator_guesses::dsl;
use crate::error::Result;

/// The guesses of a scope.
pub(in crate::signin) struct Row {
    /// When, oldest first.
    pub marks: Vec<Millis>,
    /// How many were refused since.
    pub refused: i64,
}

/// The row of a scope, made where there is none, held until the transaction ends. Made and held in one statement: between
/// two, the purge could take it away.
pub(in crate::signin) fn take(conn: &mut Conn, scope: &str, now: Millis) -> Result<Row> {
    let fresh = (dsl::scope.eq(scope), dsl::marks.eq(Vec::<u8>::new()), dsl::refused.eq(0_i64), dsl::seen_at.eq(now));
    let upsert = diesel::insert_into(dsl::operator_guesses)
        .values(fresh)
        .on_conflict(dsl::scope)
        .do_update()
        .set(dsl::seen_at.eq(now));
    let (marks, refused): (Vec<u8>, i64) = match conn {
        Conn::Pg(c) => upsert.returning((dsl::marks, dsl::refused)).get_result(c)?,
        Conn::Sqlite(c) => {
            upsert.execute(c)?;
            dsl::operator_guesses.filter(dsl::scope.eq(scope)).select((dsl::marks, dsl::refused)).first(c)?
        }
    };
    Ok(Row { marks: unpacked(&marks), refused })
}

/// Writes the row of a scope that was taken.
pub(in crate::signin) fn put(conn: &mut Conn, scope: &str, marks: &[Millis], refused: i64, now: Millis) -> Result<()> {
    diesel::update(dsl::operator_guesses.filter(dsl::scope.eq(scope)))
        .set((dsl::marks.eq(packed(marks)), dsl::refused.eq(refused), dsl::seen_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Drops up to `limit` rows that nobody has touched since `before`; how many went, and how many refusals they counted.
pub(in crate::signin) fn purge(conn: &mut Conn, before: Millis, limit: i64) -> Result<(usize, i64)> {
    let query = dsl::operator_guesses.filter(dsl::seen_at.lt(before)).select((dsl::scope, dsl::refused)).limit(limit);
    // A row that a guess holds is left to it: waiting for two such rows in another order than theirs would never end.
    let old: Vec<(String, i64)> = match conn {
        Conn::Pg(c) => query.for_update().skip_locked().load(c)?,
        Conn::Sqlite(c) => query.load(c)?,
    };
    let names: Vec<&str> = old.iter().map(|(scope, _)| scope.as_str()).collect();
    let gone = diesel::delete(dsl::operator_guesses.filter(dsl::scope.eq_any(names))).execute(conn)?;
    Ok((gone, old.iter().map(|(_, refused)| refused).sum()))
}

fn packed(marks: &[Millis]) -> Vec<u8> {
    marks.iter().flat_map(|at| at.0.to_be_bytes()).collect()
}

fn unpacked(bytes: &[u8]) -> Vec<Millis> {
    let (whole, _) = bytes.as_chunks::<8>();
    whole.iter().map(|chunk| Millis(i64::from_be_bytes(*chunk))).collect()
}
