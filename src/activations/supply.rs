//! What operators offer: numbers of their own. Each change is audited in its transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::countries;
use super::store::{self, NumberRow, PlaceRow};
use crate::audit::{By, Change};
use crate::clock::{Millis, Span};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::ActivationNumberId;
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
pub(super) const LONGEST_COOL_DOWN: Duration = Duration::from_secs(365 * 86_400);

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

pub(super) fn millis(span: Duration) -> i64 {
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
