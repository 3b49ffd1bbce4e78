//! What operators offer: services that codes are received for. Each change is audited in its transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::pattern::{self, Matcher};
use super::store::{self, ServiceRow};
use super::supply::{LONGEST_COOL_DOWN, millis};
use crate::audit::{By, Change};
use crate::clock::{Millis, Span};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::money::{Currency, Micros, MoneyView};
use crate::phone::Country;

/// No code costs more than a thousand of anything.
const MOST_MICROS: i64 = 1_000_000_000;

/// A service as operators say it.
#[derive(Debug, Clone)]
pub struct NewService {
    /// Its name.
    pub name: String,
    /// Who its messages come from.
    pub senders: Vec<String>,
    /// Patterns of its texts.
    pub texts: Vec<String>,
    /// What a code costs.
    pub price: Micros,
    /// In this currency.
    pub currency: Currency,
    /// Where it costs something else.
    pub country_prices: BTreeMap<Country, Micros>,
    /// How long a number rests between two renters.
    pub cool_down: Duration,
    /// Whether it can be ordered.
    pub active: bool,
}

/// A service as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServiceView {
    /// The word that clients order by.
    #[schema(example = "ot")]
    pub code: String,
    /// Its name.
    #[schema(example = "Any other")]
    pub name: String,
    /// Who its messages come from; anybody where it is empty.
    pub senders: Vec<String>,
    /// Patterns of its texts; any text where it is empty.
    pub texts: Vec<String>,
    /// What a code costs.
    pub price: MoneyView,
    /// Where it costs something else, by country.
    pub country_prices: BTreeMap<String, String>,
    /// How long a number rests between two renters.
    pub cool_down: Span,
    /// Whether it can be ordered.
    pub active: bool,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
}

impl ServiceRow {
    /// What a code costs in `country`.
    pub fn price_in(&self, country: Country) -> Micros {
        self.prices().get(&country).copied().unwrap_or(self.price_micros)
    }

    /// Where it costs something else.
    pub fn prices(&self) -> BTreeMap<Country, Micros> {
        let stored: BTreeMap<Country, i64> = serde_json::from_str(&self.country_prices).unwrap_or_default();
        stored.into_iter().map(|(country, micros)| (country, Micros(micros))).collect()
    }

    /// How its messages are known.
    pub fn matcher(&self) -> Matcher {
        Matcher::new(words(&self.senders), &words(&self.texts))
    }

    /// What operators are shown of it.
    pub fn view(&self) -> ServiceView {
        ServiceView {
            code: self.code.clone(),
            name: self.name.clone(),
            senders: words(&self.senders),
            texts: words(&self.texts),
            price: MoneyView::new(self.price_micros, self.currency),
            country_prices: self.prices().iter().map(|(country, at)| (country.to_string(), at.to_string())).collect(),
            cool_down: Span(Duration::from_millis(u64::try_from(self.cool_down_ms).unwrap_or(0))),
            active: self.active,
            updated_at: self.updated_at,
        }
    }
}

fn words(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Whether `code` can name a service: what clients put into addresses and into `ot_0`.
pub fn is_service_code(code: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&code.len()) && code.bytes().all(plain)
}

/// Every fault of a service.
fn service_faults(new: &NewService) -> Error {
    let mut faults = Error::new(Code::ValidationFailed);
    if !(1..=100).contains(&new.name.trim().chars().count()) || new.name.chars().any(char::is_control) {
        faults = faults.and_field("name", "must be one line of 1 to 100 characters");
    }
    if new.senders.len() > pattern::MOST || !new.senders.iter().all(|one| pattern::is_sender(one)) {
        faults = faults.and_field("senders", "takes up to 20 numbers or names, each with a star at its end at most");
    }
    if new.texts.len() > pattern::MOST {
        faults = faults.and_field("texts", "takes up to 20 patterns");
    }
    for why in new.texts.iter().filter_map(|text| pattern::compiled(text).err()) {
        faults = faults.and_field("texts", why);
    }
    let fits = |amount: &Micros| (0..=MOST_MICROS).contains(&amount.0);
    if !fits(&new.price) {
        faults = faults.and_field("price", "must be from 0 to 1000");
    }
    if !new.country_prices.values().all(fits) {
        faults = faults.and_field("country_prices", "must be from 0 to 1000 each");
    }
    if new.cool_down > LONGEST_COOL_DOWN {
        faults = faults.and_field("cool_down", "must be at most 365d");
    }
    faults
}

/// Makes a service or replaces the one of its code. Numbers that serve every service serve a new one as well. Error:
/// `validation_failed`.
pub fn put_service(conn: &mut Conn, by: &By, code: &str, new: &NewService) -> Result<ServiceView> {
    let mut faults = service_faults(new);
    if !is_service_code(code) {
        faults = faults.and_field("code", "must have 1 to 32 lower-case letters, digits and dashes");
    }
    if faults.has_fields() {
        return Err(faults);
    }
    let before = store::service(conn, code)?;
    let json = |list: &[String]| serde_json::to_string(list).map_err(Error::internal);
    let prices: BTreeMap<Country, i64> = new.country_prices.iter().map(|(country, at)| (*country, at.0)).collect();
    let row = ServiceRow {
        code: String::from(code),
        name: String::from(new.name.trim()),
        senders: json(&new.senders)?,
        texts: json(&new.texts)?,
        price_micros: new.price,
        currency: new.currency,
        country_prices: serde_json::to_string(&prices).map_err(Error::internal)?,
        cool_down_ms: millis(new.cool_down),
        active: new.active,
        created_at: before.as_ref().map_or(by.now, |before| before.created_at),
        updated_at: by.now,
    };
    store::put_service(conn, &row)?;
    if before.is_none() {
        let all = store::numbers_for_all(conn)?;
        store::offer(conn, &all, &BTreeSet::from([row.code.clone()]), by.now)?;
    }
    let view = row.view();
    match before {
        Some(before) => by.tell(conn, "activation_service.change", code, Change::changed(&before.view(), &view))?,
        None => by.tell(conn, "activation_service.create", code, Change::made(&view))?,
    }
    Ok(view)
}
