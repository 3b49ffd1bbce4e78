//! Dispatch: claim what is due under a lease, hand it over, write what became of it.
//!
//! Codes go before everything else, newest first; in each lane organizations share what there is, so that one
//! customer's backlog never starves another. The attempt's row is committed before the network call.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tracing::Instrument;

use super::claim::{self, Desk};
use super::content::Content;
use super::in_flight::{Flight, InFlight};
use super::outcomes::{Ended, Outcomes};
use super::pairs::PairKey;
use super::store::{self, Attempt, Row};
use super::tables::tables;
use super::troubles;
use crate::app::App;
use crate::clock::{Millis, whole_ms};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::providers::circuit::State;
use crate::providers::{Cause, Outcome, Outgoing};
use crate::routing::watch::{self, Watch};
use crate::secret::{Keyring, Secret};

/// A message this process has in hand.
pub struct Claimed {
    pub(super) row: Row,
    pub(super) attempt: Attempt,
    pub(super) to: String,
    /// Who it comes from; the carrier's own where nobody is named.
    pub(super) from: Option<String>,
    /// The number and the recipient, where their pace is kept.
    pub(super) pair: Option<PairKey>,
    #[expect(dead_code, reason = "held for its end: dropping it ends the hand-off's count")]
    pub(super) flight: Flight,
}

/// Claims up to `limit` due messages. Those whose time is over expire, those of a worker that died become unknown.
pub async fn claim(app: &App, limit: usize) -> Result<Vec<Claimed>> {
    let tables = tables(app).await?;
    let desk = Desk {
        routes: tables.routes,
        draining: tables.draining,
        pauses: tables.pauses,
        senders: tables.senders,
        numbers: tables.numbers,
        keyring: app.keyring.clone(),
        watch: app.room::<Watch>(),
        carriers: app.carriers.clone(),
        in_flight: (*app.room::<InFlight>()).clone(),
        lease: app.config.dispatch.lease,
        nodes: app.nodes.working(),
    };
    let clock = app.clock.clone();
    // Patiently: what is claimed and not taken in hand would be given up as lost.
    app.db
        .write_patiently(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            desk.claim(conn, limit, now)
        })
        .await
}

/// Hands one message over and writes what became of it.
pub async fn hand_over(app: &App, claimed: Claimed) -> Result<()> {
    let span = tracing::info_span!("hand_over", message.id = %claimed.row.id, attempt.id = %claimed.attempt.id, carrier = %claimed.attempt.carrier);
    send_and_write(app, claimed).instrument(span).await
}

/// One whole step: claims what is due and hands all of it over; how many. Tests drive dispatch by this.
pub async fn dispatch_once(app: &App, limit: usize) -> Result<usize> {
    let claimed = claim(app, limit).await?;
    let count = claimed.len();
    for done in join_all(claimed.into_iter().map(|claimed| hand_over(app, claimed))).await {
        done?;
    }
    Ok(count)
}

/// How long until the earliest waiting message is due; `None` where none waits.
pub async fn until_next(app: &App) -> Result<Option<Duration>> {
    let next = app.db.read(|conn| store::next_due(conn, &claim::lanes())).await?;
    Ok(next.map(|at| at.since(app.clock.now())))
}

