//! `postern tail`: what happens at a running server, a line each, as it happens.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::hearing::Hearing;
use super::remote::{self, CallError, Patience, Remote, text_at};
use super::show;
use crate::clock::{Clock, Span, parse_duration};
use crate::terms::Channel;

/// What to show.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Messages accepted
    #[arg(long)]
    messages: bool,
    /// Where messages go: hand-offs, receipts, ends
    #[arg(long)]
    states: bool,
    /// Refusals, with the rules that fired
    #[arg(long)]
    decisions: bool,
    /// Events, as webhooks tell them (a key needs webhooks:write; an operator sees those that somebody subscribed to)
    #[arg(long)]
    events: bool,
    /// Only messages that come into this status, e.g. failed; several by comma
    #[arg(long, value_delimiter = ',', value_name = "STATUS")]
    status: Vec<String>,
    /// Only this channel
    #[arg(long)]
    channel: Option<Channel>,
    /// Only what goes to this number (E.164) or mail address
    #[arg(long)]
    to: Option<String>,
    /// Begin with what happened before, e.g. 10m
    #[arg(long, value_parser = span)]
    since: Option<Span>,
    /// Print each line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: remote::Args,
}

fn span(text: &str) -> Result<Span, &'static str> {
    parse_duration(text).map(Span).ok_or("write a whole number and a unit (s, m, h, d), e.g. 10m")
}

/// How often to ask what has happened.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How many ids are remembered: answers overlap.
const KNOWN_MAX: usize = 20_000;

/// Runs the command until Ctrl-C.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let remote = args.server.remote()?;
    let shown = Shown::of(&args, &remote);
    let mut hearing = shown.hearing(&remote).await?;
    let result = tokio::select! {
        result = watch(&remote, &args, &shown, hearing.as_mut()) => result,
        () = remote::interrupted() => Ok(()),
    };
    if let Some(hearing) = hearing {
        hearing.end().await;
    }
    result
}

/// Follows both sources and prints what they say.
async fn watch(remote: &Remote, args: &Args, shown: &Shown, hearing: Option<&mut Hearing<'_>>) -> anyhow::Result<()> {
    let (lines, mut told) = mpsc::channel::<Value>(64);
    let events = lines.clone();
    let all = lines.clone();
    let work = async {
        let (one, two, three) =
            (follow(remote, args, shown, lines), hear(hearing, shown, events), follow_events(remote, args, shown, all));
        tokio::try_join!(one, two, three).map(drop)
    };
    let print = async {
        while let Some(line) = told.recv().await {
            match args.json {
                true => show::line(&line)?,
                false => show::line(sentence(&line))?,
            }
        }
        Ok(())
    };
    tokio::try_join!(work, print).map(drop)
}

/// Which lines are wanted.
struct Shown {
    accepted: bool,
    states: bool,
    decisions: bool,
    events: bool,
    /// An operator has no listener, and asks for the events of all.
    is_operator: bool,
    /// Where states are shown, events of messages would say the same again.
    message_events: bool,
    status: Vec<String>,
}

impl Shown {
    fn of(args: &Args, remote: &Remote) -> Shown {
        let any = args.messages || args.states || args.decisions || args.events;
        let is_narrow = args.channel.is_some() || args.to.is_some() || !args.status.is_empty();
        Shown {
            accepted: (args.messages || !any) && args.status.is_empty(),
            states: args.states || !any,
            decisions: (args.decisions || !any) && !is_narrow,
            events: args.events || (!any && !is_narrow),
            is_operator: remote.is_operator(),
            message_events: any && !args.states,
            status: args.status.clone(),
        }
    }

