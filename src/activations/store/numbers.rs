//! Tables `activation_numbers` and `activation_places`.

use std::collections::BTreeSet;

use diesel::prelude::*;

use crate::activations::supply::NumberStatus;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{activation_numbers as dsl, activation_places as places};
use crate::error::Result;
use crate::ids::{ActivationId, ActivationNumberId};
use crate::phone::Country;
use crate::terms::Mode;

/// One row of `activation_numbers`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = dsl, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct NumberRow {
    /// Its id.
    pub id: ActivationNumberId,
    /// The number in E.164.
    pub phone: String,
    /// Rented by live or by test keys.
    pub mode: Mode,
    /// Its country.
    pub country: Country,
    /// Its network, as the supplier calls it.
    pub operator: String,
    /// Serves every service, those of later as well.
    pub every_service: bool,
    /// Whether it can be rented.
    pub status: NumberStatus,
    /// Its own rest between two renters.
    pub cool_down_ms: Option<i64>,
    /// Made.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

/// A number's place for a service.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = places, treat_none_as_default_value = false)]
pub struct PlaceRow {
    /// The number.
    pub number_id: ActivationNumberId,
    /// The service.
    pub service: String,
    /// Whether it is offered.
    pub offered: bool,
    /// Who holds it.
    pub activation_id: Option<ActivationId>,
    /// It rests until then.
    pub free_at: Millis,
}

/// Adds a number; `false` where it is there already.
pub fn insert_number(conn: &mut Conn, row: &NumberRow) -> Result<bool> {
    let stored = crate::both!(conn, c => diesel::insert_into(dsl::table)
        .values(row)
        .on_conflict(dsl::phone)
        .do_nothing()
        .execute(c))?;
    Ok(stored == 1)
}

/// Writes a number back.
pub fn save_number(conn: &mut Conn, row: &NumberRow) -> Result<()> {
    crate::both!(conn, c => diesel::update(dsl::table.find(row.id)).set(row).execute(c))?;
    Ok(())
}

/// The number of this id, held until the transaction ends.
pub fn number_locked(conn: &mut Conn, id: ActivationNumberId) -> Result<Option<NumberRow>> {
    let found = dsl::table.find(id);
    Ok(match conn {
        Conn::Pg(c) => found.select(NumberRow::as_select()).for_update().first(c).optional()?,
        Conn::Sqlite(c) => found.select(NumberRow::as_select()).first(c).optional()?,
    })
}

/// The number of this id.
pub fn number(conn: &mut Conn, id: ActivationNumberId) -> Result<Option<NumberRow>> {
    Ok(dsl::table.find(id).select(NumberRow::as_select()).first(conn).optional()?)
}

/// The number that is `phone`. Found along an index.
pub fn number_of(conn: &mut Conn, phone: &str) -> Result<Option<NumberRow>> {
    Ok(dsl::table.filter(dsl::phone.eq(phone)).select(NumberRow::as_select()).first(conn).optional()?)
}

/// Numbers, newest first, from before `before` on; those of `country` and of `status` where these are given.
pub fn list_numbers(
    conn: &mut Conn,
    (country, status): (Option<Country>, Option<NumberStatus>),
    before: Option<ActivationNumberId>,
    limit: i64,
) -> Result<Vec<NumberRow>> {
    let mut query = dsl::table.order(dsl::id.desc()).limit(limit).select(NumberRow::as_select()).into_boxed();
    if let Some(country) = country {
        query = query.filter(dsl::country.eq(country));
    }
    if let Some(status) = status {
        query = query.filter(dsl::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Numbers that serve every service.
pub fn numbers_for_all(conn: &mut Conn) -> Result<Vec<ActivationNumberId>> {
    Ok(dsl::table.filter(dsl::every_service.eq(true)).select(dsl::id).load(conn)?)
}

/// Offers numbers for services; places that are there stay what they are, but for being offered again.
pub fn offer(conn: &mut Conn, numbers: &[ActivationNumberId], services: &BTreeSet<String>, now: Millis) -> Result<()> {
    for number in numbers {
        for service in services {
            let row = PlaceRow {
                number_id: *number,
                service: service.clone(),
                offered: true,
                activation_id: None,
                free_at: now,
            };
            crate::both!(conn, c => diesel::insert_into(places::table)
                .values(&row)
                .on_conflict((places::number_id, places::service))
                .do_update()
                .set(places::offered.eq(true))
                .execute(c))?;
        }
    }
    Ok(())
}

/// Offers a number for no service any more but those of `services`.
pub fn offer_only(conn: &mut Conn, number: ActivationNumberId, services: &BTreeSet<String>) -> Result<()> {
    let others = places::table
        .filter(places::number_id.eq(number))
        .filter(places::service.ne_all(services.iter().map(String::as_str).collect::<Vec<_>>()));
    crate::both!(conn, c => diesel::update(others).set(places::offered.eq(false)).execute(c))?;
    Ok(())
}

/// The places of these numbers, by number and service.
pub fn places_of(conn: &mut Conn, numbers: &[ActivationNumberId]) -> Result<Vec<PlaceRow>> {
    let found = places::table
        .filter(places::number_id.eq_any(numbers))
        .order((places::number_id.asc(), places::service.asc()))
        .select(PlaceRow::as_select());
    Ok(found.load(conn)?)
}

/// Gives a place to an activation.
pub fn take_place(conn: &mut Conn, (number, service): (ActivationNumberId, &str), by: ActivationId) -> Result<bool> {
    let free = places::table.find((number, service)).filter(places::activation_id.is_null());
    Ok(crate::both!(conn, c => diesel::update(free).set(places::activation_id.eq(Some(by))).execute(c))? == 1)
}

/// Gives a place back; it rests until `free_at`.
pub fn free_place(
    conn: &mut Conn,
    (number, service): (ActivationNumberId, &str),
    by: ActivationId,
    free_at: Millis,
) -> Result<()> {
    let held = places::table.find((number, service)).filter(places::activation_id.eq(by));
    let free = (places::activation_id.eq(None::<ActivationId>), places::free_at.eq(free_at));
    crate::both!(conn, c => diesel::update(held).set(free).execute(c))?;
    Ok(())
}
