//! The rate headers of every response, rendered from the one view that also decided.

use std::cell::Cell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};

use super::problem::Dialect;
use crate::clock::Millis;
use crate::error::Error;
use crate::limits::{Verdict, View};

/// Notes what the limits said about `req`. Called by the door and again by whoever takes message-level limits: the
/// views are merged, so that the policy that binds is shown whichever side it is on.
pub fn put_view(req: &HttpRequest, view: View) {
    let slate = req.extensions().get::<Slate>().cloned();
    slate.unwrap_or_else(|| Slate::put_into(req)).add(&view);
}

/// Where the views of a request are noted. The frame keeps a hold on it, since actix drops the request with its
/// extensions when a middleware fails.
#[derive(Clone, Default)]
pub(super) struct Slate(Rc<Cell<View>>);

impl Slate {
    /// A fresh slate in the extensions of `req`.
    pub(super) fn put_into(req: &impl HttpMessage) -> Self {
        let slate = Slate::default();
        req.extensions_mut().insert(slate.clone());
        slate
    }

    pub(super) fn view(&self) -> View {
        self.0.get()
    }

    /// Notes the policy that an error names: a limit that was met deep inside a transaction comes back as an error, and
    /// the headers must show it like any other.
    pub(super) fn note(&self, error: &Error, now: Millis) {
        let Some(hit) = error.policy_hit() else { return };
        let (Ok(policy), Some(wait)) = (hit.policy.parse(), error.wait()) else { return };
        let mut view = View::new();
        view.push(Verdict {
            policy,
            limit: hit.limit,
            window: Duration::from_secs(hit.window_s),
            used: hit.usage,
            reset_at: now.plus(wait),
            wait: Some(wait),
        });
        self.add(&view);
    }

    fn add(&self, other: &View) {
        let mut merged = self.0.get();
        merged.merge(other);
        self.0.set(merged);
    }
}

/// A 429 with what the view knows of it: the wait is the longest of all that refuse, the policy the one that binds, so
/// that body and headers cannot disagree. Any other error is left as it is.
pub(super) fn agree(error: Error, view: &View) -> Error {
    let refusal = view.binding().filter(|verdict| verdict.denied() && error.code().entry().status == 429);
    let (Some(binding), Some(wait)) = (refusal, view.wait()) else { return error };
    let own = Duration::from_secs(error.retry_after_s().unwrap_or(0));
    error.retry_after(wait.max(own)).policy(binding.hit())
}

