//! The one statement behind conversion by route.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::error::Result;
use crate::ids::{AttemptId, RouteId};
use crate::phone::Country;
use crate::terms::Channel;

/// Hand-offs of one route that share a time to their receipt.
#[derive(Debug, QueryableByName)]
pub struct Line {
    /// The route.
    #[diesel(sql_type = Nullable<Text>)]
    pub route_id: Option<RouteId>,
    /// The carrier.
    #[diesel(sql_type = Text)]
    pub carrier: String,
    /// Seconds to the delivery receipt, at most an hour; `None` without one.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub lag_s: Option<i64>,
    /// Hand-offs.
    #[diesel(sql_type = BigInt)]
    pub hand_offs: i64,
    /// Accepted.
    #[diesel(sql_type = BigInt)]
    pub accepted: i64,
    /// Delivered.
    #[diesel(sql_type = BigInt)]
    pub delivered: i64,
    /// With a code, not refused.
    #[diesel(sql_type = BigInt)]
    pub attempted: i64,
    /// Whose code was entered.
    #[diesel(sql_type = BigInt)]
    pub converted: i64,
    /// Billed parts.
    #[diesel(sql_type = BigInt)]
    pub parts: i64,
}

/// Ids sort by time, so a stretch of time is a stretch of the primary key of hand-offs; everything else is looked up by
/// a key of each. A carrier that tells a delivery at once leaves no receipt: the message's own state says so.
const LINES: &str = "SELECT a.route_id AS route_id, a.carrier AS carrier, \
    CASE WHEN r.received_at IS NULL THEN NULL WHEN r.received_at - a.started_at > 3600000 THEN 3600 \
      ELSE (r.received_at - a.started_at) / 1000 END AS lag_s, \
    count(*) AS hand_offs, \
    sum(CASE WHEN a.state = 'accepted' THEN 1 ELSE 0 END) AS accepted, \
    sum(CASE WHEN r.received_at IS NOT NULL OR (a.number = m.attempts AND m.status = 'delivered' \
      AND a.state <> 'refused') THEN 1 ELSE 0 END) AS delivered, \
    sum(CASE WHEN s.message_id IS NOT NULL AND a.state IN ('accepted', 'unknown') THEN 1 ELSE 0 END) AS attempted, \
    sum(CASE WHEN s.converted AND a.state IN ('accepted', 'unknown') AND NOT EXISTS (SELECT 1 FROM attempts AS l \
      WHERE l.message_id = a.message_id AND l.number > a.number AND l.state IN ('accepted', 'unknown')) \
      THEN 1 ELSE 0 END) AS converted, \
    sum(CASE WHEN a.state NOT IN ('accepted', 'unknown') THEN 0 WHEN a.channel = 'sms' THEN m.segments ELSE 1 END) \
      AS parts \
    FROM attempts AS a JOIN messages AS m ON m.id = a.message_id \
    LEFT JOIN verification_sends AS s ON s.verification_id = m.verification_id AND s.message_id = m.id \
    LEFT JOIN receipts AS r ON r.carrier = a.carrier AND r.provider_id = a.provider_id AND r.status = '=delivered' \
    WHERE a.id >= ? AND a.id < ? AND m.mode = 'live' AND (? = '' OR a.channel = ?) AND (? = '' OR m.country = ?) \
    GROUP BY 1, 2, 3";

/// Hand-offs whose ids lie in `between`, by route and by time to their receipt.
pub fn lines(
    conn: &mut Conn,
    between: (AttemptId, AttemptId),
    channel: Option<Channel>,
    country: Option<Country>,
) -> Result<Vec<Line>> {
    let channel = channel.map(|channel| String::from(channel.as_str())).unwrap_or_default();
    let country = country.map(|country| String::from(country.as_str())).unwrap_or_default();
    let statement = fixed(LINES)
        .bind::<Text, _>(between.0)
        .bind::<Text, _>(between.1)
        .bind::<Text, _>(channel.as_str())
        .bind::<Text, _>(channel.as_str())
        .bind::<Text, _>(country.as_str())
        .bind::<Text, _>(country.as_str());
    Ok(crate::both!(conn, c => statement.load(c))?)
}
