//! Sends a code, inside the caller's transaction: the one place where a verification becomes a message.

use super::desk::Desk;
use super::state::code_of_send;
use super::store::{self, Row, SendRow, Spec};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::idempotency::Stored;
use crate::ids::MessageId;
use crate::limits::View;
use crate::messages::{
    Accept, BulkTerms, Client, CodeSpec, Content, Extra, ItemOutcome, NewMessage, Part, Prepared, Words, record,
};
use crate::phone::address_mac;
use crate::recipient::Recipient;
use crate::templates::{Chosen, TemplateName};
use crate::terms::{Channel, Kind};

/// How a code travels this time.
#[derive(Clone)]
pub struct Way {
    /// The channel.
    pub channel: Channel,
    /// Whom there.
    pub to: Recipient,
}

impl Way {
    /// By `channel` to an address that was parsed before it was stored.
    pub fn stored(channel: Channel, address: &str) -> Result<Way> {
        let to = Recipient::parse(address, channel, None).map_err(Error::internal)?;
        Ok(Way { channel, to })
    }
}

/// What became of a send.
#[expect(clippy::large_enum_variant, reason = "made and taken apart once in a request")]
pub enum Sent {
    /// It is on its way; the limits after it.
    Taken(View),
    /// A guard, the screen or the wallet refused it.
    Refused {
        /// Why.
        error: Error,
        /// Whether a decision was written that the error names.
        is_kept: bool,
    },
}

/// Sends the next code of `row` by `way`. `row` is brought up to date, but saved by the caller. An error of its own
/// undoes the whole transaction.
pub fn send_code(conn: &mut Conn, desk: &Desk, row: &mut Row, way: &Way, now: Millis) -> Result<Sent> {
    let item = match prepare(desk, row, way, now) {
        Err(error) if error.code() == Code::TemplateNotApproved => return Ok(Sent::Refused { error, is_kept: false }),
        prepared => prepared?,
    };
    let (message_id, is_kept) = (item.id, item.screened.code.is_some());
    let outcome = record(conn, &desk.acceptance, &[&accept(desk, item)])?.results.pop();
    let accepted = match outcome.unwrap_or_else(|| Err(Error::internal("a send without an outcome"))) {
        Ok(accepted) => accepted,
        Err(error) => return Ok(Sent::Refused { error, is_kept }),
    };
    row.sends += 1;
    row.channel = way.channel;
    row.last_send_at = now;
    row.updated_at = now;
    let send = SendRow {
        verification_id: row.id,
        attempt: row.sends,
        message_id,
        channel: way.channel,
        converted: false,
        created_at: now,
    };
    store::insert_send(conn, send)?;
    Ok(Sent::Taken(accepted.view))
}

/// The next send of `row` as an item of the accepting transaction.
pub fn prepare(desk: &Desk, row: &Row, way: &Way, now: Millis) -> Result<Prepared> {
    let spec = row.spec()?;
    let left = row.expires_at.since(now);
    let message = NewMessage {
        to: way.to.clone(),
        channel: way.channel,
        kind: Kind::Otp,
        words: Words::Text { text: String::new(), subject: None },
        from: None,
        ttl: left,
        scheduled_for: None,
        fallback: Vec::new(),
        client: Client::default(),
        metadata: spec.metadata.clone(),
    };
    let extra = Extra {
        metadata: spec.metadata.clone(),
        template: Some(spec.template.clone()),
        client_request_id: desk.client_request_id.clone(),
        ..Extra::default()
    };
    let locale = spec.asked_locale.as_deref().unwrap_or(&row.locale);
    let wording = desk.bench.template_for_code(&desk.caller, &spec.template, (way.channel, locale))?;
    let content = Content::Code(code_spec(desk, row, (&spec, wording), left.as_secs()));
    let part = Part { id: MessageId::new(now), content, extra, verification_id: Some(row.id) };
    let mut item = desk.bench.finish(&desk.caller, message, part)?;
    item.set_client(spec.client);
    // A code by another way counts for the number that is verified, too.
    let is_elsewhere = way.to.address() != row.recipient;
    item.counts_for = is_elsewhere.then(|| address_mac(&desk.bench.keyring, &row.recipient));
    Ok(item)
}

/// A prepared send as a request of its own.
pub fn accept(desk: &Desk, item: Prepared) -> Accept {
    Accept {
        caller: desk.caller.clone(),
        request_id: desk.request_id.clone(),
        claim: None,
        items: vec![Ok(item)],
        bulk: None,
        render: no_answer,
    }
}

fn code_spec(
    desk: &Desk,
    row: &Row,
    (spec, (template, own)): (&Spec, (TemplateName, Option<Chosen>)),
    valid_s: u64,
) -> CodeSpec {
    CodeSpec {
        verification: row.id,
        attempt: code_of_send(row.resend_policy, row.sends.saturating_add(1)),
        digits: u8::try_from(row.code_length).unwrap_or(0),
        destination: row.recipient.clone(),
        template,
        locale: row.locale.clone(),
        app: desk.caller.org.name.clone(),
        valid_s,
        web_origin: spec.web_origin.clone(),
        app_hash: spec.app_hash.clone(),
        own: own.map(Box::new),
    }
}

/// The answer is the verification's, not the message's.
fn no_answer(_: Option<&BulkTerms>, _: &[ItemOutcome]) -> Stored {
    Stored { status: 200, body: Vec::new(), location: None }
}
