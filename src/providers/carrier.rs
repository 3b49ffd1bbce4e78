//! The Carrier trait and what passes through it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::circuit::Circuits;
use super::pace::Paces;
use super::probe::{Probe, Probing};
use super::report::{ReceiptState, Report};
use super::reports::ReportDesk;
use super::template::{Reviewed, Reviewing, TemplateCall, TemplateForm, TemplateState};
use crate::clock::Millis;
use crate::config::Room;
use crate::ids::{AttemptId, MessageId, OrgId};
use crate::secret::Secret;
use crate::terms::{Channel, Mode};

/// A message on its way out, rendered and priced. No Debug: it holds a code and a full number.
pub struct Outgoing {
    /// The message.
    pub message_id: MessageId,
    /// This hand-off; the client reference where the carrier takes one.
    pub attempt_id: AttemptId,
    /// Whose message.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// The channel of this hand-off.
    pub channel: Channel,
    /// E.164, or a mail address.
    pub to: String,
    /// The originator the caller asked for.
    pub from: Option<String>,
    /// The text as the handset shall show it.
    pub text: Secret<String>,
    /// The code that the text says, where it says one: for carriers that have a form for codes.
    pub code: Option<Secret<String>>,
    /// The reviewed template to send instead of the text, for carriers that have one.
    pub template: Option<TemplateCall>,
    /// Mail only.
    pub subject: Option<String>,
    /// Mail only.
    pub html: Option<Secret<String>>,
    /// Time left before the message is worthless.
    pub ttl_left: Duration,
}

/// How a hand-off ended. The three are told apart because only a certain refusal may be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The carrier has it.
    Accepted {
        /// The carrier's own id, by which receipts come back.
        provider_id: Option<String>,
        /// A final state the carrier told at once (mail accepted by the next hop, the sandbox's script).
        state: Option<ReceiptState>,
    },
    /// The carrier certainly does not have it.
    Refused(Refusal),
    /// Bytes were written and no clear answer came: it may or may not be sent, and is never sent again by itself.
    Unknown {
        /// Our word for the cause: `provider.timeout`, `provider.reset`, `provider.bad_response`.
        code: &'static str,
        /// What happened, redacted and cut to 300 characters.
        detail: String,
    },
}

/// Why a carrier certainly did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What may be done about it.
    pub kind: RefusalKind,
    /// Our word for the cause: `recipient.invalid`, `recipient.opted_out`, `provider.rejected`, `provider.auth`,
    /// `provider.throttled`, `provider.unavailable`, `provider.unreachable`, `provider.redirect`.
    pub code: &'static str,
    /// The carrier's text, redacted and cut to 300 characters.
    pub detail: String,
}

/// What a refusal means for the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The recipient or the content is at fault: no other route will do better.
    Final,
    /// This route cannot; another may at once.
    Route,
    /// Asked to slow down: this route again after the wait, or another at once.
    Throttled(Duration),
    /// This recipient has had too much from this number for the moment: the same route again, a little later. The
    /// number is well, and others may be written to.
    Pair,
    /// The account or the number is stopped, and an operator has to look: nothing more by this carrier for now;
    /// another route may at once.
    Stop,
    /// The reviewed template may not be sent: it is in this state there. As final as `Final`, and the template moves.
    Template(TemplateState),
}

/// Why a carrier gave up on a message it had taken, or what it says of our number as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// What may be done about it, as after a refusal.
    pub kind: RefusalKind,
    /// Our word for it, of those of [`Refusal::code`].
    pub code: &'static str,
}

/// Which of a carrier's two addresses a callback came to. A carrier that has one address for everything takes either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// `/hooks/{name}/status`
    Status,
    /// `/hooks/{name}/inbound`
    Inbound,
}

/// A carrier's callback as it came in: nothing parsed yet, since the signature is over these bytes.
pub struct Hook<'a> {
    /// The address it came to.
    pub kind: HookKind,
    /// The public address it was sent to, from configuration, with path and query.
    pub url: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The raw body; empty with GET.
    pub body: &'a [u8],
}

impl Hook<'_> {
    /// What stands behind the `?` of the address; empty where nothing does.
    pub fn query(&self) -> &str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }
}

/// Why a callback is not believed or not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookFault {
    /// The signature is missing or wrong.
    Signature,
    /// Signed, but unreadable.
    Malformed,
    /// This carrier sends no callbacks.
    NotHere,
}

/// What the carrier wants to read back when its callback was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookReply {
    /// An empty 204.
    Empty,
    /// An empty TwiML document, 200.
    Twiml,
}

/// What an adapter can take.
#[derive(Debug, Clone, Copy)]
pub struct CarrierLimits {
    /// Longest text, characters.
    pub max_chars: usize,
    /// Hand-offs in flight at once.
    pub max_in_flight: usize,
}

