//! Handing a test message over, once.

use std::time::Duration;

use super::order::{Due, TEXT};
use super::store::{self, Row};
use super::view::TrialStatus;
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{AttemptId, MessageId, OrgId};
use crate::jobs;
use crate::providers::{Outcome, Outgoing, ReceiptState};
use crate::secret::{Keyring, Purpose, Secret};
use crate::templates::{self, Chosen, Values};
use crate::terms::{Channel, Mode};

/// Test messages of one round. One is claimed at a time: its lease is then longer than any carrier takes.
const ROUNDS: usize = 5;
/// After so long nobody waits for it any more.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Hands over the test messages that are due; how many were. The worker calls this in its loop, tests by hand.
pub async fn run_trials(app: &App) -> Result<usize> {
    let mut count = 0;
    for _ in 0..ROUNDS {
        match jobs::run_due::<Due, _, _>(&app.db, &app.clock, 1, |payload| hand_over(app, payload)).await? {
            0 => break,
            done => count += done,
        }
    }
    Ok(count)
}

/// What is needed to send it.
struct InHand {
    row: Row,
    to: String,
    chosen: Option<Chosen>,
}

async fn hand_over(app: &App, payload: String) -> Result<()> {
    let Due { id } = serde_json::from_str(&payload).map_err(Error::internal)?;
    let (keyring, now) = (app.keyring.clone(), app.clock.now());
    let taken = app
        .db
        .write(move |conn| match store::find(conn, id)? {
            Some(row) => take(conn, &keyring, row, now),
            None => Ok(None),
        })
        .await?;
    let Some(in_hand) = taken else { return Ok(()) };
    let outcome = send(app, &in_hand).await;
    let row = ended(in_hand.row, outcome, app.clock.now());
    tracing::info!(test.id = %row.id, carrier = %row.carrier, outcome = %row.status, "a test message was handed over");
    app.db.write(move |conn| store::save(conn, &row, TrialStatus::Sending)).await.map(drop)
}

/// Takes it in hand, committed before the carrier is called, so that it is never sent twice. Nothing where it is not to be
/// sent: too late, or somebody had it in hand and did not come back.
fn take(conn: &mut Conn, keyring: &Keyring, row: Row, now: Millis) -> Result<Option<InHand>> {
    let was = row.status;
    let sealed = row.address.clone().filter(|_| was == TrialStatus::Waiting && now.since(row.created_at) < PATIENCE);
    let address = sealed.and_then(|sealed| keyring.open(Purpose::Body, row.id.as_str().as_bytes(), &sealed));
    let row = Row { address: None, ..row };
    match (was, address) {
        (TrialStatus::Waiting, Some(address)) => {
            let to = String::from_utf8(address).map_err(Error::internal)?;
            let chosen = row.template.map(|id| templates::approved(conn, id)).transpose()?.flatten();
            let row = Row { status: TrialStatus::Sending, started_at: Some(now), ..row };
            Ok(store::save(conn, &row, was)?.then_some(InHand { row, to, chosen }))
        }
        (TrialStatus::Waiting, None) => {
            store::save(conn, &Row { status: TrialStatus::Expired, ended_at: Some(now), ..row }, was)?;
            Ok(None)
        }
        (TrialStatus::Sending, _) => {
            let code = Some(String::from("worker.lost"));
            let lost = Row { status: TrialStatus::Unknown, error_code: code, ended_at: Some(now), ..row };
            store::save(conn, &lost, was)?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

async fn send(app: &App, in_hand: &InHand) -> Outcome {
    let row = &in_hand.row;
    let Some(carrier) = app.carriers.find(&row.carrier) else {
        return refused("provider.unavailable", "the carrier is not configured on this node");
    };
    if row.template.is_some() && in_hand.chosen.is_none() {
        return refused("template.not_approved", "the template may not be sent any more");
    }
    match outgoing(in_hand, app.clock.now()) {
        Ok(message) => {
            app.carriers.count(&row.carrier, app.nodes.working(), app.clock.now());
            carrier.send(&message).await
        }
        Err(_) => refused("content.unreadable", "the message could not be rendered"),
    }
}

/// A message of nobody's: with no organization, and no code. A template is filled with its examples.
fn outgoing(in_hand: &InHand, now: Millis) -> Result<Outgoing> {
    let row = &in_hand.row;
    let values = in_hand.chosen.as_ref().map(|chosen| Values::of_examples(&chosen.words, "Postern"));
    let filled = in_hand.chosen.as_ref().zip(values.as_ref());
    let rendered = filled.map(|(chosen, values)| chosen.render(values)).transpose()?;
    let call = filled.map(|(chosen, values)| chosen.call(values)).transpose()?.flatten();
    let (text, subject) = match rendered {
        Some(rendered) => (rendered.text, rendered.subject),
        None => (String::from(TEXT), (row.channel == Channel::Email).then(|| String::from("Postern test message"))),
    };
    Ok(Outgoing {
        message_id: MessageId::new(now),
        attempt_id: AttemptId::new(now),
        org_id: OrgId::first_at(Millis(0)),
        mode: Mode::Live,
        channel: row.channel,
        to: in_hand.to.clone(),
        from: None,
        text: Secret::new(text),
        code: None,
        template: call,
        subject,
        html: None,
        ttl_left: PATIENCE,
    })
}

fn refused(code: &'static str, detail: &str) -> Outcome {
    let kind = crate::providers::RefusalKind::Final;
    Outcome::Refused(crate::providers::Refusal { kind, code, detail: String::from(detail) })
}

fn ended(row: Row, outcome: Outcome, now: Millis) -> Row {
    let row = Row { ended_at: Some(now), ..row };
    match outcome {
        Outcome::Accepted { provider_id, state } => {
            let state = state.map(|state| String::from(word(state)));
            Row { status: TrialStatus::Accepted, provider_id, state, ..row }
        }
        Outcome::Refused(refusal) => Row {
            status: TrialStatus::Refused,
            error_code: Some(String::from(refusal.code)),
            detail: Some(refusal.detail),
            ..row
        },
        Outcome::Unknown { code, detail } => {
            Row { status: TrialStatus::Unknown, error_code: Some(String::from(code)), detail: Some(detail), ..row }
        }
    }
}

fn word(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Sent => "sent",
        ReceiptState::Delivered => "delivered",
        ReceiptState::Undelivered => "undelivered",
        ReceiptState::Failed => "failed",
    }
}
