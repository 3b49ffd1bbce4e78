//! What operators do with a single message: call it back, look at what it says and to whom, send it anew.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::accept::{Accept, Prepared};
use super::client::Client;
use super::content::Content;
use super::new::{NewMessage, Words};
use super::prepare::{Bench, Part};
use super::record::{Acceptance, record};
use super::settle::{Moved, move_row};
use super::state::{Hold, Status};
use super::store::{Extra, Move, Row};
use super::view::render_single;
use crate::accounts::Caller;
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::MessageId;
use crate::recipient::Recipient;
use crate::secret::Keyring;
use crate::terms::{Channel, Kind};

/// Calls back a message that has not gone yet, in the name of `by`; its price is let go. Error:
/// `message.not_cancelable`.
pub fn cancel(conn: &mut Conn, row: &Row, by: &'static str, now: Millis) -> Result<()> {
    if !row.status.is_cancelable() {
        return Err(Error::new(Code::MessageNotCancelable));
    }
    let hold = if row.hold.is_open() { Hold::Released } else { row.hold };
    let to = Move { status: Status::Canceled, next_at: None, content: None, hold, ..Move::of(row, now) };
    match move_row(conn, row, &to, &Moved::by(by), now)? {
        true => Ok(()),
        false => Err(Error::new(Code::MessageNotCancelable)),
    }
}

/// What a message says and to whom, for an operator who may know.
#[derive(Serialize, ToSchema)]
pub struct RevealedMessage {
    /// The message.
    pub id: MessageId,
    /// The number in E.164, or the mail address.
    #[schema(example = "+14155550123")]
    pub to: String,
    /// Where it would go, or went, when its first channel failed.
    pub fallback: Vec<RevealedWay>,
    /// Whether its text is here, and why not.
    pub body_state: BodyState,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// What it says.
    pub body: Option<String>,
}

/// A further channel of a message.
#[derive(Serialize, ToSchema)]
pub struct RevealedWay {
    /// The channel.
    pub channel: Channel,
    /// The number or mail address there.
    pub to: String,
}

crate::text_enum! {
    /// Whether a text can be looked at.
    pub enum BodyState {
        /// It is kept, sealed.
        Kept = "kept",
        /// It was erased: it was of no more use, or `retention.bodies` is over.
        Erased = "erased",
        /// It carries a code: those are shown to nobody.
        Code = "code",
    }
}

impl BodyState {
    /// What is so of `row`.
    pub fn of(row: &Row) -> BodyState {
        match (row.kind, &row.content) {
            (_, None) => BodyState::Erased,
            (Kind::Otp, _) => BodyState::Code,
            (_, Some(_)) => BodyState::Kept,
        }
    }
}

/// Opens a message. Error: its text was sealed under another key.
pub fn reveal(row: &Row, keyring: &Keyring) -> Result<RevealedMessage> {
    let body_state = BodyState::of(row);
    let said = match (&row.content, body_state) {
        (Some(sealed), BodyState::Kept) => {
            let content = Content::open(keyring, row.id, sealed)?;
            Some(content.render(row.way(&row.extra()?).0, row.org_id, keyring)?)
        }
        _ => None,
    };
    let way = |(channel, to): (Channel, String)| RevealedWay { channel, to };
    Ok(RevealedMessage {
        id: row.id,
        to: row.recipient.clone(),
        fallback: row.extra()?.fallback.into_iter().map(way).collect(),
        body_state,
        subject: said.as_ref().and_then(|said| said.subject.clone()),
        body: said.map(|said| said.text),
    })
}

/// A message that says what an earlier one said, made ready.
pub struct Again {
    accept: Accept,
    acceptance: Acceptance,
}

/// Makes ready a new message of `caller`'s that says to whom `row` went what `row` said. Errors: `validation_failed`
/// where it carried a code (those are not kept) or its text is gone, and those of every send.
pub async fn again(app: &App, caller: Caller, row: &Row, request_id: String) -> Result<Again> {
    let item = prepared(&Bench::of(app).await?, &caller, row)?;
    let accept = Accept { caller, request_id, claim: None, items: vec![Ok(item)], bulk: None, render: render_single };
    Ok(Again { accept, acceptance: app.room::<super::Queue>().terms() })
}

fn prepared(bench: &Bench, caller: &Caller, row: &Row) -> Result<Prepared> {
    let content = match (BodyState::of(row), &row.content) {
        (BodyState::Kept, Some(sealed)) => Content::open(&bench.keyring, row.id, sealed)?,
        _ => return Err(unsendable(row.kind)),
    };
    let wrong = |_| Error::internal("a stored recipient cannot be read");
    let before = row.extra()?;
    let message = NewMessage {
        to: Recipient::parse_or_user(&row.recipient, row.channel, row.country).map_err(wrong)?,
        channel: row.channel,
        kind: row.kind,
        // The text comes from what was sealed.
        words: Words::Text { text: String::new(), subject: None },
        from: row.sender.clone(),
        ttl: row.expires_at.since(row.created_at).max(Duration::from_secs(60)),
        scheduled_for: None,
        fallback: Vec::new(),
        client: Client::default(),
        metadata: before.metadata.clone(),
    };
    let extra = Extra { metadata: before.metadata, template: before.template, ..Extra::default() };
    bench.finish(caller, message, Part { id: MessageId::new(bench.now), content, extra, verification_id: None })
}

fn unsendable(kind: Kind) -> Error {
    Error::field(
        "id",
        match kind {
            Kind::Otp => "carried a code, and codes are not kept; let the app start a new verification",
            _ => "says nothing any more: its text was erased",
        },
    )
}

impl Again {
    /// Accepts it, in the transaction that is open: the new message. Errors: those of every send.
    pub fn record(self, conn: &mut Conn) -> Result<Row> {
        let Again { accept, acceptance } = self;
        let done = record(conn, &acceptance, &[&accept])?.results.pop();
        let accepted = done.unwrap_or_else(|| Err(Error::internal("a send without an outcome")))?;
        let row = accepted.rows.first().ok_or_else(|| Error::internal("a send without a message"))?;
        Ok(Row::clone(row))
    }
}
