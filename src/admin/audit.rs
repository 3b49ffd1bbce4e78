//! The audit log, read and verified.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use crate::admin::desk::{Audit, Desk};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::audit::{self, Filter, Record, Signer, Verdict, Witness};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Listing, reply};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(verify_audit).service(list_audit);
}

/// Which rows of the log to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditFilter {
    /// Only rows about this thing, e.g. an organization's id.
    target: Option<String>,
    /// Only rows of this operator.
    actor: Option<String>,
    /// Only rows of this action, e.g. `org.update`.
    action: Option<String>,
    /// Only rows of this request.
    request_id: Option<String>,
    /// Only rows at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Millis>,
    /// Only rows before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Millis>,
}

/// List the audit log, newest first.
#[utoipa::path(
    tag = "Admin: audit",
    path = "/v1/admin/audit",
    params(AuditFilter, PageParams),
    responses((status = 200, description = "A page", body = Page<Record>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/audit")]
pub(super) async fn list_audit(desk: Desk<Audit>, listing: Listing<AuditFilter>) -> Result<HttpResponse> {
    let AuditFilter { target, actor, action, request_id, since, until } = listing.filter;
    let read = move |conn: &mut _, before_seq: Option<i64>, limit| {
        audit::list(conn, &Filter { before_seq, target, actor, action, request_id, since, until, limit })
    };
    desk.list(listing.page, read, |record: &Record| record.seq.to_string()).await
}

/// Walk the whole audit log and name the first row that was changed, removed, inserted or moved; compare it with the
/// checkpoints in the database.
///
/// Who can change the database can change those as well: `postern audit verify --checkpoints FILE` compares it with those
/// that were exported.
#[utoipa::path(
    tag = "Admin: audit",
    path = "/v1/admin/audit/verify",
    responses((status = 200, description = "What the walk found", body = Verdict), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/audit/verify")]
pub(super) async fn verify_audit(_desk: Desk<Audit>, app: Data<App>) -> Result<HttpResponse> {
    let key = Signer::of(&app.keyring)?.public()?;
    // Those that are there before the walk: it goes on to rows that are written meanwhile.
    let witness = Witness::new(app.db.read(audit::all_checkpoints).await?, &key);
    // On its own: the waits of one request add up, and a long chain is walked longer than a request may wait.
    let walk = async move { audit::verify_in_turns(&app.db, Some(witness)).await };
    reply::ok(&actix_web::rt::spawn(walk).await.map_err(Error::internal)??)
}
