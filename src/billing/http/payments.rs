//! `/hooks/payments`: what a payment service reports, signed as Standard Webhooks has it.
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use utoipa::ToSchema;

use super::docs::HookRefusals;
use crate::accounts::{count_stranger, load_org};
use crate::app::App;
use crate::audit::{Actor, By, Change};
use crate::billing::store;
use crate::billing::topups::{self, Payment, Source, TopupView, money};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::{Raw, reply};
use crate::ids::{OrgId, TopupId};
use crate::secret::{Secret, same};
use crate::terms::Mode;

/// Largest report, bytes.
pub(super) const LARGEST: usize = 16 * 1024;
/// How far a report's own time may be from ours.
const FRESH: Duration = Duration::from_secs(300);

crate::text_enum! {
    /// What became of a payment.
    pub enum PaymentEvent { Succeeded = "payment.succeeded", Failed = "payment.failed" }
}

/// A payment, as its service reports it. Members that are not named here are passed over.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"type": "payment.succeeded", "data": {"topup_id": "top_01h455vb4pex5vsknk084sn02q", "amount": "100.00", "currency": "USD", "reference": "pi_3NqYx"}}))]
pub struct PaymentReport {
    /// What became of it.
    #[serde(rename = "type")]
    pub kind: PaymentEvent,
    /// The payment.
    pub data: PaymentData,
}

/// What is paid.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PaymentData {
    /// The top-up that it is for.
    pub topup_id: Option<TopupId>,
    /// Without a top-up: the organization whose live wallet it goes into.
    pub org_id: Option<OrgId>,
    /// How much.
    #[schema(example = "100.00")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    pub currency: String,
    /// The payment's own name: one name is booked once.
    #[schema(min_length = 1, max_length = 100)]
    pub reference: String,
}

/// A payment service reports a payment. Booked once for each `reference`, however often it is reported.
#[utoipa::path(
    post,
    tag = "Inbound",
    path = "/hooks/payments",
    params(
        ("webhook-id" = Option<String>, Header, description = "The report's id"),
        ("webhook-timestamp" = Option<String>, Header, description = "Seconds since the epoch; at most five minutes off"),
        ("webhook-signature" = Option<String>, Header, description = "Standard Webhooks, under billing.payment_secret"),
    ),
    request_body = PaymentReport,
    responses((status = 200, description = "The top-up as it is now", body = TopupView), HookRefusals),
    security(()),
)]
pub async fn receive(app: Data<App>, req: HttpRequest, Raw(body): Raw) -> Result<HttpResponse> {
    let Some(secret) = &app.config.billing.payment_secret else {
        return Err(Error::new(Code::NotFound));
    };
    if !is_signed(&req, &body, secret, app.clock.now()) {
        count_stranger(&app, &req)?;
        return Err(Error::new(Code::PermissionDenied).detail("The report is not signed with this server's secret."));
    }
    let report: PaymentReport = serde_json::from_slice(&body).map_err(|fault| {
        Error::new(Code::MalformedRequest).detail(format!("The report could not be read: {fault}."))
    })?;
    let clock = app.clock.clone();
    let taken = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        take(conn, &report, now)
    });
    let view = taken.await?;
    reply::ok(&view)
}

fn take(conn: &mut Conn, report: &PaymentReport, now: Millis) -> Result<TopupView> {
    let PaymentData { topup_id, org_id, amount, currency, reference } = &report.data;
    if !(1..=100).contains(&reference.chars().count()) || reference.chars().any(char::is_control) {
        return Err(Error::field("data.reference", "must have 1 to 100 printable characters"));
    }
    let by = By::local(Actor::System, now);
    let asked = topup_id.map(|id| store::find_topup(conn, id)).transpose()?.flatten();
    let owner = match (topup_id, &asked, org_id) {
        (Some(_), Some(topup), _) => (topup.org_id, topup.mode),
        (None, _, Some(org)) => (load_org(conn, *org)?.id, Mode::Live),
        (None, _, None) => return Err(Error::field("data.topup_id", "or org_id must say whose money it is")),
        (Some(_), None, _) => return Err(Error::new(Code::NotFound)),
    };
    let before = asked.as_ref().map(TopupView::from);
    let after = match report.kind {
        PaymentEvent::Failed => match topup_id {
            Some(id) => topups::close(conn, *id, now)?,
            None => return Err(Error::field("data.topup_id", "must say which top-up failed")),
        },
        PaymentEvent::Succeeded => {
            let (amount, currency) = money(amount, Some(currency))?;
            let reference = reference.clone();
            let payment = Payment { topup: *topup_id, owner, amount, currency, reference, source: Source::Payment };
            topups::pay(conn, &payment, now)?
        }
    };
    let after = TopupView::from(&after);
    if before.as_ref() != Some(&after) && after.updated_at == now {
        by.tell(conn, "topup.payment", after.id, Change { before: None, ..Change::changed(&before, &after) })?;
    }
    Ok(after)
}

fn is_signed(req: &HttpRequest, body: &[u8], secret: &Secret<String>, now: Millis) -> bool {
    let header = |name: &str| req.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(at) = header(HEADER_WEBHOOK_TIMESTAMP).parse::<i64>() else { return false };
    let off = at.saturating_mul(1_000).abs_diff(now.0);
    if u128::from(off) > FRESH.as_millis() {
        return false;
    }
    let signed = Webhook::new(secret.expose()).and_then(|signer| signer.sign(header(HEADER_WEBHOOK_ID), at, body));
    let Ok(expected) = signed else { return false };
    header(HEADER_WEBHOOK_SIGNATURE).split(' ').any(|given| same(given.as_bytes(), expected.as_bytes()))
}
