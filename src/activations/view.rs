//! Activations as their renter sees them.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::state::Status;
use super::store::{self, MessageRow, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::ActivationId;
use crate::money::MoneyView;
use crate::phone::Country;
use crate::secret::{Keyring, Purpose};
use crate::terms::Mode;

/// A number that you rent to receive a code.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActivationView {
    /// Its id.
    pub id: ActivationId,
    /// Its id at the text endpoint.
    #[schema(example = 1001)]
    pub serial: i64,
    /// Where it is.
    pub status: Status,
    /// Live or test.
    pub mode: Mode,
    /// The service it is for.
    #[schema(example = "ot")]
    pub service: String,
    /// The number's country (ISO 3166-1 alpha-2).
    #[schema(value_type = String, example = "GB")]
    pub country: Country,
    /// The number's network.
    #[schema(example = "any")]
    pub operator: String,
    /// The number in E.164.
    #[schema(example = "+447400123456")]
    pub phone_number: String,
    /// What it costs: held from the order on, charged when a code comes or you complete it.
    pub price: MoneyView,
    /// The latest code; null before one comes, and once the messages were purged.
    #[schema(example = "123456")]
    pub code: Option<String>,
    /// Every message that came, the oldest first.
    pub messages: Vec<ActivationMessageView>,
    /// When it was ordered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// From when on it can be cancelled, as long as no code has come.
    #[schema(value_type = String, format = DateTime)]
    pub cancel_at: Millis,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Millis,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Millis>,
}

/// A message that came for an activation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActivationMessageView {
    /// Who sent it.
    #[schema(example = "ACME")]
    pub from: String,
    /// The code in it, if one was found; null once it was purged.
    #[schema(example = "123456")]
    pub code: Option<String>,
    /// What it says; null once it was purged: after `retention.bodies` (7 days), when the activation has ended.
    #[schema(example = "123456 is your ACME code")]
    pub text: Option<String>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Millis,
    /// When code and text were purged.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub purged_at: Option<Millis>,
}

/// Views of `rows` as they stand at `now`, in their order. Error: a message was sealed with another key.
pub fn views(conn: &mut Conn, keyring: &Keyring, rows: Vec<Row>, now: Millis) -> Result<Vec<ActivationView>> {
    let with_messages: Vec<ActivationId> = rows.iter().filter(|row| row.messages > 0).map(|row| row.id).collect();
    let mut messages: BTreeMap<ActivationId, Vec<ActivationMessageView>> = BTreeMap::new();
    for chunk in with_messages.chunks(500) {
        for message in store::messages_of(conn, chunk)? {
            messages.entry(message.activation_id).or_default().push(opened(keyring, message)?);
        }
    }
    Ok(rows.into_iter().map(|row| view(messages.remove(&row.id).unwrap_or_default(), row, now)).collect())
}

/// One of them.
pub fn view_of(conn: &mut Conn, keyring: &Keyring, row: Row, now: Millis) -> Result<ActivationView> {
    views(conn, keyring, vec![row], now)?.pop().ok_or_else(|| Error::internal("an activation without a view"))
}

fn view(messages: Vec<ActivationMessageView>, row: Row, now: Millis) -> ActivationView {
    let status = row.status.at(row.expires_at, now);
    ActivationView {
        id: row.id,
        serial: row.serial,
        status,
        mode: row.mode,
        service: row.service,
        country: row.country,
        operator: row.operator,
        phone_number: row.phone,
        price: MoneyView::new(row.price_micros, row.currency),
        code: messages.iter().rev().find_map(|message| message.code.clone()),
        messages,
        created_at: row.created_at,
        cancel_at: row.cancel_at,
        expires_at: row.expires_at,
        ended_at: row.ended_at.or_else(|| status.is_final().then_some(row.expires_at)),
    }
}

fn opened(keyring: &Keyring, row: MessageRow) -> Result<ActivationMessageView> {
    let open = |sealed: &[u8]| {
        let plain = keyring.open(Purpose::Body, row.id.as_str().as_bytes(), sealed);
        let plain = plain.ok_or_else(|| Error::internal("an activation's message cannot be opened with this key"))?;
        String::from_utf8(plain).map_err(Error::internal)
    };
    Ok(ActivationMessageView {
        code: row.code.as_deref().map(open).transpose()?,
        text: row.purged_at.is_none().then(|| open(&row.text)).transpose()?,
        from: row.sender,
        received_at: row.received_at,
        purged_at: row.purged_at,
    })
}
