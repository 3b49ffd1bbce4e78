//! Ordering a number: one transaction that takes the queue of orders, a place, the price's hold and writes the activation;
//! all of it or nothing.

use std::time::Duration;

use super::countries;
use super::state::{Hold, Status};
use super::store::{self, Row, ServiceRow, Taste};
use crate::accounts::{Caller, SubscriptionStatus};
use crate::clock::Millis;
use crate::config::Numbers;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::failpoint;
use crate::ids::ActivationId;
use crate::money::Micros;
use crate::phone::Country;
use crate::terms::Mode;
use crate::wallet::{self, ChargedAt, Priced};

/// What a customer wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// For this service.
    pub service: String,
    /// From this country; any where there is none.
    pub country: Option<Country>,
    /// Of these networks; any where there is none.
    pub operators: Vec<String>,
    /// Not dearer than this.
    pub max_price: Option<Micros>,
    /// None that begins so, E.164 with the plus.
    pub not_prefixes: Vec<String>,
}

/// How long rents last.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Until it ends by itself.
    pub life: Duration,
    /// Until it may be cancelled.
    pub cancel_after: Duration,
}

impl Times {
    /// As configured.
    pub fn of(numbers: &Numbers) -> Times {
        Times { life: numbers.life, cancel_after: numbers.cancel_after }
    }
}

/// Why an order is refused.
#[derive(Debug)]
pub enum NoOrder {
    /// There is no such service.
    Service,
    /// There is no such country.
    Country,
    /// No number is free that would do.
    NoNumbers,
    /// What would do costs at least this.
    MaxPrice(Micros),
    /// Anything else: the wallet, the subscription, a fault of ours.
    Other(Error),
}

impl From<Error> for NoOrder {
    fn from(error: Error) -> NoOrder {
        NoOrder::Other(error)
    }
}

impl From<NoOrder> for Error {
    fn from(refusal: NoOrder) -> Error {
        match refusal {
            NoOrder::Service => Error::field("service", "names no service; GET /v1/catalog/services lists them"),
            NoOrder::Country => Error::field("country", "names no country of the catalog"),
            NoOrder::NoNumbers => Error::new(Code::NotFound)
                .detail("No number is free that would do now; try another country or network, or later."),
            NoOrder::MaxPrice(least) => Error::field("max_price", format!("must be at least {least}")),
            NoOrder::Other(error) => error,
        }
    }
}

/// Rents a number for `caller`.
///
/// # Errors
/// Why there is none; the caller's transaction is to be undone then.
pub fn order(conn: &mut Conn, caller: &Caller, wish: &Wish, times: Times, now: Millis) -> Result<Row, NoOrder> {
    if caller.mode() == Mode::Live && caller.org.subscription_status != SubscriptionStatus::Active {
        return Err(NoOrder::Other(Error::new(Code::SubscriptionPastDue)));
    }
    let service = store::service(conn, &wish.service)?.filter(|service| service.active).ok_or(NoOrder::Service)?;
    if wish.country.is_some_and(|country| countries::of(country).is_none()) {
        return Err(NoOrder::Country);
    }
    let taste = taste_of(&service, wish)?;
    let serial = store::next_serial(conn)?;
    let number = store::pick(conn, (&service.code, caller.mode()), &taste, now)?.ok_or(NoOrder::NoNumbers)?;
    let row = Row {
        id: ActivationId::new(now),
        serial,
        org_id: caller.org_id(),
        mode: caller.mode(),
        key_id: caller.key_id(),
        price_micros: service.price_in(number.country),
        currency: service.currency,
        service: service.code,
        number_id: number.id,
        phone: number.phone,
        country: number.country,
        operator: number.operator,
        status: Status::Waiting,
        hold: Hold::Held,
        messages: 0,
        cancel_at: now.plus(times.cancel_after),
        expires_at: now.plus(times.life),
        ended_at: None,
        created_at: now,
        updated_at: now,
    };
    if !store::take_place(conn, (row.number_id, &row.service), row.id)? {
        return Err(NoOrder::NoNumbers);
    }
    store::insert(conn, &row)?;
    failpoint::pass("activation.before_hold")?;
    hold(conn, &row, now)?;
    Ok(row)
}

/// Which numbers are not too dear. Error: none of them.
fn taste_of(service: &ServiceRow, wish: &Wish) -> Result<Taste, NoOrder> {
    let mut taste = Taste {
        countries: wish.country.map(|country| vec![country]),
        operators: wish.operators.clone(),
        not_prefixes: wish.not_prefixes.clone(),
        ..Taste::default()
    };
    let Some(max) = wish.max_price else { return Ok(taste) };
    let prices = service.prices();
    match wish.country {
        Some(country) if service.price_in(country) > max => Err(NoOrder::MaxPrice(service.price_in(country))),
        Some(_) => Ok(taste),
        None if service.price_micros <= max => {
            taste.not_countries = prices.iter().filter(|(_, at)| **at > max).map(|(country, _)| *country).collect();
            Ok(taste)
        }
        None => {
            let cheap: Vec<Country> =
                prices.iter().filter(|(_, at)| **at <= max).map(|(country, _)| *country).collect();
            let least = prices.values().copied().chain([service.price_micros]).min().unwrap_or_default();
            if cheap.is_empty() {
                return Err(NoOrder::MaxPrice(least));
            }
            taste.countries = Some(cheap);
            Ok(taste)
        }
    }
}

/// Speaks for the price: the wallet's row is the last that the transaction takes.
fn hold(conn: &mut Conn, row: &Row, now: Millis) -> Result<()> {
    if row.price_micros == Micros::ZERO {
        return Ok(());
    }
    let mut wallets = wallet::load_for_update(conn, &[row.owner()], now)?;
    let wallet = wallets.get_mut(&row.owner()).ok_or_else(|| Error::internal("a wallet was not loaded"))?;
    wallet.hold(Priced { amount: row.price_micros, currency: row.currency, charged_at: ChargedAt::Delivery })?;
    wallet::save(conn, &[wallet], now)
}
