//! What can be rented: the next number for an order, and counts.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::numbers::NumberRow;
use crate::activations::supply::NumberStatus;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{activation_numbers as numbers, activation_places as places, counters};
use crate::error::Result;
use crate::phone::Country;
use crate::terms::Mode;

/// What an order takes.
#[derive(Debug, Clone, Default)]
pub struct Taste {
    /// From one of these countries; any where there is none.
    pub countries: Option<Vec<Country>>,
    /// From none of these.
    pub not_countries: Vec<Country>,
    /// Of one of these networks; any where there is none.
    pub operators: Vec<String>,
    /// None that begins so, E.164 with the plus.
    pub not_prefixes: Vec<String>,
}

/// The number of activations ordered before this one, and the queue of orders: whoever has it holds it until the
/// transaction ends, so that orders come one after the other and see what those before them took.
pub fn next_serial(conn: &mut Conn) -> Result<i64> {
    const NAME: &str = "activations";
    // Clients of the text endpoint print ids; a thousand of them look alike in width.
    let fresh = diesel::insert_into(counters::table).values((counters::name.eq(NAME), counters::value.eq(1_000)));
    crate::both!(conn, c => fresh.on_conflict_do_nothing().execute(c))?;
    let next = counters::value.eq(counters::value + 1);
    crate::both!(conn, c => diesel::update(counters::table.find(NAME)).set(next).execute(c))?;
    Ok(counters::table.find(NAME).select(counters::value).first(conn)?)
}

/// The number that has rested longest among those that `service` can have and `taste` likes.
pub fn pick(conn: &mut Conn, (service, mode): (&str, Mode), taste: &Taste, now: Millis) -> Result<Option<NumberRow>> {
    let mut query = numbers::table
        .inner_join(places::table.on(places::number_id.eq(numbers::id)))
        .filter(places::service.eq(service))
        .filter(places::offered.eq(true))
        .filter(places::activation_id.is_null())
        .filter(places::free_at.le(now))
        .filter(numbers::mode.eq(mode))
        .filter(numbers::status.eq(NumberStatus::Active))
        .order((places::free_at.asc(), numbers::id.asc()))
        .select(NumberRow::as_select())
        .into_boxed();
    if let Some(only) = &taste.countries {
        query = query.filter(numbers::country.eq_any(only.clone()));
    }
    if !taste.not_countries.is_empty() {
        query = query.filter(numbers::country.ne_all(taste.not_countries.clone()));
    }
    if !taste.operators.is_empty() {
        query = query.filter(numbers::operator.eq_any(taste.operators.clone()));
    }
    for prefix in &taste.not_prefixes {
        // A prefix is a plus and digits: nothing in it means anything to LIKE.
        query = query.filter(numbers::phone.not_like(format!("{prefix}%")));
    }
    Ok(query.first(conn).optional()?)
}

/// What there is of one service in one country of one network.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Stock {
    /// The service.
    #[diesel(sql_type = Text)]
    pub service: String,
    /// The country.
    #[diesel(sql_type = Text)]
    pub country: Country,
    /// The network.
    #[diesel(sql_type = Text)]
    pub operator: String,
    /// Numbers that could be rented now.
    #[diesel(sql_type = BigInt)]
    pub free: i64,
}

const STOCK: &str = "SELECT p.service AS service, n.country AS country, n.operator AS operator, \
    CAST(sum(CASE WHEN p.activation_id IS NULL AND p.free_at <= ? THEN 1 ELSE 0 END) AS BIGINT) AS free \
    FROM activation_places AS p JOIN activation_numbers AS n ON n.id = p.number_id \
    JOIN activation_services AS s ON s.code = p.service \
    WHERE p.offered AND n.mode = ? AND n.status = 'active' AND s.active \
    GROUP BY p.service, n.country, n.operator ORDER BY 1, 2, 3";

/// All that can be rented in a mode. Reads the places whole.
pub fn stock(conn: &mut Conn, mode: Mode, now: Millis) -> Result<Vec<Stock>> {
    Ok(crate::both!(conn, c => fixed(STOCK).bind::<BigInt, _>(now).bind::<Text, _>(mode).load(c))?)
}
