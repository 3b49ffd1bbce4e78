//! Hearing events of a server one by one, each once, through its restarts: what `listen` and `tail` share.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::remote::{CallError, Patience, Remote, text_at};

/// An event.
#[derive(Debug, Deserialize)]
pub struct Heard {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened, RFC 3339.
    pub created_at: String,
    /// What is posted.
    pub payload: Value,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Heard>,
}

/// Seconds that an answer may wait for an event.
const WAIT: &str = "25";
/// How long work on events that are here may go on before the server is told that the listener lives.
const SAY_WITHIN: Duration = Duration::from_secs(30);

/// A listener at a server.
pub struct Hearing<'a> {
    remote: &'a Remote,
    events: Vec<String>,
    id: String,
    /// The server has let the listener go; another is to be opened.
    is_gone: bool,
    here: VecDeque<Heard>,
    /// Given out; the server is told so before it is asked for more, so that nothing comes twice or is left out.
    given: Vec<String>,
    said: Instant,
    patience: Patience,
}

impl<'a> Hearing<'a> {
    /// Begins to listen to these types; to all where none is named.
    pub async fn begin(remote: &'a Remote, events: Vec<String>) -> Result<Hearing<'a>, CallError> {
        let id = open(remote, &events).await?;
        let (here, given, patience) = (VecDeque::new(), Vec::new(), Patience::default());
        Ok(Hearing { remote, events, id, is_gone: false, here, given, said: Instant::now(), patience })
    }

    /// The next event, waited for; the one before is done with. Error: one that does not pass.
    pub async fn next(&mut self) -> Result<Heard, CallError> {
        loop {
            if self.said.elapsed() < SAY_WITHIN
                && let Some(event) = self.here.pop_front()
            {
                self.given.push(event.id.clone());
                return Ok(event);
            }
            let asked = self.ask().await;
            self.heed(asked).await?;
        }
    }

    /// Says what has been given out, and hears more where nothing is left.
    async fn ask(&mut self) -> Result<(), CallError> {
        if self.is_gone {
            self.id = open(self.remote, &self.events).await?;
            self.is_gone = false;
            eprintln!("postern: the server had let this listener go; what happened meanwhile was not heard");
        }
        self.remote.post(&format!("/v1/listeners/{}/ack", self.id), &json!({ "events": self.given })).await?;
        self.given.clear();
        self.said = Instant::now();
        if self.here.is_empty() {
            let answer = self.remote.get(&format!("/v1/listeners/{}/events", self.id), &[("wait", WAIT)]).await?;
            let strange = |_| CallError::Strange { base: String::from(self.remote.base()) };
            let Answer { data } = serde_json::from_value(answer).map_err(strange)?;
            self.here.extend(data);
            self.said = Instant::now();
        }
        Ok(())
    }

    async fn heed(&mut self, asked: Result<(), CallError>) -> Result<(), CallError> {
        match asked {
            Ok(()) => self.patience.is_well(self.remote.base()),
            Err(fault) if fault.is_not_found() => {
                self.is_gone = true;
                self.given.clear();
            }
            Err(fault) if fault.is_passing() => self.patience.wait_after(&fault).await,
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Ends the listener; a server that is gone lets it go by itself.
    pub async fn end(self) {
        let path = format!("/v1/listeners/{}", self.id);
        let ended = self.remote.delete(&path);
        drop(tokio::time::timeout(Duration::from_secs(3), ended).await);
    }
}

async fn open(remote: &Remote, events: &[String]) -> Result<String, CallError> {
    let body = if events.is_empty() { json!({}) } else { json!({ "events": events }) };
    let made = remote.post("/v1/listeners", &body).await?;
    match text_at(&made, "/id") {
        Some(id) => Ok(String::from(id)),
        None => Err(CallError::Strange { base: String::from(remote.base()) }),
    }
}
