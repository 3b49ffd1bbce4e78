//! Test messages by one carrier, to a number of the operator's own.

use actix_web::http::StatusCode;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Manage};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::said_why;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::reply::Reply;
use crate::http::{Body, Id, Listing, path_part};
use crate::ids::{TemplateId, TrialId};
use crate::terms::Channel;
use crate::trials::{self, TrialView, Wanted};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(test_carrier).service(list_trials).service(show_trial);
}

/// A test message. No Debug: it names a number.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "+447400123456", "reason": "new credentials"}))]
pub struct TrialOrder {
    /// A number of your own in E.164, or a mail address: whoever it belongs to gets the message.
    #[schema(example = "+447400123456", max_length = 254)]
    pub to: String,
    /// On this channel; the carrier's first where absent.
    pub channel: Option<Channel>,
    /// An approved template of the channel, filled with its examples, instead of our own text. WhatsApp takes a text only
    /// for somebody who wrote to the number in the last 24 hours.
    pub template_id: Option<TemplateId>,
    /// Why, for the audit log; it stays there for good, so name no number in it.
    #[schema(min_length = 3, max_length = 500)]
    pub reason: String,
}

/// Which test messages.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichTrials {
    /// Only those by this carrier.
    #[param(example = "acme")]
    carrier: Option<String>,
}

/// Send a test message by one carrier: a fixed text without a code. It is charged to nobody and passes no route, guard or
/// pause, so that a drained carrier can be tried before it is resumed. Five an hour for each operator.
///
/// The worker hands it over within a second or two; look at it for the carrier's answer and its receipts. It is never
/// sent twice.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/carriers/{name}/test",
    params(
        ("name" = String, Path, description = "The carrier's name in the configuration"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one message"),
    ),
    request_body = TrialOrder,
    responses(
        (status = 202, description = "It will be handed over", body = TrialView, headers(("Location" = String, description = "Where it is"))),
        ChangeRefusals,
    ),
    security(("operator_token" = [])),
)]
#[post("/carriers/{name}/test")]
pub(super) async fn test_carrier(
    desk: Desk<Manage>,
    app: Data<App>,
    req: HttpRequest,
    body: Body<TrialOrder>,
) -> Result<HttpResponse> {
    let name: String = path_part(&req, "name")?;
    let carrier = app.carriers.find(&name).ok_or_else(|| Error::new(Code::NotFound))?;
    let reason = said_why(&body.value.reason)?;
    let order = desk.order(&body, Some(reason))?;
    let TrialOrder { to, channel, template_id, reason: _ } = body.value;
    let wanted = Wanted::read(&*carrier, channel, &to, template_id)?;
    let keyring = app.keyring.clone();
    order
        .run(move |conn, by| {
            let view = trials::order_trial(conn, by, &keyring, &wanted)?;
            Ok(Reply::json(StatusCode::ACCEPTED, &view)?.at(format!("/v1/admin/carrier-tests/{}", view.id)))
        })
        .await
}

/// List test messages, newest first.
#[utoipa::path(
    operation_id = "list_carrier_tests",
    tag = "Admin: routes",
    path = "/v1/admin/carrier-tests",
    params(WhichTrials, PageParams),
    responses((status = 200, description = "A page of test messages", body = Page<TrialView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/carrier-tests")]
pub(super) async fn list_trials(desk: Desk<Look>, listing: Listing<WhichTrials>) -> Result<HttpResponse> {
    let carrier = listing.filter.carrier;
    let read = move |conn: &mut Conn, before, limit| {
        let rows = trials::list_trials(conn, carrier.as_deref(), before, limit)?;
        rows.into_iter().map(|row| trials::show(conn, row)).collect()
    };
    desk.list(listing.page, read, |view: &TrialView| view.id.to_string()).await
}

/// Show a test message: what was asked of the carrier, its answer, and its receipts.
#[utoipa::path(
    operation_id = "show_carrier_test",
    tag = "Admin: routes",
    path = "/v1/admin/carrier-tests/{id}",
    params(("id" = TrialId, Path, description = "The test message")),
    responses((status = 200, description = "The test message", body = TrialView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/carrier-tests/{id}")]
pub(super) async fn show_trial(desk: Desk<Look>, id: Id<TrialId>) -> Result<HttpResponse> {
    desk.show(move |conn| trials::find_trial(conn, id.0)).await
}
