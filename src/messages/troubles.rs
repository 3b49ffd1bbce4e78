//! What carriers say of themselves, beside what it means for one message: that they want less, that the account or the
//! number is stopped, that a template is. It comes in answers, in failed statuses and on its own.

use std::collections::BTreeMap;

use super::store::{self, Row};
use super::tables::{forget_tables, tables};
use crate::accounts::Directory;
use crate::alerts::{self, Alert, AlertKind};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::ids::MessageId;
use crate::providers::circuit::{STOPPED_REST, Verdict};
use crate::providers::{Cause, Outcome, Refusal, RefusalKind, TemplateState};
use crate::routing::watch::{Event, Stand, Watch, insert_events, stops_since};
use crate::templates::{self, Unsent};
use crate::whatsapp;

/// What a carrier said of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// What it said.
    pub cause: Cause,
    /// The message that it said it of, and when that was handed over; none where it is of the number as such.
    pub about: Option<(MessageId, Millis)>,
}

/// Heeds what `carrier` said beside any hand-off: this process leaves it alone for as long as it asks. That it is stopped
/// is written down at once, so that those who deliver see it (`heed_stops`); of the rest they find out by themselves.
pub async fn heed_troubles(app: &App, carrier: &str, troubles: &[Trouble], now: Millis) -> Result<()> {
    let mut is_stopped = false;
    for Trouble { cause, .. } in troubles {
        let verdict = match cause.kind {
            RefusalKind::Throttled(wait) => Verdict::Busy(wait),
            RefusalKind::Stop => Verdict::Stopped,
            RefusalKind::Final | RefusalKind::Route | RefusalKind::Pair | RefusalKind::Template(_) => {
                alert(carrier, *cause);
                continue;
            }
        };
        let step = app.carriers.circuits().heed(carrier, verdict, now);
        let said = Outcome::Refused(Refusal { kind: cause.kind, code: cause.code, detail: String::new() });
        app.room::<Watch>().note_carrier(carrier, step, Some(&said), now);
        is_stopped |= cause.kind == RefusalKind::Stop && step.0 != step.1;
        alert(carrier, *cause);
    }
    if is_stopped {
        write_changes(app).await?;
    }
    if troubles.iter().any(|trouble| trouble.cause.kind == RefusalKind::Stop) {
        block(app, carrier).await?;
    }
    let told = troubles.iter().filter_map(|trouble| match (trouble.cause.kind, trouble.about) {
        (RefusalKind::Template(state), Some((message, at))) => Some((message, at, state)),
        _ => None,
    });
    unsent_of(app, carrier, told.collect()).await
}

/// The templates of these messages were not sent. Many messages have one template: each is looked at once.
async fn unsent_of(app: &App, carrier: &str, told: Vec<(MessageId, Millis, TemplateState)>) -> Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let read = app.db.read(move |conn| {
        let mut by_template = BTreeMap::new();
        for (message, at, state) in told {
            if let Some(remote) = store::find_message(conn, message)?.as_ref().and_then(remote_of) {
                by_template.insert(remote, (state, at));
            }
        }
        Ok(by_template)
    });
    for (remote, told) in read.await? {
        unsent(app, carrier, Some(remote), told).await?;
    }
    Ok(())
}

/// Heeds what `carrier` said in the answer to a hand-off of `row`, beside what that means for the message: a number that
/// is stopped is not chosen again, nor is a template that is not sent.
pub(super) async fn heed_refusal(app: &App, carrier: &str, refused: (&Row, Millis), kind: RefusalKind) -> Result<()> {
    match kind {
        RefusalKind::Stop => block(app, carrier).await,
        RefusalKind::Template(state) => unsent(app, carrier, remote_of(refused.0), (state, refused.1)).await,
        _ => Ok(()),
    }
}

