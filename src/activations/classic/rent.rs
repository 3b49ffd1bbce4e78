//! `getNumber` and `getNumberV2`.

use actix_web::web::Data;
use serde::Serialize;

use super::answer::{Answer, moment, number as shown};
use super::ask::Ask;
use crate::accounts::Caller;
use crate::activations::order::{NoOrder, Times, Wish, order};
use crate::activations::store::{self, Name, Row};
use crate::activations::supply::ANY_OPERATOR;
use crate::activations::{countries, forget_catalog};
use crate::app::App;
use crate::db::{Conn, savepoint};
use crate::error::{Error, Result};
use crate::idempotency::{self, Claim, Keeping, Stored};
use crate::money::Currency;
use crate::secret::sha256;

/// `ACCESS_NUMBER:id:number`, digits alone.
pub(super) async fn number(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let row = rent(app, caller, ask).await?;
    Ok(Answer::text(format!("ACCESS_NUMBER:{}:{}", row.serial, digits(&row.phone))))
}

/// The JSON of a rent. Types matter to clients: `countryCode` is a text, `currency` a number, `activationTime` has blanks.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rented {
    activation_id: i64,
    phone_number: String,
    activation_cost: f64,
    currency: u16,
    country_code: String,
    country_phone_code: u16,
    can_get_another_sms: bool,
    activation_time: String,
    activation_end_time: String,
    activation_operator: String,
}

/// The same in JSON.
pub(super) async fn number_v2(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Answer, Answer> {
    let row = rent(app, caller, ask).await?;
    let country = countries::of(row.country);
    Ok(Answer::json(&Rented {
        activation_id: row.serial,
        phone_number: digits(&row.phone),
        activation_cost: shown(row.price_micros),
        currency: numeric(row.currency),
        country_code: country.map(|country| country.id.to_string()).unwrap_or_default(),
        country_phone_code: country.map_or(0, |country| country.calling),
        can_get_another_sms: true,
        activation_time: moment(row.created_at),
        activation_end_time: moment(row.expires_at),
        activation_operator: row.operator,
    }))
}

/// A number without its plus: clients read it as an integer.
pub(super) fn digits(phone: &str) -> String {
    phone.trim_start_matches('+').to_owned()
}

/// The numeric code of a currency (ISO 4217), 0 for one that is none of the usual.
pub(super) fn numeric(currency: Currency) -> u16 {
    match currency.as_str() {
        "USD" => 840,
        "EUR" => 978,
        "GBP" => 826,
        "CHF" => 756,
        "PLN" => 985,
        "SEK" => 752,
        "NOK" => 578,
        "DKK" => 208,
        "TRY" => 949,
        "INR" => 356,
        "BRL" => 986,
        "CNY" => 156,
        "JPY" => 392,
        "AUD" => 36,
        "CAD" => 124,
        "RUB" => 643,
        "UAH" => 980,
        _ => 0,
    }
}

async fn rent(app: &Data<App>, caller: &Caller, ask: &Ask) -> Result<Row, Answer> {
    let wish = wish_of(ask)?;
    let ttl = app.config.retention.idempotency;
    let claim = ask.get("orderId").map(|id| claim_of(caller, id, &wish));
    let (renter, times, clock) = (caller.clone(), Times::of(&app.config.numbers), app.clock.clone());
    let done = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        let mut refused = None;
        let done = savepoint(conn, |conn| {
            let keeping = Keeping { now, ttl };
            let mut made = None;
            let answer = idempotency::once(conn, claim.as_ref(), keeping, |conn| {
                match order(conn, &renter, &wish, times, now) {
                    Ok(row) => {
                        let id = row.serial.to_string().into_bytes();
                        made = Some(row);
                        Ok(Stored { status: 201, body: id, location: None })
                    }
                    Err(refusal) => {
                        refused = Some(refusal);
                        Err(Error::internal("an order was refused"))
                    }
                }
            })?;
            made.map_or_else(|| again(conn, &renter, &answer.stored), Ok)
        });
        Ok(done.map_err(|fault| refused.unwrap_or(NoOrder::Other(fault))))
    });
    let row = done.await.map_err(Answer::from)?.map_err(Answer::from)?;
    metrics::counter!("postern_activations_total", "outcome" => "ordered").increment(1);
    forget_catalog(app);
    Ok(row)
}

/// The activation that an earlier order of the same id made.
fn again(conn: &mut Conn, caller: &Caller, stored: &Stored) -> Result<Row> {
    let serial = std::str::from_utf8(&stored.body).ok().and_then(|text| text.parse().ok());
    let serial = serial.ok_or_else(|| Error::internal("an order's answer has no id"))?;
    store::load(conn, (caller.org_id(), caller.mode()), Name::Serial(serial))
}

/// A client that names its order gets one number for it, however often it asks.
fn claim_of(caller: &Caller, id: &str, wish: &Wish) -> Claim {
    let print = format!("stubs/getNumber {} {:?} {:?}", wish.service, wish.country, wish.operators);
    Claim::new(caller.org_id().as_str(), caller.mode(), &format!("stubs/order/{id}"), sha256(print.as_bytes()))
}

fn wish_of(ask: &Ask) -> Result<Wish, Answer> {
    // Only messages are received here; calls are not.
    if ask.get("activationType").is_some_and(|kind| kind != "0") {
        return Err(Answer::word("NO_NUMBERS", 404));
    }
    let service = ask.get("service").ok_or_else(|| Answer::word("BAD_SERVICE", 400))?;
    let operators = ask.words("operator");
    Ok(Wish {
        service: String::from(service),
        country: ask.country()?.and_then(|row| row.country()),
        operators: if operators.iter().any(|word| word == ANY_OPERATOR) { Vec::new() } else { operators },
        max_price: ask.max_price()?,
        not_prefixes: ask.not_prefixes()?,
    })
}
