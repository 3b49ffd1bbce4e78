//! The price list. A line is never changed: a new list retires the lines it leaves out and adds the ones it brings.

use std::collections::HashSet;

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::prices;
use crate::error::{Code, Error, Result};
use crate::ids::PriceId;
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::{Channel, Kind};
use crate::wallet::{ChargedAt, Price};

#[derive(Queryable, Insertable)]
#[diesel(table_name = prices, treat_none_as_default_value = false)]
struct Row {
    id: PriceId,
    channel: Channel,
    country: Option<Country>,
    prefix: Option<String>,
    category: Option<Kind>,
    amount_micros: Micros,
    currency: Currency,
    valid_from: Millis,
    created_at: Millis,
    charged_at: ChargedAt,
    retired_at: Option<Millis>,
    segment: i16,
}

/// The price list as it stands.
pub fn load_prices(conn: &mut Conn) -> Result<Vec<Price>> {
    let query = prices::table.filter(prices::retired_at.is_null()).order(prices::id.asc());
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(price).collect())
}

/// A line that is or was on the price list.
#[derive(Debug, Clone)]
pub struct PastPrice {
    /// Its id.
    pub id: PriceId,
    /// The line.
    pub price: Price,
    /// When it was put on the list.
    pub added_at: Millis,
    /// When it was taken off.
    pub removed_at: Option<Millis>,
}

/// Every line there ever was, newest first; `limit` of them after the line `before`.
pub fn price_history(conn: &mut Conn, before: Option<PriceId>, limit: i64) -> Result<Vec<PastPrice>> {
    let mut query = prices::table.order(prices::id.desc()).limit(limit).into_boxed();
    if let Some(before) = before {
        query = query.filter(prices::id.lt(before));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let past = |row: Row| {
        let (id, added_at, removed_at) = (row.id, row.created_at, row.retired_at);
        PastPrice { id, price: price(row), added_at, removed_at }
    };
    Ok(rows.into_iter().map(past).collect())
}

/// Puts `list` in place of the whole price list; a line of both stays, the others are retired or added.
pub fn replace_prices(conn: &mut Conn, list: &[Price], now: Millis) -> Result<()> {
    if list.iter().any(|price| price.amount < Micros::ZERO) {
        return Err(Error::new(Code::ValidationFailed).and_field("amount", "must not be negative"));
    }
    let mut wanted: HashSet<&Price> = list.iter().collect();
    let known: Vec<Row> = prices::table.filter(prices::retired_at.is_null()).load(conn)?;
    for row in known {
        let (id, old) = (row.id, price(row));
        if !wanted.remove(&old) {
            let gone = prices::retired_at.eq(Some(now));
            crate::both!(conn, c => diesel::update(prices::table.find(id)).set(gone).execute(c))?;
        }
    }
    for price in list.iter().filter(|price| wanted.contains(price)) {
        let row = Row {
            id: PriceId::new(now),
            channel: price.channel,
            country: price.country,
            prefix: price.prefix.clone(),
            category: price.category,
            amount_micros: price.amount,
            currency: price.currency,
            valid_from: price.valid_from,
            created_at: now,
            charged_at: price.charged_at,
            retired_at: None,
            segment: i16::try_from(price.segment).unwrap_or(i16::MAX),
        };
        diesel::insert_into(prices::table).values(row).execute(conn)?;
    }
    Ok(())
}

fn price(row: Row) -> Price {
    Price {
        channel: row.channel,
        country: row.country,
        prefix: row.prefix,
        category: row.category,
        segment: u16::try_from(row.segment).unwrap_or(1),
        amount: row.amount_micros,
        currency: row.currency,
        valid_from: row.valid_from,
        charged_at: row.charged_at,
    }
}
