//! Table `allowances`: what of a month's allowance is used.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::allowances;
use crate::error::Result;
use crate::ids::OrgId;
use crate::wallet::Month;

/// What these organizations have used in `month`; with `lock` held until the transaction ends, and then every row is
/// there.
pub fn load_allowances(
    conn: &mut Conn,
    orgs: &BTreeSet<OrgId>,
    month: Month,
    lock: bool,
) -> Result<BTreeMap<OrgId, i64>> {
    let mut found = BTreeMap::new();
    for org in orgs {
        let key = (*org, month.to_string());
        let query = allowances::table.find(key.clone()).select(allowances::used);
        if let (Conn::Pg(c), true) = (&mut *conn, lock) {
            let row = (allowances::org_id.eq(key.0), allowances::month.eq(key.1), allowances::used.eq(0));
            diesel::insert_into(allowances::table).values(row).on_conflict_do_nothing().execute(c)?;
            found.insert(*org, query.for_update().first(c)?);
            continue;
        }
        let used: Option<i64> = crate::both!(conn, c => query.first(c)).optional()?;
        found.insert(*org, used.unwrap_or(0));
    }
    Ok(found)
}

/// Writes what an organization has used in `month`.
pub fn save_allowance(conn: &mut Conn, org: OrgId, month: Month, used: i64) -> Result<()> {
    let row = (allowances::org_id.eq(org), allowances::month.eq(month.to_string()), allowances::used.eq(used));
    let query = diesel::insert_into(allowances::table).values(row).on_conflict((allowances::org_id, allowances::month));
    crate::both!(conn, c => query.do_update().set(allowances::used.eq(used)).execute(c))?;
    Ok(())
}

/// Gives back what was taken from a month's allowance and not used, by organization and month (`2026-11`).
pub fn give_back(conn: &mut Conn, unused: &BTreeMap<(OrgId, String), i64>) -> Result<()> {
    for (key, count) in unused {
        let row = allowances::table.find(key.clone()).filter(allowances::used.ge(*count));
        let less = allowances::used.eq(allowances::used - *count);
        crate::both!(conn, c => diesel::update(row).set(less).execute(c))?;
    }
    Ok(())
}
