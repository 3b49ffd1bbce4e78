//! The carrier that reaches nobody: it keeps messages where a developer can read them, and plays a script for the
//! magic numbers.

mod store;

pub use store::{Shown, inbox, purge};

use super::{Carrier, CarrierLimits, Outcome, Outgoing, ReceiptState, Refusal, RefusalKind, Sending};
use crate::clock::Clock;
use crate::db::Db;
use crate::terms::{Channel, Mode};
use crate::text::redact;
use store::Arrival;

/// The magic numbers are this and one more digit.
const MAGIC: &str = "+1500555000";

/// The sandbox.
pub struct Sandbox {
    name: String,
    db: Db,
    clock: Clock,
}

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It shows on the handset, and the receipt says this.
    Arrives(ReceiptState),
    /// It is taken, and never arrives.
    Vanishes,
    /// The carrier is down.
    Down,
    /// The carrier's answer is lost.
    Lost,
}

impl Sandbox {
    /// A sandbox called `name` that keeps its inbox in `db`.
    pub fn new(name: String, db: Db, clock: Clock) -> Sandbox {
        Sandbox { name, db, clock }
    }

    async fn play(&self, message: &Outgoing) -> Outcome {
        let state = match part_of(message.channel, &message.to) {
            Part::Arrives(state) => state,
            Part::Vanishes => return accepted(message, ReceiptState::Undelivered),
            Part::Down => return down("the magic number's carrier is down"),
            Part::Lost => return lost(),
        };
        let arrival = self.arrival(message);
        match self.db.write(move |conn| store::insert(conn, &arrival)).await {
            Ok(()) => accepted(message, state),
            Err(_) => down("the sandbox could not store the message"),
        }
    }

    /// What the inbox keeps. Live codes belong to nobody but the handset, so that theirs are hidden here.
    fn arrival(&self, message: &Outgoing) -> Arrival {
        let shown = |text: &str| if message.mode == Mode::Live { redact(text) } else { String::from(text) };
        Arrival {
            id: message.attempt_id,
            org_id: message.org_id,
            mode: message.mode,
            message_id: message.message_id,
            channel: message.channel,
            recipient: message.to.clone(),
            sender: message.from.clone(),
            subject: message.subject.as_deref().map(shown),
            body: shown(message.text.expose()),
            received_at: self.clock.now(),
        }
    }
}

impl Carrier for Sandbox {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        Channel::ALL
    }

    fn limits(&self) -> CarrierLimits {
        CarrierLimits { max_chars: 100_000, max_in_flight: 256 }
    }

    fn is_scripted(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(self.play(message))
    }
}

/// The script. `…003` is down for texts only, so that a fallback to another channel arrives.
fn part_of(channel: Channel, to: &str) -> Part {
    match (to.strip_prefix(MAGIC), channel) {
        (Some("2"), _) => Part::Vanishes,
        (Some("3"), Channel::Sms) => Part::Down,
        (Some("7"), _) => Part::Arrives(ReceiptState::Sent),
        (Some("8"), _) => Part::Lost,
        _ => Part::Arrives(ReceiptState::Delivered),
    }
}

fn accepted(message: &Outgoing, state: ReceiptState) -> Outcome {
    Outcome::Accepted { provider_id: Some(format!("sandbox-{}", message.attempt_id)), state: Some(state) }
}

fn down(detail: &str) -> Outcome {
    let (kind, code) = (RefusalKind::Route, "provider.unavailable");
    Outcome::Refused(Refusal { kind, code, detail: String::from(detail) })
}

fn lost() -> Outcome {
    Outcome::Unknown { code: "provider.timeout", detail: String::from("the magic number's answer is lost") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_numbers_play_their_parts() {
        let sms = |to: &str| part_of(Channel::Sms, to);
        assert_eq!(sms("+15005550000"), Part::Arrives(ReceiptState::Delivered));
        assert_eq!(sms("+15005550002"), Part::Vanishes);
        assert_eq!(sms("+15005550003"), Part::Down);
        assert_eq!(part_of(Channel::Whatsapp, "+15005550003"), Part::Arrives(ReceiptState::Delivered));
        assert_eq!(sms("+15005550007"), Part::Arrives(ReceiptState::Sent));
        assert_eq!(sms("+15005550008"), Part::Lost);
        for other in ["+14155550123", "+150055500021", "jane@example.com"] {
            assert_eq!(sms(other), Part::Arrives(ReceiptState::Delivered), "{other}");
        }
    }
}
