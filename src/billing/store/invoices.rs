//! Tables `invoices` and `counters`.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{counters, invoices};
use crate::error::Result;
use crate::ids::{EntryId, InvoiceId, OrgId};
use crate::terms::Mode;
use crate::wallet::Month;

/// A row of `invoices`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = invoices, treat_none_as_default_value = false)]
pub struct InvoiceRow {
    /// Its id.
    pub id: InvoiceId,
    /// Whose.
    pub org_id: OrgId,
    /// Live or test money.
    pub mode: Mode,
    /// For this month.
    pub month: String,
    /// Its number in its mode.
    pub number: i64,
    /// JSON of the whole invoice.
    pub document: String,
    /// Where it is to be mailed to.
    pub mail_to: Option<String>,
    /// When it was.
    pub mailed_at: Option<Millis>,
    /// Written.
    pub issued_at: Millis,
    /// How often a mail server refused it.
    pub mail_tries: i16,
    /// When to mail it.
    pub mail_at: Millis,
}

/// The next number of `name`: one more than the last, held until the transaction ends, so that a number is used or not
/// taken at all.
pub fn next_number(conn: &mut Conn, name: &str) -> Result<i64> {
    let row = (counters::name.eq(name), counters::value.eq(0));
    let fresh = diesel::insert_into(counters::table).values(row);
    crate::both!(conn, c => fresh.on_conflict_do_nothing().execute(c))?;
    let next = counters::value.eq(counters::value + 1);
    crate::both!(conn, c => diesel::update(counters::table.find(name)).set(next).execute(c))?;
    Ok(counters::table.find(name).select(counters::value).first(conn)?)
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = Text)]
    org_id: OrgId,
    #[diesel(sql_type = Text)]
    mode: Mode,
}

const UNBILLED: &str = "SELECT DISTINCT e.org_id AS org_id, e.mode AS mode FROM wallet_entries AS e \
    WHERE e.id >= ? AND e.id < ? AND e.account = 'wallet' AND NOT EXISTS (SELECT 1 FROM invoices AS i \
      WHERE i.org_id = e.org_id AND i.mode = e.mode AND i.month = ?) ORDER BY 1, 2";

/// Wallets that moved in `month` and have no invoice for it.
pub fn unbilled(conn: &mut Conn, month: Month) -> Result<Vec<(OrgId, Mode)>> {
    let owners: Vec<Owner> = crate::both!(conn, c => fixed(UNBILLED)
        .bind::<Text, _>(EntryId::first_at(month.start()))
        .bind::<Text, _>(EntryId::first_at(month.end()))
        .bind::<Text, _>(month.to_string())
        .load(c))?;
    Ok(owners.into_iter().map(|owner| (owner.org_id, owner.mode)).collect())
}

/// Keeps an invoice.
pub fn insert_invoice(conn: &mut Conn, row: &InvoiceRow) -> Result<()> {
    diesel::insert_into(invoices::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// An organization's invoice for a month.
pub fn invoice_for(conn: &mut Conn, owner: (OrgId, Mode), month: Month) -> Result<Option<InvoiceRow>> {
    Ok(invoices::table
        .filter(invoices::org_id.eq(owner.0))
        .filter(invoices::mode.eq(owner.1))
        .filter(invoices::month.eq(month.to_string()))
        .select(InvoiceRow::as_select())
        .first(conn)
        .optional()?)
}

/// One invoice of an organization.
pub fn find_invoice(conn: &mut Conn, owner: (OrgId, Mode), id: InvoiceId) -> Result<Option<InvoiceRow>> {
    Ok(invoices::table
        .find(id)
        .filter(invoices::org_id.eq(owner.0))
        .filter(invoices::mode.eq(owner.1))
        .select(InvoiceRow::as_select())
        .first(conn)
        .optional()?)
}

/// The invoice `id`, whoever's.
pub fn find_any_invoice(conn: &mut Conn, id: InvoiceId) -> Result<Option<InvoiceRow>> {
    Ok(invoices::table.find(id).select(InvoiceRow::as_select()).first(conn).optional()?)
}

/// An organization's invoices, newest first.
pub fn list_invoices(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    before: Option<InvoiceId>,
    limit: i64,
) -> Result<Vec<InvoiceRow>> {
    let mut query = invoices::table
        .filter(invoices::org_id.eq(owner.0))
        .filter(invoices::mode.eq(owner.1))
        .order(invoices::id.desc())
        .limit(limit)
        .select(InvoiceRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(invoices::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Invoices that are to be mailed by `now` and were refused less often than `most_tries`, oldest first.
pub fn unmailed(conn: &mut Conn, now: Millis, most_tries: i16, limit: i64) -> Result<Vec<InvoiceRow>> {
    Ok(invoices::table
        .filter(invoices::mail_to.is_not_null())
        .filter(invoices::mailed_at.is_null())
        .filter(invoices::mail_at.le(now))
        .filter(invoices::mail_tries.lt(most_tries))
        .order(invoices::id.asc())
        .limit(limit)
        .select(InvoiceRow::as_select())
        .load(conn)?)
}

/// Notes that an invoice is mailed; `false` where that was noted before.
pub fn set_mailed(conn: &mut Conn, id: InvoiceId, at: Millis) -> Result<bool> {
    let row = invoices::table.find(id).filter(invoices::mailed_at.is_null());
    Ok(diesel::update(row).set(invoices::mailed_at.eq(Some(at))).execute(conn)? == 1)
}

/// Takes that back: it was refused `tries` times and is to be tried again `at`.
pub fn set_unmailed(conn: &mut Conn, id: InvoiceId, tries: i16, at: Millis) -> Result<()> {
    let again = (invoices::mailed_at.eq(None::<Millis>), invoices::mail_tries.eq(tries), invoices::mail_at.eq(at));
    diesel::update(invoices::table.find(id)).set(again).execute(conn)?;
    Ok(())
}
