//! What a step's outcomes mean for its contacts and for the broadcast. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::pace::{STEP_MAX, ask_again, width_after};
use super::state::Action;
use super::store::{Contact, ContactMove};
use crate::clock::Millis;
use crate::ids::MessageId;

/// How long a contact waits for a carrier that takes it, and for a spend cap.
const CONTACT_WAIT: Duration = Duration::from_secs(300);
/// How often a contact is tried again where no carrier takes it: an hour in all.
const TRIES_MAX: i16 = 12;

/// What the accepting transaction said of one contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its message, where it was accepted.
    pub id: Option<MessageId>,
    /// Why not, where it was not.
    pub code: Option<String>,
    /// When it would pass, milliseconds from now.
    pub wait_ms: Option<u64>,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ruling {
    /// A limit that all contacts share: all wait.
    AllWait,
    /// A limit of this contact alone.
    Waits,
    /// No carrier takes it now.
    TryAgain,
    /// Somebody has to do something before anything goes on.
    Pause,
    /// It may not go on at all.
    Stop,
    /// This contact's own end.
    Refused,
}

// By their words: most of these codes are other rooms' to raise, some of them of rooms that a build may not have.

/// Limits that all contacts share, and a server that has no room.
const ALL_WAIT: [&str; 6] =
    ["sms.plan_cap", "whatsapp.tier_limit", "rate_limited", "quota.daily_exceeded", "overloaded", "storage.full"];
/// Limits of one contact, or of some.
const WAITS: [&str; 3] = ["whatsapp.pair_limit", "otp.number_limit", "wallet.spend_cap_reached"];
/// What only somebody's action ends.
const PAUSE: [&str; 6] = [
    "wallet.insufficient_balance",
    "billing.subscription_past_due",
    "billing.free_plan_exhausted",
    "kyb.not_verified",
    "channel.not_enabled",
    "organization.suspended",
];
/// What makes the whole broadcast wrong.
const STOP: [&str; 1] = ["template.not_approved"];
/// No carrier takes it, at least not now.
const TRY_AGAIN: [&str; 1] = ["provider.unavailable"];

fn ruling(code: &str) -> Ruling {
    let lists = [
        (ALL_WAIT.as_slice(), Ruling::AllWait),
        (&WAITS, Ruling::Waits),
        (&PAUSE, Ruling::Pause),
        (&STOP, Ruling::Stop),
        (&TRY_AGAIN, Ruling::TryAgain),
    ];
    let found = lists.iter().find(|(codes, _)| codes.contains(&code));
    found.map_or(Ruling::Refused, |(_, ruling)| *ruling)
}

/// What a step came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What becomes of each contact that does not simply go on waiting.
    pub moves: Vec<ContactMove>,
    /// How many were accepted.
    pub accepted: i32,
    /// Those refused for good, by code.
    pub refusals: BTreeMap<String, i32>,
    /// When a limit that all share opens.
    pub again_at: Option<Millis>,
    /// The next step's width.
    pub width: u16,
    /// What happens to the broadcast, and why.
    pub ends: Option<(Action, String)>,
}

/// Judges a step: `told` says of each of `contacts`, in order, what became of it.
pub fn judge(contacts: &[Contact], told: &[Told], width: u16, now: Millis) -> Judged {
    let mut judged = Judged { width, ..Judged::default() };
    let mut held = 0;
    for (contact, told) in contacts.iter().zip(told) {
        let Some(text) = &told.code else {
            judged.accepted += 1;
            judged.moves.push(ContactMove { message_id: told.id, due_at: None, ..ContactMove::of(contact) });
            continue;
        };
        let wait = told.wait_ms.map(Duration::from_millis);
        match ruling(text) {
            Ruling::AllWait => {
                held += 1;
                let at = ask_again(wait.unwrap_or_default(), now);
                judged.again_at = Some(judged.again_at.map_or(at, |first| first.min(at)));
            }
            Ruling::Waits => {
                let due_at = Some(ask_again(wait.unwrap_or(CONTACT_WAIT), now));
                judged.moves.push(ContactMove { due_at, ..ContactMove::of(contact) });
            }
            Ruling::TryAgain if contact.tries < TRIES_MAX => {
                let (due_at, tries) = (Some(now.plus(CONTACT_WAIT)), contact.tries + 1);
                judged.moves.push(ContactMove { due_at, tries, ..ContactMove::of(contact) });
            }
            Ruling::Pause => judged.end(Action::Pause, text),
            Ruling::Stop => judged.end(Action::Halt, text),
            Ruling::TryAgain | Ruling::Refused => {
                *judged.refusals.entry(text.clone()).or_default() += 1;
                let error_code = Some(text.clone());
                judged.moves.push(ContactMove { due_at: None, error_code, ..ContactMove::of(contact) });
            }
        }
    }
    judged.width = width_after(width.clamp(1, STEP_MAX), contacts.len(), contacts.len().saturating_sub(held));
    judged
}

