//! One write shape for everything that happens to a message after its acceptance: the row, the money, the timeline,
//! the word to webhooks.

use std::collections::BTreeMap;
use std::time::Duration;

use super::hand_offs;
use super::lost::note_lost;
use super::progress;
use super::state::{Hold, Status};
use super::store::{self, Event, Move, Row};
use super::told::tell;
use super::troubles::Trouble;
use super::view::MessageView;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::failpoint;
use crate::ids::{EventId, MessageId, OrgId};
use crate::providers::{Receipt, ReceiptState};
use crate::text::redact;
use crate::wallet::{self, Charge};

/// Who moved a message and what is worth knowing besides.
pub struct Moved {
    /// `carrier`, `receipt`, `ttl`, `lease`, `routing`, `client` or `operator`.
    pub by: &'static str,
    /// For the timeline.
    pub detail: serde_json::Value,
}

impl Moved {
    /// By `by`, with nothing more to say.
    pub fn by(by: &'static str) -> Moved {
        Moved { by, detail: serde_json::Value::Null }
    }
}

/// A message on its way from one state to the next.
pub struct Step<'a> {
    /// The message as it stands.
    pub row: &'a Row,
    /// As it shall stand.
    pub to: &'a Move,
    /// By whom.
    pub moved: &'a Moved,
}

/// Moves a message that still stands where `row` says, with its money and its timeline; `false` where somebody moved
/// it first, and nothing is written.
pub fn move_row(conn: &mut Conn, row: &Row, to: &Move, moved: &Moved, now: Millis) -> Result<bool> {
    Ok(move_rows(conn, &[Step { row, to, moved }], now)?.pop().unwrap_or(false))
}

