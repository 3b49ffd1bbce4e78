//! What adapters to HTTP APIs have in common. An adapter is a `Dialect`: how a message becomes a request, what the
//! answer means, how a callback reads; mostly tables. Everything else is here.
//!
//! Reading order: `answer` (what an answer means), `callback` (what a callback says), `proof` (whose it is).

mod answer;
mod callback;
mod proof;

use reqwest::{Client, Request};

use super::outgoing_http::{Answer, Caller};
use super::probe::{Probe, Probing, by_status};
use super::{
    Carrier, CarrierLimits, Hook, HookFault, Outcome, Outgoing, Report, Reviewed, Reviewing, Sending, TemplateForm,
};
use crate::terms::Channel;

pub use answer::{AUTH, Answered, BAD_RECIPIENT, OPTED_OUT, REJECTED, UNAVAILABLE, Verdict};
pub use callback::{Heard, Params, as_json, find, inbound, json_params, look_up, text_at, word_at};
pub use proof::{bearer, check_token, claims_of_hs256, hex_bytes, with_token};

/// Messages a second, both ways together, that a WhatsApp number takes until Meta raises it.
/// Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput>.
const METAS_PACE: u32 = 80;

/// What an API takes and how it calls back.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Longest text, characters.
    pub max_chars: usize,
    /// Whether its callbacks may come by GET.
    pub by_get: bool,
    /// Whether it shares `/hooks/meta`.
    pub is_meta: bool,
}

/// A message and what it takes to make its request.
pub struct Call<'a> {
    /// Builds requests.
    pub client: &'a Client,
    /// The message.
    pub message: &'a Outgoing,
    /// Where its receipts shall go; none where the carrier could not reach it, or would not be believed there.
    pub callback: Option<&'a str>,
}

/// How one API is spoken to.
pub trait Dialect: Send + Sync {
    /// What it takes and how it calls back.
    const SHAPE: Shape;

    /// Where the API is.
    fn base_url(&self) -> &str;
    /// The address to ask receipts at, of ours, `…/hooks/{name}/status`; `None` where they are not asked for.
    fn callback(&self, _address: String) -> Option<String> {
        None
    }
    /// The request that hands a message over.
    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request>;
    /// What the answer means.
    fn outcome(&self, answered: &Answered<'_>) -> super::Outcome;
    /// Checks whose a callback is, then reads it.
    fn reports(&self, _hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        Err(HookFault::NotHere)
    }
    /// Meta's id of the number it sends from.
    fn phone_number_id(&self) -> Option<&str> {
        None
    }
    /// The answer to a carrier that asks whether the address is ours.
    fn handshake(&self, _query: &[(String, String)]) -> Option<String> {
        None
    }
    /// The account whose templates are reviewed there.
    fn template_account(&self) -> Option<&str> {
        None
    }
    /// The request that submits a template; `None` where none is reviewed.
    fn template_request(&self, _client: &Client, _form: &TemplateForm) -> Option<reqwest::Result<Request>> {
        None
    }
    /// What the answer to it means.
    fn reviewed(&self, _answer: &Answer) -> Reviewed {
        Reviewed::Refused(String::from("this carrier reviews no templates"))
    }
    /// Whether it takes a code without a template of the organization's.
    fn takes_plain_codes(&self) -> bool {
        true
    }
    /// A request that needs our credentials and changes nothing; `None` where the API has none that every account may make.
    fn probe(&self, _client: &Client) -> Option<reqwest::Result<Request>> {
        None
    }
    /// What the answer to it means.
    fn probed(&self, answer: &Answer) -> Probe {
        by_status(answer)
    }
}

/// A carrier behind an HTTP API.
pub struct HttpApi<D> {
    name: String,
    channels: Vec<Channel>,
    dialect: D,
    callback: Option<String>,
    caller: Caller,
}

impl<D: Dialect> HttpApi<D> {
    /// A carrier called `name` that speaks `dialect` by `caller`. `public_url` is where carriers reach us.
    pub fn new((name, channels): (String, Vec<Channel>), dialect: D, public_url: &str, caller: Caller) -> HttpApi<D> {
        // APIs refuse a message whose callback they cannot reach; a fake beside us can reach it.
        let reachable = !is_loopback(public_url) || is_loopback(dialect.base_url());
        let address = reachable.then(|| format!("{public_url}/hooks/{name}/status"));
        let callback = address.and_then(|address| dialect.callback(address));
        HttpApi { name, channels, dialect, callback, caller }
    }

    async fn hand_over(&self, message: &Outgoing) -> super::Outcome {
        let call = Call { client: self.caller.client(), message, callback: self.callback.as_deref() };
        match self.caller.call(self.dialect.request(&call)).await {
            Ok(answer) => self.dialect.outcome(&Answered::new(&answer, message)),
            Err(outcome) => outcome,
        }
    }

    async fn look(&self) -> Probe {
        match self.dialect.probe(self.caller.client()) {
            Some(request) => self.caller.look(request, |answer| self.dialect.probed(answer)).await,
            None => self.caller.reach(self.dialect.base_url(), "its credentials show at the first message only").await,
        }
    }

    async fn review(&self, form: &TemplateForm) -> Reviewed {
        let Some(request) = self.dialect.template_request(self.caller.client(), form) else {
            return Reviewed::Refused(String::from("this carrier reviews no templates"));
        };
        match self.caller.call(request).await {
            Ok(answer) => self.dialect.reviewed(&answer),
            Err(Outcome::Refused(refusal)) => Reviewed::Failed(refusal.detail),
            Err(Outcome::Unknown { detail, .. }) => Reviewed::Failed(detail),
            Err(Outcome::Accepted { .. }) => Reviewed::Failed(String::from("no answer")),
        }
    }
}

impl<D: Dialect> Carrier for HttpApi<D> {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn limits(&self) -> CarrierLimits {
        CarrierLimits { max_chars: D::SHAPE.max_chars, max_in_flight: 256 }
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(self.hand_over(message))
    }

    fn reports(&self, hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        self.dialect.reports(hook)
    }

    fn usual_pace(&self) -> Option<u32> {
        D::SHAPE.is_meta.then_some(METAS_PACE)
    }

    fn calls_back_by_get(&self) -> bool {
        D::SHAPE.by_get
    }

    fn is_meta(&self) -> bool {
        D::SHAPE.is_meta
    }

    fn phone_number_id(&self) -> Option<&str> {
        self.dialect.phone_number_id()
    }

    fn handshake(&self, query: &[(String, String)]) -> Option<String> {
        self.dialect.handshake(query)
    }

    fn probe(&self) -> Probing<'_> {
        Box::pin(self.look())
    }

    fn template_account(&self) -> Option<&str> {
        self.dialect.template_account()
    }

    fn submit_template<'a>(&'a self, form: &'a TemplateForm) -> Reviewing<'a> {
        Box::pin(self.review(form))
    }

    fn takes_plain_codes(&self) -> bool {
        self.dialect.takes_plain_codes()
    }
}

/// Whether `url` leads to this machine.
pub fn is_loopback(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(String::from)).unwrap_or_default();
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

/// A number as most APIs want it: E.164 without the plus.
pub fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_known() {
        for local in ["http://127.0.0.1:8080/base", "http://localhost", "https://[::1]:1/x"] {
            assert!(is_loopback(local), "{local}");
        }
        for other in ["https://otp.example", "https://localhost.example", "not a url", "https://10.0.0.1"] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
