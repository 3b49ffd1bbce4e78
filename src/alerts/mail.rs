//! The mails: what is due, put on its way by one process, handed to a mail carrier, and tried again where that does not
//! take it. What is on its way is in the database: a restart loses none.

use std::sync::Arc;
use std::time::Duration;

use super::store::{self, MailRow};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::ids::{MessageId, OrgId};
use crate::providers::{Carrier, Outcome, Outgoing, RefusalKind};
use crate::secret::Secret;
use crate::terms::{Channel, Mode};

/// Mails of one step.
const MOST: i64 = 50;
/// How long a mail may take.
const LIFE: Duration = Duration::from_secs(60);
/// How long a process may be about one try; then another may take it up.
const LEASE: Duration = Duration::from_secs(300);

const fn m(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// Waits after the first failure, the second, …: eight tries over a day, as mail servers do it (RFC 5321, section 4.5.4.1
/// asks for half an hour between tries, and faster ones at first).
const WAITS: [Duration; 7] = [m(1), m(5), m(15), m(60), m(180), m(420), m(750)];

/// Mails what is due to the operators of the configuration; how many alerts are new. The worker calls this every few
/// seconds, tests by hand.
pub async fn mail_due(app: &App) -> Result<usize> {
    let config = &app.config.alerts;
    let Some(carrier) = carrier(app).filter(|_| !config.email.is_empty()) else {
        let now = app.clock.now();
        let is_any = move |conn: &mut _| {
            Ok(!store::due(conn, now, 1)?.is_empty() || !store::mails_due(conn, Millis(i64::MAX), 1)?.is_empty())
        };
        if app.db.read(is_any).await? {
            app.db.write(store::forget).await?;
        }
        return Ok(0);
    };
    let told = put_on_their_way(app).await?;
    let now = app.clock.now();
    for mail in app.db.read(move |conn| store::mails_due(conn, now, MOST)).await? {
        let taken = mail.clone();
        if app.db.write(move |conn| store::take_mail(conn, &taken, now.plus(LEASE))).await? {
            attempt(app, &carrier, mail).await?;
        }
    }
    Ok(told)
}

/// Turns alerts that are due into mails; how many alerts.
async fn put_on_their_way(app: &App) -> Result<usize> {
    let (config, now) = (&app.config.alerts, app.clock.now());
    let before = now.minus(config.every);
    let mut told = 0;
    for row in app.db.read(move |conn| store::due(conn, before, MOST)).await? {
        let is_wanted = config.events.is_empty() || config.events.contains(&row.kind);
        let addresses = if is_wanted { config.email.clone() } else { Vec::new() };
        let taken = app.db.write(move |conn| {
            let is_ours = store::take(conn, &row, now)?;
            if is_ours {
                store::add_mails(conn, &row, &addresses, now)?;
            }
            Ok(is_ours)
        });
        told += usize::from(taken.await? && is_wanted);
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

/// Hands one mail over. One that is not taken is tried again, until its tries are used up, the mail server says that the
/// address is none, or the configuration names it no more.
async fn attempt(app: &App, carrier: &Arc<dyn Carrier>, mail: MailRow) -> Result<()> {
    let id = mail.id;
    if !app.config.alerts.email.contains(&mail.address) {
        return app.db.write(move |conn| store::put_off_mail(conn, id, None)).await;
    }
    let outcome = carrier.send(&letter(&mail, app.clock.now())).await;
    let next = next_try(&outcome, mail.tries).map(|wait| app.clock.now().plus(wait));
    let word = match (&outcome, next) {
        (Outcome::Accepted { .. }, _) => "accepted",
        (_, Some(_)) => "refused",
        (_, None) => "given_up",
    };
    metrics::counter!("postern_alert_mails_total", "outcome" => word).increment(1);
    let code = match &outcome {
        Outcome::Accepted { .. } => "",
        Outcome::Refused(refusal) => refusal.code,
        Outcome::Unknown { code, .. } => code,
    };
    match word {
        "accepted" => {}
        "refused" => {
            tracing::warn!(kind = %mail.kind, carrier = carrier.name(), code, "an alert could not be mailed; it is tried again")
        }
        _ => {
            tracing::error!(kind = %mail.kind, carrier = carrier.name(), code, "an alert could not be mailed and is given up")
        }
    }
    app.db.write(move |conn| store::put_off_mail(conn, id, next)).await
}

/// How long until a mail is tried again after `tries` tries before this one; `None` where it is not. Nobody knows whether
/// a mail whose answer was lost has gone: twice is better than never, and both have one Message-ID.
fn next_try(outcome: &Outcome, tries: i32) -> Option<Duration> {
    match outcome {
        Outcome::Accepted { .. } => None,
        Outcome::Refused(refusal) if refusal.kind == RefusalKind::Final => None,
        Outcome::Refused(_) | Outcome::Unknown { .. } => WAITS.get(usize::try_from(tries).ok()?).copied(),
    }
}

fn letter(row: &MailRow, now: Millis) -> Outgoing {
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
        attempt_id: row.id,
        org_id: row.org_id.parse().unwrap_or_else(|_| OrgId::first_at(Millis(0))),
        mode: Mode::Live,
        channel: Channel::Email,
        to: row.address.clone(),
        from: Some(String::from("Postern alerts")),
        text: Secret::new(text),
        code: None,
        template: None,
        subject: Some(format!("[Postern] {}{times}", title(row))),
        html: None,
        ttl_left: LIFE,
    }
}

fn title(row: &MailRow) -> &str {
    row.example.split('.').next().unwrap_or(&row.example)
}
