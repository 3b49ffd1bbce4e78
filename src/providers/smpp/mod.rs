//! A carrier's message centre (SMSC), reached by SMPP 3.4 or 5.0.
//!
//! Reading order: `link` (binds, kept up), `session` (one bind: window, answers), `submit` (what goes out), `deliver`,
//! `receipt`, `inbound` and `deliveries` (what comes in), `rate` and `status` (what a refusal means).
//!
//! The codec is the crate `rusmpp`; the session is ours. Its client `rusmppc` 0.4 has no window and no reconnecting,
//! refuses centres of 3.4 unless told not to, and pulls in a resolver with open advisories; the client of `smpp34` has
//! a window, but TLS by the system's certificates alone, and no say in what a late or missing answer means, which
//! decides here whether a code is sent twice. `smpp34` is the centre of our tests: another codec than the one we send by.

mod deliver;
mod deliveries;
mod frame;
mod ids;
mod inbound;
mod link;
mod rate;
mod receipt;
mod session;
mod status;
mod submit;
mod tls;

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use rusmpp::pdus::SubmitSm;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::email::Patience;
use super::probe::{ADDRESS, Probe, Probing};
use super::wording;
use super::{Carrier, CarrierLimits, Linking, Outcome, Outgoing, Refusal, RefusalKind, ReportDesk, Sending};
use crate::config::{BindMode, SmppCarrier};
use crate::error::Result;
use crate::secret::random_u64;
use crate::terms::Channel;
use deliveries::Deliveries;
use inbound::Inbox;
use link::{Links, Role};
use rate::Rate;
use session::{Failure, lock};
use submit::{Letter, Unfit};

/// How long a bind under way, room in the window or a turn at the found rate is waited for.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// A message centre as a carrier.
pub struct Smpp {
    name: String,
    channels: Vec<Channel>,
    keys: SmppCarrier,
    total: Duration,
    links: Links,
    rate: Mutex<Rate>,
    reference: AtomicU16,
}

/// How one part ended.
enum Part {
    /// The carrier has it, by this id.
    Taken(Option<String>),
    /// It does not.
    Refused(Refusal),
    /// Nobody knows.
    Unknown(&'static str, &'static str),
}

impl Smpp {
    /// A carrier called `name`. Errors: TLS cannot be set up.
    pub fn new(name: String, channels: Vec<Channel>, keys: SmppCarrier, patience: Patience) -> Result<Smpp> {
        let links = Links::new(name.clone(), &keys, patience)?;
        let [high, low, ..] = random_u64().to_be_bytes();
        let reference = AtomicU16::new(u16::from_be_bytes([high, low]));
        Ok(Smpp { name, channels, keys, total: patience.total, links, rate: Mutex::default(), reference })
    }

    async fn hand_over(&self, message: &Outgoing) -> Outcome {
        let deadline = Instant::now() + self.total;
        let letter = Letter {
            to: &message.to,
            from: message.from.as_deref().or(self.keys.from.as_deref()),
            text: message.text.expose(),
            ttl_left: message.ttl_left,
            reference: self.reference.fetch_add(1, Ordering::Relaxed),
        };
        let parts = match submit::submits(&self.keys, &letter) {
            Ok(parts) => parts,
            Err(unfit) => return Outcome::Refused(unfit.refusal()),
        };
        let (total, mut last) = (parts.len(), None);
        for (place, part) in parts.into_iter().enumerate() {
            match self.one(part, &message.to, place == 0, deadline).await {
                Part::Taken(id) => last = id,
                Part::Unknown(code, detail) => return Outcome::Unknown { code, detail: String::from(detail) },
                Part::Refused(refusal) if place == 0 => return Outcome::Refused(refusal),
                // The carrier has the parts before: nobody can say whether they will be shown.
                Part::Refused(refusal) => {
                    let said = format!("part {} of {total} was refused: {}", place + 1, refusal.detail);
                    let detail = wording::keepable(&said, message);
                    return Outcome::Unknown { code: "provider.bad_response", detail };
                }
            }
        }
        Outcome::Accepted { provider_id: last, state: None }
    }

