//! What has happened lately.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use super::docs::ReadRefusals;
use super::read::address_of;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::http::{Query, reply};
use crate::ids::OrgId;
use crate::messages::activity::{ActivityList, activity};
use crate::messages::store::Since;
use crate::terms::{Channel, Mode};

/// Since when, and what it is narrowed to.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActivityFilter {
    /// At or after this moment (RFC 3339); from now on where absent.
    #[param(format = DateTime)]
    since: Option<String>,
    /// By this channel; then without refusals.
    channel: Option<Channel>,
    /// To this number (E.164) or mail address; then without refusals.
    to: Option<String>,
}

impl ActivityFilter {
    /// What to look for at `now`. Error: `validation_failed`.
    pub fn since(&self, owner: Option<(OrgId, Mode)>, now: Millis) -> Result<Since> {
        let at = match &self.since {
            None => now,
            Some(text) => Millis::parse_rfc3339(text)
                .ok_or_else(|| Error::field("since", "must be an RFC 3339 timestamp, e.g. 2026-12-01T08:00:00Z"))?,
        };
        Ok(Since {
            at,
            org: owner.map(|(org, _)| org),
            mode: owner.map(|(_, mode)| mode),
            channel: self.channel,
            to: self.to.as_deref().map(address_of).transpose()?,
        })
    }
}

/// Show what has happened since a moment: messages accepted, where they went, refusals. Oldest first, numbers masked.
///
/// Ask again with `next_since` to follow it; `postern tail` does.
#[utoipa::path(
    operation_id = "list_activity",
    tag = "Messages",
    path = "/v1/activity",
    params(ActivityFilter),
    responses((status = 200, description = "What happened", body = ActivityList), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/activity")]
pub(super) async fn list(caller: Caller, app: Data<App>, filter: Query<ActivityFilter>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let now = app.clock.now();
    let since = filter.0.since(Some((caller.org_id(), caller.mode())), now)?;
    let found = app.db.read(move |conn| activity(conn, &since, now)).await?;
    reply::ok(&found.of_one())
}