/// Writes `X-RateLimit-*` (the policy that binds), `RateLimit-Policy` and `RateLimit` (every policy; IETF draft
/// ratelimit-headers-11). Nothing where no limit was asked.
pub(super) fn write(headers: &mut HeaderMap, view: &View, dialect: Dialect, now: Millis) {
    let Some(binding) = view.binding() else { return };
    put(headers, "x-ratelimit-limit", &binding.limit.to_string());
    put(headers, "x-ratelimit-remaining", &binding.remaining().to_string());
    put(headers, "x-ratelimit-reset", &reset_text(binding, dialect));
    put(headers, "ratelimit-policy", &list(view, |verdict| (('q', verdict.limit), ('w', secs_up(verdict.window)))));
    put(headers, "ratelimit", &list(view, |verdict| (('r', verdict.remaining()), ('t', left_s(verdict, now)))));
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn reset_text(verdict: &Verdict, dialect: Dialect) -> String {
    match dialect {
        Dialect::ActivationRest => verdict.reset_at.rfc3339(),
        _ => verdict.reset_at.as_secs_up().to_string(),
    }
}

/// A list of policies, each with two parameters, in one text: it is written twice for every response.
fn list(view: &View, parameters: impl Fn(&Verdict) -> ((char, u64), (char, u64))) -> String {
    let mut text = String::with_capacity(512);
    for verdict in view.iter() {
        let ((one, its), (other, others)) = parameters(verdict);
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a String does not fail.
        let _ = write!(text, "{comma}\"{}\";{one}={its};{other}={others}", verdict.policy.as_str());
    }
    text
}

fn left_s(verdict: &Verdict, now: Millis) -> u64 {
    secs_up(verdict.wait.unwrap_or_else(|| verdict.reset_at.since(now)))
}

fn secs_up(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::error::{Code, PolicyHit};
    use crate::limits::Policy;

    const NOW: Millis = Millis(1_000_000);

    fn verdict(policy: Policy, used: u64, limit: u64) -> Verdict {
        let (window, reset_at) = (Duration::from_secs(60), Millis(1_030_500));
        Verdict { policy, limit, window, used, reset_at, wait: None }
    }

    fn view(verdicts: &[Verdict]) -> View {
        verdicts.iter().fold(View::new(), |mut view, verdict| {
            view.push(*verdict);
            view
        })
    }

    fn headers_of(view: &View, dialect: Dialect) -> Vec<String> {
        let mut headers = HeaderMap::new();
        write(&mut headers, view, dialect, NOW);
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_headers_show_the_binding_policy_and_list_all() {
        let all = view(&[verdict(Policy::KeyMinute, 59, 60), verdict(Policy::OrgMinute, 59, 600)]);
        let want = [
            r#"ratelimit-policy: "key.minute";q=60;w=60, "org.minute";q=600;w=60"#,
            r#"ratelimit: "key.minute";r=1;t=31, "org.minute";r=541;t=31"#,
            "x-ratelimit-limit: 60",
            "x-ratelimit-remaining: 1",
            "x-ratelimit-reset: 1031",
        ];
        assert_eq!(headers_of(&all, Dialect::Canonical), want);
        assert!(headers_of(&all, Dialect::ActivationRest)[4].ends_with("1970-01-01T00:17:10.500Z"));
        assert!(headers_of(&View::new(), Dialect::Canonical).is_empty());
    }

    #[test]
    fn views_merge_and_the_tighter_verdict_on_a_policy_stays() {
        let req = TestRequest::default().to_http_request();
        put_view(&req, view(&[verdict(Policy::KeyMinute, 1, 60), verdict(Policy::OtpNumber, 1, 3)]));
        let denied = Verdict { wait: Some(Duration::from_millis(1_500)), ..verdict(Policy::OtpNumber, 3, 3) };
        put_view(&req, view(&[denied, verdict(Policy::SmsPlan, 1, 60)]));
        put_view(&req, view(&[verdict(Policy::OtpNumber, 0, 3)]));
        let merged = req.extensions().get::<Slate>().unwrap().view();
        assert_eq!(merged.iter().count(), 3);
        assert_eq!(merged.binding(), Some(&denied));
    }

    #[test]
    fn body_and_header_wait_for_the_longest_refusal() {
        let short = Verdict { wait: Some(Duration::from_millis(500)), ..verdict(Policy::KeyBurstShort, 5, 5) };
        let long = Verdict { wait: Some(Duration::from_millis(20_001)), ..verdict(Policy::OtpNumber, 3, 3) };
        let hit = PolicyHit { policy: "key.burst.short".into(), limit: 5, usage: 5, window_s: 1 };
        let error = Error::new(Code::RateLimited).retry_after(Duration::from_millis(500)).policy(hit);
        let agreed = agree(error, &view(&[short, long]));
        assert_eq!(agreed.retry_after_s(), Some(21));
        assert_eq!(agreed.policy_hit().map(|hit| hit.policy.as_ref()), Some("otp.number"));
    }

    #[test]
    fn another_error_keeps_its_own_wait() {
        let denied = Verdict { wait: Some(Duration::from_secs(9)), ..verdict(Policy::OtpNumber, 3, 3) };
        let in_flight = agree(Error::new(Code::IdempotencyInFlight), &view(&[denied]));
        assert_eq!((in_flight.retry_after_s(), in_flight.policy_hit()), (Some(1), None));
    }
}
