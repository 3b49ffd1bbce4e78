//! What an organization's papers allow: its subscription, its verified business, its free allowance. Pure. A test key
//! reaches nobody and pays with test money, so none of it binds one.

use super::new::NewMessage;
use crate::accounts::{Caller, KybStatus, Org, PlanName, SubscriptionStatus};
use crate::error::{Code, Error};
use crate::terms::{Channel, Kind, Mode};

/// Why the organization behind `caller` may not send `message`.
pub fn refusal(caller: &Caller, message: &NewMessage) -> Option<Error> {
    if caller.mode() == Mode::Test { None } else { of_org(&caller.org, message) }
}

/// How many live messages the organization behind `caller` may send in a month; `None` where nothing bounds them.
pub fn allowance(caller: &Caller, free: u32) -> Option<i64> {
    (caller.mode() == Mode::Live && caller.org.plan == PlanName::Free && free > 0).then(|| i64::from(free))
}

fn of_org(org: &Org, message: &NewMessage) -> Option<Error> {
    match org.subscription_status {
        SubscriptionStatus::Active => {}
        SubscriptionStatus::PastDue => return Some(Error::new(Code::SubscriptionPastDue)),
        SubscriptionStatus::Canceled => {
            let detail = "The organization's subscription is canceled; take it up again to send.";
            return Some(Error::new(Code::SubscriptionPastDue).detail(detail));
        }
    }
    let what = unverified(message).filter(|_| org.kyb_status != KybStatus::Verified)?;
    let detail =
        format!("The organization's business is {}, and {what} need it verified; ask an operator.", org.kyb_status);
    Some(Error::new(Code::KybNotVerified).detail(detail))
}

/// What of `message` only a verified business may do.
fn unverified(message: &NewMessage) -> Option<&'static str> {
    let mut channels = std::iter::once(message.channel).chain(message.fallback.iter().map(|step| step.channel));
    let is_name = |from: &str| from.chars().any(char::is_alphabetic);
    if channels.any(|channel| channel == Channel::Whatsapp) {
        return Some("WhatsApp messages");
    }
    if message.kind == Kind::Marketing {
        return Some("marketing messages");
    }
    (message.channel == Channel::Sms && message.from.as_deref().is_some_and(is_name)).then_some("alphanumeric senders")
}
