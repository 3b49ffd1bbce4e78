//! The causes of a state in the reader's language, made of their kind and figures.

use serde_json::Value;

use crate::clock::Millis;
use crate::console::cells::plain;
use crate::console::told::filled;
use crate::words::Words;

/// The sentence of `cause`, one of `/v1/admin/overview`; in the API's own words where its kind is not known here.
pub(super) fn sentence(cause: &Value, words: Words, now: Millis) -> String {
    let text = |name: &str| cause.get(name).map(plain).unwrap_or_default();
    let since = cause.get("since").and_then(Value::as_str).and_then(Millis::parse_rfc3339);
    let hour = since.map_or_else(|| String::from("–"), hour_of);
    let why = Some(text("reason")).filter(|why| !why.is_empty());
    let why = why.unwrap_or_else(|| String::from(words.say("no reason given")));
    match text("kind").as_str() {
        "paused" if text("subject") == "all" => {
            filled(words.say("All live messages are stopped since {1} by {2}: {3}."), &[hour, text("by"), why])
        }
        "paused" => filled(
            words.say("Live messages for {1} are stopped since {2} by {3}: {4}."),
            &[text("subject"), hour, text("by"), why],
        ),
        "messages_failing" => filled(words.say("{1} of the last {2} messages failed."), &[text("count"), text("of")]),
        "carrier_failing" if text("traffic_on").is_empty() => {
            filled(words.say("Carrier {1} takes nothing since {2}; nothing goes by another."), &[text("carrier"), hour])
        }
        "carrier_failing" => filled(
            words.say("Carrier {1} takes nothing since {2}; its traffic goes by {3}."),
            &[text("carrier"), hour, text("traffic_on")],
        ),
        "pumping" => filled(
            words.say("Pumping suspected: {1} is held since {2}, {3} refused."),
            &[text("subject"), hour, text("count")],
        ),
        "queue_old" => {
            let waited = since.map(|since| now.since(since).as_secs()).unwrap_or_default();
            filled(words.say("{1} messages wait, the oldest for {2} s."), &[text("count"), waited.to_string()])
        }
        "disk_low" => {
            filled(words.say("The disk is nearly full: {1} of {2} MiB are free."), &[text("count"), text("of")])
        }
        _ => text("text"),
    }
}

/// Hours and minutes of a moment, UTC.
fn hour_of(at: Millis) -> String {
    at.rfc3339().get(11..16).map_or_else(|| at.rfc3339(), |text| format!("{text} UTC"))
}
