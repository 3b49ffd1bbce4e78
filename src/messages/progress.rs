//! What the next step of a message is: pure functions of (row, what happened, now).

use std::time::Duration;

use super::state::{Hold, Status};
use super::store::{Extra, Move, Row};
use crate::clock::Millis;
use crate::error::Code;
use crate::jobs::backoff;
use crate::providers::{Outcome, ReceiptState, Refusal, RefusalKind};
use crate::terms::Kind;

/// What is due for a claimed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Hand it over.
    HandOver,
    /// Its time is over: it is never sent late.
    Expire,
    /// A worker died with it in hand: it may have been sent, and is never sent again by itself.
    GiveUpAsUnknown,
}

/// What is due for a row whose time has come.
pub fn due_step(row: &Row, now: Millis) -> Due {
    match row.status {
        Status::Sending => Due::GiveUpAsUnknown,
        _ if row.expires_at <= now => Due::Expire,
        _ => Due::HandOver,
    }
}

/// Most rounds over all routes for passing causes; the time to live ends it earlier as a rule.
const MAX_ROUNDS: usize = 12;

/// The move of a row that expires.
pub fn expire(row: &Row, now: Millis) -> Move {
    Move { status: Status::Expired, next_at: None, content: None, hold: let_go(row.hold), ..Move::of(row, now) }
}

/// The move of a row whose hand-off may or may not have happened. The price stays held until the truth is known.
pub fn unknown(row: &Row, code: &str, now: Millis) -> Move {
    Move {
        status: Status::Unknown,
        next_at: None,
        error_code: Some(String::from(code)),
        content: kept_content(row, &row.extra_or_none()),
        ..Move::of(row, now)
    }
}

/// The move of a row after a hand-off to `carrier` ended with `outcome`.
pub fn after_outcome(row: &Row, carrier: &str, outcome: &Outcome, now: Millis, dice: u64) -> Move {
    match outcome {
        Outcome::Accepted { state, .. } => {
            let status = state.map_or(Status::Sent, status_of);
            let sent = Move { status, next_at: None, hold: charge(row.hold, status), ..Move::of(row, now) };
            match status {
                Status::Undelivered | Status::Failed => fall_back_or(row, sent, now),
                _ => Move { content: kept_content(row, &row.extra_or_none()), error_code: None, ..sent },
            }
        }
        Outcome::Refused(refusal) => after_refusal(row, carrier, refusal, now, dice),
        Outcome::Unknown { code, .. } => unknown(row, code, now),
    }
}

/// The move of a row after a receipt; `None` where it changes nothing.
pub fn after_receipt(row: &Row, receipt: ReceiptState, error_code: Option<&str>, now: Millis) -> Option<Move> {
    let status = row.status.after_receipt(receipt)?;
    let never_sent = status == Status::Failed && matches!(row.status, Status::Unknown | Status::Sending);
    let hold = if never_sent { let_go(row.hold) } else { charge(row.hold, status) };
    let failed = matches!(status, Status::Undelivered | Status::Failed);
    let moved = Move {
        status,
        next_at: None,
        hold,
        error_code: if failed { error_code.map(String::from).or_else(|| row.error_code.clone()) } else { None },
        ..Move::of(row, now)
    };
    if failed {
        return Some(fall_back_or(row, moved, now));
    }
    Some(Move { content: kept_content(row, &row.extra_or_none()), ..moved })
}

/// No route can take it now: wait and look again, or give up where its time would be over by then.
pub fn no_route_now(row: &Row, wait: Duration, now: Millis) -> Move {
    let at = now.plus(wait);
    if at >= row.expires_at {
        return fall_back_or(row, fail(row, "provider.unavailable", now), now);
    }
    Move { status: Status::Queued, next_at: Some(at), ..Move::of(row, now) }
}

/// The recipient has said since that it wants no messages.
pub fn opted_out(row: &Row, now: Millis) -> Move {
    fail(row, Code::RecipientOptedOut.as_str(), now)
}

/// There is no route at all: another channel, or the end.
pub fn no_route(row: &Row, now: Millis) -> Move {
    fall_back_or(row, fail(row, "provider.unavailable", now), now)
}

