//! What operators offer: services, and numbers of their own. Each change is audited in its transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::countries;
use super::pattern::{self, Matcher};
use super::store::{self, NumberRow, PlaceRow, ServiceRow};
use crate::audit::{By, Change};
use crate::clock::{Millis, Span};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::ActivationNumberId;
use crate::money::{Currency, Micros, MoneyView};
use crate::phone::{Country, Phone, mask};
use crate::routing::senders;
use crate::terms::{Channel, Mode};

crate::text_enum! {
    /// Whether a number can be rented.
    pub enum NumberStatus as "ActivationNumberStatus" {
        /// It can.
        Active = "active",
        /// It cannot; who rents it now keeps it to the end.
        Blocked = "blocked",
    }
}

/// The network of a number where its supplier names none.
pub const ANY_OPERATOR: &str = "any";

/// How long a number rests between two renters of a service where nothing else is said: a code on its way to the one
/// before must not reach the next.
pub const USUAL_COOL_DOWN: Duration = Duration::from_secs(600);
/// Longest rest.
const LONGEST_COOL_DOWN: Duration = Duration::from_secs(365 * 86_400);
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

/// A number as operators see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActivationNumberView {
    /// Its id.
    pub id: ActivationNumberId,
    /// The number in E.164.
    #[schema(example = "+447400123456")]
    pub phone_number: String,
    /// Rented by live or by test keys.
    pub mode: Mode,
    /// Its country (ISO 3166-1 alpha-2).
    #[schema(value_type = String, example = "GB")]
    pub country: Country,
    /// Its network.
    #[schema(example = "any")]
    pub operator: String,
    /// Whether it can be rented.
    pub status: NumberStatus,
    /// Its own rest between two renters; the service's where absent.
    pub cool_down: Option<Span>,
    /// What it is offered for.
    pub services: Vec<NumberService>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// A number's place for a service.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NumberService {
    /// The service.
    #[schema(example = "ot")]
    pub code: String,
    /// Whether somebody rents it now.
    pub rented: bool,
    /// It rests until then; past where it can be rented.
    #[schema(value_type = String, format = DateTime)]
    pub free_at: Millis,
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

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A number to add.
#[derive(Debug, Clone)]
pub struct NewSupply {
    /// As it was written.
    pub phone_number: String,
    /// Its country, for a number that its numbering plan does not tell of.
    pub country: Option<Country>,
    /// Its network.
    pub operator: Option<String>,
    /// For which services; all where there is none.
    pub services: Option<BTreeSet<String>>,
    /// Its own rest between two renters.
    pub cool_down: Option<Duration>,
    /// Rented by live or by test keys.
    pub mode: Mode,
}

/// The number in E.164 and its country. Operators own numbers that a numbering plan does not know, such as those for
/// fiction and tests: these need their country said. Error: what completes "`phone_number` …".
fn parsed(new: &NewSupply) -> Result<(String, Country), String> {
    if let Ok(phone) = Phone::parse(&new.phone_number, new.country) {
        return Ok((String::from(phone.e164()), new.country.unwrap_or_else(|| phone.country())));
    }
    let digits = new.phone_number.strip_prefix('+').unwrap_or_default();
    let is_e164 = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    match new.country {
        Some(country) if is_e164 => Ok((new.phone_number.clone(), country)),
        _ => Err(String::from("is no number of a numbering plan: give it in E.164 (+447400123456), with its country")),
    }
}

/// Adds numbers, all or none. Error: `validation_failed` naming each row.
pub fn add_numbers(conn: &mut Conn, by: &By, list: &[NewSupply]) -> Result<Vec<ActivationNumberView>> {
    let known: BTreeSet<String> = store::services(conn)?.into_iter().map(|service| service.code).collect();
    let mut faults = Error::new(Code::ValidationFailed);
    let mut added = Vec::new();
    for (index, new) in list.iter().enumerate() {
        let mut fail = |field: &str, why: &str| {
            faults = faults.clone().and_field(format!("[{index}].{field}"), why);
        };
        let operator = new.operator.as_deref().unwrap_or(ANY_OPERATOR).trim().to_lowercase();
        if !is_operator(&operator) {
            fail("operator", "must have 1 to 32 letters, digits, dashes and underscores");
        }
        let services = new.services.clone().unwrap_or_else(|| known.clone());
        if !services.is_subset(&known) {
            fail("services", "names a service that there is none of; GET /v1/admin/services lists them");
        }
        if new.cool_down.is_some_and(|span| span > LONGEST_COOL_DOWN) {
            fail("cool_down", "must be at most 365d");
        }
        let (phone, country) = match parsed(new) {
            Ok(found) => found,
            Err(why) => {
                fail("phone_number", &why);
                continue;
            }
        };
        if countries::of(country).is_none() {
            fail("country", "is no country of the catalog");
        }
        if !senders::of_address(conn, Channel::Sms, &phone)?.is_empty() {
            fail(
                "phone_number",
                "is a sender of messages: who answers it must reach the sender; remove it there first",
            );
        }
        let row = NumberRow {
            id: ActivationNumberId::new(by.now),
            phone,
            mode: new.mode,
            country,
            operator,
            every_service: new.services.is_none(),
            status: NumberStatus::Active,
            cool_down_ms: new.cool_down.map(millis),
            created_at: by.now,
            updated_at: by.now,
        };
        if !store::insert_number(conn, &row)? {
            fail("phone_number", "is there already");
        }
        added.push((row, services));
    }
    if faults.has_fields() {
        return Err(faults);
    }
    for (row, services) in &added {
        store::offer(conn, &[row.id], services, by.now)?;
    }
    let rows: Vec<NumberRow> = added.into_iter().map(|(row, _)| row).collect();
    let views = views(conn, &rows)?;
    let told: Vec<ActivationNumberView> = views.iter().map(masked).collect();
    by.tell(conn, "activation_numbers.add", "activation_numbers", Change::made(&told))?;
    Ok(views)
}

