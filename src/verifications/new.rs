//! A request to verify, parsed: every fault of it is told at once, and what comes out cannot be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use super::body::{StartBody, StepBody};
use super::state::ResendPolicy;
use crate::accounts::Caller;
use crate::error::{Code, Error, Result};
use crate::messages::{Client, Faults, client, country_of, metadata};
use crate::otp::CodeLength;
use crate::phone::Country;
use crate::recipient::Recipient;
use crate::templates::{Locale, TemplateName};
use crate::terms::Channel;
use crate::text::{AppHash, Host};

const MAX_STEPS: usize = 3;
const MIN_TTL: Duration = Duration::from_secs(60);
/// NIST SP 800-63B, 5.1.3.2: a code is good for ten minutes at most.
const DEFAULT_TTL: Duration = Duration::from_secs(600);
const MIN_WAIT: Duration = Duration::from_secs(10);
const MAX_WAIT: Duration = Duration::from_secs(600);
const DEFAULT_WAIT: Duration = Duration::from_secs(30);
const DEFAULT_CHECKS: i32 = 5;

/// A step of a workflow.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// How.
    pub channel: Channel,
    /// How long before the next step.
    pub wait: Duration,
    /// Whom, where it is another address than the verification's.
    pub to: Option<Recipient>,
}

/// A verification that may be started. No Debug: it holds a full number.
#[derive(Clone)]
pub struct NewVerification {
    /// Whom.
    pub to: Recipient,
    /// How the first code travels.
    pub channel: Channel,
    /// The steps, the first included; empty without a workflow.
    pub workflow: Vec<Step>,
    /// The reader's language, as far as there are built-in texts in it.
    pub locale: Locale,
    /// The same as it was asked for: the organization's own texts may know it.
    pub asked_locale: String,
    /// Digits.
    pub code_length: CodeLength,
    /// Life.
    pub ttl: Duration,
    /// How many codes may be tried.
    pub max_checks: i32,
    /// What a resend says.
    pub resend_policy: ResendPolicy,
    /// SMS Retriever.
    pub app_hash: Option<AppHash>,
    /// WebOTP.
    pub web_origin: Option<Host>,
    /// The text, by name.
    pub template: String,
    /// On whose behalf.
    pub client: Client,
    /// The caller's own notes.
    pub metadata: BTreeMap<String, String>,
    /// Which of the members above the request names itself.
    pub named: Named,
}

/// What a request names: a start that joins a pending verification changes nothing else.
#[derive(Clone, Copy)]
pub struct Named {
    /// The language.
    pub locale: bool,
    /// The text.
    pub template: bool,
    /// The end user.
    pub client: bool,
}

impl NewVerification {
    /// Parses a request of `caller`. Error: `validation_failed` with every fault by field.
    pub fn parse(body: StartBody, caller: &Caller) -> Result<NewVerification> {
        let mut faults = Faults::default();
        let named =
            Named { locale: body.locale.is_some(), template: body.template.is_some(), client: body.client.is_some() };
        let country = faults.keep("country", body.country.as_deref().map(country_of).transpose()).flatten();
        let channel = first_channel(&mut faults, &body);
        let to = match body.to.as_deref() {
            Some(text) => faults.keep("to", Recipient::parse(text, channel, country)),
            None => faults.fail("to", "is required: the number in E.164, or the mail address"),
        };
        let workflow = steps(&mut faults, to.as_ref(), country, body.workflow.unwrap_or_default());
        let asked_locale = body.locale.unwrap_or_else(|| caller.org.locale.clone());
        let locale = faults.keep("locale", locale_of(&asked_locale));
        let length = body.code_length.map_or(Ok(CodeLength::default()), CodeLength::new);
        let code_length = faults.keep("code_length", length);
        let longest = caller.org.max_code_ttl.0;
        let ttl = faults.keep("ttl", ttl_of(body.ttl.map(|span| span.0), longest));
        let max_checks = faults.keep("max_checks", checks_of(body.max_checks));
        let app_hash = faults.keep("app_hash", body.app_hash.as_deref().map(AppHash::parse).transpose());
        let web_origin = faults.keep("web_origin", body.web_origin.as_deref().map(Host::parse).transpose());
        let client = client(&mut faults, body.client.unwrap_or_default());
        let notes = faults.keep("metadata", metadata(body.metadata.unwrap_or_default()));
        if let Some(error) = faults.into_error() {
            return Err(error);
        }
        let whole = || {
            Some(NewVerification {
                to: to?,
                channel,
                workflow,
                locale: locale?,
                asked_locale,
                code_length: code_length?,
                ttl: ttl?,
                max_checks: max_checks?,
                resend_policy: body.resend_policy.unwrap_or(ResendPolicy::SameCode),
                app_hash: app_hash?,
                web_origin: web_origin?,
                template: body.template.unwrap_or_else(|| String::from(TemplateName::Verification.as_str())),
                client,
                metadata: notes?,
                named,
            })
        };
        whole().ok_or_else(|| Error::new(Code::ValidationFailed))
    }
}

fn first_channel(faults: &mut Faults, body: &StartBody) -> Channel {
    let steps = body.workflow.as_deref();
    if body.channel.is_some() && steps.is_some() {
        faults.fail::<()>("workflow", "cannot stand beside channel; give one of the two");
    }
    if steps.is_some_and(|steps| steps.is_empty() || steps.len() > MAX_STEPS) {
        faults.fail::<()>("workflow", format!("takes 1 to {MAX_STEPS} steps"));
    }
    body.channel.or(steps.and_then(|steps| steps.first()).map(|step| step.channel)).unwrap_or(Channel::Sms)
}

