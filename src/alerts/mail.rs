//! The mails: what is due, taken by one process, handed to a mail carrier.

use std::sync::Arc;
use std::time::Duration;

use super::store::{self, Row};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::ids::{AttemptId, MessageId, OrgId};
use crate::providers::{Carrier, Outcome, Outgoing};
use crate::secret::Secret;
use crate::terms::{Channel, Mode};

/// Mails of one step.
const MOST: i64 = 50;
/// How long a mail may take.
const LIFE: Duration = Duration::from_secs(60);

/// Mails what is due to the operators of the configuration; how many alerts. The worker calls this every few seconds,
/// tests by hand.
pub async fn mail_due(app: &App) -> Result<usize> {
    let (config, now) = (&app.config.alerts, app.clock.now());
    let before = now.minus(config.every);
    let due = app.db.read(move |conn| store::due(conn, before, MOST)).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let Some(carrier) = carrier(app).filter(|_| !config.email.is_empty()) else {
        app.db.write(store::forget).await?;
        return Ok(0);
    };
    let mut told = 0;
    for row in due {
        let taken = row.clone();
        if !app.db.write(move |conn| store::take(conn, &taken, now)).await? {
            continue;
        }
        if !config.events.is_empty() && !config.events.contains(&row.kind) {
            continue;
        }
        for address in &config.email {
            deliver(app, &carrier, address, &row).await;
        }
        told += 1;
    }
    Ok(told)
}

/// The carrier that the configuration names, or the first that takes mail to mailboxes.
fn carrier(app: &App) -> Option<Arc<dyn Carrier>> {
    match &app.config.alerts.carrier {
        Some(name) => app.carriers.find(name),
        None => app
            .carriers
            .iter()
            .find(|carrier| carrier.channels().contains(&Channel::Email) && !carrier.is_scripted())
            .cloned(),
    }
}

/// Hands one mail over. One that is not taken is not tried again: the log has it, and the next one counts on.
async fn deliver(app: &App, carrier: &Arc<dyn Carrier>, address: &str, row: &Row) {
    let outcome = carrier.send(&letter(address, row, app.clock.now())).await;
    let is_taken = matches!(outcome, Outcome::Accepted { .. });
    let word = if is_taken { "accepted" } else { "refused" };
    metrics::counter!("postern_alert_mails_total", "outcome" => word).increment(1);
    if !is_taken {
        tracing::warn!(kind = %row.kind, carrier = carrier.name(), "an alert could not be mailed");
    }
}

fn letter(address: &str, row: &Row, now: Millis) -> Outgoing {
    let times = if row.count == 1 { String::new() } else { format!(", {} times", row.count) };
    let whose = if row.org_id.is_empty() { String::new() } else { format!("Organization: {}\n", row.org_id) };
    let since = row.first_at.rfc3339();
    let text = format!(
        "{}\n\nWhat: {}{times}\n{whose}Since: {since}\n\nPostern tells of one kind and organization at most once in a while; \
         what happens until then is counted.\n",
        row.example, row.kind
    );
    Outgoing {
        message_id: MessageId::new(now),
        attempt_id: AttemptId::new(now),
        org_id: row.org_id.parse().unwrap_or_else(|_| OrgId::first_at(Millis(0))),
        mode: Mode::Live,
        channel: Channel::Email,
        to: String::from(address),
        from: Some(String::from("Postern alerts")),
        text: Secret::new(text),
        code: None,
        template: None,
        subject: Some(format!("[Postern] {}{times}", title(row))),
        html: None,
        ttl_left: LIFE,
    }
}

fn title(row: &Row) -> &str {
    row.example.split('.').next().unwrap_or(&row.example)
}
