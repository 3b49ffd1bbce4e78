//! Sends again, goes on to the next step of the workflow, or cancels: what may be done with a pending verification.

use super::desk::{Ask, Done, Outcome};
use super::new::takes;
use super::send::{Sent, Way, send_code};
use super::state::Status;
use super::store::{self, Row};
use super::told::tell;
use super::view::stored_view;
use super::workflow::{Advance, advance};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::VerificationId;
use crate::terms::Channel;

/// Sends the code once more, by `channel` or as the last time. The checks that are used up stay so.
/// Errors: `not_found`, `verification.already_decided`, what refuses a message.
pub async fn resend(ask: Ask, id: VerificationId, channel: Option<Channel>) -> Result<Done> {
    let (desk, owner) = (ask.desk().await?, ask.owner());
    ask.commit(move |conn, now| {
        let mut row = open(conn, owner, id, now)?;
        let way = way_of(&row, channel.unwrap_or(row.channel))?;
        match send_code(conn, &desk, &mut row, &way, now)? {
            Sent::Taken(view) => {
                store::save(conn, &row)?;
                Ok(Outcome::Done { stored: stored_view(conn, &row, now, 200)?, view, is_sending: true })
            }
            Sent::Refused { error, is_kept: true } => Ok(Outcome::Refused(error)),
            Sent::Refused { error, .. } => Err(error),
        }
    })
    .await
}

/// Does the next step of the workflow now. Errors: as for `resend`, and `validation_failed` where no step is left.
pub async fn next(ask: Ask, id: VerificationId) -> Result<Done> {
    let (desk, owner) = (ask.desk().await?, ask.owner());
    ask.commit(move |conn, now| {
        let mut row = open(conn, owner, id, now)?;
        match advance(conn, &desk, &mut row, now)? {
            Advance::Sent(view) => {
                store::save(conn, &row)?;
                Ok(Outcome::Done { stored: stored_view(conn, &row, now, 200)?, view, is_sending: true })
            }
            Advance::Refused { error, is_kept: true } => Ok(Outcome::Refused(error)),
            Advance::Refused { error, .. } => Err(error),
            Advance::AtEnd => Err(Error::field("workflow", "has no further step; use resend")),
        }
    })
    .await
}

/// Ends a pending verification: no code is good for it any more. Errors: `not_found`, `verification.already_decided`.
pub async fn cancel(ask: Ask, id: VerificationId) -> Result<Done> {
    let owner = ask.owner();
    ask.commit(move |conn, now| {
        let row = open(conn, owner, id, now)?;
        store::decide(conn, row.id, Status::Canceled, now)?;
        let row = Row { status: Status::Canceled, decided_at: Some(now), updated_at: now, ..row };
        tell(conn, &row, now)?;
        Ok(Outcome::quiet(stored_view(conn, &row, now, 200)?))
    })
    .await
}

fn open(conn: &mut Conn, owner: store::Owner, id: VerificationId, now: Millis) -> Result<Row> {
    let row = store::load_locked(conn, owner, id)?;
    if row.life().at(now) != Status::Pending {
        return Err(Error::new(Code::VerificationAlreadyDecided));
    }
    Ok(row)
}

/// To the address that is verified where `channel` reaches it, else to the one the workflow names for that channel.
fn way_of(row: &Row, channel: Channel) -> Result<Way> {
    let own = if row.recipient.contains('@') { Channel::Email } else { Channel::Sms };
    let main = Way::stored(own, &row.recipient)?;
    if takes(channel, &main.to) {
        return Ok(Way { channel, to: main.to });
    }
    let spec = row.spec()?;
    let step = spec.workflow.iter().find_map(|step| step.to.as_deref().filter(|_| step.channel == channel));
    match step {
        Some(address) => Way::stored(channel, address),
        None => Err(Error::field("channel", "needs an address of another kind, which this verification has none of")),
    }
}
