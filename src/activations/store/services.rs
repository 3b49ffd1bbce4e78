//! Table `activation_services`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::activation_services as dsl;
use crate::error::Result;
use crate::money::{Currency, Micros};

/// One row of `activation_services`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = dsl)]
pub struct ServiceRow {
    /// The word that clients order by.
    pub code: String,
    /// Its name.
    pub name: String,
    /// JSON: who its messages come from.
    pub senders: String,
    /// JSON: patterns of its texts.
    pub texts: String,
    /// What a code costs.
    pub price_micros: Micros,
    /// In this currency.
    pub currency: Currency,
    /// JSON: micros by country.
    pub country_prices: String,
    /// How long a number rests between two renters.
    pub cool_down_ms: i64,
    /// Whether it can be ordered.
    pub active: bool,
    /// Made.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

/// The service of this code.
pub fn service(conn: &mut Conn, code: &str) -> Result<Option<ServiceRow>> {
    Ok(dsl::table.find(code).select(ServiceRow::as_select()).first(conn).optional()?)
}

/// Every service, by code.
pub fn services(conn: &mut Conn) -> Result<Vec<ServiceRow>> {
    Ok(dsl::table.order(dsl::code.asc()).select(ServiceRow::as_select()).load(conn)?)
}

/// Puts a service in the place of the one of its code.
pub fn put_service(conn: &mut Conn, row: &ServiceRow) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(dsl::table)
        .values(row)
        .on_conflict(dsl::code)
        .do_update()
        .set(row)
        .execute(c))?;
    Ok(())
}
