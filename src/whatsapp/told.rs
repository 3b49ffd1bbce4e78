//! What is told of tiers and quality: to webhooks, metrics, the log. Our own number is masked like any other.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ladder::ContactLimit;
use super::numbers::{Number, Portfolio};
use super::standing::{NumberStatus, Quality};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;
use crate::phone::mask;
use crate::terms::Mode;
use crate::webhooks::{self, EventType, NewEvent};

/// Says that a portfolio's tier moved from `before`, to every organization that has a number in it.
pub(super) fn tier(
    conn: &mut Conn,
    orgs: &BTreeSet<OrgId>,
    now_at: &Portfolio,
    before: ContactLimit,
    why: &str,
    now: Millis,
) -> Result<()> {
    let direction = if now_at.limit > before { "up" } else { "down" };
    metrics::counter!("postern_whatsapp_tier_changes_total", "direction" => direction).increment(1);
    tracing::info!(portfolio = %now_at.name, from = %before, to = %now_at.limit, why, "a WhatsApp tier moved {direction}");
    let data = json!({
        "portfolio": now_at.name,
        "tier": now_at.ladder.tier_of(now_at.limit),
        "limit": now_at.limit,
        "previous_limit": before,
        "reason": why,
    });
    all(conn, orgs, EventType::WhatsappTierChanged, &data, now)
}

/// Says that a number's quality changed from `before`.
pub(super) fn quality(conn: &mut Conn, number: &Number, before: Quality, why: &str, now: Millis) -> Result<()> {
    metrics::counter!("postern_whatsapp_quality_changes_total", "to" => number.quality.as_str()).increment(1);
    if number.quality > before {
        tracing::warn!(number.id = %number.id, from = %before, to = %number.quality, why, "a WhatsApp number got worse");
    }
    let data = json!({
        "id": number.id,
        "phone_number": mask(&number.phone),
        "portfolio": number.portfolio,
        "quality": number.quality,
        "previous_quality": before,
        "reason": why,
    });
    all(conn, &[number.org_id].into(), EventType::WhatsappQualityChanged, &data, now)
}

/// Says that a number sends no more, or sends again.
pub(super) fn status(conn: &mut Conn, number: &Number, before: NumberStatus, why: &str, now: Millis) -> Result<()> {
    metrics::counter!("postern_whatsapp_status_changes_total", "to" => number.status.as_str()).increment(1);
    tracing::warn!(number.id = %number.id, from = %before, to = %number.status, why, "a WhatsApp number's status changed");
    let data = json!({
        "id": number.id,
        "phone_number": mask(&number.phone),
        "portfolio": number.portfolio,
        "status": number.status,
        "previous_status": before,
        "reason": why,
    });
    all(conn, &[number.org_id].into(), EventType::WhatsappStatusChanged, &data, now)
}

/// Passes an alert on to whom it concerns.
pub(super) fn alert(
    conn: &mut Conn,
    orgs: &BTreeSet<OrgId>,
    (kind, severity): (&str, Option<&str>),
    number: Option<&Number>,
    now: Millis,
) -> Result<()> {
    metrics::counter!("postern_whatsapp_alerts_total").increment(1);
    tracing::warn!(
        kind,
        severity,
        number.id = number.map(|one| one.id.to_string()),
        "Meta warns of a WhatsApp account"
    );
    let data = json!({"kind": kind, "severity": severity, "id": number.map(|one| one.id)});
    all(conn, orgs, EventType::WhatsappAccountAlert, &data, now)
}

fn all(conn: &mut Conn, orgs: &BTreeSet<OrgId>, kind: EventType, data: &Value, now: Millis) -> Result<()> {
    let event = |org: &OrgId| NewEvent { owner: (*org, Mode::Live), kind, data: Box::new(|| data.clone()) };
    webhooks::emit(conn, &orgs.iter().map(event).collect::<Vec<_>>(), now)
}
