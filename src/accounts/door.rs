//! The door limits, pure: which band a route is in, which rules a caller's request meets, and the error where one
//! refuses.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::Method;

use crate::accounts::caller::{Caller, Standing};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::client_ip::client_ip;
use crate::http::put_view;
use crate::limits::{Policies, Policy, Rule, ScopeKey, View};

/// The band of a route.
pub(super) fn band(method: &Method, path: &str) -> Policy {
    let under = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let sends = under("/v1/messages") || under("/v1/verifications");
    if under("/v1/wallet") || under("/v1/invoices") {
        Policy::BandBilling
    } else if under("/simcoal") || (sends && method == Method::POST) {
        Policy::BandSend
    } else if method == Method::GET || method == Method::HEAD {
        Policy::BandRead
    } else {
        Policy::BandManage
    }
}

/// What a request of this caller to a route of `band` must pass: all of it, or nothing is taken.
pub(super) fn rules(standing: &Standing, band: Policy) -> [Rule; 8] {
    let of_key = |policy| Rule::new(policy, standing.key_scope, standing.policies.get(policy));
    [
        of_key(Policy::KeyBurstShort),
        of_key(Policy::KeyBurstMedium),
        of_key(Policy::KeyBurstLong),
        of_key(Policy::KeyMinute),
        Rule::new(Policy::OrgMinute, standing.org_scope, standing.policies.get(Policy::OrgMinute)),
        of_key(Policy::KeyWindow),
        of_key(Policy::KeyDaily),
        of_key(band),
    ]
}

/// Whether `path` is of the activations, which have limits of their own: the burst tiers and the daily quota.
pub(super) fn is_activation(path: &str) -> bool {
    path.strip_prefix("/v1/activations").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a request of this caller to the activations must pass.
pub(super) fn activation_rules(standing: &Standing) -> [Rule; 4] {
    [Policy::KeyBurstShort, Policy::KeyBurstMedium, Policy::KeyBurstLong, Policy::KeyDaily]
        .map(|policy| Rule::new(policy, standing.key_scope, standing.policies.get(policy)))
}

/// Every door limit of `caller` as it stands, all bands; takes nothing.
pub async fn door_view(app: &App, caller: &Caller) -> View {
    let own = rules(caller, Policy::BandSend);
    let bands = [Policy::BandRead, Policy::BandManage, Policy::BandBilling]
        .map(|band| Rule::new(band, caller.key_scope, caller.policies.get(band)));
    let (shard, now) = (caller.org_id(), app.clock.now());
    let mut view = app.door.peek(shard.as_str(), &own, now).await;
    view.extend(&app.door.peek(shard.as_str(), &bands, now).await);
    view
}

/// The shard of the limiter that counts client addresses.
const ADDRESSES: &str = "ip";

/// What a request without a good credential must pass.
fn anonymous(client: IpAddr) -> [Rule; 1] {
    [Rule::new(Policy::AnonymousIp, ScopeKey::ip(client), Policies::EMPTY.get(Policy::AnonymousIp))]
}

/// The limit of a client address as it stands; takes nothing.
pub fn stranger_view(app: &App, client: IpAddr) -> View {
    app.door.here().peek(ADDRESSES, &anonymous(client), app.clock.now())
}

/// Counts a request without a good credential or signature against its address. Error: past the limit it learns no
/// more than that.
pub fn count_stranger(app: &App, req: &HttpRequest) -> Result<()> {
    let view = app.door.here().take(ADDRESSES, &anonymous(client_ip(req)), app.clock.now());
    put_view(req, view);
    refusal(&view).map_or(Ok(()), Err)
}

/// The refusal in `view`, if there is one: 429 with the binding policy and the longest wait.
pub(super) fn refusal(view: &View) -> Option<Error> {
    let wait = view.wait()?;
    let binding = view.binding()?;
    let code = match binding.policy {
        Policy::KeyDaily => Code::QuotaDailyExceeded,
        _ => Code::RateLimited,
    };
    Some(Error::new(code).retry_after(wait).policy(binding.hit()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Millis;
    use crate::limits::Verdict;

    #[test]
    fn a_route_is_in_one_band() {
        let cases = [
            (Method::POST, "/v1/messages", Policy::BandSend),
            (Method::POST, "/v1/messages/bulk", Policy::BandSend),
            (Method::GET, "/v1/messages", Policy::BandRead),
            (Method::HEAD, "/v1/messages", Policy::BandRead),
            (Method::POST, "/v1/verifications/vrf_1/check", Policy::BandSend),
            (Method::POST, "/simcoal/send", Policy::BandSend),
            (Method::POST, "/v1/messagesque", Policy::BandManage),
            (Method::DELETE, "/v1/webhooks/whe_1", Policy::BandManage),
            (Method::GET, "/v1/wallet/transactions", Policy::BandBilling),
            (Method::POST, "/v1/wallet/topups", Policy::BandBilling),
            (Method::GET, "/v1/invoices", Policy::BandBilling),
        ];
        for (method, path, want) in cases {
            assert_eq!(band(&method, path), want, "{method} {path}");
        }
    }

    #[test]
    fn a_refusal_names_the_policy_that_binds_and_the_daily_quota_has_its_own_code() {
        let verdict = |policy, wait_s: Option<u64>| Verdict {
            policy,
            limit: 5,
            window: Duration::from_secs(60),
            used: 5,
            reset_at: Millis(60_000),
            wait: wait_s.map(Duration::from_secs),
        };
        let mut view = View::new();
        view.push(verdict(Policy::OrgMinute, None));
        assert!(refusal(&view).is_none());
        view.push(verdict(Policy::KeyBurstShort, Some(1)));
        assert_eq!(refusal(&view).map(|fault| fault.code()), Some(Code::RateLimited));
        view.push(verdict(Policy::KeyDaily, Some(3_600)));
        let fault = refusal(&view).expect("must be refused");
        assert_eq!((fault.code(), fault.retry_after_s()), (Code::QuotaDailyExceeded, Some(3_600)));
        assert_eq!(fault.policy_hit().map(|hit| hit.policy.as_ref()), Some("key.daily"));
    }
}
