//! Carriers over real sockets: every outcome that a message can meet on its way out.

mod apis;
mod email;
mod http;
mod sandbox;
mod smpp;

use std::sync::Arc;
use std::time::Duration;

use postern::clock::{Clock, Millis};
use postern::config::{Config, Source};
use postern::ids::{AttemptId, MessageId, OrgId};
use postern::providers::{Carrier, Outcome, Outgoing, RefusalKind, carriers};
use postern::secret::Secret;
use postern::terms::{Channel, Mode};

use crate::harness::Backend;

/// Short, so that a hanging carrier does not hold up the test; long enough for a busy machine to answer in.
const BOUNDS: &str = "[outbound]\nconnect_timeout = \"500ms\"\ntotal_timeout = \"1500ms\"\n";

/// The carrier `acme` of a configuration, and the database it may write to.
fn acme(table: &str) -> (Arc<dyn Carrier>, Backend) {
    let backend = Backend::fresh();
    let text = format!("{BOUNDS}\n[[carriers]]\nname = \"acme\"\n{table}");
    let source = Source { name: String::from("postern.toml"), text, ..Source::default() };
    let clock = Clock::manual(Millis(1_000_000));
    let config = Config::load(source).unwrap();
    let all = carriers(&config, &backend.open(clock.clone()), &clock).unwrap();
    (all.find("acme").unwrap(), backend)
}

fn text_to(to: &str) -> Outgoing {
    let now = Millis(1_000_000);
    Outgoing {
        message_id: MessageId::new(now),
        attempt_id: AttemptId::new(now),
        org_id: OrgId::new(now),
        mode: Mode::Live,
        channel: Channel::Sms,
        to: String::from(to),
        from: None,
        text: Secret::new(String::from("Your code is 918273 & it's «new»")),
        code: None,
        template: None,
        subject: None,
        html: None,
        ttl_left: Duration::from_millis(299_900),
    }
}

/// An outcome in one word, for tables.
fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { .. } => String::from("accepted"),
        Outcome::Unknown { code, .. } => format!("unknown {code}"),
        Outcome::Refused(refusal) => match refusal.kind {
            RefusalKind::Final => format!("final {}", refusal.code),
            RefusalKind::Route => format!("route {}", refusal.code),
            RefusalKind::Throttled(wait) => format!("wait {}s", wait.as_secs()),
            RefusalKind::Pair => format!("pair {}", refusal.code),
            RefusalKind::Stop => format!("stop {}", refusal.code),
            RefusalKind::Template(state) => format!("template {state:?} {}", refusal.code),
        },
    }
}

/// What a carrier said of a message, as it is kept.
fn detail(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Accepted { .. } => "",
        Outcome::Unknown { detail, .. } => detail,
        Outcome::Refused(refusal) => &refusal.detail,
    }
}
