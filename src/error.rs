//! The one registry of errors, and the error every function returns.
//!
//! A `Code` says what a client may do about it; the `detail` is safe to show to a person. What an operator needs
//! besides (a driver's text) travels in `cause`, goes to the log and never to a client.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::DecisionId;

mod sentences;

pub use sentences::Language;

/// What every fallible function of Postern returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One row of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The code itself.
    pub code: Code,
    /// The HTTP status it is answered with.
    pub status: u16,
    /// Whether the same request may succeed later without a change.
    pub retry: bool,
    /// The word of the text endpoint, where there is one.
    pub text_code: &'static str,
    /// The word of the coals dialect.
    pub coals_code: &'static str,
    /// One English sentence: what happened and what to do.
    pub sentence: &'static str,
}

macro_rules! registry {
    ($($variant:ident = $text:literal, $status:literal, $retry:literal, $text_code:literal, $coals:literal, $sentence:literal;)+) => {
        /// Every code a client can meet. Stable: codes are added, never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $sentence] $variant),+ }

        impl Code {
            /// The registry, in the order of its statuses.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The code as clients match on it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),+ }
            }

            /// The row of the registry.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Code::$variant => Entry {
                        code: self, status: $status, retry: $retry, text_code: $text_code, coals_code: $coals,
                        sentence: $sentence,
                    }),+
                }
            }
        }
    };
}

