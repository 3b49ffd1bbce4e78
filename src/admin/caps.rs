//! What an organization may spend in an hour or a day.

use std::collections::BTreeSet;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts;
use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::app::App;
use crate::audit::Change;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::{Body, Id, Query};
use crate::ids::{KeyId, OrgId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::wallet::{self, Cap, CapScope, CapView, CapWindow, EACH_COUNTRY};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_caps).service(replace_caps);
}

/// Most caps of one organization.
const MOST: usize = 200;
/// Longest prefix, digits: more would be a number.
const LONGEST_PREFIX: usize = 10;

/// What may be spent.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"scope": "country", "value": "*", "window": "1d", "amount": "50.00", "currency": "USD"}))]
pub struct NewCap {
    /// What is counted together.
    scope: CapScope,
    /// Of `key` its id, of `country` its two letters or `*` for each country on its own, of `prefix` a plus and 1 to 10
    /// digits; nothing of `org`.
    #[schema(example = "*")]
    value: Option<String>,
    /// In every window of this length.
    window: CapWindow,
    /// A decimal text with at most six places, more than zero.
    #[schema(example = "50.00", pattern = r"^[0-9]{1,12}(\.[0-9]{1,6})?$")]
    amount: String,
    /// ISO 4217; `USD` where absent.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
}

/// An organization's caps.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Caps {
    /// The caps.
    data: Vec<CapView>,
}

/// List an organization's spend caps and what is spent under them.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/caps",
    params(("id" = OrgId, Path, description = "The organization")),
    responses((status = 200, description = "Its caps", body = Caps), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}/caps")]
pub(super) async fn list_caps(desk: Desk<Look>, id: Id<OrgId>, app: Data<App>) -> Result<HttpResponse> {
    let now = app.clock.now();
    desk.show(move |conn| {
        accounts::load_org(conn, id.0)?;
        views(conn, id.0, now)
    })
    .await
}

/// Put a list of spend caps in place of all of an organization's. An empty list removes them.
///
/// A cap is taken in the transaction that accepts a message: however many arrive at once, no window holds more. What is
/// spent already counts under a new cap of the same scope, value and window.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/caps",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    request_body = Vec<NewCap>,
    responses((status = 200, description = "Its caps as they are now", body = Caps), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/orgs/{id}/caps")]
pub(super) async fn replace_caps(
    desk: Desk<Manage>,
    id: Id<OrgId>,
    why: Query<Why>,
    body: Body<Vec<NewCap>>,
) -> Result<HttpResponse> {
    let caps = read(&body.value)?;
    let order = desk.order(&body, why.0.reason)?;
    order
        .run(move |conn, by| {
            accounts::load_org(conn, id.0)?;
            let before = views(conn, id.0, by.now)?;
            wallet::replace_caps(conn, id.0, &caps, by.now)?;
            let after = views(conn, id.0, by.now)?;
            by.tell(conn, "caps.replace", id.0, Change::changed(&before, &after))?;
            done(&after)
        })
        .await
}

fn views(conn: &mut Conn, org: OrgId, now: Millis) -> Result<Caps> {
    Ok(Caps { data: wallet::cap_views(conn, org, now)? })
}

/// Reads the list; every fault at once, each under its place.
fn read(list: &[NewCap]) -> Result<Vec<Cap>> {
    let mut error = Error::new(Code::ValidationFailed);
    if list.len() > MOST {
        error = error.and_field("body", format!("must be at most {MOST} caps"));
    }
    let (mut caps, mut seen) = (Vec::new(), BTreeSet::new());
    for (index, new) in list.iter().enumerate() {
        match new.read() {
            Err((field, why)) => error = error.and_field(format!("[{index}].{field}"), why),
            Ok(cap) if !seen.insert((cap.scope, cap.value.clone(), cap.window)) => {
                error = error.and_field(format!("[{index}]"), "is the same as one before it");
            }
            Ok(cap) => caps.push(cap),
        }
    }
    if error.has_fields() { Err(error) } else { Ok(caps) }
}

impl NewCap {
    fn read(&self) -> std::result::Result<Cap, (&'static str, String)> {
        let value = self.value.clone().unwrap_or_default();
        let wrong = |why: &str| Err(("value", String::from(why)));
        let is_prefix = |value: &str| {
            let digits = value.strip_prefix('+').unwrap_or_default();
            (1..=LONGEST_PREFIX).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
        };
        match self.scope {
            CapScope::Org if !value.is_empty() => return wrong("must be left out: the cap is the organization's"),
            CapScope::Key if value.parse::<KeyId>().is_err() => return wrong("must be the id of a key"),
            CapScope::Country if value != EACH_COUNTRY && value.parse::<Country>().is_err() => {
                return wrong("must be a two-letter ISO 3166 country code, or * for each country on its own");
            }
            CapScope::Prefix if !is_prefix(&value) => {
                return wrong("must be a plus and 1 to 10 digits, e.g. +4474");
            }
            _ => {}
        }
        let amount = Micros::parse(&self.amount).filter(|amount| amount.0 > 0).ok_or_else(|| {
            ("amount", String::from("must be a decimal text of at most six places, more than zero, e.g. 50.00"))
        })?;
        let currency = self.currency.as_deref().unwrap_or("USD").parse::<Currency>();
        let currency = currency.map_err(|fault| ("currency", fault.to_string()))?;
        let value = if self.scope == CapScope::Country { value.to_ascii_uppercase() } else { value };
        Ok(Cap { scope: self.scope, value, window: self.window, amount, currency })
    }
}
