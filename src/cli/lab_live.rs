//! `postern lab SCENARIO --server`: attacks and honest cases against a running server, in real time and at a rate that
//! harms nobody: by a test key of an organization of their own, whose messages stay in the sandbox.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::show;
use crate::fraud::engine::rng::Rng;
use crate::http::outbound::{Bounds, carrier_client};
use crate::money::Micros;

/// Where and as whom.
#[derive(Debug, Clone, clap::Args)]
pub struct Live {
    /// A running server to play the scenario against, e.g. http://127.0.0.1:8080: A1, A3, A5, L3 or L4
    #[arg(long, value_name = "URL", requires = "operator_token")]
    server: Option<Url>,
    /// A token of an operator there who may make organizations
    #[arg(long, value_name = "TOKEN")]
    operator_token: Option<String>,
    /// How many codes to ask for
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=2_000), requires = "server")]
    attempts: u32,
    /// How many a second
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=20), requires = "server")]
    rate: u32,
    /// Play against a server that is not on this machine
    #[arg(long, requires = "server")]
    yes_really: bool,
}

/// What can be played in real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Play {
    /// One number after the other.
    Sequential,
    /// Eight countries at once.
    Spray,
    /// A stolen key: random numbers of one operator.
    Stolen,
    /// A university behind two addresses.
    Campus,
    /// A company's phones, numbered one after the other.
    Company,
}

impl Play {
    fn of(scenario: &str) -> anyhow::Result<Play> {
        Ok(match scenario.to_ascii_uppercase().as_str() {
            "A1" => Play::Sequential,
            "A3" => Play::Spray,
            "A5" => Play::Stolen,
            "L3" => Play::Campus,
            "L4" => Play::Company,
            _ => bail!("against a server there are A1, A3, A5, L3 and L4"),
        })
    }

    fn is_attack(self) -> bool {
        matches!(self, Play::Sequential | Play::Spray | Play::Stolen)
    }

    /// The number and the address of the `n`th attempt.
    fn attempt(self, n: u32, rng: &mut Rng) -> (String, Option<String>) {
        let far = |rng: &mut Rng| format!("203.0.{}.{}", rng.below(250) + 1, rng.below(250) + 1);
        match self {
            Play::Sequential => (format!("+3712012{n:04}"), Some(format!("198.51.100.{}", n % 5 + 1))),
            Play::Spray => {
                let index = usize::try_from(rng.below(8)).unwrap_or(0);
                let (prefix, digits) = SPRAYED.get(index).copied().unwrap_or(("+37120", 6));
                (random_after(prefix, digits, rng), Some(far(rng)))
            }
            Play::Stolen => (random_after("+37122", 6, rng), None),
            Play::Campus => (random_after("+447400", 6, rng), Some(format!("192.0.2.{}", n % 2 + 1))),
            Play::Company => (format!("+4479111{:05}", 23_000 + n), Some(String::from("192.0.2.9"))),
        }
    }

    /// Share of codes that are typed.
    fn typed(self) -> f64 {
        match self {
            Play::Sequential | Play::Stolen => 0.0,
            Play::Spray => 0.02,
            Play::Campus => 0.8,
            Play::Company => 0.9,
        }
    }
}

/// Mobile ranges and the digits behind them.
const SPRAYED: [(&str, usize); 8] = [
    ("+37120", 6),
    ("+37060", 6),
    ("+37255", 6),
    ("+99890", 7),
    ("+99455", 7),
    ("+9477", 7),
    ("+88017", 8),
    ("+62812", 7),
];

fn random_after(prefix: &str, digits: usize, rng: &mut Rng) -> String {
    let tail = rng.below(10u64.saturating_pow(u32::try_from(digits).unwrap_or(6)));
    format!("{prefix}{tail:0digits$}")
}

/// Runs the command where a server is named; whether one was.
pub async fn run(live: &Live, scenario: &str, seed: u64) -> anyhow::Result<bool> {
    let (Some(server), Some(token)) = (&live.server, &live.operator_token) else { return Ok(false) };
    let play = Play::of(scenario)?;
    ensure!(
        is_here(server) || live.yes_really,
        "{server} is not on this machine; say --yes-really to play against it all the same"
    );
    let desk = Desk { http: carrier_client(Bounds::default())?, server: server.clone(), token: token.clone() };
    let name = format!("postern lab {}", scenario.to_ascii_uppercase());
    let org =
        json!({"name": name, "plan": "enterprise", "country": "GB", "countries": ["*"], "protection": "standard"});
    let org = text(&desk.good(Method::POST, "/v1/admin/orgs", Some(org)).await?, "/id")?;
    let played = desk.play(&org, play, (live, seed)).await;
    // Whatever came of it, the organization ends here.
    let end = json!({"status": "suspended", "reason": "the lab is done"});
    let ended = desk.good(Method::PATCH, &format!("/v1/admin/orgs/{org}"), Some(end)).await;
    let score = played?;
    ended.with_context(|| format!("{org} could not be suspended"))?;
    show::line(score.table(scenario, play))?;
    Ok(true)
}