    /// A listener, where events are wanted and the key may have one.
    async fn hearing<'a>(&self, remote: &'a Remote) -> anyhow::Result<Option<Hearing<'a>>> {
        if !self.events || self.is_operator {
            return Ok(None);
        }
        match Hearing::begin(remote, Vec::new()).await {
            Ok(hearing) => Ok(Some(hearing)),
            // A key that only reads sees the rest.
            Err(fault @ CallError::Refused { status: 403, .. }) if self.activity() => {
                eprintln!("postern: events are not shown: {fault}");
                Ok(None)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    fn activity(&self) -> bool {
        self.accepted || self.states || self.decisions
    }

    /// Where states are shown, events of messages would say the same again; one that was made up has no message.
    fn wants_event(&self, kind: &str, payload: Option<&Value>) -> bool {
        let is_made_up = payload.and_then(|payload| payload.pointer("/data/test")) == Some(&Value::Bool(true));
        self.message_events || is_made_up || !kind.starts_with("message.") || kind == "message.inbound"
    }

    fn wants(&self, what: &str) -> bool {
        match what.split_once('.') {
            Some(("decision", _)) => self.decisions,
            Some(("message", "accepted")) => self.accepted,
            Some((_, state)) => self.states && (self.status.is_empty() || self.status.iter().any(|one| one == state)),
            None => false,
        }
    }
}

/// Follows what happens to messages.
async fn follow(remote: &Remote, args: &Args, shown: &Shown, lines: mpsc::Sender<Value>) -> anyhow::Result<()> {
    if !shown.activity() {
        return Ok(());
    }
    let path = if remote.is_operator() { "/v1/admin/activity" } else { "/v1/activity" };
    let mut narrow = vec![];
    narrow.extend(args.channel.as_ref().map(|channel| ("channel", channel.as_str())));
    narrow.extend(args.to.as_deref().map(|to| ("to", to)));
    let pick = |line: &Value| shown.wants(text_at(line, "/what").unwrap_or_default()).then(|| line.clone());
    ask_on(remote, (path, &narrow), args.since.as_ref(), pick, lines).await
}

/// Follows the events of all organizations, for an operator.
async fn follow_events(remote: &Remote, args: &Args, shown: &Shown, lines: mpsc::Sender<Value>) -> anyhow::Result<()> {
    if !shown.events || !shown.is_operator {
        return Ok(());
    }
    let pick = |event: &Value| {
        let kind = text_at(event, "/type").filter(|kind| shown.wants_event(kind, event.get("payload")))?;
        let member = |name: &str| event.get(name).cloned();
        Some(json!({
            "id": member("id"), "at": member("created_at"), "what": "event", "type": kind, "org_id": member("org_id"),
            "data": event.pointer("/payload/data"),
        }))
    };
    ask_on(remote, ("/v1/admin/events", &[]), args.since.as_ref(), pick, lines).await
}

/// Asks again and again what has happened, and passes on what `pick` makes of each line that is new.
async fn ask_on(
    remote: &Remote,
    (path, narrow): (&str, &[(&str, &str)]),
    since: Option<&Span>,
    pick: impl Fn(&Value) -> Option<Value>,
    lines: mpsc::Sender<Value>,
) -> anyhow::Result<()> {
    let mut since = since.map(|span| Clock::System.now().minus(span.0).rfc3339());
    let (mut known, mut patience) = (Known::default(), Patience::default());
    loop {
        let mut query = narrow.to_vec();
        query.extend(since.as_deref().map(|since| ("since", since)));
        let found = match remote.get(path, &query).await {
            Ok(found) => found,
            Err(fault) if fault.is_passing() => {
                patience.wait_after(&fault).await;
                continue;
            }
            Err(fault) => return Err(fault.into()),
        };
        patience.is_well(remote.base());
        let (Some(next), Some(data)) = (text_at(&found, "/next_since"), found.get("data").and_then(Value::as_array))
        else {
            return Err(CallError::Strange { base: String::from(remote.base()) }.into());
        };
        for line in data {
            if known.is_new(text_at(line, "/id").unwrap_or_default())
                && let Some(line) = pick(line)
            {
                lines.send(line).await?;
            }
        }
        since = Some(String::from(next));
        if found.get("has_more").and_then(Value::as_bool) != Some(true) {
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

/// Hears events as a listener.
async fn hear(hearing: Option<&mut Hearing<'_>>, shown: &Shown, lines: mpsc::Sender<Value>) -> anyhow::Result<()> {
    let Some(hearing) = hearing else { return Ok(()) };
    loop {
        let event = hearing.next().await?;
        if shown.wants_event(&event.kind, Some(&event.payload)) {
            let data = event.payload.get("data");
            let line =
                json!({ "id": event.id, "at": event.created_at, "what": "event", "type": event.kind, "data": data });
            lines.send(line).await?;
        }
    }
}

/// Ids that were seen.
#[derive(Default)]
struct Known {
    ids: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Known {
    fn is_new(&mut self, id: &str) -> bool {
        let is_new = self.ids.insert(String::from(id));
        if is_new {
            self.order.push_back(String::from(id));
        }
        if self.order.len() > KNOWN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        is_new
    }
}

/// A line for people: when, what, about which, and what there is to say of it.
fn sentence(line: &Value) -> String {
    let text = |pointer: &str| text_at(line, pointer).unwrap_or_default();
    let mut words = vec![String::from(text("/at"))];
    let members = match (text("/what"), line.get("data")) {
        ("event", Some(data)) => {
            words.push(format!("event {}", text("/type")));
            data
        }
        (what, _) => {
            words.push(String::from(what));
            line
        }
    };
    for name in
        ["message_id", "inbound_id", "endpoint_id", "channel", "kind", "from", "to", "by", "error_code", "org_id"]
    {
        words.extend(members.get(name).and_then(Value::as_str).map(String::from));
    }
    words.extend(text_at(line, "/data/id").map(String::from));
    if text("/what") == "event" {
        words.extend(text_at(line, "/org_id").map(String::from));
    }
    let reasons = line.get("reasons").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let reasons: Vec<&str> = reasons.collect();
    if !reasons.is_empty() {
        words.push(format!("[{}]", reasons.join(", ")));
    }
    words.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_what_and_about_which() {
        let line = json!({
            "at": "2026-11-26T10:00:00.000Z", "what": "message.failed", "message_id": "msg_1", "channel": "sms",
            "kind": "otp", "to": "+447••••••456", "by": "receipt", "error_code": "provider.rejected", "reasons": [],
        });
        let told =
            "2026-11-26T10:00:00.000Z  message.failed  msg_1  sms  otp  +447••••••456  receipt  provider.rejected";
        assert_eq!(sentence(&line), told);
        let refused =
            json!({"at": "t", "what": "decision.block", "error_code": "fraud_blocked", "reasons": ["a", "b"]});
        assert_eq!(sentence(&refused), "t  decision.block  fraud_blocked  [a, b]");
        let event =
            json!({"at": "t", "what": "event", "type": "verification.approved", "data": {"id": "vrf_1", "to": "+1•"}});
        assert_eq!(sentence(&event), "t  event verification.approved  +1•  vrf_1");
        let of_somebody = json!({"at": "t", "what": "event", "type": "x", "org_id": "org_1", "data": {"id": "vrf_1"}});
        assert_eq!(sentence(&of_somebody), "t  event x  vrf_1  org_1");
    }

    #[test]
    fn an_id_is_new_once() {
        let mut known = Known::default();
        assert!(known.is_new("a") && !known.is_new("a") && known.is_new("b"));
        for n in 0..KNOWN_MAX {
            assert!(known.is_new(&n.to_string()));
        }
        assert_eq!(known.order.len(), KNOWN_MAX);
        assert!(known.is_new("a"), "forgotten");
    }
}
