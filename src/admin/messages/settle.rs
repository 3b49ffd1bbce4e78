//! Settling what is unknown, and what has happened lately.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Look, Manage};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::app::App;
use crate::audit::Change;
use crate::error::Result;
use crate::http::{Body, Id, Query};
use crate::ids::MessageId;
use crate::messages::{self, ActivityFilter, ActivityList, MessageView, Settlement};
use crate::phone::mask;

/// What an operator found out about a message whose fate was unknown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "sent", "reason": "the carrier's log shows it"}))]
pub struct SettleBody {
    /// `sent` charges its price, `failed` lets it go.
    outcome: Settlement,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Settle a message whose fate is unknown. It is never sent again.
#[utoipa::path(
    tag = "Admin: messages",
    path = "/v1/admin/messages/{id}/settle",
    params(
        ("id" = MessageId, Path, description = "The message"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = SettleBody,
    responses((status = 200, description = "The message as it is now", body = MessageView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/messages/{id}/settle")]
pub(in crate::admin) async fn settle_message(
    desk: Desk<Manage>,
    id: Id<MessageId>,
    body: Body<SettleBody>,
) -> Result<HttpResponse> {
    let outcome = body.value.outcome;
    let order = desk.order(&body, body.value.reason.clone())?;
    order
        .run(move |conn, by| {
            let (before, after) = messages::settle_unknown(conn, id.0, outcome, by.now)?;
            let status = |view: &MessageView| serde_json::json!({ "status": view.status });
            by.tell(conn, "message.settle", id.0, Change::changed(&status(&before), &status(&after)))?;
            // The whole number is shown by revealing it, which takes a reason.
            done(&MessageView { to: mask(&after.to), ..after })
        })
        .await
}

/// Show what has happened since a moment, over all organizations: messages accepted, where they went, refusals. Oldest
/// first, numbers masked.
#[utoipa::path(
    operation_id = "list_all_activity",
    tag = "Admin: messages",
    path = "/v1/admin/activity",
    params(ActivityFilter),
    responses((status = 200, description = "What happened", body = ActivityList), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/activity")]
pub(in crate::admin) async fn list_activity(
    desk: Desk<Look>,
    app: Data<App>,
    filter: Query<ActivityFilter>,
) -> Result<HttpResponse> {
    let now = app.clock.now();
    let since = filter.0.since(None, now)?;
    desk.show(move |conn| messages::activity(conn, &since, now)).await
}