/// A boxed future, so that carriers of all kinds stand in one list.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A link that is kept until its stop signal.
pub type Linking = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One way out.
pub trait Carrier: Send + Sync {
    /// The name that routes, hooks and metrics use.
    fn name(&self) -> &str;
    /// The channels it carries.
    fn channels(&self) -> &[Channel];
    /// Its limits.
    fn limits(&self) -> CarrierLimits;
    /// Hands one message over. Ends within the connect and total time-outs of configuration.
    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a>;
    /// Whether its outcomes come from a script: then they say nothing of its health.
    fn is_scripted(&self) -> bool {
        false
    }
    /// How many messages a second it takes where nobody has said otherwise; `None` for a carrier that has no such limit.
    fn usual_pace(&self) -> Option<u32> {
        None
    }
    /// Checks a callback's signature over the raw body, then translates it.
    fn reports(&self, _hook: &Hook<'_>) -> Result<Vec<Report>, HookFault> {
        Err(HookFault::NotHere)
    }
    /// Whether its callbacks may come by GET, everything in the query.
    fn calls_back_by_get(&self) -> bool {
        false
    }
    /// Whether it shares `/hooks/meta` with others of its kind; each takes what is its own.
    fn is_meta(&self) -> bool {
        false
    }
    /// Meta's id of the WhatsApp number that it sends from; `None` where it may send from any.
    fn phone_number_id(&self) -> Option<&str> {
        None
    }
    /// The answer to a carrier that asks, by GET with these parameters, whether the address is ours; `None` refuses.
    fn handshake(&self, _query: &[(String, String)]) -> Option<String> {
        None
    }
    /// The link that this carrier keeps with us while the process delivers (SMPP): what arrives over it is told to
    /// `desk`, and acknowledged once that says it is stored. Ends soon after `stop` says true. `None`: it needs none.
    fn link(self: Arc<Self>, _desk: ReportDesk, _stop: watch::Receiver<bool>) -> Option<Linking> {
        None
    }
    /// How its link stands, for operators; `None` for a carrier that keeps none.
    fn health_detail(&self) -> Option<String> {
        None
    }
    /// Looks whether it can be reached and lets us in, without a message. Ends within the time-outs of configuration.
    fn probe(&self) -> Probing<'_> {
        Box::pin(async { Probe::Reached(String::from("needs no credentials")) })
    }
    /// The account whose templates this carrier reviews; none where it reviews none.
    fn template_account(&self) -> Option<&str> {
        None
    }
    /// Submits a template for review.
    fn submit_template<'a>(&'a self, _form: &'a TemplateForm) -> Reviewing<'a> {
        Box::pin(async { Reviewed::Refused(String::from("this carrier reviews no templates")) })
    }
    /// Whether it takes a code for which the organization has no template: as a text, or by a template of the operator's.
    fn takes_plain_codes(&self) -> bool {
        true
    }
    /// The answer to a stored callback.
    fn hook_reply(&self) -> HookReply {
        HookReply::Empty
    }
}

/// Every carrier of this process, by name, how well each is and how much it takes.
#[derive(Clone, Default)]
pub struct Carriers {
    by_name: BTreeMap<String, Arc<dyn Carrier>>,
    rooms: BTreeMap<String, Room>,
    paces: Arc<Paces>,
    circuits: Arc<Circuits>,
}

impl Carriers {
    /// Adds one; a later carrier of the same name takes its place.
    pub fn add(&mut self, carrier: Arc<dyn Carrier>) {
        if carrier.is_scripted() {
            self.circuits.exempt(carrier.name());
        }
        self.by_name.insert(String::from(carrier.name()), carrier);
    }

    /// Adds one with the room that configuration gives it.
    pub fn add_with(&mut self, carrier: Arc<dyn Carrier>, room: Room) {
        self.rooms.insert(String::from(carrier.name()), room);
        self.add(carrier);
    }

    /// How many hand-offs to `name` may be under way from this process.
    pub fn max_in_flight(&self, name: &str) -> usize {
        let configured = self.rooms.get(name).and_then(|room| room.max_in_flight);
        let own = || self.find(name).map_or(0, |carrier| carrier.limits().max_in_flight);
        configured.map_or_else(own, |max| usize::try_from(max).unwrap_or(usize::MAX))
    }

    /// How many hand-offs may be under way from this process in all.
    pub fn room(&self) -> usize {
        self.by_name.keys().map(|name| self.max_in_flight(name)).fold(0, usize::saturating_add)
    }

    /// How long until `name` may be handed another at its pace, of which each of `nodes` processes has a share.
    pub fn wait(&self, name: &str, nodes: u32, now: Millis) -> Duration {
        self.share(name, nodes).map_or(Duration::ZERO, |rate| self.paces.wait(name, rate, now))
    }

    /// Counts a hand-off to `name` that goes now.
    pub fn count(&self, name: &str, nodes: u32, now: Millis) {
        if let Some(rate) = self.share(name, nodes) {
            self.paces.take(name, rate, now);
        }
    }

    /// Notes how many messages a second `name` takes by its own word (Meta raises a number's throughput). It stands in
    /// place of the usual pace; what configuration says is not exceeded either.
    pub fn note_pace(&self, name: &str, per_second: u32) {
        self.paces.note(name, per_second);
    }

    fn share(&self, name: &str, nodes: u32) -> Option<u32> {
        let configured = self.rooms.get(name).and_then(|room| room.max_per_second);
        let usual = || self.by_name.get(name)?.usual_pace();
        let per_second = self.paces.rate(name, configured, usual)?;
        Some((per_second / nodes.max(1)).max(1))
    }

    /// Finds one by name.
    pub fn find(&self, name: &str) -> Option<Arc<dyn Carrier>> {
        self.by_name.get(name).cloned()
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Carrier>> {
        self.by_name.values()
    }

    /// The health of each: ask before a hand-off, tell after it.
    pub fn circuits(&self) -> &Circuits {
        &self.circuits
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::clock::Millis;

    /// A text message to `to`, for the adapters' tests.
    pub fn message(to: &str) -> Outgoing {
        Outgoing {
            message_id: MessageId::new(Millis(1_000)),
            attempt_id: AttemptId::new(Millis(1_000)),
            org_id: OrgId::new(Millis(1_000)),
            mode: Mode::Live,
            channel: Channel::Sms,
            to: String::from(to),
            from: None,
            text: Secret::new(String::from("Your code is 918273")),
            code: None,
            template: None,
            subject: None,
            html: None,
            ttl_left: Duration::from_secs(300),
        }
    }
}
