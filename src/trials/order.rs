//! Asking for a test message.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::store::{self, Row};
use super::view::{TrialStatus, TrialView};
use crate::audit::{By, Change};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{TemplateId, TrialId};
use crate::jobs::{self, Job};
use crate::providers::Carrier;
use crate::recipient::Recipient;
use crate::secret::{Keyring, Purpose};
use crate::templates;
use crate::terms::Channel;

/// What every test message says: nothing that anybody could use, in characters that every network has.
pub const TEXT: &str = "Postern test message. Nothing to do.";

/// Test messages of one operator within [`WINDOW`]: enough to find a fault, too few to be of use to a thief of a token.
const MOST: usize = 5;
const WINDOW: Duration = Duration::from_secs(3_600);

/// A test message that is wanted, checked as far as it can be without the database.
pub struct Wanted {
    carrier: String,
    channel: Channel,
    to: Recipient,
    template: Option<TemplateId>,
}

impl Wanted {
    /// By `carrier`, on its first channel where none is named. Errors: `validation_failed` with the field.
    pub fn read(
        carrier: &dyn Carrier,
        channel: Option<Channel>,
        to: &str,
        template: Option<TemplateId>,
    ) -> Result<Wanted> {
        let own = carrier.channels();
        let channel = channel.or_else(|| own.first().copied()).filter(|channel| own.contains(channel));
        let channel = channel.ok_or_else(|| Error::field("channel", "must be one that the carrier has"))?;
        let to = Recipient::parse(to, channel, None).map_err(|why| Error::field("to", why))?;
        Ok(Wanted { carrier: String::from(carrier.name()), channel, to, template })
    }
}

/// A test message that the worker is to hand over.
#[derive(Serialize, Deserialize)]
pub(super) struct Due {
    pub(super) id: TrialId,
}

impl Job for Due {
    const KIND: &'static str = "carrier.test";
    const ATTEMPTS_MAX: i32 = 3;
}

/// Puts a test message into the queue and tells the audit log.
///
/// # Errors
/// `rate_limited` after too many within an hour; `validation_failed` for a template that may not be sent so.
pub fn order_trial(conn: &mut Conn, by: &By, keyring: &Keyring, wanted: &Wanted) -> Result<TrialView> {
    if let Some(template) = wanted.template {
        let approved = templates::approved(conn, template)?;
        if approved.is_none_or(|chosen| chosen.channel != wanted.channel) {
            return Err(Error::field("template_id", "must be an approved template of the channel"));
        }
    }
    let id = TrialId::new(by.now);
    let row = Row {
        id,
        carrier: wanted.carrier.clone(),
        channel: wanted.channel,
        recipient: wanted.to.to_string(),
        address: Some(keyring.seal(Purpose::Body, id.as_str().as_bytes(), wanted.to.address().as_bytes())),
        template: wanted.template,
        author: by.actor.to_string(),
        status: TrialStatus::Waiting,
        provider_id: None,
        error_code: None,
        detail: None,
        state: None,
        created_at: by.now,
        started_at: None,
        ended_at: None,
    };
    // The end of the audit chain is one row: whoever has told it is alone until the transaction ends, so that two orders
    // at once cannot both be the last that is allowed.
    let view = TrialView::bare(row.clone());
    by.tell(conn, "carrier.test", id, Change::made(&view))?;
    let asked = store::asked_since(conn, &row.author, by.now.minus(WINDOW))?;
    if let Some(oldest) = asked.get(MOST - 1) {
        let wait = oldest.plus(WINDOW).since(by.now);
        return Err(Error::new(Code::RateLimited)
            .detail("Five test messages an hour, for each operator.")
            .retry_after(wait));
    }
    store::insert(conn, &row)?;
    jobs::enqueue(conn, Due::KIND, &Due { id }, by.now)?;
    Ok(view)
}