fn steps(faults: &mut Faults, to: Option<&Recipient>, country: Option<Country>, wanted: Vec<StepBody>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(wanted.len());
    for (index, step) in wanted.into_iter().take(MAX_STEPS).enumerate() {
        let wait = step.wait.map_or(DEFAULT_WAIT, |span| span.0);
        if !(MIN_WAIT..=MAX_WAIT).contains(&wait) {
            faults.fail::<()>(&format!("workflow[{index}].wait"), "must be a duration of 10s to 10m, e.g. 30s");
        }
        let own = own_address(to, country, &step);
        if let Some(own) = faults.keep(&format!("workflow[{index}].to"), own) {
            steps.push(Step { channel: step.channel, wait, to: own });
        }
    }
    steps
}

/// A step's own address: needed where the verification's is of another kind, refused where it is of the same: a code
/// that another phone can read proves nothing about the one that is verified.
fn own_address(to: Option<&Recipient>, country: Option<Country>, step: &StepBody) -> Result<Option<Recipient>, String> {
    let Some(to) = to else { return Ok(None) };
    match (takes(step.channel, to), step.to.as_deref()) {
        (true, None) => Ok(None),
        (true, Some(_)) => Err(String::from("must be left out: this channel uses the address that is verified")),
        (false, None) => Err(String::from("is required: this channel needs an address of another kind")),
        (false, Some(own)) => Recipient::parse(own, step.channel, country).map(Some),
    }
}

/// Whether `channel` reaches addresses of this kind.
pub fn takes(channel: Channel, to: &Recipient) -> bool {
    matches!(to, Recipient::Email(_)) == (channel == Channel::Email)
}

fn locale_of(text: &str) -> Result<Locale, &'static str> {
    Locale::parse("locale", text).map_err(|_| "must be a language tag, e.g. en, pt-BR or zh-Hans")
}

fn ttl_of(wanted: Option<Duration>, longest: Duration) -> Result<Duration, String> {
    let ttl = wanted.unwrap_or(DEFAULT_TTL.min(longest));
    if (MIN_TTL..=longest.max(MIN_TTL)).contains(&ttl) {
        return Ok(ttl);
    }
    let longest = crate::clock::show_duration(longest);
    Err(format!("must be a duration of 1m to {longest}, the organization's maximum"))
}

fn checks_of(wanted: Option<i64>) -> Result<i32, &'static str> {
    let Some(wanted) = wanted else { return Ok(DEFAULT_CHECKS) };
    i32::try_from(wanted).ok().filter(|checks| (1..=10).contains(checks)).ok_or("must be a whole number from 1 to 10")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone() -> Recipient {
        Recipient::parse("+447400123456", Channel::Sms, None).unwrap()
    }

    fn step(channel: Channel, to: Option<&str>) -> StepBody {
        StepBody { channel, wait: None, to: to.map(String::from) }
    }

    #[test]
    fn a_mail_step_of_a_number_needs_an_address_and_a_phone_step_takes_none() {
        let own = |step| own_address(Some(&phone()), None, &step);
        assert!(own(step(Channel::Sms, None)).unwrap().is_none());
        assert!(own(step(Channel::Whatsapp, None)).unwrap().is_none());
        assert!(own(step(Channel::Sms, Some("+447400123457"))).is_err());
        assert!(own(step(Channel::Email, None)).is_err());
        let mail = own(step(Channel::Email, Some("Ann@Example.com"))).unwrap().unwrap();
        assert_eq!(mail.address(), "ann@example.com");
    }

    #[test]
    fn a_ttl_is_a_minute_at_least_and_the_organizations_maximum_at_most() {
        let ttl = |wanted: Option<u64>, longest| {
            ttl_of(wanted.map(Duration::from_secs), Duration::from_secs(longest)).map(|ttl| ttl.as_secs())
        };
        assert_eq!((ttl(None, 600), ttl(None, 300), ttl(Some(60), 600)), (Ok(600), Ok(300), Ok(60)));
        assert_eq!(ttl(Some(3_600), 86_400), Ok(3_600));
        assert!(ttl(Some(59), 600).is_err());
        assert!(ttl(Some(601), 600).unwrap_err().contains("10m"));
    }

    #[test]
    fn checks_are_one_to_ten() {
        assert_eq!((checks_of(None), checks_of(Some(1)), checks_of(Some(10))), (Ok(5), Ok(1), Ok(10)));
        assert!([-1, 0, 11, i64::MAX].iter().all(|n| checks_of(Some(*n)).is_err()));
    }

    #[test]
    fn a_wait_outside_its_bounds_and_channel_beside_workflow_are_told_together() {
        let mut faults = Faults::default();
        let wait = Some(crate::clock::Span(Duration::from_secs(9)));
        let body = StartBody {
            channel: Some(Channel::Sms),
            workflow: Some(vec![StepBody { channel: Channel::Sms, wait, to: None }]),
            ..StartBody::default()
        };
        first_channel(&mut faults, &body);
        steps(&mut faults, Some(&phone()), None, body.workflow.unwrap());
        let error = faults.into_error().unwrap();
        assert_eq!(error.fields().keys().collect::<Vec<_>>(), ["workflow", "workflow[0].wait"]);
    }
}