/// The number that `carrier` sends from is Meta's to stop: nobody chooses it until it is set back.
async fn block(app: &App, carrier: &str) -> Result<()> {
    let Some(id) = app.carriers.find(carrier).and_then(|carrier| carrier.phone_number_id().map(String::from)) else {
        return Ok(());
    };
    if tables(app).await?.numbers.at_meta(&id).is_none() {
        return Ok(());
    }
    let (clock, name) = (app.clock.clone(), String::from(carrier));
    let blocked = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        whatsapp::block_number(
            conn,
            &id,
            &format!("the carrier {name} says that the account or number is stopped"),
            now,
        )
    });
    if blocked.await? {
        app.room::<Directory>().forget();
        forget_tables(app);
    }
    Ok(())
}

fn remote_of(row: &Row) -> Option<(String, String)> {
    row.extra_or_none().remote
}

/// The template of this name and language was not sent at `at`, being in this state.
async fn unsent(
    app: &App,
    carrier: &str,
    remote: Option<(String, String)>,
    (state, at): (TemplateState, Millis),
) -> Result<()> {
    let account = app.carriers.find(carrier).and_then(|carrier| carrier.template_account().map(String::from));
    // One that the operator configured is nobody's here; the alert says it.
    let (Some(account), Some((name, locale))) = (account, remote) else { return Ok(()) };
    let unsent = Unsent { account, name, locale, state, at };
    let clock = app.clock.clone();
    let moved = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        templates::take_unsent(conn, &unsent, now)
    });
    if moved.await? {
        templates::forget_templates(app);
    }
    Ok(())
}

/// Heeds that another process was told a carrier is stopped.
pub(super) async fn heed_stops(app: &App) -> Result<()> {
    let (now, node) = (app.clock.now(), app.nodes.id());
    let stopped = app.db.read(move |conn| stops_since(conn, now.minus(STOPPED_REST), node)).await?;
    for carrier in stopped {
        app.carriers.circuits().heed(&carrier, Verdict::Stopped, now);
    }
    Ok(())
}

/// Writes down what circuits did since the time before. What cannot be written waits for the next.
pub(super) async fn write_changes(app: &App) -> Result<()> {
    let watch = app.room::<Watch>();
    let events = watch.take_untold();
    if events.is_empty() {
        return Ok(());
    }
    let written = events.clone();
    let now = app.clock.now();
    let done = app
        .db
        .write(move |conn| {
            insert_events(conn, &written)?;
            alerts::note(conn, &written.iter().filter_map(opened).collect::<Vec<_>>(), now)
        })
        .await;
    if done.is_err() {
        watch.put_back(events);
    }
    done
}

/// A circuit that has opened, as operators are told of it.
fn opened(event: &Event) -> Option<Alert> {
    let Event { route_id, carrier, to_state, reason, .. } = event;
    let what = route_id.map_or_else(|| format!("Carrier {carrier}"), |id| format!("Route {id} of carrier {carrier}"));
    let text = format!("{what} takes nothing for now. Its circuit is open: {reason}; see /v1/admin/routes.");
    (*to_state == Stand::Open).then(|| Alert::common(AlertKind::CircuitOpen, text))
}

/// Says what an operator has to look at. Which message it was is in the span around, if in any.
pub(super) fn alert(carrier: &str, cause: Cause) {
    match (cause.kind, cause.code) {
        (RefusalKind::Stop, code) => {
            tracing::error!(carrier, code, "the carrier says that our account or number is stopped: look at it there");
        }
        (_, code @ "template.not_approved") => {
            tracing::warn!(carrier, code, "the carrier does not send this template: look at its state there");
        }
        (_, code @ "provider.auth") => {
            tracing::warn!(
                carrier,
                code,
                "the carrier does not let us in: see to its credentials; its messages wait meanwhile"
            );
        }
        _ => return,
    }
    let labels = [("carrier", String::from(carrier)), ("code", String::from(cause.code))];
    metrics::counter!("postern_carrier_alerts_total", &labels).increment(1);
}
