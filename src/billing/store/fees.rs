//! Table `plan_fees`.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::accounts::PlanName;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::plan_fees;
use crate::error::Result;
use crate::ids::OrgId;
use crate::money::{Currency, Micros};
use crate::wallet::Month;

/// A row of `plan_fees`: from a month's first moment on a plan costs so much.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = plan_fees)]
pub struct FeeRow {
    /// The plan.
    pub plan: PlanName,
    /// The currency of the invoices it is for.
    pub currency: Currency,
    /// From when on.
    pub since: Millis,
    /// How much a month; nothing ends it.
    pub amount_micros: Micros,
}

/// Every fee that a plan has or had or will have, by currency and time.
pub fn fees_of(conn: &mut Conn, plan: PlanName) -> Result<Vec<FeeRow>> {
    Ok(plan_fees::table
        .filter(plan_fees::plan.eq(plan))
        .order((plan_fees::currency.asc(), plan_fees::since.asc()))
        .load(conn)?)
}

/// Puts `rows` in place of the plan's fees from `since` on.
pub fn put_fees(conn: &mut Conn, plan: PlanName, since: Millis, rows: Vec<FeeRow>) -> Result<()> {
    let coming = plan_fees::table.filter(plan_fees::plan.eq(plan)).filter(plan_fees::since.ge(since));
    diesel::delete(coming).execute(conn)?;
    for row in rows {
        diesel::insert_into(plan_fees::table).values(row).execute(conn)?;
    }
    Ok(())
}

/// What each plan costs at `at`, by currency.
pub fn fees_at(conn: &mut Conn, at: Millis) -> Result<BTreeMap<Currency, BTreeMap<PlanName, Micros>>> {
    let rows: Vec<FeeRow> =
        plan_fees::table.filter(plan_fees::since.le(at)).order(plan_fees::since.asc()).load(conn)?;
    let mut fees: BTreeMap<Currency, BTreeMap<PlanName, Micros>> = BTreeMap::new();
    for row in rows {
        fees.entry(row.currency).or_default().insert(row.plan, row.amount_micros);
    }
    Ok(fees)
}

#[derive(QueryableByName)]
struct Payer {
    #[diesel(sql_type = Text)]
    org_id: OrgId,
}

const PAYERS: &str = "SELECT DISTINCT p.org_id AS org_id FROM org_plans AS p WHERE p.since < ? \
    AND EXISTS (SELECT 1 FROM plan_fees AS f WHERE f.plan = p.plan AND f.since <= ? AND f.amount_micros > 0) \
    AND NOT EXISTS (SELECT 1 FROM org_plans AS n WHERE n.org_id = p.org_id AND n.since > p.since AND n.since <= ?) \
    AND NOT EXISTS (SELECT 1 FROM invoices AS i WHERE i.org_id = p.org_id AND i.mode = 'live' AND i.month = ?)";

/// Organizations that may owe a fee for `month` and have no invoice for it.
pub fn fee_payers(conn: &mut Conn, month: Month) -> Result<BTreeSet<OrgId>> {
    let payers: Vec<Payer> = crate::both!(conn, c => fixed(PAYERS)
        .bind::<BigInt, _>(month.end())
        .bind::<BigInt, _>(month.start())
        .bind::<BigInt, _>(month.start())
        .bind::<Text, _>(month.to_string())
        .load(c))?;
    Ok(payers.into_iter().map(|payer| payer.org_id).collect())
}
