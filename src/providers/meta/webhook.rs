//! Meta's webhooks: several entries, changes and statuses in one. What is new or of another number is passed over,
//! for an answer that is not 200 makes Meta repeat the whole for days. Pure.

use serde_json::Value;

use super::errors::verdict_of;
use super::{numbers, templates};
use crate::clock::Millis;
use crate::providers::http_api::{Heard, as_json, inbound, look_up, text_at, word_at};
use crate::providers::{Cause, HookFault, Receipt, ReceiptState, Report};
use crate::terms::Channel;

/// Most reports that one webhook may hold.
const MOST_REPORTS: usize = 2000;

/// `delivered` may be left out; `read` says it too.
const STATES: &[(&str, ReceiptState)] = &[
    ("sent", ReceiptState::Sent),
    ("delivered", ReceiptState::Delivered),
    ("read", ReceiptState::Delivered),
    ("played", ReceiptState::Delivered),
    ("failed", ReceiptState::Failed),
];

/// The reports of the number `phone_number_id` and of the business account `waba` that it belongs to. Errors: malformed
/// where it is no webhook of WhatsApp's at all.
pub fn read(body: &[u8], phone_number_id: &str, waba: Option<&str>) -> Result<Vec<Report>, HookFault> {
    let json = as_json(body)?;
    let entries = json.get("entry").and_then(Value::as_array).ok_or(HookFault::Malformed)?;
    let changes = entries.iter().flat_map(|entry| rows(entry, "/changes"));
    let own = |value: &&Value| text_at(value, "/metadata/phone_number_id") == Some(phone_number_id);
    let values = changes.filter(|change| text_at(change, "/field") == Some("messages"));
    let values: Vec<&Value> = values.filter_map(|change| change.get("value")).filter(own).collect();
    let told = values.into_iter().flat_map(|value| {
        let receipts = rows(value, "/statuses").iter().filter_map(|status| receipt(status).ok());
        let messages = rows(value, "/messages").iter().filter_map(move |message| written(value, message).ok());
        let troubles = rows(value, "/errors").iter().filter_map(|error| cause(error).map(Report::Trouble));
        receipts.chain(messages).chain(troubles).collect::<Vec<_>>()
    });
    let of_numbers = entries.iter().flat_map(|entry| numbers::reports(entry, phone_number_id)).map(Report::Number);
    let told: Vec<Report> = told.chain(of_numbers).chain(of_templates(entries, waba)).take(MOST_REPORTS + 1).collect();
    if told.len() > MOST_REPORTS { Err(HookFault::Malformed) } else { Ok(told) }
}

/// What the business account's own entries say of its templates.
fn of_templates<'a>(entries: &'a [Value], waba: Option<&'a str>) -> impl Iterator<Item = Report> + 'a {
    let own =
        entries.iter().filter_map(move |entry| Some((entry, waba.filter(|waba| text_at(entry, "/id") == Some(waba))?)));
    own.flat_map(|(entry, waba)| {
        let at = entry.get("time").and_then(Value::as_i64);
        rows(entry, "/changes").iter().filter_map(move |change| templates::told(waba, at, change)).map(Report::Template)
    })
}

pub(super) fn rows<'a>(json: &'a Value, pointer: &str) -> &'a [Value] {
    json.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn receipt(status: &Value) -> Result<Report, HookFault> {
    let word = text_at(status, "/status");
    let error = word_at(status, "/errors/0/code");
    let heard = Heard {
        id: text_at(status, "/id"),
        reference: text_at(status, "/biz_opaque_callback_data"),
        status: word,
        state: word.and_then(|word| look_up(STATES, word)),
        error: error.as_deref(),
    };
    Ok(match heard.report()? {
        Report::Receipt(receipt) => {
            Report::Receipt(Receipt { cause: status.pointer("/errors/0").and_then(cause), ..receipt })
        }
        other => other,
    })
}

/// What an error of a status, or of the number as such, asks of us.
fn cause(error: &Value) -> Option<Cause> {
    Some(verdict_of(error.get("code")?.as_i64()?)?.cause())
}

/// Somebody who has a user name may come without a number, known by an id of the business's own.
fn written(value: &Value, message: &Value) -> Result<Report, HookFault> {
    let sender = ["/from", "/from_user_id"].iter().find_map(|pointer| text_at(message, pointer));
    let from = sender.or_else(|| text_at(value, "/contacts/0/user_id"));
    let to = text_at(value, "/metadata/display_phone_number").or(text_at(value, "/metadata/phone_number_id"));
    let texts = ["/text/body", "/button/text", "/interactive/button_reply/title", "/interactive/list_reply/title"];
    let text = texts.iter().find_map(|pointer| text_at(message, pointer)).unwrap_or_default();
    let mut report = inbound(Channel::Whatsapp, text_at(message, "/id"), (from, to), text)?;
    if let Report::Inbound(written) = &mut report {
        // Seconds, as a text. What Meta could not deliver comes days later, and opens no session then.
        let secs = word_at(message, "/timestamp").and_then(|secs| secs.parse::<i64>().ok());
        written.sent_at = secs.and_then(|secs| secs.checked_mul(1_000)).map(Millis);
    }
    Ok(report)
}
