//! `/v1/decisions`: what was decided on an organization's sends, and why.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use super::docs::ReadRefusals;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::fraud::Action;
use crate::http::page::{self, PageParams};
use crate::http::{Id, Listing, Page, reply};
use crate::ids::{DecisionId, MessageId};
use crate::sentinel::decisions::{DecisionDetail, DecisionEntry, show_decision};
use crate::sentinel::store::{self, Wanted};

/// What a list of decisions may be narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionFilter {
    /// `block` or `challenge`: those that refused so; `allow`: those of accepted messages. All that refused where absent.
    action: Option<Action>,
    /// Those that told the request this code, e.g. `fraud.blocked`; never with `allow`.
    code: Option<String>,
    /// Made at or after this moment (RFC 3339).
    #[param(format = DateTime)]
    created_after: Option<String>,
    /// Made before this moment (RFC 3339).
    #[param(format = DateTime)]
    created_before: Option<String>,
}

impl DecisionFilter {
    /// The filter, parsed. Errors: `validation_failed`.
    fn read(self) -> Result<Wanted> {
        if self.action == Some(Action::Allow) && self.code.is_some() {
            return Err(Error::field("code", "has no decision that let a message through"));
        }
        Ok(Wanted {
            action: self.action,
            code: self.code,
            created_after: moment("created_after", self.created_after)?,
            created_before: moment("created_before", self.created_before)?,
            ..Wanted::default()
        })
    }
}

fn moment(field: &str, text: Option<String>) -> Result<Option<Millis>> {
    let read = |text: String| {
        Millis::parse_rfc3339(&text)
            .ok_or_else(|| Error::field(field, "must be an RFC 3339 timestamp, e.g. 2026-12-01T08:00:00Z"))
    };
    text.map(read).transpose()
}

/// List what was decided on your sends, newest first: refusals, or with `action=allow` what was let through.
#[utoipa::path(
    tag = "Fraud",
    path = "/v1/decisions",
    params(DecisionFilter, PageParams),
    responses((status = 200, description = "A page of decisions", body = Page<DecisionEntry>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/decisions")]
pub(super) async fn list_decisions(
    caller: Caller,
    app: Data<App>,
    listing: Listing<DecisionFilter>,
) -> Result<HttpResponse> {
    caller.require(Scope::FraudRead)?;
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let wanted = Wanted { org: Some(owner.0), mode: Some(owner.1), ..listing.filter.read()? };
    let (before, fetch) = (listing.page.position(&app.keyring, &name)?, listing.page.fetch());
    let is_passed = wanted.action == Some(Action::Allow);
    let rows = app.db.read(move |conn| {
        if is_passed {
            let before: Option<MessageId> = before.and_then(|text| text.parse().ok());
            return store::list_passed(conn, &wanted, before, fetch);
        }
        let before: Option<DecisionId> = before.and_then(|text| text.parse().ok());
        store::list_refused(conn, &wanted, before, fetch)
    });
    let views = rows.await?.iter().map(DecisionEntry::of).collect::<Result<Vec<_>>>()?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    // Messages are walked by their own ids.
    let position = |view: &DecisionEntry| view.message_id.map_or_else(|| view.id.to_string(), |id| id.to_string());
    reply::ok(&listing.page.page(views, scope, position))
}

/// Show what was decided on a send, and what the fraud engine says again of what it saw then.
#[utoipa::path(
    tag = "Fraud",
    path = "/v1/decisions/{id}",
    params(("id" = DecisionId, Path, description = "The decision: a refusal's `decision`, a message's `decision.id`")),
    responses((status = 200, description = "The decision", body = DecisionDetail), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/decisions/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<DecisionId>) -> Result<HttpResponse> {
    caller.require(Scope::FraudRead)?;
    let owner = (caller.org_id(), caller.mode());
    reply::ok(&app.db.read(move |conn| show_decision(conn, owner, id.0)).await?)
}
