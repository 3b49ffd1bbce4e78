//! WhatsApp numbers and the tiers of their portfolios.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{done, made};
use crate::app::App;
use crate::error::Result;
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing, Query};
use crate::ids::{OrgId, WhatsappNumberId};
use crate::messages::Faults;
use crate::phone::Phone;
use crate::whatsapp::{
    self, AdminNumberView, Ladder, Manager, NewNumber, NumberChange, NumberStatus, Quality, TierChange, TierName,
    show_to_operators,
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(create_whatsapp_number)
        .service(list_whatsapp_numbers)
        .service(show_whatsapp_number)
        .service(change_whatsapp_number)
        .service(remove_whatsapp_number);
}

/// Messages a second that Meta takes from a new number, and the range: 20 for one that a phone's app shares, 1,000 after
/// the upgrade. Source: <https://developers.facebook.com/docs/whatsapp/throughput>.
const USUAL_THROUGHPUT: i32 = 80;
const LOWEST_THROUGHPUT: i32 = 20;
const HIGHEST_THROUGHPUT: i32 = 1_000;

/// A number to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWhatsappNumber, example = json!({"org_id": "org_01h455vb4pex5vsknk084sn02q", "phone_number": "+447400123456", "portfolio": "acme", "ladder": "meta2026", "tier": 2, "managed_by": "meta", "phone_number_id": "800100200300401"}))]
pub struct NumberBody {
    /// Whose.
    org_id: OrgId,
    /// The number in E.164.
    #[schema(example = "+447400123456")]
    phone_number: String,
    /// The business portfolio whose tier it shares; made where there is none of this name.
    #[schema(min_length = 1, max_length = 64, example = "acme")]
    portfolio: String,
    /// The tiers of a new portfolio; `tiers` where absent.
    ladder: Option<Ladder>,
    /// The tier of a new portfolio; the first where absent.
    tier: Option<TierName>,
    /// Who moves the tier of a new portfolio; `postern` where absent.
    managed_by: Option<Manager>,
    /// How well recipients take it; `green` where absent.
    quality: Option<Quality>,
    /// Messages a second; 80 where absent.
    #[schema(minimum = 20, maximum = 1000)]
    throughput: Option<i32>,
    /// Whether it sends; `connected` where absent.
    status: Option<NumberStatus>,
    /// Meta's account that it is in; learned from its webhooks where absent.
    #[schema(max_length = 64)]
    waba_id: Option<String>,
    /// Meta's id of it: then of Meta's carriers only the one of this id sends for it.
    #[schema(max_length = 64)]
    phone_number_id: Option<String>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// What shall change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WhatsappNumberPatch, example = json!({"tier": "unlimited", "managed_by": "operator", "reason": "agreed with Meta"}))]
pub struct NumberPatch {
    /// Another portfolio to move to; made where there is none of this name. Then `ladder`, `tier` and `managed_by` are
    /// those of a new one, as when a number is registered. What the number wrote before stays counted in the old one.
    #[schema(min_length = 1, max_length = 64, example = "acme")]
    portfolio: Option<String>,
    /// The portfolio's tiers.
    ladder: Option<Ladder>,
    /// The portfolio's tier: for all its numbers.
    tier: Option<TierName>,
    /// Who moves the portfolio's tier from now on; a tier set here is moved by nobody else only with `operator`.
    managed_by: Option<Manager>,
    /// How well recipients take it.
    quality: Option<Quality>,
    /// Messages a second.
    #[schema(minimum = 20, maximum = 1000)]
    throughput: Option<i32>,
    /// Whether it sends.
    status: Option<NumberStatus>,
    /// Meta's account that it is in.
    #[schema(max_length = 64)]
    waba_id: Option<String>,
    /// Meta's id of it.
    #[schema(max_length = 64)]
    phone_number_id: Option<String>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Which numbers to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberFilter {
    /// Of this organization.
    #[param(value_type = Option<String>)]
    org_id: Option<OrgId>,
}

/// Register a WhatsApp number. From then on its organization has the channel, test keys in the sandbox too, and what
/// people write to the number is the organization's.
///
/// Numbers of one portfolio share its tier: how many people they may write to first in a moving 24 hours.
#[utoipa::path(
    tag = "Admin: WhatsApp",
    operation_id = "create_whatsapp_number",
    path = "/v1/admin/whatsapp/numbers",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one number")),
    request_body = NumberBody,
    responses((status = 201, description = "Registered", body = AdminNumberView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/whatsapp/numbers")]
pub(super) async fn create_whatsapp_number(desk: Desk<Manage>, body: Body<NumberBody>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let new = body.value.checked()?;
    order
        .run(move |conn, by| {
            let number = whatsapp::create_number(conn, by, new)?;
            let view = show_to_operators(conn, &number, by.now)?;
            made(format!("/v1/admin/whatsapp/numbers/{}", number.id), &view)
        })
        .await
}

/// List the WhatsApp numbers, newest first.
#[utoipa::path(
    tag = "Admin: WhatsApp",
    operation_id = "list_all_whatsapp_numbers",
    path = "/v1/admin/whatsapp/numbers",
    params(NumberFilter, PageParams),
    responses((status = 200, description = "A page", body = Page<AdminNumberView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/whatsapp/numbers")]
pub(super) async fn list_whatsapp_numbers(
    desk: Desk<Look>,
    app: Data<App>,
    listing: Listing<NumberFilter>,
) -> Result<HttpResponse> {
    let (org, clock) = (listing.filter.org_id, app.clock.clone());
    let read = move |conn: &mut _, before: Option<WhatsappNumberId>, limit| {
        whatsapp::list_for_operators(conn, org, before, limit, clock.now())
    };
    desk.list(listing.page, read, |view: &AdminNumberView| view.number.id.to_string()).await
}

/// Show a WhatsApp number.
#[utoipa::path(
    tag = "Admin: WhatsApp",
    operation_id = "show_whatsapp_number",
    path = "/v1/admin/whatsapp/numbers/{id}",
    params(("id" = WhatsappNumberId, Path, description = "The number")),
    responses((status = 200, description = "The number", body = AdminNumberView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/whatsapp/numbers/{id}")]
pub(super) async fn show_whatsapp_number(
    desk: Desk<Look>,
    app: Data<App>,
    id: Id<WhatsappNumberId>,
) -> Result<HttpResponse> {
    let clock = app.clock.clone();
    desk.show(move |conn| {
        let number = whatsapp::load_number(conn, id.0)?;
        show_to_operators(conn, &number, clock.now())
    })
    .await
}

/// Change a WhatsApp number, or the tier of its portfolio. A tier acts at once on the keys there are, also on their
/// sending requests (`band.send`): 10,000 contacts have twice those of the plan, 100,000 five times, unlimited ten times.
#[utoipa::path(
    tag = "Admin: WhatsApp",
    operation_id = "change_whatsapp_number",
    path = "/v1/admin/whatsapp/numbers/{id}",
    params(
        ("id" = WhatsappNumberId, Path, description = "The number"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = NumberPatch,
    responses((status = 200, description = "The number as it now is", body = AdminNumberView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[patch("/whatsapp/numbers/{id}")]
pub(super) async fn change_whatsapp_number(
    desk: Desk<Manage>,
    id: Id<WhatsappNumberId>,
    body: Body<NumberPatch>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let change = body.value.checked()?;
    order
        .run(move |conn, by| {
            let number = whatsapp::change_number(conn, by, id.0, change)?;
            done(&show_to_operators(conn, &number, by.now)?)
        })
        .await
}

/// Remove a WhatsApp number that is not connected any more: pause it first. What people write to it is nobody's from
/// then on, and its portfolio keeps its tier and the contacts that it counted.
#[utoipa::path(
    tag = "Admin: WhatsApp",
    operation_id = "remove_whatsapp_number",
    path = "/v1/admin/whatsapp/numbers/{id}",
    params(
        ("id" = WhatsappNumberId, Path, description = "The number"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    responses((status = 200, description = "The number as it was", body = AdminNumberView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/whatsapp/numbers/{id}")]
pub(super) async fn remove_whatsapp_number(
    desk: Desk<Manage>,
    id: Id<WhatsappNumberId>,
    why: Query<Why>,
) -> Result<HttpResponse> {
    let order = desk.bare_order(why.0.reason)?;
    order
        .run(move |conn, by| {
            let number = whatsapp::remove_number(conn, by, id.0)?;
            done(&show_to_operators(conn, &number, by.now)?)
        })
        .await
}

impl NumberBody {
    /// Error: `validation_failed` with every fault by field.
    fn checked(self) -> Result<NewNumber> {
        let mut faults = Faults::default();
        let phone = faults.keep("phone_number", Phone::parse(&self.phone_number, None));
        let portfolio = faults.keep("portfolio", name_of(self.portfolio));
        let throughput = throughput_of(&mut faults, self.throughput);
        let waba_id = id_of(&mut faults, "waba_id", self.waba_id);
        let phone_number_id = id_of(&mut faults, "phone_number_id", self.phone_number_id);
        let (phone, portfolio) = match (phone, portfolio, faults.into_error()) {
            (Some(phone), Some(portfolio), None) => (phone, portfolio),
            (.., fault) => {
                return Err(fault.unwrap_or_else(|| crate::error::Error::internal("a fault without a field")));
            }
        };
        Ok(NewNumber {
            org_id: self.org_id,
            phone: String::from(phone.e164()),
            portfolio,
            tier: TierChange { ladder: self.ladder, tier: self.tier, managed_by: self.managed_by },
            quality: self.quality.unwrap_or(Quality::Green),
            throughput: throughput.unwrap_or(USUAL_THROUGHPUT),
            status: self.status.unwrap_or(NumberStatus::Connected),
            waba_id,
            phone_number_id,
        })
    }
}

impl NumberPatch {
    /// Error: `validation_failed` with every fault by field.
    fn checked(self) -> Result<NumberChange> {
        let mut faults = Faults::default();
        let change = NumberChange {
            portfolio: self.portfolio.and_then(|name| faults.keep("portfolio", name_of(name))),
            tier: TierChange { ladder: self.ladder, tier: self.tier, managed_by: self.managed_by },
            quality: self.quality,
            throughput: throughput_of(&mut faults, self.throughput),
            status: self.status,
            waba_id: id_of(&mut faults, "waba_id", self.waba_id),
            phone_number_id: id_of(&mut faults, "phone_number_id", self.phone_number_id),
        };
        faults.into_error().map_or(Ok(change), Err)
    }
}

fn throughput_of(faults: &mut Faults, wanted: Option<i32>) -> Option<i32> {
    let fits = |wanted: &i32| (LOWEST_THROUGHPUT..=HIGHEST_THROUGHPUT).contains(wanted);
    match wanted {
        Some(wanted) if !fits(&wanted) => faults.fail("throughput", "must be 20 to 1000 messages a second"),
        wanted => wanted,
    }
}

fn name_of(text: String) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        Ok(text)
    } else {
        Err("must be a name of 1 to 64 letters, digits, dashes, dots and underscores")
    }
}

/// An id of Meta's: digits as a rule.
fn id_of(faults: &mut Faults, field: &str, text: Option<String>) -> Option<String> {
    let text = text?;
    if (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Some(text)
    } else {
        faults.fail(field, "must be an id of 1 to 64 letters and digits")
    }
}
