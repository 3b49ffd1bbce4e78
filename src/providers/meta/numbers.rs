//! What Meta's webhooks say of numbers and their limits, in every form that has been seen: words, numbers, members that
//! were renamed. Pure.
//! Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference>.

use serde_json::Value;

use super::webhook::rows;
use crate::clock::Millis;
use crate::providers::http_api::{text_at, word_at};
use crate::providers::{AccountFate, NumberEvent, NumberReport, ToldLimit};

/// Members that hold a limit, the newest name first. The last is of one phone and went away in 2026.
const LIMITS: [&str; 3] =
    ["/max_daily_conversations_per_business", "/current_limit", "/max_daily_conversation_per_phone"];

/// Longest word of Meta's that is kept.
const LONGEST_WORD: usize = 64;

/// What `entry` says of numbers; of people only where it is about the number `phone_number_id`.
pub fn reports(entry: &Value, phone_number_id: &str) -> Vec<NumberReport> {
    let account = word_at(entry, "/id");
    let at = entry.get("time").and_then(Value::as_i64).and_then(|secs| secs.checked_mul(1_000)).map(Millis);
    let of = |change: &Value| -> Vec<NumberReport> {
        let Some(value) = change.get("value") else { return Vec::new() };
        match text_at(change, "/field") {
            Some("phone_number_quality_update") => number(account.clone(), value, at).into_iter().collect(),
            Some("business_capability_update") => match (account.clone(), limit(value)) {
                (Some(account), Some(limit)) => vec![NumberReport::Account { account, limit, at }],
                _ => Vec::new(),
            },
            Some("account_alerts" | "account_update" | "security") => {
                fate(account.as_deref(), value, at).into_iter().chain(alert(account.clone(), change, value)).collect()
            }
            Some("messages") if text_at(value, "/metadata/phone_number_id") == Some(phone_number_id) => {
                people(value).into_iter().chain(faults(account.clone(), value)).collect()
            }
            _ => Vec::new(),
        }
    };
    rows(entry, "/changes").iter().flat_map(of).collect()
}

fn number(account: Option<String>, value: &Value, at: Option<Millis>) -> Option<NumberReport> {
    let event = match text_at(value, "/event") {
        Some("FLAGGED") => NumberEvent::Flagged,
        Some("UNFLAGGED") => NumberEvent::Unflagged,
        Some("THROUGHPUT_UPGRADE") => NumberEvent::Throughput,
        Some("ONBOARDING") => NumberEvent::Onboarded,
        _ => NumberEvent::Other,
    };
    let number = e164(text_at(value, "/display_phone_number")?)?;
    Some(NumberReport::Number { account, number, event, limit: limit(value), at })
}

/// The first of the members that says a limit.
fn limit(value: &Value) -> Option<ToldLimit> {
    LIMITS.iter().find_map(|member| read_limit(value.pointer(member)?))
}

/// `TIER_2K`, `TIER_UNLIMITED`, `2000`, `"2000"`, `-1`. `TIER_NOT_SET` and what is new say nothing.
fn read_limit(value: &Value) -> Option<ToldLimit> {
    let word = value.as_i64().map_or_else(|| value.as_str().map(String::from), |number| Some(number.to_string()))?;
    let word = word.strip_prefix("TIER_").unwrap_or(&word);
    if matches!(word, "-1" | "UNLIMITED") {
        return Some(ToldLimit::Unlimited);
    }
    let (digits, times) = match word.strip_suffix('K') {
        Some(digits) => (digits, 1_000),
        None => (word, 1),
    };
    let count: u32 = digits.parse().ok()?;
    count.checked_mul(times).filter(|count| *count > 0).map(ToldLimit::Contacts)
}

/// Pairs of a number and an id: who has a user name may write later under the id alone.
fn people(value: &Value) -> Vec<NumberReport> {
    let Some(number) = text_at(value, "/metadata/display_phone_number").and_then(e164) else { return Vec::new() };
    let person = |contact: &Value| {
        let (phone, user_id) = (text_at(contact, "/wa_id").and_then(e164)?, word_at(contact, "/user_id")?);
        Some(NumberReport::Person { number: number.clone(), phone, user_id })
    };
    rows(value, "/contacts").iter().filter_map(person).collect()
}

/// Errors that are of no message.
fn faults(account: Option<String>, value: &Value) -> Vec<NumberReport> {
    let fault = |error: &Value| {
        Some(NumberReport::Alert {
            account: account.clone(),
            number: text_at(value, "/metadata/display_phone_number").and_then(e164),
            kind: short(&format!("error.{}", word_at(error, "/code")?)),
            severity: None,
        })
    };
    rows(value, "/errors").iter().filter_map(fault).collect()
}

