//! What carriers report: receipts, what people wrote, and news of our numbers, templates and account.

use super::carrier::Cause;
use super::number_report::NumberReport;
use super::template::TemplateReport;
use crate::clock::Millis;
use crate::terms::Channel;

/// What a receipt says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReceiptState {
    /// The carrier sent it on.
    Sent,
    /// The handset (or mailbox) has it.
    Delivered,
    /// It will not arrive.
    Undelivered,
    /// The carrier gave up before sending.
    Failed,
}

/// A delivery receipt, translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The carrier's id of the hand-off.
    pub provider_id: String,
    /// Our reference, where the carrier gives it back.
    pub reference: Option<String>,
    /// What it says; `None` for a status that means nothing to us yet (accepted, queued), which is recorded only.
    pub state: Option<ReceiptState>,
    /// The carrier's status word, for the record.
    pub status: String,
    /// The carrier's error code, where it gave one.
    pub error_code: Option<String>,
    /// What that code means, where this build knows it.
    pub cause: Option<Cause>,
    /// How else the id may be written in our records; `None` where it is written there as it is here.
    pub forms: Option<Box<OtherForms>>,
}

/// Other forms of a receipt's id, for a carrier that may write ids one way in its answers and another way in its
/// receipts. Ids of two forms may be equal by chance: the numbers tell which is meant. Its Debug shows none of these.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherForms {
    /// The other forms.
    pub ids: Vec<String>,
    /// What speaks for the id beside the number.
    pub trust: Trust,
    /// Whom the receipt is about, as the carrier writes it: digits alone.
    pub numbers: Vec<String>,
}

/// What speaks for a receipt's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Nothing: it may be another message's id in another form.
    None,
    /// It has letters: no decimal id looks so.
    Letters,
    /// This process remembers a message to that number by it.
    Remembered,
}

/// Digits of a number at its end that are as good as all of it: a carrier may leave out the country.
const ENOUGH_DIGITS: usize = 7;

impl OtherForms {
    /// Whether the receipt is about a message to `recipient` (E.164).
    pub fn is_about(&self, recipient: &str) -> bool {
        let whole: String = recipient.chars().filter(char::is_ascii_digit).collect();
        let same = |number: &String| {
            // 00 before the country, or 0 before an area.
            let number = number.trim_start_matches('0');
            number.len() >= ENOUGH_DIGITS && whole.ends_with(number)
        };
        self.numbers.iter().any(same)
    }
}

impl std::fmt::Debug for OtherForms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OtherForms").field("ids", &self.ids).finish_non_exhaustive()
    }
}

/// A message that somebody sent to one of our numbers. Its Debug shows neither the number nor the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The carrier's id of it, by which a repeat is known.
    pub provider_id: String,
    /// How it came.
    pub channel: Channel,
    /// Who sent it: E.164 with the plus, or what the carrier knows the sender by.
    pub from: String,
    /// Which of our originators it was sent to, as the carrier writes it (numbers: E.164 with the plus).
    pub to: String,
    /// What it says; empty for a picture and the like.
    pub text: String,
    /// When it was sent, where the carrier says it: it may come to us days later.
    pub sent_at: Option<Millis>,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("provider_id", &self.provider_id).field("channel", &self.channel).finish()
    }
}

/// What a carrier tells us, by a callback or over a link that it holds with us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// About a message of ours.
    Receipt(Receipt),
    /// A message to us.
    Inbound(Inbound),
    /// About our WhatsApp numbers.
    Number(NumberReport),
    /// About a template of ours.
    Template(TemplateReport),
    /// About our account or number, not about one message.
    Trouble(Cause),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_known_again_however_the_carrier_writes_it() {
        let about = |number: &str| {
            OtherForms { ids: Vec::new(), trust: Trust::None, numbers: vec![String::from(number)] }
                .is_about("+447700900123")
        };
        for same in ["447700900123", "00447700900123", "07700900123", "7700900123"] {
            assert!(about(same), "{same}");
        }
        for other in ["447700900124", "900123", "", "0", "1447700900123"] {
            assert!(!about(other), "{other}");
        }
    }
}
