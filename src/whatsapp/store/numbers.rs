//! Tables `whatsapp_numbers` and `whatsapp_portfolios`.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{whatsapp_numbers as numbers, whatsapp_portfolios as portfolios};
use crate::error::Result;
use crate::ids::{OrgId, WhatsappNumberId};
use crate::whatsapp::ladder::{ContactLimit, Ladder};
use crate::whatsapp::numbers::{Number, Portfolio};
use crate::whatsapp::standing::{Manager, NumberStatus, Quality};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = numbers, treat_none_as_default_value = false, treat_none_as_null = true)]
struct NumberRow {
    id: WhatsappNumberId,
    org_id: OrgId,
    phone: String,
    portfolio: String,
    waba_id: Option<String>,
    phone_number_id: Option<String>,
    quality: Quality,
    quality_since: Millis,
    throughput: i32,
    status: NumberStatus,
    created_at: Millis,
    updated_at: Millis,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = portfolios, primary_key(name))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
struct PortfolioRow {
    name: String,
    ladder: Ladder,
    contact_limit: Option<i64>,
    managed_by: Manager,
    tier_since: Millis,
    told_at: Millis,
    created_at: Millis,
    updated_at: Millis,
}

/// Every number, oldest first.
pub fn load_numbers(conn: &mut Conn) -> Result<Vec<Number>> {
    let rows: Vec<NumberRow> = numbers::table.order(numbers::id.asc()).select(NumberRow::as_select()).load(conn)?;
    Ok(rows.into_iter().map(number).collect())
}

/// Up to `limit` numbers, of one organization where it is given, newest first, from before `before` on.
pub fn list_numbers(
    conn: &mut Conn,
    org: Option<OrgId>,
    before: Option<WhatsappNumberId>,
    limit: i64,
) -> Result<Vec<Number>> {
    let mut query = numbers::table.order(numbers::id.desc()).limit(limit).select(NumberRow::as_select()).into_boxed();
    if let Some(org) = org {
        query = query.filter(numbers::org_id.eq(org));
    }
    if let Some(before) = before {
        query = query.filter(numbers::id.lt(before));
    }
    let rows: Vec<NumberRow> = query.load(conn)?;
    Ok(rows.into_iter().map(number).collect())
}

/// One number.
pub fn find_number(conn: &mut Conn, id: WhatsappNumberId) -> Result<Option<Number>> {
    let row: Option<NumberRow> = numbers::table.find(id).select(NumberRow::as_select()).first(conn).optional()?;
    Ok(row.map(number))
}

/// The number of this address.
pub fn find_number_by_phone(conn: &mut Conn, phone: &str) -> Result<Option<Number>> {
    let query = numbers::table.filter(numbers::phone.eq(phone)).select(NumberRow::as_select());
    let row: Option<NumberRow> = query.first(conn).optional()?;
    Ok(row.map(number))
}

/// The numbers that Meta knows under this id, oldest first.
pub fn numbers_at_meta(conn: &mut Conn, phone_number_id: &str) -> Result<Vec<Number>> {
    let query = numbers::table.filter(numbers::phone_number_id.eq(phone_number_id)).order(numbers::id.asc());
    let rows: Vec<NumberRow> = query.select(NumberRow::as_select()).load(conn)?;
    Ok(rows.into_iter().map(number).collect())
}

/// Takes a number away; whether it was there.
pub fn delete_number(conn: &mut Conn, id: WhatsappNumberId) -> Result<bool> {
    Ok(diesel::delete(numbers::table.find(id)).execute(conn)? == 1)
}

/// The numbers of a portfolio, oldest first.
pub fn numbers_in(conn: &mut Conn, portfolio: &str) -> Result<Vec<Number>> {
    let query = numbers::table.filter(numbers::portfolio.eq(portfolio)).order(numbers::id.asc());
    let rows: Vec<NumberRow> = query.select(NumberRow::as_select()).load(conn)?;
    Ok(rows.into_iter().map(number).collect())
}