async fn send_and_write(app: &App, claimed: Claimed) -> Result<()> {
    failpoint::pass("dispatch.after_claim")?;
    let outcome = send(app, &claimed).await;
    failpoint::pass("dispatch.after_carrier")?;
    let now = app.clock.now();
    observe(app, &claimed, &outcome, now);
    note(&claimed, &outcome, now);
    // A database that stalls must not lose what a carrier said: the lease is the bound, after which it is unknown.
    let lease_ends = now.plus(app.config.dispatch.lease);
    let (row, attempt, pair) = (claimed.row.clone(), claimed.attempt.clone(), claimed.pair.clone());
    let ended = Arc::new(Ended { row, attempt, outcome, pair });
    loop {
        match app.room::<Outcomes>().write(Arc::clone(&ended)).await {
            Err(fault) if fault.code().entry().status == 503 && app.clock.now() < lease_ends => {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            done => {
                done?;
                break;
            }
        }
    }
    heed(app, &ended).await;
    Ok(())
}

/// What an answer says of the number or of the template, once the message's own fate is written. A fault here is no fault
/// of the message: the next such answer says it again.
async fn heed(app: &App, ended: &Ended) {
    let Outcome::Refused(refusal) = &ended.outcome else { return };
    let (carrier, refused) = (ended.attempt.carrier.as_str(), (&ended.row, ended.attempt.started_at));
    if let Err(fault) = troubles::heed_refusal(app, carrier, refused, refusal.kind).await {
        tracing::warn!(carrier, error = fault.sentence(), "what a carrier said of itself could not be written down");
    }
}

/// Tells the circuits of the carrier and of the route how it went. Memory only.
fn observe(app: &App, claimed: &Claimed, outcome: &Outcome, now: Millis) {
    let (carrier, watch) = (claimed.attempt.carrier.as_str(), app.room::<Watch>());
    let step = app.carriers.circuits().record(carrier, outcome, now);
    watch.note_carrier(carrier, step, Some(outcome), now);
    if let Outcome::Refused(refusal) = outcome {
        troubles::alert(carrier, Cause { kind: refusal.kind, code: refusal.code });
    }
    let is_scripted = app.carriers.find(carrier).is_some_and(|carrier| carrier.is_scripted());
    if let Some(route) = claimed.attempt.route_id.filter(|_| !is_scripted) {
        let ended = watch::Ended { route, carrier, started: claimed.attempt.started_at, outcome };
        watch.record(&ended, step.1 == State::Closed, now);
    }
}

async fn send(app: &App, claimed: &Claimed) -> Outcome {
    let Some(carrier) = app.carriers.find(&claimed.attempt.carrier) else {
        return refused("provider.unavailable", "the carrier is not configured on this node");
    };
    match outgoing(&app.keyring, claimed, app.clock.now()) {
        Ok(message) => carrier.send(&message).await,
        Err(fault) => {
            tracing::error!(error = fault.cause_text().unwrap_or(fault.sentence()), "a message could not be rendered");
            refused("content.unreadable", "the message could not be rendered")
        }
    }
}

fn outgoing(keyring: &Keyring, claimed: &Claimed, now: Millis) -> Result<Outgoing> {
    let row = &claimed.row;
    let sealed = row.content.as_deref().ok_or_else(|| Error::internal("the content is gone"))?;
    let content = Content::open(keyring, row.id, sealed)?;
    let rendered = content.render(claimed.attempt.channel, row.org_id, keyring)?;
    Ok(Outgoing {
        message_id: row.id,
        attempt_id: claimed.attempt.id,
        org_id: row.org_id,
        mode: row.mode,
        channel: claimed.attempt.channel,
        to: claimed.to.clone(),
        from: claimed.from.clone(),
        text: Secret::new(rendered.text),
        code: content.code(row.org_id, keyring)?.map(Secret::new),
        template: content.call(claimed.attempt.channel, row.org_id, keyring)?,
        subject: rendered.subject,
        html: rendered.html.map(Secret::new),
        ttl_left: row.expires_at.since(now),
    })
}

fn refused(code: &'static str, detail: &str) -> Outcome {
    Outcome::Refused(crate::providers::Refusal {
        kind: crate::providers::RefusalKind::Route,
        code,
        detail: String::from(detail),
    })
}

fn note(claimed: &Claimed, outcome: &Outcome, now: Millis) {
    let word = match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Refused(_) => "refused",
        Outcome::Unknown { .. } => "unknown",
    };
    let carrier = claimed.attempt.carrier.clone();
    metrics::counter!("postern_hand_offs_total", "carrier" => carrier.clone(), "outcome" => word).increment(1);
    let took = now.since(claimed.attempt.started_at);
    metrics::histogram!("postern_hand_off_seconds", "carrier" => carrier).record(took.as_secs_f64());
    tracing::info!(outcome = word, duration_ms = whole_ms(took), "handed over");
}
