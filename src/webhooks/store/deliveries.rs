//! Deliveries: what is due, what became of it.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::webhook_deliveries as dsl;
use crate::error::Result;
use crate::ids::{DeliveryId, EndpointId, EventId};

crate::text_enum! {
    /// Where a delivery is.
    pub enum DeliveryStatus as "WebhookDeliveryStatus" {
        /// It will be tried, for the first time or again.
        Pending = "pending",
        /// The endpoint answered 2xx.
        Delivered = "delivered",
        /// Every try failed; replay the event.
        Failed = "failed",
        /// The endpoint was disabled or deleted before it could be told.
        Dropped = "dropped",
    }
}

/// The lane of what was never tried: slots are kept for it.
pub const FIRST: i16 = 0;
/// The lane of what failed before.
pub const AGAIN: i16 = 1;

/// One row of `webhook_deliveries`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = crate::db::schema::webhook_deliveries, treat_none_as_default_value = false)]
pub struct DeliveryRow {
    /// Its id; sorts by time.
    pub id: DeliveryId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Of what.
    pub event_id: EventId,
    /// Where it is.
    pub status: DeliveryStatus,
    /// [`FIRST`] or [`AGAIN`].
    pub lane: i16,
    /// When it is tried next, or when the lease on it ends; none once it has ended.
    pub next_at: Option<Millis>,
    /// Tries begun.
    pub attempts: i32,
    /// What the last try was answered.
    pub http_status: Option<i32>,
    /// Why the last try was not answered, a word of ours.
    pub error: Option<String>,
    /// How long the last try took.
    pub duration_ms: Option<i64>,
    /// When the last try began.
    pub attempted_at: Option<Millis>,
    /// Made.
    pub created_at: Millis,
}

/// Adds deliveries: one statement on PostgreSQL.
pub fn insert_deliveries(conn: &mut Conn, rows: &[DeliveryRow]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(dsl::table).values(row).execute(c)?;
            }
        }
        Conn::Pg(_) if rows.is_empty() => {}
        Conn::Pg(c) => {
            crate::insert_many!(c, "webhook_deliveries", rows, row => {
                id: Text = Some(row.id),
                endpoint_id: Text = Some(row.endpoint_id),
                event_id: Text = Some(row.event_id),
                status: Text = Some(row.status),
                lane: SmallInt = Some(row.lane),
                next_at: BigInt = row.next_at,
                attempts: Integer = Some(row.attempts),
                http_status: Integer = row.http_status,
                error: Text = row.error.as_deref(),
                duration_ms: BigInt = row.duration_ms,
                attempted_at: BigInt = row.attempted_at,
                created_at: BigInt = Some(row.created_at),
            })?;
        }
    }
    Ok(())
}
