//! A verification as operators follow it: masked, and without anything that could tell a code.

use serde::Serialize;
use utoipa::ToSchema;

use super::state::Status;
use super::store::{self, Row};
use super::view::SendView;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{OrgId, VerificationId};
use crate::phone::{Country, mask};
use crate::terms::{Channel, Mode};

/// A verification and the codes that were sent for it.
#[derive(Serialize, ToSchema)]
pub struct TracedVerification {
    /// Its id.
    pub id: VerificationId,
    /// Whose.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// Where it is.
    pub status: Status,
    /// The channel used last.
    pub channel: Channel,
    /// To whom, masked.
    #[schema(example = "+141•••••123")]
    pub to: String,
    /// The number's country.
    #[schema(value_type = Option<String>, example = "US")]
    pub country: Option<Country>,
    /// Codes that were tried.
    #[schema(example = 1)]
    pub checks: i32,
    /// How many may be.
    #[schema(example = 5)]
    pub max_checks: i32,
    /// The codes that were sent, oldest first.
    pub sends: Vec<SendView>,
    /// The request that started it.
    pub request_id: String,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Millis,
    /// When it was approved or ended otherwise, as far as that was written down.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Millis>,
    /// Started.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// The verification that the request `request_id` started in a stretch of time (from, before).
pub fn started_by(
    conn: &mut Conn,
    request_id: &str,
    between: (Millis, Millis),
    now: Millis,
) -> Result<Option<TracedVerification>> {
    let row = store::of_request(conn, request_id, between)?.into_iter().next();
    row.map(|row| traced(conn, row, now)).transpose()
}

/// A verification, as it is at `now`.
pub fn trace_verification(conn: &mut Conn, id: VerificationId, now: Millis) -> Result<Option<TracedVerification>> {
    store::find_of_anybody(conn, id)?.map(|row| traced(conn, row, now)).transpose()
}

fn traced(conn: &mut Conn, row: Row, now: Millis) -> Result<TracedVerification> {
    let sends = store::sends_of(conn, &[row.id])?;
    Ok(TracedVerification {
        status: row.life().at(now),
        id: row.id,
        org_id: row.org_id,
        mode: row.mode,
        channel: row.channel,
        to: mask(&row.recipient),
        country: row.country,
        checks: row.checks,
        max_checks: row.max_checks,
        sends: sends.into_iter().map(SendView::of).collect(),
        request_id: row.request_id,
        expires_at: row.expires_at,
        decided_at: row.decided_at,
        created_at: row.created_at,
    })
}
