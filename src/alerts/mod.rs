//! What operators are told: holds, caps, circuits, endpoints, the kill switch. Noted in the transaction where it
//! happens; mailed through a mail carrier of the configuration, at most once in a while for a kind and an organization, and
//! kept open for the console until it was quiet for long.

mod mail;
mod open;
mod store;

pub use mail::mail_due;
pub use open::{AlertState, AlertView, acknowledge, find_alert, list_alerts, open_alerts};

use std::collections::BTreeMap;

use crate::clock::Millis;
pub use crate::config::AlertKind;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;

/// Something that operators should know. Its text may hold no full number, secret or code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What happened.
    pub kind: AlertKind,
    /// To whom; `None` where it is nobody's in particular.
    pub org_id: Option<OrgId>,
    /// In a line.
    pub text: String,
}

impl Alert {
    /// Something that happened to an organization.
    pub fn of(kind: AlertKind, org_id: OrgId, text: String) -> Alert {
        Alert { kind, org_id: Some(org_id), text }
    }

    /// Something that happened to all.
    pub fn common(kind: AlertKind, text: String) -> Alert {
        Alert { kind, org_id: None, text }
    }
}

/// Notes alerts, in the transaction where they happen: call it late, it takes their rows for the rest of it.
pub fn note(conn: &mut Conn, alerts: &[Alert], now: Millis) -> Result<()> {
    // One row a kind and organization, in the order of their keys: two transactions never wait for each other.
    let mut counted: BTreeMap<(AlertKind, String), (i64, &str)> = BTreeMap::new();
    for alert in alerts {
        let owner = alert.org_id.map(|org| org.to_string()).unwrap_or_default();
        let row = counted.entry((alert.kind, owner)).or_insert((0, ""));
        *row = (row.0 + 1, &alert.text);
    }
    for ((kind, owner), (count, text)) in counted {
        metrics::counter!("postern_alerts_total", "kind" => kind.as_str()).increment(u64::try_from(count).unwrap_or(1));
        store::add(conn, (kind, &owner), count, text, now)?;
        open::see(conn, (kind, &owner), count, text, now)?;
    }
    Ok(())
}
