//! What the world does to a server: crashes, stalls, full disks, signals. The real binary runs as a process of its own
//! and the oracle asks afterwards whether anything was lost, doubled, or told to the wrong ear.

mod crash;
pub mod dice;
mod disk;
mod drain;
mod limits;
mod load;
mod money;
mod points;
mod soak;
mod stall;

use serde_json::{Value, json};

use crate::harness::actor::{Actor, Reply};
use crate::harness::oracle::{CANARY, NUMBERS, Oracle};
use crate::harness::wait::meanwhile;

/// A valid British mobile number for every `n` below 100,000.
fn number(n: usize) -> String {
    assert!(n < 100_000);
    format!("+{NUMBERS}{n:05}")
}

/// A message that no OTP guard counts.
fn notice_to(to: &str) -> Value {
    json!({"to": to, "body": format!("Doors open at {CANARY}"), "kind": "transactional"})
}

/// A one-time code.
fn code_to(to: &str) -> Value {
    json!({"to": to, "body": format!("Your code is {CANARY}")})
}

/// A request with its idempotency key, which its client repeats until it is accepted.
#[derive(Clone)]
struct Ask {
    method: &'static str,
    path: String,
    key: String,
    body: Option<Value>,
}

impl Ask {
    fn send(key: impl Into<String>, body: Value) -> Ask {
        Ask::post(key, "/v1/messages", body)
    }

    fn post(key: impl Into<String>, path: impl Into<String>, body: Value) -> Ask {
        Ask { method: "POST", path: path.into(), key: key.into(), body: Some(body) }
    }

    /// A question: its key is only its name.
    fn get(key: impl Into<String>, path: impl Into<String>) -> Ask {
        Ask { method: "GET", path: path.into(), key: key.into(), body: None }
    }

    fn bulk(key: impl Into<String>, messages: &[Value]) -> Ask {
        Ask::post(key, "/v1/messages/bulk", json!({"messages": messages}))
    }

    /// One try; `None` where no answer came.
    async fn once(&self, caller: &Actor) -> Option<Reply> {
        let caller = caller.with_header("Idempotency-Key", &self.key);
        caller.attempt(self.method, &self.path, self.body.clone()).await.ok()
    }

    /// Tries until it is accepted, as a patient client does; the oracle is told.
    async fn until_accepted(&self, caller: &Actor, oracle: &mut Oracle) -> Reply {
        let reply = meanwhile(&format!("the acceptance of {}", self.key), || async {
            self.once(caller).await.filter(|reply| reply.status == 202)
        })
        .await;
        oracle.note(&reply);
        reply
    }
}
