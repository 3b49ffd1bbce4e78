//! What carriers say of themselves, beside what it means for one message: that they want less, that the account or the
//! number is stopped, that a template is. It comes in answers, in failed statuses and on its own.

use crate::alerts::{self, Alert, AlertKind};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::providers::circuit::{STOPPED_REST, Verdict};
use crate::providers::{Cause, Outcome, Refusal, RefusalKind};
use crate::routing::watch::{Event, Stand, Watch, insert_events, stops_since};

/// Heeds what `carrier` said beside any hand-off: this process leaves it alone for as long as it asks. That it is stopped
/// is written down at once, so that those who deliver see it (`heed_stops`); of the rest they find out by themselves.
pub async fn heed_causes(app: &App, carrier: &str, causes: &[Cause], now: Millis) -> Result<()> {
    let mut is_stopped = false;
    for cause in causes {
        let verdict = match cause.kind {
            RefusalKind::Throttled(wait) => Verdict::Busy(wait),
            RefusalKind::Stop => Verdict::Stopped,
            RefusalKind::Final | RefusalKind::Route | RefusalKind::Pair => {
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
    if is_stopped { write_changes(app).await } else { Ok(()) }
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