/// The same for many messages at once: which of them moved.
pub fn move_rows(conn: &mut Conn, steps: &[Step<'_>], now: Millis) -> Result<Vec<bool>> {
    let moves: Vec<(&Row, &Move)> = steps.iter().map(|step| (step.row, step.to)).collect();
    let moved = store::apply(conn, &moves)?;
    let done: Vec<&Step<'_>> = steps.iter().zip(&moved).filter(|(_, moved)| **moved).map(|(step, _)| step).collect();
    let charges: Vec<Charge> = done
        .iter()
        .filter(|step| step.row.hold.is_open() && step.to.hold == Hold::Settled)
        .map(|step| charge(step.row))
        .collect();
    let released: Vec<Charge> = done
        .iter()
        .filter(|step| step.row.hold.is_open() && step.to.hold == Hold::Released)
        .map(|step| charge(step.row))
        .collect();
    if !released.is_empty() {
        failpoint::pass("settle.release")?;
    }
    // Before the wallets: the order in which acceptance takes these rows.
    wallet::give_back(conn, &unused(&done))?;
    wallet::settle(conn, &charges, &released, now)?;
    let events: Vec<Event> = done.iter().map(|step| event(step, now)).collect();
    store::insert_events(conn, &events)?;
    tell(conn, &done.iter().map(|step| (step.row, step.to)).collect::<Vec<_>>(), now)?;
    note_lost(conn, &done, now)?;
    for step in done {
        let labels = [("channel", step.row.channel.as_str()), ("status", step.to.status.as_str())];
        metrics::counter!("postern_messages_total", &labels).increment(1);
    }
    Ok(moved)
}

/// What of free allowances comes back: of messages that end and that no carrier ever had.
fn unused(done: &[&Step<'_>]) -> BTreeMap<(OrgId, String), i64> {
    let mut back = BTreeMap::new();
    for step in done.iter().filter(|step| was_never_taken(step.row.status, step.to.status)) {
        let extra = step.row.extra_or_none();
        if let (Some(month), 0) = (extra.free_month, extra.fallback_used) {
            *back.entry((step.row.org_id, month)).or_default() += 1;
        }
    }
    back
}

/// Whether a message that went so ended without a carrier: called back, too late, or refused by all it was offered to.
fn was_never_taken(from: Status, to: Status) -> bool {
    let waited = matches!(from, Status::Scheduled | Status::Queued | Status::Sending | Status::Unknown);
    waited && matches!(to, Status::Canceled | Status::Expired | Status::Failed)
}

fn charge(row: &Row) -> Charge {
    Charge {
        owner: (row.org_id, row.mode),
        message_id: row.id,
        amount: row.price_micros,
        currency: row.currency,
        key_id: row.key_id,
        channel: row.channel,
        country: row.country,
        parts: row.segments,
    }
}

fn event(step: &Step<'_>, now: Millis) -> Event {
    let (to, moved) = (step.to, step.moved);
    let mut detail = serde_json::json!({ "by": moved.by, "error_code": to.error_code, "next_at": to.next_at });
    if let (Some(into), serde_json::Value::Object(more)) = (detail.as_object_mut(), &moved.detail) {
        into.extend(more.clone());
    }
    Event {
        id: EventId::new(now),
        message_id: step.row.id,
        kind: format!("message.{}", to.status),
        detail: detail.to_string(),
        at: now,
    }
}

/// How long a message that is charged at delivery may be without a word of it: no network keeps one longer.
const PROVEN_WITHIN: Duration = Duration::from_secs(7 * 86_400);

/// Lets go of the prices of messages that are charged at delivery and of which no word came in a week; how many.
pub fn release_unproven(conn: &mut Conn, now: Millis, limit: i64) -> Result<usize> {
    let rows = store::unproven(conn, now.minus(PROVEN_WITHIN), limit)?;
    let moves: Vec<Move> = rows.iter().map(|row| progress::unproven(row, now)).collect();
    let moved = Moved::by("no_receipt");
    let steps: Vec<Step<'_>> = rows.iter().zip(&moves).map(|(row, to)| Step { row, to, moved: &moved }).collect();
    move_rows(conn, &steps, now)?;
    Ok(rows.len())
}

crate::text_enum! {
    /// What an operator found out about a message whose fate was unknown.
    pub enum Settlement { Sent = "sent", Failed = "failed" }
}

/// Settles a message whose fate is unknown; how it was and how it is. Errors: `not_found`, and
/// `message.not_cancelable` where its fate is known.
pub fn settle_unknown(
    conn: &mut Conn,
    id: MessageId,
    outcome: Settlement,
    now: Millis,
) -> Result<(MessageView, MessageView)> {
    let row = store::find_message(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    let known =
        || Error::new(Code::MessageNotCancelable).detail("The message's fate is known; only unknown ones are settled.");
    if row.status != Status::Unknown {
        return Err(known());
    }
    let receipt = match outcome {
        Settlement::Sent => ReceiptState::Sent,
        Settlement::Failed => ReceiptState::Failed,
    };
    let to = progress::after_receipt(&row, receipt, (None, Some("settled.by_operator")), now).ok_or_else(known)?;
    move_row(conn, &row, &to, &Moved::by("operator"), now)?;
    let after = store::find_message(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    Ok((MessageView::of(&row)?, MessageView::of(&after)?))
}

/// Stores receipts and applies those whose hand-off is known; the others wait for it. Repeats change nothing. Why the
/// carrier gave up, of those that are no repeats.
pub fn take_receipts(conn: &mut Conn, carrier: &str, receipts: &[Receipt], now: Millis) -> Result<Vec<Trouble>> {
    failpoint::pass("receipts.before_write")?;
    // In one order, so that two batches of receipts never wait for each other.
    let mut receipts: Vec<&Receipt> = receipts.iter().collect();
    receipts.sort_by(|a, b| a.provider_id.cmp(&b.provider_id));
    let mut troubles = Vec::new();
    for receipt in receipts {
        store::hold_hand_offs(conn, &[(carrier, &receipt.provider_id)])?;
        let attempt = hand_offs::of_receipt(conn, carrier, receipt)?;
        // Kept under the hand-off's own id, so that a repeat in another form is one.
        let known = attempt.as_ref().filter(|_| receipt.forms.is_some()).and_then(|known| known.provider_id.clone());
        let row = store::ReceiptRow {
            carrier: String::from(carrier),
            provider_id: known.unwrap_or_else(|| receipt.provider_id.clone()),
            status: stored_status(receipt),
            message_id: attempt.as_ref().map(|attempt| attempt.message_id),
            error_code: stored_code(receipt),
            received_at: now,
        };
        if !store::insert_receipt(conn, &row)? {
            continue;
        }
        let about = attempt.as_ref().map(|attempt| (attempt.message_id, attempt.started_at));
        troubles.extend(receipt.cause.map(|cause| Trouble { cause, about }));
        if let Some(attempt) = attempt {
            apply(conn, &attempt, receipt.state, &row, now)?;
        }
    }
    Ok(troubles)
}

/// Applies what came before the hand-off's id was known.
pub fn apply_parked(conn: &mut Conn, attempt: &store::Attempt, now: Millis) -> Result<()> {
    let Some(provider_id) = &attempt.provider_id else { return Ok(()) };
    let parked = store::parked_receipts(conn, &attempt.carrier, provider_id)?;
    if parked.is_empty() {
        return Ok(());
    }
    store::claim_receipts(conn, &attempt.carrier, provider_id, attempt.message_id)?;
    for row in parked {
        apply(conn, attempt, state_of(&row.status), &row, now)?;
    }
    Ok(())
}

fn apply(
    conn: &mut Conn,
    attempt: &store::Attempt,
    state: Option<ReceiptState>,
    receipt: &store::ReceiptRow,
    now: Millis,
) -> Result<()> {
    let (Some(state), Some(row)) = (state, store::find_message(conn, attempt.message_id)?) else { return Ok(()) };
    // A hand-off that another one has followed can still tell of a delivery, and of nothing else: the message goes on.
    if attempt.number != row.attempts && state != ReceiptState::Delivered {
        return Ok(());
    }
    // A carrier that reports of a hand-off whose answer was lost has taken it.
    if attempt.state == store::AttemptState::Unknown && state != ReceiptState::Failed {
        wallet::post_costs(conn, attempt.cost(&row).as_slice(), now)?;
    }
    let (word, carriers_code) = read_code(receipt.error_code.as_deref());
    let known_route = (attempt.number == row.attempts).then_some(attempt.carrier.as_str());
    let Some(to) = progress::after_receipt(&row, state, (known_route, word), now) else { return Ok(()) };
    let mut detail = serde_json::json!({ "carrier": receipt.carrier, "provider_id": receipt.provider_id, "receipt": state_word(state) });
    if let (Some(detail), Some(code)) = (detail.as_object_mut(), carriers_code) {
        detail.insert(String::from("carrier_code"), code.into());
    }
    move_row(conn, &row, &to, &Moved { by: "receipt", detail }, now)?;
    Ok(())
}

/// A receipt is kept under our word where there is one, so that a parked one can be applied later, and under the
/// carrier's own where it means nothing to us: whatever a carrier writes there, codes and numbers do not stay.
fn stored_status(receipt: &Receipt) -> String {
    let own = || redact(&receipt.status).chars().take(60).collect();
    receipt.state.map_or_else(own, |state| String::from(state_word(state)))
}

/// Our word for the carrier's error code, where there is one, with that code behind it.
fn stored_code(receipt: &Receipt) -> Option<String> {
    match (receipt.cause, &receipt.error_code) {
        (Some(cause), Some(code)) => Some(format!("{} ({code})", cause.code)),
        (Some(cause), None) => Some(String::from(cause.code)),
        (None, code) => code.clone(),
    }
}

/// The word for the message and the carrier's own code beside it.
fn read_code(stored: Option<&str>) -> (Option<&str>, Option<&str>) {
    let ours = |word: &str| word.contains('.') && word.bytes().all(|b| b.is_ascii_lowercase() || b"._".contains(&b));
    let split = stored.and_then(|stored| stored.strip_suffix(')')?.split_once(" ("));
    match split.filter(|(word, _)| ours(word)) {
        Some((word, code)) => (Some(word), Some(code)),
        None => (stored, None),
    }
}

fn state_word(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Sent => "=sent",
        ReceiptState::Delivered => "=delivered",
        ReceiptState::Undelivered => "=undelivered",
        ReceiptState::Failed => "=failed",
    }
}

fn state_of(word: &str) -> Option<ReceiptState> {
    [ReceiptState::Sent, ReceiptState::Delivered, ReceiptState::Undelivered, ReceiptState::Failed]
        .into_iter()
        .find(|state| state_word(*state) == word)
}
