//! What webhooks tell of a message: where it is now; never what it says, and its recipient masked.

use serde_json::{Value, json};

use super::purse::CapAlert;
use super::state::Status;
use super::store::{Move, Row};
use crate::alerts::{self, Alert, AlertKind};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::money::MoneyView;
use crate::phone::mask;
use crate::webhooks::{self, EventType, NewEvent};

/// Tells of messages that moved, in the transaction of the move.
pub fn tell(conn: &mut Conn, moved: &[(&Row, &Move)], now: Millis) -> Result<()> {
    let events: Vec<NewEvent<'_>> = moved
        .iter()
        .filter(|(row, to)| row.status != to.status)
        .filter_map(|(row, to)| {
            let kind = kind_of(to.status)?;
            Some(NewEvent { owner: (row.org_id, row.mode), kind, data: Box::new(|| data(row, to)) })
        })
        .collect();
    webhooks::emit(conn, &events, now)
}

/// Says that much of a cap is spent, in the transaction that spends it: to the organization, the operators, the metrics
/// and the log.
pub fn alert(conn: &mut Conn, alerts: &[CapAlert], now: Millis) -> Result<()> {
    for CapAlert { key, percent, spent, amount, currency } in alerts {
        let labels = [("scope", key.scope.to_string()), ("percent", percent.to_string())];
        metrics::counter!("postern_spend_cap_alerts_total", &labels).increment(1);
        tracing::warn!(
            org.id = %key.org_id, mode = %key.mode, scope = %key.scope, value = %key.value, window = %key.window,
            "{percent} % of a spend cap is spent: {spent} of {amount} {currency}"
        );
    }
    let event = |alert: &'_ CapAlert| {
        let alert = alert.clone();
        let owner = (alert.key.org_id, alert.key.mode);
        NewEvent { owner, kind: EventType::SpendCapReached, data: Box::new(move || cap_data(&alert)) }
    };
    webhooks::emit(conn, &alerts.iter().map(event).collect::<Vec<_>>(), now)?;
    let told = |CapAlert { key, percent, spent, amount, currency }: &CapAlert| {
        let which = format!("{} {} {}", key.scope, key.value, key.window);
        let text = format!("{percent} % of a spend cap is spent ({which}). {spent} of {amount} {currency}.");
        Alert::of(AlertKind::SpendCap, key.org_id, text)
    };
    alerts::note(conn, &alerts.iter().map(told).collect::<Vec<_>>(), now)
}

fn cap_data(alert: &CapAlert) -> Value {
    json!({
        "scope": alert.key.scope,
        "value": alert.key.value,
        "window": alert.key.window,
        "percent": alert.percent,
        "spent": MoneyView::new(alert.spent, alert.currency),
        "limit": MoneyView::new(alert.amount, alert.currency),
    })
}

fn kind_of(status: Status) -> Option<EventType> {
    Some(match status {
        Status::Scheduled | Status::Queued | Status::Sending => return None,
        Status::Sent => EventType::MessageSent,
        Status::Delivered => EventType::MessageDelivered,
        Status::Undelivered => EventType::MessageUndelivered,
        Status::Failed => EventType::MessageFailed,
        Status::Expired => EventType::MessageExpired,
        Status::Canceled => EventType::MessageCanceled,
        Status::Unknown => EventType::MessageUnknown,
    })
}

fn data(row: &Row, to: &Move) -> Value {
    json!({
        "id": row.id,
        "status": to.status,
        "mode": row.mode,
        "channel": row.channel,
        "kind": row.kind,
        "to": mask(&row.recipient),
        "country": row.country,
        "segments": row.segments,
        "price": MoneyView::new(row.price_micros, row.currency),
        "error_code": to.error_code,
        "batch_id": row.batch_id,
        "verification_id": row.verification_id,
        "created_at": row.created_at,
        "updated_at": to.updated_at,
        "metadata": row.extra_or_none().metadata,
    })
}