fn is_here(server: &Url) -> bool {
    let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Calls of the server as somebody.
struct Desk {
    http: reqwest::Client,
    server: Url,
    token: String,
}

/// A code on its way to be typed.
struct Typing {
    at: Instant,
    id: String,
    to: String,
}

/// What came of a scenario.
#[derive(Default)]
struct Score {
    sent: u32,
    refused: u32,
    /// Let through before the first refusal.
    leaked: Option<u32>,
    until_first: Option<Duration>,
    typed: u32,
    lost: i64,
}

impl Desk {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<(u16, Value)> {
        let mut request = self.http.request(method, self.server.join(path)?).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let reply = request.send().await.context("the server does not answer")?;
        let status = reply.status().as_u16();
        let text = reply.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    async fn good(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let (status, reply) = self.call(method, path, body).await?;
        ensure!(status < 300, "{path} answers {status}: {}", reply.get("detail").unwrap_or(&Value::Null));
        Ok(reply)
    }

    async fn play(&self, org: &str, play: Play, (live, seed): (&Live, u64)) -> anyhow::Result<Score> {
        let key = json!({"name": "lab", "mode": "test"});
        let key = text(&self.good(Method::POST, &format!("/v1/admin/orgs/{org}/keys"), Some(key)).await?, "/secret")?;
        let caller = Desk { http: self.http.clone(), server: self.server.clone(), token: key };
        let (mut rng, mut score) = (Rng::new(seed), Score::default());
        let (begun, beat) = (Instant::now(), Duration::from_secs_f64(1.0 / f64::from(live.rate)));
        let mut typing: VecDeque<Typing> = VecDeque::new();
        for n in 0..live.attempts {
            tokio::time::sleep_until(begun + beat.saturating_mul(n)).await;
            caller.type_due(&mut typing, &mut score, false).await?;
            let (to, ip) = play.attempt(n, &mut rng);
            let body = json!({"to": to, "client": {"ip": ip}});
            let (status, reply) = caller.call(Method::POST, "/v1/verifications", Some(body)).await?;
            match status {
                201 => {
                    score.sent += 1;
                    if rng.chance(play.typed()) {
                        // People take a while, each another one.
                        let after = Duration::from_secs_f64(rng.lognormal(12.0, 0.6).min(45.0));
                        typing.push_back(Typing { at: Instant::now() + after, id: text(&reply, "/id")?, to });
                    }
                }
                403 => score.refuse(begun.elapsed()),
                _ => bail!("a send was answered {status}: {}", reply.get("detail").unwrap_or(&Value::Null)),
            }
        }
        caller.type_due(&mut typing, &mut score, true).await?;
        score.lost = if play.is_attack() { caller.price().await?.saturating_mul(i64::from(score.sent)) } else { 0 };
        Ok(score)
    }

    /// Types the codes whose time has come; with `all` waits for the rest.
    async fn type_due(&self, typing: &mut VecDeque<Typing>, score: &mut Score, all: bool) -> anyhow::Result<()> {
        typing.make_contiguous().sort_by_key(|one| one.at);
        while let Some(next) = typing.front() {
            if next.at > Instant::now() {
                if !all {
                    return Ok(());
                }
                tokio::time::sleep_until(next.at).await;
            }
            let Some(Typing { id, to, .. }) = typing.pop_front() else { return Ok(()) };
            let inbox = format!("/v1/sandbox/messages?to=%2B{}", to.trim_start_matches('+'));
            let inbox = self.good(Method::GET, &inbox, None).await?;
            let said = inbox.pointer("/data/0/body").and_then(Value::as_str).unwrap_or_default();
            let code = said.split(|c: char| !c.is_ascii_digit()).max_by_key(|run| run.len()).unwrap_or_default();
            let check = json!({ "code": code });
            let (status, reply) =
                self.call(Method::POST, &format!("/v1/verifications/{id}/check"), Some(check)).await?;
            score.typed += u32::from(status == 200 && reply.get("valid") == Some(&Value::Bool(true)));
        }
        Ok(())
    }

    /// What a message costs there, micros.
    async fn price(&self) -> anyhow::Result<i64> {
        let latest = self.good(Method::GET, "/v1/messages?limit=1", None).await?;
        let amount = latest.pointer("/data/0/price/amount").and_then(Value::as_str).unwrap_or("0");
        Ok(Micros::parse(amount).map_or(0, |micros| micros.0))
    }
}

impl Score {
    fn refuse(&mut self, after: Duration) {
        self.refused += 1;
        self.leaked.get_or_insert(self.sent);
        self.until_first.get_or_insert(after);
    }

    fn table(&self, scenario: &str, play: Play) -> String {
        let of = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
        let share = of(self.refused, self.sent + self.refused);
        let first = match (self.leaked, self.until_first) {
            (Some(leaked), Some(after)) => format!("{leaked} let through, {:.1} s", after.as_secs_f64()),
            _ => String::from("nothing was refused"),
        };
        let (recall, precision) = match (play.is_attack(), self.refused) {
            (true, 0) => (String::from("0.000"), String::from("-")),
            (true, _) => (format!("{share:.3}"), String::from("1.000")),
            (false, 0) => (String::from("-"), String::from("-")),
            (false, _) => (String::from("-"), String::from("0.000")),
        };
        format!(
            "{}\nsent {}, refused {} ({:.1} %), typed {}\nbefore the first refusal: {first}\nmoney lost: {}\n\
             recall {recall}, precision {precision}",
            scenario.to_ascii_uppercase(),
            self.sent,
            self.refused,
            share * 100.0,
            self.typed,
            Micros(self.lost),
        )
    }
}

fn text(reply: &Value, pointer: &str) -> anyhow::Result<String> {
    reply
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(String::from)
        .with_context(|| format!("no {pointer} in the answer"))
}
