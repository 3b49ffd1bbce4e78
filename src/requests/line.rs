//! What is kept of a request: no path, no body, no number, no whole address.

use std::net::IpAddr;

use ipnet::IpNet;
use uuid::Uuid;

use super::store::Row;
use crate::clock::{Millis, whole_ms};
use crate::error::Code;
use crate::http::request_id::{first_at, fresh_id};
use crate::http::{Seen, Who};
use crate::ids;
use crate::limits::Policy;
use crate::text::redact;

/// Routes whose plain successes are not worth a line each: what they made, messages and their decisions, knows the
/// request.
const SENDS: [&str; 5] =
    ["/v1/messages", "/v1/messages/bulk", "/v1/verifications", "/simcoal/send", "/simcoal/send-bulk"];

/// Routes that speak the dialect of another system, for clients that have not moved yet, and what does the same.
pub(super) const OLDER: [(&str, &str); 3] = [
    ("/stubs/handler_api.php", "/v1/activations"),
    ("/simcoal/send", "/v1/messages"),
    ("/simcoal/send-bulk", "/v1/messages/bulk"),
];

/// Whether a request is a send that simply went well.
pub(super) fn is_plain_send(seen: &Seen<'_>) -> bool {
    seen.end.status < 300 && seen.method == "POST" && SENDS.contains(&seen.route)
}

/// What requests of one minute are counted together by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Group {
    /// Minutes since 1970.
    pub minute: i64,
    who: Option<Who>,
    method: &'static str,
    route: Box<str>,
    status: u16,
    code: Option<Code>,
    policy: Option<Policy>,
    deprecated: bool,
}

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// The minute that a moment is in.
pub(super) fn minute_of(at: Millis) -> i64 {
    at.0.div_euclid(MINUTE_MS)
}

/// The beginning of a moment's minute.
pub(super) fn minute_at(at: Millis) -> Millis {
    Millis(minute_of(at).saturating_mul(MINUTE_MS))
}

impl Group {
    /// The group of a request.
    pub(super) fn of(seen: &Seen<'_>) -> Group {
        Group {
            minute: minute_of(seen.at),
            who: seen.who,
            method: seen.method,
            route: Box::from(seen.route),
            status: seen.end.status,
            code: seen.end.code,
            policy: seen.end.policy,
            deprecated: is_deprecated(seen),
        }
    }

    /// The row that counts `requests` of the group.
    pub(super) fn row(self, requests: u64) -> Row {
        let at = Millis(self.minute.saturating_mul(MINUTE_MS));
        Row { listed: false, requests: i64::try_from(requests).unwrap_or(i64::MAX), ..self.row_at(fresh_id(at), at) }
    }

    fn row_at(self, id: Uuid, at: Millis) -> Row {
        let (org_id, key_id, operator_id, mode) = match self.who {
            Some(Who::Key { org, key, mode }) => (Some(org), Some(key), None, Some(mode)),
            Some(Who::Operator(id)) => (None, None, Some(id), None),
            None => (None, None, None, None),
        };
        Row {
            id: id.to_string(),
            at,
            listed: true,
            requests: 1,
            org_id,
            key_id,
            operator_id,
            mode,
            method: String::from(self.method),
            route: self.route.into_string(),
            status: i32::from(self.status),
            code: self.code.map(|code| code.to_string()),
            policy: self.policy.map(|policy| policy.to_string()),
            deprecated: self.deprecated,
            duration_ms: 0,
            client_id: None,
            client_net: None,
            target: None,
            decision_id: None,
        }
    }
}

/// The line of a request.
pub(super) fn line(seen: &Seen<'_>) -> Row {
    Row {
        duration_ms: i64::try_from(whole_ms(seen.took)).unwrap_or(i64::MAX),
        client_id: seen.id.client.as_deref().map(safe),
        client_net: net_of(seen.client),
        target: target_of(seen),
        decision_id: seen.end.decision,
        ..Group::of(seen).row_at(seen.id.id, seen.at)
    }
}

/// A client's own id. It may be anything, so digits that could be a code or a number are hidden in all but a UUID.
fn safe(text: &str) -> String {
    if text.parse::<Uuid>().is_ok() { String::from(text) } else { redact(text) }
}

fn is_deprecated(seen: &Seen<'_>) -> bool {
    seen.end.is_deprecated || OLDER.iter().any(|(route, _)| *route == seen.route)
}

/// The network of an address, wide enough to name nobody: /24, or /48 of IPv6.
fn net_of(address: IpAddr) -> Option<String> {
    if address.is_unspecified() {
        return None;
    }
    let length = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, length).ok().map(|net| net.trunc().to_string())
}

/// The thing that a request made or named: the last id of ours in Location or path. Only where it is there: whoever asks
/// for a thing of nobody may have written anything in its place.
fn target_of(seen: &Seen<'_>) -> Option<String> {
    let is_there = (200..400).contains(&seen.end.status) || seen.end.status == 409;
    let in_path = |path: &str| path.rsplit('/').find(|part| ids::is_id(part)).map(String::from);
    if is_there { seen.end.location.and_then(in_path).or_else(|| in_path(seen.path)) } else { None }
}

/// The smallest row id of a moment.
pub(super) fn first_row_at(at: Millis) -> String {
    first_at(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_its_network() {
        let net = |text: &str| net_of(text.parse().unwrap());
        assert_eq!(net("203.0.113.9").as_deref(), Some("203.0.113.0/24"));
        assert_eq!(net("2001:db8:1:2::9").as_deref(), Some("2001:db8:1::/48"));
        assert_eq!(net("0.0.0.0"), None);
    }

    #[test]
    fn a_client_s_own_id_keeps_no_code_and_no_number() {
        assert_eq!(safe("order-42"), "order-42");
        assert_eq!(safe("to+447400123456"), "to+••••••••••••");
        assert_eq!(safe("8f14e45f-ceea-467f-a0e6-4f2e2a1f0b77"), "8f14e45f-ceea-467f-a0e6-4f2e2a1f0b77");
    }
}