registry! {
    ValidationFailed = "validation_failed", 400, false, "BAD_SERVICE", "VALIDATION_ERROR", "One or more fields are wrong; field_errors names each and says what it takes.";
    MalformedRequest = "malformed_request", 400, false, "BAD_ACTION", "MALFORMED_REQUEST", "The request could not be read; send one JSON object in UTF-8.";
    UnsupportedAction = "unsupported_action", 400, false, "WRONG_ACTION", "UNSUPPORTED_ACTION", "There is no such action; check its name in the reference.";
    Unauthenticated = "unauthenticated", 401, false, "BAD_KEY", "UNAUTHORIZED", "No valid API key came with the request; send Authorization: Bearer with a key.";
    KeyRevoked = "key_revoked", 401, false, "BAD_KEY", "UNAUTHORIZED", "This API key has been revoked; use another one.";
    KeyExpired = "key_expired", 401, false, "BAD_KEY", "UNAUTHORIZED", "This API key has expired; ask an operator for a new one.";
    InsufficientBalance = "wallet.insufficient_balance", 402, false, "NO_BALANCE", "INSUFFICIENT_BALANCE", "The wallet does not cover the price of this request; top it up and send again.";
    SpendCapReached = "wallet.spend_cap_reached", 402, false, "NO_BALANCE", "SPEND_CAP_REACHED", "A spend cap is used up; wait for its window to end or ask an operator to raise it.";
    SubscriptionPastDue = "billing.subscription_past_due", 402, false, "NO_BALANCE", "SUBSCRIPTION_PAST_DUE", "The organization's subscription is past due; settle it to send again.";
    FreePlanExhausted = "billing.free_plan_exhausted", 402, false, "NO_BALANCE", "FREE_PLAN_EXHAUSTED", "The free plan's allowance is used up; move to a paid plan.";
    PermissionDenied = "permission_denied", 403, false, "BAD_KEY", "FORBIDDEN", "The key lacks the scope this route needs; field_errors.required_scope names it.";
    KybNotVerified = "kyb.not_verified", 403, false, "BAD_KEY", "KYB_NOT_VERIFIED", "The organization's business is not verified yet; WhatsApp, alphanumeric senders and marketing need it.";
    DestinationNotAllowed = "destination.not_allowed", 403, false, "BAD_COUNTRY", "DESTINATION_NOT_ALLOWED", "The organization may not send to this country; ask an operator to open it.";
    RecipientOptedOut = "recipient.opted_out", 403, false, "BAD_STATUS", "RECIPIENT_OPTED_OUT", "The recipient has opted out of messages of this kind.";
    FraudBlocked = "fraud.blocked", 403, false, "BAD_STATUS", "FRAUD_BLOCKED", "The fraud guard refused this message; its decision says why.";
    FraudChallengeRequired = "fraud.challenge_required", 403, false, "BAD_STATUS", "FRAUD_CHALLENGE", "This destination needs a channel that cannot be abused for revenue, such as email; send by one of those.";
    OrganizationSuspended = "organization.suspended", 403, false, "BAD_KEY", "ORGANIZATION_SUSPENDED", "The organization is suspended; ask an operator.";
    ActivationTooEarly = "activation.cancel_too_early", 403, true, "EARLY_CANCEL_DENIED", "CANCEL_TOO_EARLY", "The activation is too young to be cancelled; wait as long as Retry-After says.";
    NotFound = "not_found", 404, false, "NO_ACTIVATION", "NOT_FOUND", "There is no such thing here, or it belongs to somebody else.";
    MethodNotAllowed = "method_not_allowed", 405, false, "WRONG_ACTION", "METHOD_NOT_ALLOWED", "This route does not take that method; the Allow header lists those it takes.";
    RequestTimeout = "request_timeout", 408, true, "ERROR_SQL", "REQUEST_TIMEOUT", "The request body did not arrive in time; send it again without pauses.";
    IdempotencyMismatch = "idempotency.key_mismatch", 409, false, "BAD_STATUS", "IDEMPOTENCY_KEY_MISMATCH", "This idempotency key was used with another request; use a fresh key.";
    IdempotencyInFlight = "idempotency.in_flight", 409, true, "BAD_STATUS", "IDEMPOTENCY_IN_FLIGHT", "The first request with this idempotency key is still running; retry shortly.";
    MessageNotCancelable = "message.not_cancelable", 409, false, "BAD_STATUS", "NOT_CANCELABLE", "The message is past the point where it could be canceled.";
    VerificationAlreadyDecided = "verification.already_decided", 409, false, "BAD_STATUS", "ALREADY_DECIDED", "The verification has already ended; start a new one.";
    ActivationAlreadyCompleted = "activation.already_completed", 409, false, "BAD_STATUS", "ALREADY_COMPLETED", "The activation has already ended.";
    BroadcastNotEditable = "broadcast.not_editable", 409, false, "BAD_STATUS", "NOT_EDITABLE", "The broadcast has started and can no longer be edited.";
    PayloadTooLarge = "payload_too_large", 413, false, "BAD_ACTION", "PAYLOAD_TOO_LARGE", "The request body is larger than this route takes; split it.";
    UnsupportedMediaType = "unsupported_media_type", 415, false, "BAD_ACTION", "UNSUPPORTED_MEDIA_TYPE", "Send the body as Content-Type: application/json.";
    TemplateNotApproved = "template.not_approved", 422, false, "BAD_SERVICE", "TEMPLATE_NOT_APPROVED", "The template is not approved for sending.";
    WhatsappSessionClosed = "whatsapp.session_closed", 422, false, "BAD_STATUS", "SESSION_CLOSED", "The 24-hour session with this user is closed; send an approved template.";
    ChannelNotEnabled = "channel.not_enabled", 422, false, "BAD_SERVICE", "CHANNEL_NOT_ENABLED", "This channel is not enabled for the organization.";
    NumberUnreachable = "number.unreachable", 422, false, "NO_NUMBERS", "NUMBER_UNREACHABLE", "A number of this type cannot receive messages on this channel.";
    WebhookUrlForbidden = "webhook.url_forbidden", 422, false, "BAD_ACTION", "URL_FORBIDDEN", "This address cannot be called; give a public https address.";
    BatchTooLargeForPlan = "batch.too_large_for_plan", 422, false, "BAD_ACTION", "BATCH_TOO_LARGE", "The batch is larger than the plan could ever pass; split it.";
    RateLimited = "rate_limited", 429, true, "RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "Too many requests; wait as long as Retry-After says.";
    SmsPlanCap = "sms.plan_cap", 429, true, "RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "The plan's messages per minute are used up; wait as long as Retry-After says, or use bulk with pacing.";
    OtpNumberLimit = "otp.number_limit", 429, true, "RATE_LIMITED", "OTP_LIMIT_EXCEEDED", "This number has had its share of codes; wait as long as Retry-After says.";
    WhatsappTierLimit = "whatsapp.tier_limit", 429, true, "RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "The WhatsApp number's tier is used up for new contacts; wait as long as Retry-After says.";
    WhatsappPairLimit = "whatsapp.pair_limit", 429, true, "RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "Too many messages from this WhatsApp number to this user; wait as long as Retry-After says.";
    QuotaDailyExceeded = "quota.daily_exceeded", 429, true, "RATE_LIMITED", "DAILY_QUOTA_EXCEEDED", "The key's daily quota is used up; it resets at midnight UTC.";
    Internal = "internal", 500, true, "ERROR_SQL", "INTERNAL_ERROR", "Something failed on our side; retry with backoff and quote the request id if it persists.";
    ProviderUnavailable = "provider.unavailable", 503, true, "ERROR_SQL", "PROVIDER_UNAVAILABLE", "No carrier can take this message now; retry later.";
    Overloaded = "overloaded", 503, true, "ERROR_SQL", "OVERLOADED", "The server is at its limit; retry shortly.";
    StorageFull = "storage.full", 503, true, "ERROR_SQL", "STORAGE_FULL", "The server cannot store anything now; retry later.";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which policy refused, for the members of a 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyHit {
    /// The policy's name, e.g. `otp.number`.
    pub policy: Cow<'static, str>,
    /// What it allows in its window.
    pub limit: u64,
    /// What is used of it.
    pub usage: u64,
    /// Its window, seconds.
    pub window_s: u64,
}

/// An error on its way to a client. Small on the happy path: one pointer.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: Option<Cow<'static, str>>,
    fields: BTreeMap<String, Vec<String>>,
    retry_after: Option<Duration>,
    policy: Option<PolicyHit>,
    decision: Option<DecisionId>,
    cause: Option<String>,
}