impl Judged {
    /// The first reason stands; a stop outranks a pause.
    fn end(&mut self, action: Action, reason: &str) {
        let outranks = self.ends.as_ref().is_none_or(|(known, _)| *known == Action::Pause && action == Action::Halt);
        if outranks {
            self.ends = Some((action, String::from(reason)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::ids::BroadcastId;

    const NOW: Millis = Millis(1_000_000);

    fn contacts(count: i32) -> Vec<Contact> {
        let contact = |row_no| Contact {
            broadcast_id: BroadcastId::first_at(NOW),
            row_no,
            recipient: format!("+44740012{row_no:04}"),
            own: None,
            due_at: Some(Millis(0)),
            tries: 0,
            message_id: None,
            error_code: None,
        };
        (1..=count).map(contact).collect()
    }

    fn no(code: Code, wait_ms: Option<u64>) -> Told {
        Told { id: None, code: Some(code.to_string()), wait_ms }
    }

    fn yes() -> Told {
        Told { id: Some(MessageId::first_at(NOW)), code: None, wait_ms: None }
    }

    #[test]
    fn contacts_beyond_a_shared_limit_stay_as_they_are_until_it_opens() {
        let cap = no(Code::WhatsappTierLimit, Some(90_000));
        let judged = judge(&contacts(3), &[yes(), cap.clone(), cap], 200, NOW);
        assert_eq!((judged.accepted, judged.moves.len(), judged.width), (1, 1, 1));
        assert_eq!(judged.again_at, Some(NOW.plus(Duration::from_secs(90))));
        assert!(judged.refusals.is_empty() && judged.ends.is_none());
    }

    #[test]
    fn a_limit_of_one_contact_holds_nobody_else() {
        let judged = judge(&contacts(2), &[no(Code::WhatsappPairLimit, Some(6_000)), yes()], 100, NOW);
        assert_eq!(judged.moves[0].due_at, Some(NOW.plus(Duration::from_secs(6))));
        assert_eq!((judged.again_at, judged.width), (None, 200));
    }

    #[test]
    fn a_contact_s_own_fault_is_its_end() {
        let told = [no(Code::RecipientOptedOut, None), no(Code::RecipientOptedOut, None), no(Code::FraudBlocked, None)];
        let judged = judge(&contacts(3), &told, 200, NOW);
        let refusals: Vec<_> = judged.refusals.iter().map(|(code, count)| (code.as_str(), *count)).collect();
        assert_eq!(refusals, [("fraud.blocked", 1), ("recipient.opted_out", 2)]);
        assert!(judged.moves.iter().all(|done| done.due_at.is_none() && done.error_code.is_some()));
    }

    #[test]
    fn no_carrier_is_waited_for_an_hour() {
        let mut contact = contacts(1);
        for _ in 0..TRIES_MAX {
            let judged = judge(&contact, &[no(Code::ProviderUnavailable, Some(1_000))], 200, NOW);
            assert_eq!(judged.moves[0].due_at, Some(NOW.plus(CONTACT_WAIT)));
            contact[0].tries = judged.moves[0].tries;
        }
        let judged = judge(&contact, &[no(Code::ProviderUnavailable, None)], 200, NOW);
        assert_eq!(judged.refusals.get("provider.unavailable"), Some(&1));
    }

    #[test]
    fn money_pauses_a_bad_template_stops_and_the_stop_wins() {
        let (money, template) = (no(Code::InsufficientBalance, None), no(Code::TemplateNotApproved, None));
        let ends = |told: &[Told]| judge(&contacts(2), told, 200, NOW).ends.unwrap();
        assert_eq!(ends(&[yes(), money.clone()]).0, Action::Pause);
        for told in [[money.clone(), template.clone()], [template.clone(), money.clone()]] {
            assert_eq!(ends(&told), (Action::Halt, String::from("template.not_approved")));
        }
        assert!(judge(&contacts(2), &[money.clone(), money], 200, NOW).moves.is_empty(), "they wait as they are");
    }

    #[test]
    fn every_code_that_asks_to_be_sent_again_is_waited_for() {
        let lost = |code: &&Code| matches!(ruling(code.as_str()), Ruling::Refused) && code.entry().retry;
        let lost: Vec<_> = Code::ALL.iter().filter(lost).collect();
        let of_requests = [Code::ActivationTooEarly, Code::RequestTimeout, Code::IdempotencyInFlight, Code::Internal];
        assert_eq!(lost, of_requests.iter().collect::<Vec<_>>());
        let named = [ALL_WAIT.as_slice(), &WAITS, &PAUSE, &STOP, &TRY_AGAIN].concat();
        let known = |word: &&str| Code::ALL.iter().any(|code| code.as_str() == *word);
        assert!(named.iter().all(known), "a word that is no code");
    }
}
