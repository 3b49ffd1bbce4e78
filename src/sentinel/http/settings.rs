//! `/v1/fraud/settings`: what an organization chooses of the fraud guard.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, patch};

use super::docs::{ChangeRefusals, ReadRefusals};
use crate::accounts::{Caller, Directory, Scope, change_once, stored};
use crate::app::App;
use crate::audit::By;
use crate::db::Conn;
use crate::error::Result;
use crate::http::{Body, reply};
use crate::sentinel::settings::{self, FraudSettings, FraudSettingsPatch};

/// Show the fraud guard's settings: one set for live and test messages.
#[utoipa::path(
    operation_id = "show_fraud_settings",
    tag = "Fraud",
    path = "/v1/fraud/settings",
    responses((status = 200, description = "The settings", body = FraudSettings), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/fraud/settings")]
pub(super) async fn show_settings(caller: Caller, app: Data<App>) -> Result<HttpResponse> {
    caller.require(Scope::FraudRead)?;
    let (org, now) = (caller.org_id(), app.clock.now());
    reply::ok(&app.db.read(move |conn| settings::show_settings(conn, org, now)).await?)
}

/// Change the fraud guard's settings; what is absent stays. Acts within a second.
///
/// A template's level comes before a key's, a key's before the organization's; a country that is only monitored comes
/// before all. Who lowers the protection causes `fraud.protection_lowered`.
#[utoipa::path(
    operation_id = "change_fraud_settings",
    tag = "Fraud",
    path = "/v1/fraud/settings",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one change")),
    request_body = FraudSettingsPatch,
    responses((status = 200, description = "The settings as they are now", body = FraudSettings), ChangeRefusals),
    security(("api_key" = [])),
)]
#[patch("/fraud/settings")]
pub(super) async fn change_settings(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<FraudSettingsPatch>,
) -> Result<HttpResponse> {
    caller.require(Scope::FraudWrite)?;
    let (org, patch) = (caller.org_id(), body.value.clone());
    let work = move |conn: &mut Conn, by: &By| stored(200, &settings::change_settings(conn, by, org, patch)?);
    let answer = change_once(&app, &caller, (&req, &body), work).await?;
    app.room::<Directory>().forget();
    Ok(answer)
}
