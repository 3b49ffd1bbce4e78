//! What the next step of a message is: pure functions of (row, what happened, now).

use std::time::Duration;

use super::state::{Hold, Status};
use super::store::{Extra, Move, Row};
use crate::clock::{Millis, whole_ms};
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
    /// It was sent, and no word of its arrival has come: the next channel, or no more waiting.
    FallSilent,
    /// A worker died with it in hand: it may have been sent, and is never sent again by itself.
    GiveUpAsUnknown,
}

/// What is due for a row whose time has come.
pub fn due_step(row: &Row, now: Millis) -> Due {
    match row.status {
        Status::Sending => Due::GiveUpAsUnknown,
        Status::Sent => Due::FallSilent,
        _ if row.expires_at <= now => Due::Expire,
        _ => Due::HandOver,
    }
}

/// Most rounds over all routes for passing causes; the time to live ends it earlier as a rule.
const MAX_ROUNDS: usize = 12;

/// Too much from one WhatsApp number to one recipient.
const PAIR_LIMIT: &str = Code::WhatsappPairLimit.as_str();
/// The longest wait for a pair that was refused.
const LONGEST_PAIR_REST_S: u64 = 4_096;
/// How often a code waits for its pair where another channel could say it.
const CODE_WAITS: usize = 2;
/// The wait before another round where a carrier gave up on what it had taken.
const AGAIN: Duration = Duration::from_secs(5);

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
                _ => {
                    let (content, next_at) = (kept_content(row, &row.extra_or_none()), patience_ends(row, status, now));
                    Move { content, error_code: None, next_at, ..sent }
                }
            }
        }
        Outcome::Refused(refusal) => after_refusal(row, carrier, refusal, now, dice),
        Outcome::Unknown { code, .. } => unknown(row, code, now),
    }
}

/// The move of a row after a receipt from `carrier`, whose reason is `error_code`; `None` where it changes nothing. What
/// the carrier took and then gave up on for a passing cause is tried again, as if it had refused it, as long as what it
/// says is kept; a code is not, unless another channel may have to say it.
pub fn after_receipt(
    row: &Row,
    receipt: ReceiptState,
    (carrier, error_code): (Option<&str>, Option<&str>),
    now: Millis,
) -> Option<Move> {
    let status = match row.status.after_receipt(receipt) {
        // It was about to go by another channel, and has arrived by the one before.
        None if row.status == Status::Queued && row.attempts > 0 && receipt == ReceiptState::Delivered => {
            Status::Delivered
        }
        status => status?,
    };
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
    if let (true, Some(carrier), Some(code)) = (failed && row.content.is_some(), carrier, error_code)
        && (is_passing(code) || code == PAIR_LIMIT)
        && row.expires_at > now
    {
        // What was let go stays held while it is tried again, as with another channel.
        let again = Row { hold: if hold == Hold::Released { row.hold } else { hold }, ..row.clone() };
        return Some(if code == PAIR_LIMIT {
            pair_wait(&again, now)
        } else {
            try_again(&again, (carrier, code), AGAIN, now)
        });
    }
    if failed {
        return Some(fall_back_or(row, moved, now));
    }
    let next_at = patience_ends(row, status, now);
    Some(Move { content: kept_content(row, &row.extra_or_none()), next_at, ..moved })
}

/// When a message that is sent now has been silent for too long; `None` where that leads nowhere.
fn patience_ends(row: &Row, status: Status, now: Millis) -> Option<Millis> {
    let extra = row.extra_or_none();
    let wait = extra.patience(row.way(&extra).0).filter(|_| status == Status::Sent)?;
    Some(now.plus(wait)).filter(|at| *at < row.expires_at)
}

/// The move of a row that was sent and of which no word has come within its patience. What was sent may still arrive:
/// its receipt is taken whenever it comes.
pub fn fall_silent(row: &Row, now: Millis) -> Move {
    let waited = Move { next_at: None, ..Move::of(row, now) };
    let fallen = fall_back_or(row, waited, now);
    Move {
        content: if fallen.status == Status::Sent { kept_content(row, &Extra::default()) } else { fallen.content },
        ..fallen
    }
}

