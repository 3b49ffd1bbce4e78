//! AWS SNS, `Publish` to a number. Source: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
//!
//! SNS reports deliveries to CloudWatch only, so messages by it stay `sent`; and it takes no reference of ours.

mod sigv4;

use reqwest::{Client, Request, Url};

use super::http_api::{
    AUTH, Answered, BAD_RECIPIENT, Call, Dialect, OPTED_OUT, REJECTED, Shape, UNAVAILABLE, Verdict, digits, look_up,
};
use super::outgoing_http::Answer;
use super::probe::{CREDENTIALS, Probe, by_status};
use super::{Outcome, form};
use crate::clock::Clock;
use crate::config::SnsCarrier;

/// Codes of errors. Source: <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>. Nothing is said of
/// `InternalError` and `InternalFailure`: the message may have been taken.
const ERRORS: &[(&str, Verdict)] = &[
    ("Throttling", Verdict::Busy),
    ("ThrottlingException", Verdict::Busy),
    ("Throttled", Verdict::Busy),
    ("ThrottledException", Verdict::Busy),
    ("RequestLimitExceeded", Verdict::Busy),
    ("OptedOut", OPTED_OUT),
    ("OptedOutException", OPTED_OUT),
    ("AuthorizationError", AUTH),
    ("AccessDenied", AUTH),
    ("AccessDeniedException", AUTH),
    ("InvalidSecurity", AUTH),
    ("InvalidClientTokenId", AUTH),
    ("SignatureDoesNotMatch", AUTH),
    ("IncompleteSignature", AUTH),
    ("MissingAuthenticationToken", AUTH),
    ("ExpiredToken", AUTH),
    ("RequestExpired", AUTH),
    ("OptInRequired", AUTH),
    ("InvalidParameter", REJECTED),
    ("InvalidParameterValue", REJECTED),
    ("ParameterValueInvalid", REJECTED),
    ("ServiceUnavailable", UNAVAILABLE),
];

/// An account at AWS, in one region.
pub struct Sns {
    account: SnsCarrier,
    base: String,
    clock: Clock,
}

impl Sns {
    /// Speaks for `account`; `clock` dates the signatures.
    pub fn new(account: SnsCarrier, clock: Clock) -> Sns {
        let own = || format!("https://sns.{}.amazonaws.com", account.region);
        let base = account.base_url.as_ref().map_or_else(own, |url| String::from(url.as_str()));
        Sns { account, base, clock }
    }

    fn signed(&self, client: &Client, body: String) -> reqwest::Result<Request> {
        let account = &self.account;
        let url = format!("{}/", self.base);
        let mut request = client.post(&url).header("content-type", sigv4::FORM);
        if let Ok(address) = Url::parse(&url) {
            let scope = sigv4::Scope { region: &account.region, service: "sns", at: self.clock.now() };
            let keys = sigv4::Keys {
                id: &account.access_key_id,
                secret: account.secret_access_key.expose(),
                session: account.session_token.as_ref().map(|token| token.expose().as_str()),
            };
            for (name, value) in sigv4::headers(&keys, &scope, &address, &body) {
                request = request.header(name, value);
            }
        }
        request.body(body).build()
    }

    fn form(&self, call: &Call<'_>) -> String {
        let message = call.message;
        let mut attributes = vec![("AWS.SNS.SMS.SMSType", "Transactional")];
        if let Some(from) = message.from.as_deref().or(self.account.from.as_deref()) {
            let number = digits(from).bytes().all(|byte| byte.is_ascii_digit());
            attributes.push((if number { "AWS.MM.SMS.OriginationNumber" } else { "AWS.SNS.SMS.SenderID" }, from));
        }
        let named: Vec<(String, &str)> = (1..)
            .zip(&attributes)
            .flat_map(|(n, (name, value))| {
                let entry = format!("MessageAttributes.entry.{n}");
                [
                    (format!("{entry}.Name"), *name),
                    (format!("{entry}.Value.DataType"), "String"),
                    (format!("{entry}.Value.StringValue"), *value),
                ]
            })
            .collect();
        let mut pairs = vec![
            ("Action", "Publish"),
            ("Version", "2010-03-31"),
            ("PhoneNumber", message.to.as_str()),
            ("Message", message.text.expose()),
        ];
        pairs.extend(named.iter().map(|(name, value)| (name.as_str(), *value)));
        form::encode(&pairs)
    }
}

impl Dialect for Sns {
    // 1600: "the total size limit for a single SMS Publish action", which SNS cuts into parts.
    const SHAPE: Shape = Shape { max_chars: 1600, by_get: false, is_meta: false };

    fn base_url(&self) -> &str {
        &self.base
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<Request> {
        self.signed(call.client, self.form(call))
    }

    /// Source: <https://docs.aws.amazon.com/sns/latest/api/API_GetSMSAttributes.html>.
    fn probe(&self, client: &Client) -> Option<reqwest::Result<Request>> {
        let body = form::encode(&[("Action", "GetSMSAttributes"), ("Version", "2010-03-31")]);
        Some(self.signed(client, body))
    }

    fn probed(&self, answer: &Answer) -> Probe {
        let text = String::from_utf8_lossy(answer.body.as_deref().unwrap_or_default()).into_owned();
        match tag(&text, "Code").unwrap_or_default() {
            // Keys that may publish and nothing else are good keys.
            code @ ("AuthorizationError" | "AccessDenied" | "AccessDeniedException") => {
                Probe::LetIn(format!("knows the keys, which may not read its attributes ({code})"))
            }
            code if look_up(ERRORS, code) == Some(AUTH) => {
                Probe::Failed(format!("does not let us in ({code})"), CREDENTIALS)
            }
            _ => by_status(answer),
        }
    }

    fn outcome(&self, answered: &Answered<'_>) -> Outcome {
        let text = answered.text();
        if answered.is_success() {
            let id = tag(&text, "MessageId").filter(|id| (1..=100).contains(&id.len()));
            return answered.accepted(id.map(String::from));
        }
        let (code, words) = (tag(&text, "Code").unwrap_or_default(), tag(&text, "Message").unwrap_or_default());
        let verdict = match look_up(ERRORS, code) {
            // "Invalid parameter: PhoneNumber Reason: +44… is not valid to publish to".
            Some(REJECTED) if words.contains("PhoneNumber") => BAD_RECIPIENT,
            Some(verdict) => verdict,
            None if code.is_empty() => return answered.by_status(""),
            None => return answered.by_status(&format!("{code}: {words}")),
        };
        answered.refused(verdict, &format!("{code}: {words}"))
    }
}

/// What stands in the first `<name>` of an answer. Answers are small and flat, ids and codes have nothing to unescape.
fn tag<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside.trim())
}
