//! Events made up for tests: of the form of real ones, and marked by `"test": true` in their data.

use serde_json::{Map, Value, json};

use super::kinds::EventType;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::ids::{ActivationId, EndpointId, InboundId, MessageId, VerificationId};

/// A number set aside for fiction (NANP, 555-0100 to 555-0199), masked as events show numbers.
const NOBODY: &str = "+141•••••123";
/// Most that a request may say of a made-up event, bytes of JSON: a real one has less.
const SET_MAX: usize = 8_000;

/// The data of a made-up event of `kind`, with the members of `set` over the usual ones. Error: `validation_failed` where
/// `kind` cannot be made up, or `set` is too much.
pub fn data(kind: EventType, set: Map<String, Value>, now: Millis) -> Result<Value> {
    let Some(mut sample) = usual(kind, now) else {
        return Err(Error::field("type", "goes to one endpoint: POST /v1/webhooks/{id}/test"));
    };
    if Value::Object(set.clone()).to_string().len() > SET_MAX {
        return Err(Error::field("data", format!("must be at most {SET_MAX} bytes of JSON")));
    }
    merge(&mut sample, Value::Object(set));
    merge(&mut sample, json!({ "test": true }));
    Ok(sample)
}

/// Puts `over` over `under`, member by member.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(members), Value::Object(more)) => {
            for (name, value) in more {
                merge(members.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// What a real one might say.
fn usual(kind: EventType, now: Millis) -> Option<Value> {
    let (about, state) = kind.as_str().split_once('.').unwrap_or((kind.as_str(), ""));
    Some(match about {
        _ if !kind.is_subscribable() => return None,
        "message" if kind != EventType::MessageInbound => message(kind, state, now),
        "message" | "recipient" => inbound(kind, now),
        "verification" => verification(kind, state, now),
        "spend_cap" => json!({
            "scope": "org", "value": "", "window": "1d", "percent": 80,
            "spent": { "amount": "80.00", "currency": "USD" }, "limit": { "amount": "100.00", "currency": "USD" },
        }),
        "activation" => json!({
            "id": ActivationId::new(now), "status": if state == "expired" { state } else { "received" }, "mode": "test",
            "service": "ot", "country": "GB", "to": NOBODY, "price": { "amount": "0.50", "currency": "USD" },
            "messages": i32::from(state != "expired"), "created_at": now,
            "expires_at": now.plus(std::time::Duration::from_secs(1_200)),
        }),
        "webhook" => json!({ "endpoint_id": EndpointId::new(now), "reason": "failing", "failing_since": now }),
        _ => json!({ "id": null, "mode": "test", "created_at": now }),
    })
}

fn message(kind: EventType, state: &str, now: Millis) -> Value {
    let error_code = match kind {
        EventType::MessageFailed => Some("carrier.rejected"),
        EventType::MessageUndelivered => Some("carrier.undelivered"),
        _ => None,
    };
    json!({
        "id": MessageId::new(now), "status": state, "mode": "test", "channel": "sms", "kind": "otp", "to": NOBODY,
        "country": "US", "segments": 1, "price": { "amount": "0.0075", "currency": "USD" }, "error_code": error_code,
        "batch_id": null, "verification_id": null, "created_at": now, "updated_at": now, "metadata": {},
    })
}

fn verification(kind: EventType, state: &str, now: Millis) -> Value {
    let is_new = kind == EventType::VerificationCreated;
    json!({
        "id": VerificationId::new(now), "status": if is_new { "pending" } else { state }, "mode": "test",
        "channel": "sms", "to": NOBODY, "country": "US", "checks": if is_new { 0 } else { 1 }, "max_checks": 5,
        "sends": 1, "expires_at": now.plus(std::time::Duration::from_secs(600)),
        "decided_at": (!is_new).then_some(now), "created_at": now, "metadata": {},
    })
}

fn inbound(kind: EventType, now: Millis) -> Value {
    let keyword = match kind {
        EventType::RecipientOptedOut => Some("stop"),
        EventType::RecipientOptedIn => Some("start"),
        _ => None,
    };
    json!({ "inbound_id": InboundId::new(now), "channel": "sms", "from": NOBODY, "to": "+14155550100", "keyword": keyword })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: EventType, set: Value) -> Value {
        data(kind, set.as_object().unwrap().clone(), Millis(0)).unwrap()
    }

    #[test]
    fn every_type_but_the_endpoint_s_own_test_can_be_made_up_and_says_so() {
        for kind in EventType::ALL {
            let made = data(*kind, Map::new(), Millis(0));
            match kind {
                EventType::Test => assert!(made.is_err()),
                _ => assert!(made.unwrap()["test"] == true, "{kind}"),
            }
        }
        assert_eq!(made(EventType::MessageFailed, json!({}))["error_code"], "carrier.rejected");
        assert_eq!(made(EventType::VerificationMaxChecks, json!({}))["status"], "max_checks");
    }

    #[test]
    fn what_is_set_goes_over_the_usual_member_by_member_and_the_mark_stays() {
        let set = json!({"to": "+442•••", "price": {"amount": "1.00"}, "metadata": {"order": "7"}, "test": false});
        let made = made(EventType::MessageSent, set);
        assert_eq!(made["price"], json!({"amount": "1.00", "currency": "USD"}));
        assert_eq!(
            (&made["to"], &made["metadata"]["order"], &made["test"]),
            (&json!("+442•••"), &json!("7"), &json!(true))
        );
        let long = json!({"note": "x".repeat(9_000)});
        assert!(data(EventType::MessageSent, long.as_object().unwrap().clone(), Millis(0)).is_err());
    }
}
