//! What goes into the accepting transaction and what comes out of it.

use std::sync::Arc;

use super::body::{BulkMode, Pacing};
use super::chat::Chat;
use super::client::ClientMacs;
use super::pairs::PairKey;
use super::purse::Capped;
use super::store::{Extra, Row};
use crate::accounts::Caller;
use crate::clock::Millis;
use crate::error::Error;
use crate::fraud::engine::Key;
use crate::fraud::{Kept, Reason, Trial, Verdict as Screened};
use crate::idempotency::{Claim, Stored};
use crate::ids::{BatchId, DecisionId, MessageId, VerificationId};
use crate::limits::View;
use crate::phone::Country;
use crate::terms::{Bulk, Channel, Kind};
use crate::text::Encoding;
use crate::wallet::Priced;

/// One request to accept: a single send is one item, a bulk is many. Its key, if any, covers all of it.
pub struct Accept {
    /// Who asks.
    pub caller: Caller,
    /// The request's own id.
    pub request_id: String,
    /// The idempotency key.
    pub claim: Option<Claim>,
    /// What to send, in order.
    pub items: Vec<Item>,
    /// The bulk's terms; `None` for a single send.
    pub bulk: Option<BulkTerms>,
    /// How the answer is written.
    pub render: Render,
}

/// Writes the answer of an accepted request. A bulk's runs inside the transaction, since it is kept with the effect; a
/// single send's can be written again from its message.
pub type Render = fn(Option<&BulkTerms>, &[ItemOutcome]) -> Stored;

/// What a bulk asked for.
#[derive(Debug, Clone)]
pub struct BulkTerms {
    /// Its id.
    pub batch_id: BatchId,
    /// Some, or all or none.
    pub mode: BulkMode,
    /// Spread over the plan's minutes, or refuse.
    pub pacing: Pacing,
    /// Where the caller reaches this server: the refusals of single messages point to it.
    pub base: String,
    /// A step of a broadcast, whose contacts wait by themselves: SMS over a bulk's share of the plan are refused with
    /// their wait, a limit's refusal is no decision yet, and the batch grows with each step.
    pub is_step: bool,
}

/// One message, priced and screened, or why it can be none (a bulk's faulty item).
pub type Item = Result<Prepared, Error>;

/// A message that only state can still refuse.
pub struct Prepared {
    /// Its id.
    pub id: MessageId,
    /// E.164 or mail address.
    pub recipient: String,
    /// The address as guards know it.
    pub subject: Vec<u8>,
    /// Another address that this message counts for: the number of a verification whose code goes by mail this time.
    pub counts_for: Option<Vec<u8>>,
    /// The number's country.
    pub country: Option<Country>,
    /// How.
    pub channel: Channel,
    /// What for.
    pub kind: Kind,
    /// The originator.
    pub sender: Option<String>,
    /// What is said, sealed.
    pub content: Vec<u8>,
    /// SMS encoding.
    pub encoding: Option<Encoding>,
    /// SMS parts.
    pub segments: u32,
    /// The spend caps it counts under.
    pub caps: Vec<Capped>,
    /// Life after it is due.
    pub ttl: std::time::Duration,
    /// Not before.
    pub scheduled_for: Option<Millis>,
    /// Members kept beside.
    pub extra: Extra,
    /// The verification whose code it carries.
    pub verification_id: Option<VerificationId>,
    /// The end user's address and device as guards know them.
    pub client: ClientMacs,
    /// The WhatsApp number and the recipient, where it can only go by one number.
    pub pair: Option<PairKey>,
    /// What it costs.
    pub price: Priced,
    /// Its decision.
    pub decision_id: DecisionId,
    /// What the screen said.
    pub screened: Screened,
    /// What the engine will judge; none where it has nothing to say.
    pub trial: Option<Box<Trial>>,
    /// What it takes to go by WhatsApp, where it does.
    pub chat: Option<Chat>,
    /// A refusal that needs no state: a magic number, no route. The key's replay still comes before it.
    pub refusal: Option<Error>,
}

/// What became of one item.
pub struct ItemOutcome {
    /// The row as it was stored, or why not.
    pub result: Result<Arc<Row>, Error>,
    /// The limits it met.
    pub view: View,
    /// The rules that fired.
    pub reasons: Vec<Reason>,
    /// What the decision keeps of the fraud engine.
    pub judged: Option<Kept>,
}

impl ItemOutcome {
    /// One that no guard has looked at.
    pub fn plain(result: Result<Arc<Row>, Error>) -> ItemOutcome {
        ItemOutcome { result, view: View::new(), reasons: Vec::new(), judged: None }
    }
}

/// What became of a request.
pub struct Accepted {
    /// The answer (2xx) where it is kept byte for byte: a bulk's. A single send's shows its message, see
    /// [`Accepted::answer`].
    pub kept: Option<Stored>,
    /// Whether it was given before.
    pub replayed: bool,
    /// The limits met.
    pub view: View,
    /// The rows that were stored now.
    pub rows: Vec<Arc<Row>>,
}

impl Accepted {
    /// An answer that is given again.
    pub fn again(stored: Stored) -> Accepted {
        Accepted { kept: Some(stored), replayed: true, view: View::new(), rows: Vec::new() }
    }

    /// The same answer for a request that shares it.
    pub fn shared(&self) -> Accepted {
        Accepted { kept: self.kept.clone(), replayed: true, view: View::new(), rows: self.rows.clone() }
    }

    /// The answer: as it is kept, else rendered from the message, after its transaction and on the request's own thread.
    pub fn answer(&self, render: Render) -> Stored {
        self.kept.clone().unwrap_or_else(|| {
            let shown: Vec<ItemOutcome> = self.rows.iter().map(|row| ItemOutcome::plain(Ok(row.clone()))).collect();
            render(None, &shown)
        })
    }
}

impl Prepared {
    /// Puts another end user in the place of the one it was prepared for.
    pub fn set_client(&mut self, client: ClientMacs) {
        if let Some(trial) = &mut self.trial {
            trial.features.network = client.network;
            trial.features.device = client.device.as_deref().map(Key::of_bytes);
            trial.features.named = client.named();
        }
        self.client = client;
    }
}

impl Accept {
    /// Where its one message will be found, if it is accepted: a single send.
    pub fn place(&self) -> Option<String> {
        match (&self.bulk, self.items.as_slice()) {
            (None, [Ok(item)]) => Some(place_of(item.id)),
            _ => None,
        }
    }

    /// Whether its messages go in the bulk lane.
    pub fn bulk_lane(&self) -> Bulk {
        if self.bulk.is_some() { Bulk::Yes } else { Bulk::No }
    }

    /// Whether SMS over the plan's cap wait for their minute.
    pub fn is_paced(&self) -> bool {
        self.bulk.as_ref().is_some_and(|terms| terms.pacing == Pacing::Plan)
    }

    /// Whether this is a step of a broadcast.
    pub fn is_step(&self) -> bool {
        self.bulk.as_ref().is_some_and(|terms| terms.is_step)
    }

    /// Whether one refusal refuses all.
    pub fn is_all_or_nothing(&self) -> bool {
        self.bulk.as_ref().is_none_or(|terms| terms.mode == BulkMode::AllOrNothing)
    }
}

/// The `Location` of a message.
pub fn place_of(id: MessageId) -> String {
    format!("{PLACE}{id}")
}

/// The message that a `Location` names.
pub fn message_at(location: &str) -> Option<MessageId> {
    location.strip_prefix(PLACE)?.parse().ok()
}

const PLACE: &str = "/v1/messages/";