fn is_operator(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    (1..=32).contains(&text.chars().count()) && text.chars().all(plain)
}

/// What shall be of a number; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct SupplyChange {
    /// Whether it can be rented.
    pub status: Option<NumberStatus>,
    /// Its network.
    pub operator: Option<String>,
    /// Exactly these services.
    pub services: Option<BTreeSet<String>>,
    /// Its own rest; `Some(None)`: the service's.
    pub cool_down: Option<Option<Duration>>,
}

/// Changes a number. Errors: `not_found`, `validation_failed`.
pub fn change_number(
    conn: &mut Conn,
    by: &By,
    id: ActivationNumberId,
    change: &SupplyChange,
) -> Result<ActivationNumberView> {
    let before = store::number_locked(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    let shown_before = one_view(conn, &before)?;
    let mut row = before;
    if let Some(operator) = &change.operator {
        row.operator = operator.trim().to_lowercase();
        if !is_operator(&row.operator) {
            return Err(Error::field("operator", "must have 1 to 32 letters, digits, dashes and underscores"));
        }
    }
    if let Some(services) = &change.services {
        let known: BTreeSet<String> = store::services(conn)?.into_iter().map(|service| service.code).collect();
        if !services.is_subset(&known) {
            return Err(Error::field("services", "names a service that there is none of"));
        }
        row.every_service = false;
        store::offer(conn, &[id], services, by.now)?;
        store::offer_only(conn, id, services)?;
    }
    if let Some(cool_down) = change.cool_down {
        if cool_down.is_some_and(|span| span > LONGEST_COOL_DOWN) {
            return Err(Error::field("cool_down", "must be at most 365d"));
        }
        row.cool_down_ms = cool_down.map(millis);
    }
    row.status = change.status.unwrap_or(row.status);
    row.updated_at = by.now;
    store::save_number(conn, &row)?;
    let view = one_view(conn, &row)?;
    by.tell(conn, "activation_number.change", id, Change::changed(&masked(&shown_before), &masked(&view)))?;
    Ok(view)
}

/// For the audit log, which holds no full number.
fn masked(view: &ActivationNumberView) -> ActivationNumberView {
    ActivationNumberView { phone_number: mask(&view.phone_number), ..view.clone() }
}

/// One number as operators see it. Error: `not_found`.
pub fn show_number(conn: &mut Conn, id: ActivationNumberId) -> Result<ActivationNumberView> {
    let row = store::number(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    one_view(conn, &row)
}

fn one_view(conn: &mut Conn, row: &NumberRow) -> Result<ActivationNumberView> {
    let shown = views(conn, std::slice::from_ref(row))?.pop();
    shown.ok_or_else(|| Error::internal("a number without a view"))
}

/// Numbers as operators see them.
pub fn views(conn: &mut Conn, rows: &[NumberRow]) -> Result<Vec<ActivationNumberView>> {
    let ids: Vec<ActivationNumberId> = rows.iter().map(|row| row.id).collect();
    let mut places: BTreeMap<ActivationNumberId, Vec<PlaceRow>> = BTreeMap::new();
    for chunk in ids.chunks(500) {
        for place in store::places_of(conn, chunk)? {
            places.entry(place.number_id).or_default().push(place);
        }
    }
    let shown = |place: PlaceRow| NumberService {
        code: place.service,
        rented: place.activation_id.is_some(),
        free_at: place.free_at,
    };
    let span = |ms: i64| Span(Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    let view = |row: &NumberRow| ActivationNumberView {
        id: row.id,
        phone_number: row.phone.clone(),
        mode: row.mode,
        country: row.country,
        operator: row.operator.clone(),
        status: row.status,
        cool_down: row.cool_down_ms.map(span),
        services: places.remove(&row.id).into_iter().flatten().filter(|place| place.offered).map(shown).collect(),
        created_at: row.created_at,
    };
    Ok(rows.iter().map(view).collect())
}
