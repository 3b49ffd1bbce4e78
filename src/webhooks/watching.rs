//! Events of every organization, as they happen: for operators who watch (`postern tail`).

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{self, EventRow};
use super::view::ToldEventView;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::http::follow::next_since;
use crate::ids::OrgId;
use crate::terms::Mode;

/// Most events of one answer.
const EVENTS_MAX: usize = 1_000;

/// An event, and to whom it happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnedEventView {
    /// To whom it happened.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// The event.
    #[serde(flatten)]
    pub event: ToldEventView,
}

/// Events since a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventList {
    /// Oldest first.
    pub data: Vec<OwnedEventView>,
    /// Ask again with this `since`. It reaches back a little: leave out the ids that you have.
    #[schema(value_type = String, format = DateTime)]
    pub next_since: Millis,
    /// More is there already.
    pub has_more: bool,
}

/// The events of every organization since `since`, as far as one answer goes.
pub fn events_lately(conn: &mut Conn, since: Millis, now: Millis) -> Result<EventList> {
    let rows = store::all_events_since(conn, since, i64::try_from(EVENTS_MAX).unwrap_or(i64::MAX))?;
    let cut = rows.last().filter(|_| rows.len() >= EVENTS_MAX).map(|row| row.created_at);
    let (next_since, has_more) = next_since(since, cut, now);
    let data = rows.iter().map(owned).collect::<Result<Vec<_>>>()?;
    Ok(EventList { data, next_since, has_more })
}

fn owned(row: &EventRow) -> Result<OwnedEventView> {
    Ok(OwnedEventView { org_id: row.org_id, mode: row.mode, event: ToldEventView::of(row)? })
}