impl Error {
    /// An error of `code` with the registry's sentence.
    pub fn new(code: Code) -> Self {
        Error(Box::new(Inner {
            code,
            detail: None,
            fields: BTreeMap::new(),
            retry_after: None,
            policy: None,
            decision: None,
            cause: None,
        }))
    }

    /// A `validation_failed` on one field; `why` completes the sentence "`field` …".
    pub fn field(field: impl Into<String>, why: impl Into<String>) -> Self {
        Error::new(Code::ValidationFailed).and_field(field, why)
    }

    /// A 500 whose cause goes to the log only.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Error::new(Code::Internal).cause(cause)
    }

    /// Adds a fault of a field.
    #[must_use]
    pub fn and_field(mut self, field: impl Into<String>, why: impl Into<String>) -> Self {
        self.0.fields.entry(field.into()).or_default().push(why.into());
        self
    }

    /// Says more than the registry's sentence; must be safe to show and free of secrets and numbers.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// When the same request could pass, shown rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The policy that refused.
    #[must_use]
    pub fn policy(mut self, hit: PolicyHit) -> Self {
        self.0.policy = Some(hit);
        self
    }

    /// The decision that refused.
    #[must_use]
    pub fn decision(mut self, id: DecisionId) -> Self {
        self.0.decision = Some(id);
        self
    }

    /// What the operator's log should say besides; never shown to a client.
    #[must_use]
    pub fn cause(mut self, cause: impl std::fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The sentence for a person.
    pub fn sentence(&self) -> &str {
        self.0.detail.as_deref().unwrap_or(self.0.code.entry().sentence)
    }

    /// The sentence for a person who reads `language`. A detail names facts of this case and stays English.
    pub fn sentence_in(&self, language: Language) -> Cow<'static, str> {
        match &self.0.detail {
            Some(detail) => detail.clone(),
            None => Cow::Borrowed(self.0.code.sentence_in(language)),
        }
    }

    /// Whether there is a detail of this case in place of the registry's sentence.
    pub fn has_detail(&self) -> bool {
        self.0.detail.is_some()
    }

    /// The faults by field.
    pub fn fields(&self) -> &BTreeMap<String, Vec<String>> {
        &self.0.fields
    }

    /// Whole seconds to wait, rounded up, at least 1 where there is a wait at all.
    pub fn retry_after_s(&self) -> Option<u64> {
        let wait = self.0.retry_after.or_else(|| default_wait(self.0.code))?;
        Some(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1))
    }

    /// How long to wait, exactly.
    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The refusing policy.
    pub fn policy_hit(&self) -> Option<&PolicyHit> {
        self.0.policy.as_ref()
    }

    /// The refusing decision.
    pub fn decision_id(&self) -> Option<DecisionId> {
        self.0.decision
    }

    /// What goes to the log.
    pub fn cause_text(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Whether any fault was collected; `collect` style parsers end with this.
    pub fn has_fields(&self) -> bool {
        !self.0.fields.is_empty()
    }
}

/// RFC 9110 wants a Retry-After on 503 where one can be given: a second is when queues have moved on.
fn default_wait(code: Code) -> Option<Duration> {
    let entry = code.entry();
    (entry.retry && entry.status != 500 && entry.status != 408).then_some(Duration::from_secs(1))
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.code, self.sentence())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_have_a_sentence() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            assert!(code.entry().sentence.ends_with('.'), "{code}");
        }
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_zero() {
        let wait = |ms| Error::new(Code::RateLimited).retry_after(Duration::from_millis(ms)).retry_after_s();
        assert_eq!((wait(0), wait(1), wait(1000), wait(1001)), (Some(1), Some(1), Some(1), Some(2)));
    }
}
