//! What carriers say of themselves, beside what it means for one message: that they want less, that the account or the
//! number is stopped, that a template is. It comes in answers, in failed statuses and on its own.

use crate::app::App;
use crate::clock::Millis;
use crate::providers::circuit::Verdict;
use crate::providers::{Cause, Outcome, Refusal, RefusalKind};
use crate::routing::watch::Watch;

/// Heeds what `carrier` said beside any hand-off: this process leaves it alone for as long as it asks. Others find out
/// by their own hand-offs.
pub fn heed_causes(app: &App, carrier: &str, causes: &[Cause], now: Millis) {
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
        alert(carrier, *cause);
    }
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
        _ => return,
    }
    let labels = [("carrier", String::from(carrier)), ("code", String::from(cause.code))];
    metrics::counter!("postern_carrier_alerts_total", &labels).increment(1);
}