    /// One part; where the carrier asks to slow down, a part that is not the first waits and goes again, for its
    /// message is half sent.
    async fn one(&self, part: SubmitSm, to: &str, first: bool, deadline: Instant) -> Part {
        loop {
            let ended = self.once(part.clone(), to, first, deadline).await;
            let wait = match &ended {
                Part::Refused(Refusal { kind: RefusalKind::Throttled(wait), .. }) if !first => *wait,
                _ => return ended,
            };
            if Instant::now() + wait >= deadline {
                return ended;
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, part: SubmitSm, to: &str, first: bool, deadline: Instant) -> Part {
        // What goes out late cannot be answered in time: a refusal is better than not knowing.
        let soon = (deadline - self.total / 2).min(Instant::now() + SHORT_WAIT);
        if let Err(wait) = self.turn(if first { soon } else { deadline - self.total / 4 }).await {
            return refused(RefusalKind::Throttled(wait), "provider.throttled", "the carrier asked to slow down");
        }
        let Some(session) = self.links.session(soon).await else {
            return refused(RefusalKind::Route, "provider.unreachable", "no SMPP link is bound");
        };
        let Ok(Ok(_room)) = timeout_at(soon, session.window.acquire()).await else {
            let wait = RefusalKind::Throttled(status::THROTTLED_WAIT);
            return refused(wait, "provider.throttled", "the window is full");
        };
        let answer = session.submit(part.into(), to, deadline).await;
        self.count(&answer);
        match answer {
            Ok(answer) if answer.status == status::OK => Part::Taken(answer.message_id),
            Ok(answer) => self.said_no(answer.status),
            Err(Failure::NotSent) => {
                refused(RefusalKind::Route, "provider.unreachable", "the SMPP link ended before the message went out")
            }
            Err(Failure::Lost) => Part::Unknown("provider.reset", "the SMPP link ended before the answer came"),
            Err(Failure::Silent) => Part::Unknown("provider.timeout", "no answer to submit_sm in time"),
        }
    }

    /// Waits for a turn at the rate that the carrier takes, or says how long that would be.
    async fn turn(&self, until: Instant) -> Result<(), Duration> {
        loop {
            let wait = {
                let (mut rate, now) = (lock(&self.rate), Instant::now());
                let wait = rate.wait(now);
                if wait.is_zero() {
                    rate.count(now);
                    return Ok(());
                }
                wait
            };
            if Instant::now() + wait > until {
                return Err(wait);
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn said_no(&self, status: u32) -> Part {
        match status {
            status::THROTTLED => lock(&self.rate).throttled(Instant::now()),
            status::QUEUE_FULL => lock(&self.rate).full(Instant::now(), status::QUEUE_FULL_WAIT),
            _ => {}
        }
        let (kind, code) = status::meaning(status);
        refused(kind, code, &format!("{} ({status:#x})", status::name(status)))
    }

    fn count(&self, answer: &Result<session::Answer, Failure>) {
        let status = match answer {
            Ok(answer) => status::name(answer.status),
            Err(Failure::NotSent) => "not_sent",
            Err(Failure::Lost) => "lost",
            Err(Failure::Silent) => "timeout",
        };
        metrics::counter!("postern_smpp_submits_total", "carrier" => self.name.clone(), "status" => status)
            .increment(1);
    }

    /// Binds in each role once, and leaves.
    async fn look(&self) -> Probe {
        let mut roles = self.roles();
        roles.truncate(if self.keys.mode == BindMode::Transceiver { 1 } else { 2 });
        for role in &roles {
            if let Err(fault) = self.links.try_bind(*role).await {
                let said = fault.to_string();
                return match said.starts_with("the bind was refused") {
                    true => Probe::Failed(
                        said,
                        "check system_id and password; where the server runs, its binds may be all that the account has",
                    ),
                    false => Probe::Failed(format!("cannot be reached: {said}"), ADDRESS),
                };
            }
        }
        Probe::LetIn(format!("lets us in (bound and unbound, {} of {})", roles.len(), self.roles().len()))
    }

    /// The roles of all connections.
    fn roles(&self) -> Vec<Role> {
        let one: &[Role] = match self.keys.mode {
            BindMode::Transceiver => &[Role::Transceiver],
            BindMode::TransmitterReceiver => &[Role::Transmitter, Role::Receiver],
        };
        (0..self.keys.binds).flat_map(|_| one.iter().copied()).collect()
    }
}

fn refused(kind: RefusalKind, code: &'static str, detail: &str) -> Part {
    Part::Refused(Refusal { kind, code, detail: String::from(detail) })
}

impl Unfit {
    fn refusal(self) -> Refusal {
        let (kind, code, detail) = match self {
            Unfit::Recipient => (RefusalKind::Final, "recipient.invalid", "the recipient does not fit SMPP"),
            Unfit::Sender => {
                (RefusalKind::Route, "provider.rejected", "the sender does not fit SMPP: 20 ASCII characters")
            }
            Unfit::Text => (RefusalKind::Final, "provider.rejected", "the text is too long for SMPP"),
        };
        Refusal { kind, code, detail: String::from(detail) }
    }
}

impl Carrier for Smpp {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn limits(&self) -> CarrierLimits {
        let room = self.keys.window.saturating_mul(self.keys.binds);
        CarrierLimits { max_chars: 1600, max_in_flight: usize::try_from(room).unwrap_or(usize::MAX) }
    }

    fn send<'a>(&'a self, message: &'a Outgoing) -> Sending<'a> {
        Box::pin(self.hand_over(message))
    }

    fn probe(&self) -> Probing<'_> {
        Box::pin(self.look())
    }

    fn link(self: Arc<Self>, desk: ReportDesk, stop: watch::Receiver<bool>) -> Option<Linking> {
        Some(Box::pin(async move {
            let inbox = Arc::new(Mutex::new(Inbox::default()));
            let deliveries = Deliveries { carrier: self.name.clone(), ids: self.links.ids.clone(), inbox, desk };
            let keep = |role| self.links.keep(role, deliveries.clone(), stop.clone());
            join_all(self.roles().into_iter().map(keep)).await;
        }))
    }

    fn health_detail(&self) -> Option<String> {
        Some(format!("{} of {} SMPP links are bound", self.links.bound(), self.roles().len()))
    }
}

#[cfg(test)]
pub(in crate::providers) mod tests {
    use super::deliver::Delivered;
    use crate::config::{CarrierKind, Config, SmppCarrier, Source};

    /// The octets of a PDU that npm smpp, smpplib and smpp34 read alike.
    pub fn fixture(name: &str) -> Vec<u8> {
        let text = include_str!("../../../tests/fixtures/smpp/pdus_hex.json");
        let all: std::collections::BTreeMap<String, String> = serde_json::from_str(text).unwrap();
        let hex = all.get(name).unwrap();
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// The keys of a carrier, with these lines beside the required ones.
    pub fn keys(more: &str) -> SmppCarrier {
        let required = "name = \"a\"\nkind = \"smpp\"\nhost = \"localhost\"\nsystem_id = \"me\"\npassword = \"secret\"";
        let text = format!("[[carriers]]\n{required}\n{more}\n");
        let source = Source { name: String::from("postern.toml"), text, ..Source::default() };
        let carrier = Config::load(source).unwrap().carriers.pop().unwrap();
        match carrier.kind {
            CarrierKind::Smpp(keys) => *keys,
            other => panic!("{}", other.as_str()),
        }
    }

    /// A receipt of this text, for the tests of what reads it.
    pub fn delivered(text: &str) -> Delivered {
        Delivered {
            from: String::from("447700900123"),
            from_ton: 1,
            to: String::from("ACME"),
            to_ton: 5,
            esm_class: 4,
            data_coding: 0,
            text: text.as_bytes().to_vec(),
            place: None,
            receipted_id: None,
            state: None,
            network_error: None,
        }
    }
}