fn alert(account: Option<String>, change: &Value, value: &Value) -> Vec<NumberReport> {
    let names = ["/alert_info/alert_type", "/alert_type", "/event"];
    let kind = names.iter().find_map(|name| text_at(value, name)).or_else(|| text_at(change, "/field"));
    let severity = text_at(value, "/alert_info/alert_severity").or_else(|| text_at(value, "/alert_severity"));
    let number = ["/display_phone_number", "/phone_number"].iter().find_map(|name| text_at(value, name));
    vec![NumberReport::Alert {
        account,
        number: number.and_then(e164),
        kind: short(kind.unwrap_or_default()),
        severity: severity.map(short),
    }]
}

/// That the whole account may not send, or may again. A ban comes as one word, or as a list of one.
/// Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/account_update>.
fn fate(account: Option<&str>, value: &Value, at: Option<Millis>) -> Option<NumberReport> {
    let ban = || text_at(value, "/ban_info/waba_ban_state").or_else(|| text_at(value, "/ban_info/waba_ban_state/0"));
    let fate = match (text_at(value, "/event")?, ban()) {
        ("DISABLED_UPDATE", Some("DISABLE")) => AccountFate::Disabled,
        ("DISABLED_UPDATE", Some("REINSTATE")) => AccountFate::Reinstated,
        ("ACCOUNT_DELETED", _) => AccountFate::Deleted,
        // One that is to be disabled still sends.
        _ => return None,
    };
    Some(NumberReport::Fate { account: String::from(account?), fate, at })
}

fn short(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(LONGEST_WORD).collect()
}

/// Meta writes numbers with and without the plus, blanks and dashes.
fn e164(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (7..=15).contains(&digits.len()).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_limit_is_read_in_every_form() {
        for (told, expected) in [
            (json!("TIER_50"), Some(ToldLimit::Contacts(50))),
            (json!("TIER_250"), Some(ToldLimit::Contacts(250))),
            (json!("TIER_2K"), Some(ToldLimit::Contacts(2_000))),
            (json!("TIER_100K"), Some(ToldLimit::Contacts(100_000))),
            (json!("TIER_UNLIMITED"), Some(ToldLimit::Unlimited)),
            (json!(2000), Some(ToldLimit::Contacts(2_000))),
            (json!("2000"), Some(ToldLimit::Contacts(2_000))),
            (json!(-1), Some(ToldLimit::Unlimited)),
            (json!("TIER_NOT_SET"), None),
            (json!("NOT_SET"), None),
            (json!(0), None),
            (json!("TIER_9999999999K"), None),
            (json!({"tier": 1}), None),
            (json!(null), None),
        ] {
            assert_eq!(read_limit(&told), expected, "{told}");
        }
    }

    #[test]
    fn the_newest_member_that_says_something_counts() {
        let both = json!({"current_limit": "TIER_1K", "max_daily_conversations_per_business": "TIER_10K"});
        assert_eq!(limit(&both), Some(ToldLimit::Contacts(10_000)));
        let unset = json!({"current_limit": "TIER_1K", "max_daily_conversations_per_business": "TIER_NOT_SET"});
        assert_eq!(limit(&unset), Some(ToldLimit::Contacts(1_000)));
    }

    #[test]
    fn what_becomes_of_an_account_is_read_where_it_is_said_plainly() {
        let read = |value: Value| match fate(Some("9"), &value, None) {
            Some(NumberReport::Fate { fate, .. }) => Some(fate),
            _ => None,
        };
        let ban = |state: Value| json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}});
        assert_eq!(read(ban(json!("DISABLE"))), Some(AccountFate::Disabled));
        assert_eq!(read(ban(json!(["REINSTATE"]))), Some(AccountFate::Reinstated));
        assert_eq!(read(ban(json!("SCHEDULE_FOR_DISABLE"))), None);
        assert_eq!(read(json!({"event": "DISABLED_UPDATE"})), None);
        assert_eq!(read(json!({"event": "ACCOUNT_DELETED"})), Some(AccountFate::Deleted));
        assert_eq!(read(json!({"event": "VERIFIED_ACCOUNT"})), None);
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        for text in ["447700900100", "+44 7700 900-100"] {
            assert_eq!(e164(text).as_deref(), Some("+447700900100"));
        }
        assert_eq!(e164("test"), None);
    }
}
