//! What operators are told of verifications, whoever's they are.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::row::Row;
use crate::db::Conn;
use crate::db::schema::verifications as dsl;
use crate::error::Result;
use crate::ids::VerificationId;
use crate::verifications::state::Status;

/// Whether each of these verifications was approved.
pub fn approvals(conn: &mut Conn, ids: &[VerificationId]) -> Result<BTreeMap<VerificationId, bool>> {
    let found: Vec<(VerificationId, Status)> =
        dsl::table.filter(dsl::id.eq_any(ids.to_vec())).select((dsl::id, dsl::status)).load(conn)?;
    Ok(found.into_iter().map(|(id, status)| (id, status == Status::Approved)).collect())
}

/// A verification by id alone.
pub fn find_of_anybody(conn: &mut Conn, id: VerificationId) -> Result<Option<Row>> {
    Ok(dsl::table.find(id).select(Row::as_select()).first(conn).optional()?)
}
