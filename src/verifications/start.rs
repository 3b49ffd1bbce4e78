//! Starts a verification, or joins the one that is pending for the same destination.

use super::desk::{Ask, Desk, Done, Outcome};
use super::new::NewVerification;
use super::send::{Sent, Way, accept, prepare, send_code};
use super::state::Status;
use super::store::{self, Row, Spec};
use super::told::tell;
use super::view::stored_view;
use super::workflow::schedule;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::VerificationId;
use crate::messages::{Accept, ItemOutcome, client_macs, rehearse};
use crate::phone::address_mac;

/// Starts a verification: 201 with it, its first code on its way. Errors: what refuses a message.
pub async fn start(ask: Ask, new: NewVerification) -> Result<Done> {
    let desk = ask.desk().await?;
    ask.commit(move |conn, now| {
        if let Some(closed) = closed_step(&desk, &new) {
            return Err(closed);
        }
        let (mut row, is_new) = open(conn, &desk, &new, now)?;
        let way = Way { channel: new.channel, to: new.to.clone() };
        match send_code(conn, &desk, &mut row, &way, now)? {
            Sent::Taken(view) => {
                if is_new || !new.workflow.is_empty() {
                    schedule(conn, &mut row, now)?;
                }
                store::save(conn, &row)?;
                if is_new {
                    tell(conn, &row, now)?;
                }
                Ok(Outcome::Done { stored: stored_view(conn, &row, now, 201)?, view, is_sending: true })
            }
            Sent::Refused { error, is_kept: true } => {
                if is_new {
                    store::delete(conn, row.id)?;
                }
                Ok(Outcome::Refused(error))
            }
            Sent::Refused { error, .. } => Err(error),
        }
    })
    .await
}

/// Decides a start and takes nothing.
pub async fn rehearse_start(ask: Ask, new: NewVerification) -> Result<(Accept, ItemOutcome)> {
    let desk = ask.desk().await?;
    let clock = ask.app.clock.clone();
    ask.app
        .db
        .read(move |conn| {
            let now = clock.now();
            let mut row = fresh(&desk, &new, now)?;
            let pending = store::find_pending(conn, (row.org_id, row.mode), &row.recipient_mac)?;
            if let Some(pending) = pending.filter(|pending| pending.life().at(now) == Status::Pending) {
                row = joined(&desk, pending, &new)?;
            }
            let way = Way { channel: new.channel, to: new.to.clone() };
            let mut item = prepare(&desk, &row, &way, now)?;
            item.refusal = closed_step(&desk, &new).or(item.refusal);
            let accept = accept(&desk, item);
            let outcome = rehearse(conn, &clock, &accept)?.outcomes.pop();
            Ok((accept, outcome.ok_or_else(|| Error::internal("a rehearsal without an outcome"))?))
        })
        .await
}

/// A workflow that names a channel which nobody has yet is refused whole, like that channel itself.
fn closed_step(desk: &Desk, new: &NewVerification) -> Option<Error> {
    let is_closed = new.workflow.iter().any(|step| desk.bench.lacks(&desk.caller, step.channel));
    is_closed.then(|| Error::new(Code::ChannelNotEnabled))
}

/// The verification to send for, held until the transaction ends, and whether it is new. Of two that start at once
/// one inserts; the other waits for it at the unique index, and joins.
fn open(conn: &mut Conn, desk: &Desk, new: &NewVerification, now: Millis) -> Result<(Row, bool)> {
    let fresh = fresh(desk, new, now)?;
    for _ in 0..TRIES {
        if let Some(pending) = store::find_pending_locked(conn, (fresh.org_id, fresh.mode), &fresh.recipient_mac)? {
            match pending.life().at(now) {
                Status::Pending => return Ok((joined(desk, pending, new)?, false)),
                ended => store::decide(conn, pending.id, ended, now)?,
            };
        }
        if store::insert(conn, &fresh)? {
            return Ok((fresh, true));
        }
    }
    Err(Error::new(Code::Overloaded).cause("another start of the same verification kept getting in between"))
}

/// Each further try means that a verification was started and decided by others between two statements.
const TRIES: u32 = 3;

fn joined(desk: &Desk, mut pending: Row, new: &NewVerification) -> Result<Row> {
    let mut spec = pending.spec()?;
    spec.join(new, client_macs(&desk.bench.keyring, (desk.caller.org_id(), desk.caller.mode()), &new.client));
    if !new.workflow.is_empty() {
        pending.step = 0;
    }
    if new.named.locale {
        pending.locale = String::from(new.locale.as_str());
    }
    pending.spec = spec.to_json()?;
    Ok(pending)
}

fn fresh(desk: &Desk, new: &NewVerification, now: Millis) -> Result<Row> {
    let spec = Spec::of(new, client_macs(&desk.bench.keyring, (desk.caller.org_id(), desk.caller.mode()), &new.client));
    Ok(Row {
        id: VerificationId::new(now),
        org_id: desk.caller.org_id(),
        key_id: desk.caller.key_id(),
        mode: desk.caller.mode(),
        recipient: String::from(new.to.address()),
        recipient_mac: address_mac(&desk.bench.keyring, new.to.address()),
        country: new.to.country(),
        channel: new.channel,
        locale: String::from(new.locale.as_str()),
        code_length: i16::from(new.code_length.digits()),
        resend_policy: new.resend_policy,
        status: Status::Pending,
        checks: 0,
        max_checks: new.max_checks,
        sends: 0,
        step: 0,
        spec: spec.to_json()?,
        request_id: desk.request_id.clone(),
        last_send_at: now,
        expires_at: now.plus(new.ttl),
        decided_at: None,
        created_at: now,
        updated_at: now,
    })
}