/// Adds a number; `false` where its address is there already.
pub fn insert_number(conn: &mut Conn, new: &Number) -> Result<bool> {
    let row = number_row(new);
    let stored = crate::both!(conn, c => diesel::insert_into(numbers::table)
        .values(row)
        .on_conflict(numbers::phone)
        .do_nothing()
        .execute(c))?;
    Ok(stored == 1)
}

/// Writes a number as it is now.
pub fn update_number(conn: &mut Conn, changed: &Number) -> Result<()> {
    diesel::update(numbers::table.find(changed.id)).set(number_row(changed)).execute(conn)?;
    Ok(())
}

/// Every portfolio, by name.
pub fn load_portfolios(conn: &mut Conn) -> Result<Vec<Portfolio>> {
    let query = portfolios::table.order(portfolios::name.asc()).select(PortfolioRow::as_select());
    let rows: Vec<PortfolioRow> = query.load(conn)?;
    Ok(rows.into_iter().map(portfolio).collect())
}

/// One portfolio.
pub fn find_portfolio(conn: &mut Conn, name: &str) -> Result<Option<Portfolio>> {
    let query = portfolios::table.find(name).select(PortfolioRow::as_select());
    let row: Option<PortfolioRow> = query.first(conn).optional()?;
    Ok(row.map(portfolio))
}

/// One portfolio, held until the transaction ends.
pub fn lock_portfolio(conn: &mut Conn, name: &str) -> Result<Option<Portfolio>> {
    if let Conn::Pg(c) = conn {
        portfolios::table.find(name).select(portfolios::name).for_update().execute(c)?;
    }
    find_portfolio(conn, name)
}

/// Adds a portfolio; `false` where its name is there already.
pub fn insert_portfolio(conn: &mut Conn, new: &Portfolio) -> Result<bool> {
    let row = portfolio_row(new);
    let stored = crate::both!(conn, c => diesel::insert_into(portfolios::table)
        .values(row)
        .on_conflict(portfolios::name)
        .do_nothing()
        .execute(c))?;
    Ok(stored == 1)
}

/// Writes a portfolio as it is now.
pub fn update_portfolio(conn: &mut Conn, changed: &Portfolio) -> Result<()> {
    diesel::update(portfolios::table.find(&changed.name)).set(portfolio_row(changed)).execute(conn)?;
    Ok(())
}

fn number(row: NumberRow) -> Number {
    Number {
        id: row.id,
        org_id: row.org_id,
        phone: row.phone,
        portfolio: row.portfolio,
        waba_id: row.waba_id,
        phone_number_id: row.phone_number_id,
        quality: row.quality,
        quality_since: row.quality_since,
        throughput: row.throughput,
        status: row.status,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn number_row(number: &Number) -> NumberRow {
    let Number { id, org_id, phone, portfolio, waba_id, phone_number_id, .. } = number.clone();
    NumberRow {
        id,
        org_id,
        phone,
        portfolio,
        waba_id,
        phone_number_id,
        quality: number.quality,
        quality_since: number.quality_since,
        throughput: number.throughput,
        status: number.status,
        created_at: number.created_at,
        updated_at: number.updated_at,
    }
}

fn portfolio(row: PortfolioRow) -> Portfolio {
    Portfolio {
        name: row.name,
        ladder: row.ladder,
        limit: ContactLimit::from_column(row.contact_limit),
        managed_by: row.managed_by,
        tier_since: row.tier_since,
        told_at: row.told_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn portfolio_row(portfolio: &Portfolio) -> PortfolioRow {
    PortfolioRow {
        name: portfolio.name.clone(),
        ladder: portfolio.ladder,
        contact_limit: portfolio.limit.to_column(),
        managed_by: portfolio.managed_by,
        tier_since: portfolio.tier_since,
        told_at: portfolio.told_at,
        created_at: portfolio.created_at,
        updated_at: portfolio.updated_at,
    }
}
