//! Signed checkpoints of the audit chain, and proofs that hold without this server.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::desk::{Audit, Desk, Unfiltered};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::made;
use crate::app::App;
use crate::audit::{self, Checkpoint, Signer};
use crate::error::Result;
use crate::http::page::{Page, PageParams};
use crate::http::{Listing, OptionalBody, Query, reply};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_checkpoints).service(create_checkpoint).service(show_key).service(prove);
}

/// The public key of checkpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditKey {
    /// How checkpoints are signed: always `ed25519`.
    #[schema(example = "ed25519")]
    algorithm: &'static str,
    /// The key, 32 bytes in base64. Keep it where nobody who writes the database can change it.
    #[schema(example = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]
    key: String,
}

/// Why a checkpoint is made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointOrder {
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// List the signed checkpoints of the audit log, newest first.
#[utoipa::path(
    tag = "Admin: audit",
    path = "/v1/admin/audit/checkpoints",
    params(PageParams),
    responses((status = 200, description = "A page", body = Page<Checkpoint>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/audit/checkpoints")]
pub(super) async fn list_checkpoints(desk: Desk<Audit>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    desk.list(listing.page, audit::list_checkpoints, |checkpoint: &Checkpoint| checkpoint.id.to_string()).await
}

/// Make a checkpoint now, and hand it to wherever checkpoints are exported to. It covers the row that tells of it.
#[utoipa::path(
    tag = "Admin: audit",
    path = "/v1/admin/audit/checkpoints",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one checkpoint")),
    request_body = Option<CheckpointOrder>,
    responses((status = 201, description = "The checkpoint", body = Checkpoint), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/audit/checkpoints")]
pub(super) async fn create_checkpoint(
    desk: Desk<Audit>,
    app: Data<App>,
    body: OptionalBody<CheckpointOrder>,
) -> Result<HttpResponse> {
    let (signer, config, node) = (Signer::of(&app.keyring)?, app.config.audit.clone(), app.nodes.id());
    let order = desk.order(&body.0, body.0.value.reason.clone())?;
    order
        .run(move |conn, by| {
            let checkpoint = audit::checkpoint_now(conn, by, (&signer, node), &config)?;
            made(String::from("/v1/admin/audit/checkpoints"), &checkpoint)
        })
        .await
}

/// Show the public key that checkpoints are signed with.
#[utoipa::path(
    tag = "Admin: audit",
    path = "/v1/admin/audit/key",
    responses((status = 200, description = "The key", body = AuditKey), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/audit/key")]
pub(super) async fn show_key(_desk: Desk<Audit>, app: Data<App>) -> Result<HttpResponse> {
    let key = Signer::of(&app.keyring)?.public()?;
    reply::ok(&AuditKey { algorithm: "ed25519", key: key.to_string() })
}

/// Which rows to prove.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Stretch {
    /// The place of the first row.
    #[param(minimum = 1)]
    from: i64,
    /// The place of the last row; where absent, the last that a checkpoint covers.
    #[param(minimum = 1)]
    to: Option<i64>,
}

/// Prove rows of the audit log: the rows as they were hashed, one a line, up to the next signed checkpoint, and that.
///
/// `postern audit check FILE` verifies it without a database or a server; docs/audit.md tells how to do it by hand. At most
/// 20,000 rows.
#[utoipa::path(
    tag = "Admin: audit",
    path = "/v1/admin/audit/proof",
    params(Stretch),
    responses(
        (status = 200, description = "Lines of JSON", body = String, content_type = "application/jsonl"),
        ReadRefusals,
    ),
    security(("operator_token" = [])),
)]
#[get("/audit/proof")]
pub(super) async fn prove(_desk: Desk<Audit>, app: Data<App>, query: Query<Stretch>) -> Result<HttpResponse> {
    let Stretch { from, to } = query.0;
    let text = app.db.read(move |conn| audit::write_proof(conn, from, to)).await?;
    Ok(HttpResponse::Ok().content_type("application/jsonl").body(text))
}