/// No route can take it now, for the reason `code`: wait and look again, or give up where its time would be over by then.
pub fn no_route_now(row: &Row, (wait, code): (Duration, &str), now: Millis) -> Move {
    let at = now.plus(wait);
    if at >= row.expires_at {
        return fall_back_or(row, fail(row, code, now), now);
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
    let wait = match refusal.kind {
        RefusalKind::Final | RefusalKind::Template(_) => return fall_back_or(row, fail(row, refusal.code, now), now),
        RefusalKind::Pair => return pair_wait(row, now),
        RefusalKind::Throttled(wait) => wait,
        RefusalKind::Route | RefusalKind::Stop => {
            backoff::after(u32::try_from(row.extra_or_none().rounds + 1).unwrap_or(u32::MAX), dice)
        }
    };
    try_again(row, (carrier, refusal.code), wait, now)
}

/// Not by `carrier` in this round. Where every route has refused, the claim that comes next sees it and starts another.
fn try_again(row: &Row, (carrier, code): (&str, &str), wait: Duration, now: Millis) -> Move {
    let mut extra = row.extra_or_none();
    extra.tried.push(String::from(carrier));
    Move {
        status: Status::Queued,
        next_at: Some(now),
        error_code: Some(String::from(code)),
        extra: Extra { retry_wait_ms: whole_ms(wait), ..extra }.to_json(),
        ..Move::of(row, now)
    }
}

/// Too much from this number to this recipient: the same number again after 4^n s, as Meta asks, unless its time would be
/// over or a code that has another channel has waited twice.
fn pair_wait(row: &Row, now: Millis) -> Move {
    let extra = row.extra_or_none();
    let at = now.plus(pair_rest(extra.rounds));
    let is_late = row.kind == Kind::Otp && extra.has_fallback() && extra.rounds >= CODE_WAITS;
    if is_late || at >= row.expires_at {
        return fall_back_or(row, fail(row, PAIR_LIMIT, now), now);
    }
    Move {
        status: Status::Queued,
        next_at: Some(at),
        error_code: Some(String::from(PAIR_LIMIT)),
        extra: Extra { rounds: extra.rounds + 1, ..extra }.to_json(),
        ..Move::of(row, now)
    }
}

/// The wait after the `rounds`-th refusal of a pair (from 0): 4^n s.
pub fn pair_rest(rounds: usize) -> Duration {
    Duration::from_secs(4u64.saturating_pow(u32::try_from(rounds).unwrap_or(u32::MAX)).min(LONGEST_PAIR_REST_S))
}

/// Whether a cause may pass by itself.
fn is_passing(code: &str) -> bool {
    // Credentials are put right by an operator: until then codes wait, as long as they live.
    matches!(code, "provider.unreachable" | "provider.throttled" | "provider.unavailable" | "provider.auth")
}

/// Every route of this channel has refused: another channel if there is one; a further round after a wait where the
/// causes may pass and there is time; else the end.
pub fn routes_exhausted(row: &Row, now: Millis) -> Move {
    let extra = row.extra_or_none();
    let code = row.error_code.clone().unwrap_or_else(|| String::from("provider.unavailable"));
    let at = now.plus(Duration::from_millis(extra.retry_wait_ms.max(500)));
    let failed = fail(row, &code, now);
    if !extra.has_fallback() && is_passing(&code) && extra.rounds < MAX_ROUNDS && at < row.expires_at {
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
    // Who wants no marketing there is not looked up elsewhere.
    let unwanted = row.kind == Kind::Marketing && ended.error_code.as_deref() == Some(Code::RecipientOptedOut.as_str());
    if unwanted || !extra.has_fallback() || row.expires_at <= now || row.content.is_none() {
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