fn after_refusal(row: &Row, carrier: &str, refusal: &Refusal, now: Millis, dice: u64) -> Move {
    let failed = fail(row, refusal.code, now);
    let mut extra = row.extra_or_none();
    match refusal.kind {
        RefusalKind::Final => fall_back_or(row, failed, now),
        RefusalKind::Route | RefusalKind::Throttled(_) => {
            extra.tried.push(String::from(carrier));
            // Where every route has refused, the claim that comes next sees it and starts another round.
            let wait = match refusal.kind {
                RefusalKind::Throttled(wait) => wait,
                _ => backoff::after(u32::try_from(extra.rounds + 1).unwrap_or(u32::MAX), dice),
            };
            Move {
                status: Status::Queued,
                next_at: Some(now),
                error_code: Some(String::from(refusal.code)),
                extra: Extra { retry_wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), ..extra }.to_json(),
                ..Move::of(row, now)
            }
        }
    }
}

/// Every route of this channel has refused: another channel if there is one; a further round after a wait where the
/// causes may pass and there is time; else the end.
pub fn routes_exhausted(row: &Row, now: Millis) -> Move {
    let extra = row.extra_or_none();
    let code = row.error_code.clone().unwrap_or_else(|| String::from("provider.unavailable"));
    let passing = matches!(code.as_str(), "provider.unreachable" | "provider.throttled" | "provider.unavailable");
    let at = now.plus(Duration::from_millis(extra.retry_wait_ms.max(500)));
    let failed = fail(row, &code, now);
    if !extra.has_fallback() && passing && extra.rounds < MAX_ROUNDS && at < row.expires_at {
        let next = Extra { tried: Vec::new(), rounds: extra.rounds + 1, ..extra };
        return Move { status: Status::Queued, next_at: Some(at), extra: next.to_json(), ..Move::of(row, now) };
    }
    fall_back_or(row, failed, now)
}

fn fail(row: &Row, code: &str, now: Millis) -> Move {
    Move {
        status: Status::Failed,
        next_at: None,
        error_code: Some(String::from(code)),
        content: None,
        hold: let_go(row.hold),
        ..Move::of(row, now)
    }
}

/// `ended`, unless another channel is left and there is time: then the row goes on by that one. The price was agreed
/// for the message, whatever channel carries it: a hold that was let go stays held while another channel is tried.
fn fall_back_or(row: &Row, ended: Move, now: Millis) -> Move {
    let extra = row.extra_or_none();
    if !extra.has_fallback() || row.expires_at <= now || row.content.is_none() {
        return Move { content: None, ..ended };
    }
    let next = Extra { fallback_used: extra.fallback_used + 1, tried: Vec::new(), rounds: 0, ..extra };
    let hold = if ended.hold == Hold::Released { row.hold } else { ended.hold };
    Move {
        status: Status::Queued,
        next_at: Some(now),
        extra: next.to_json(),
        hold,
        content: row.content.clone(),
        ..ended
    }
}

/// What is said is kept only while another channel may have to say it; codes are erased at once.
fn kept_content(row: &Row, extra: &Extra) -> Option<Vec<u8>> {
    let needed = extra.has_fallback() || row.kind != Kind::Otp;
    row.content.clone().filter(|_| needed)
}

fn status_of(state: ReceiptState) -> Status {
    match state {
        ReceiptState::Sent => Status::Sent,
        ReceiptState::Delivered => Status::Delivered,
        ReceiptState::Undelivered => Status::Undelivered,
        ReceiptState::Failed => Status::Failed,
    }
}

fn let_go(hold: Hold) -> Hold {
    if hold.is_open() { Hold::Released } else { hold }
}

/// What becomes of the price of a message that was handed over and now stands at `status`.
fn charge(hold: Hold, status: Status) -> Hold {
    match (hold, status) {
        (Hold::Held, _) | (Hold::ForDelivery, Status::Delivered) => Hold::Settled,
        (Hold::ForDelivery, Status::Undelivered | Status::Failed) => Hold::Released,
        _ => hold,
    }
}

/// The move of a message that is charged at delivery and of which no word came: it is free.
pub fn unproven(row: &Row, now: Millis) -> Move {
    Move { hold: let_go(row.hold), ..Move::of(row, now) }
}
