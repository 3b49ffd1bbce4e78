//! Inbound messages and opt-outs as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use super::keyword::Keyword;
use super::store::{self, InboundRow, OptOutRow, Source};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{InboundId, OptOutId};
use crate::phone::mask;
use crate::secret::{Keyring, Purpose};
use crate::terms::Channel;

/// A message that somebody sent to you.
#[derive(Serialize, ToSchema)]
pub struct InboundView {
    /// Its id.
    pub id: InboundId,
    /// How it came.
    channel: Channel,
    /// Who sent it: a number in E.164, or what the channel knows the sender by.
    #[schema(example = "+14155550123")]
    from: String,
    /// Your originator it was sent to.
    #[schema(example = "+14155550100")]
    to: String,
    /// What it says; null once it was purged (`retention.bodies`, 7 days).
    #[schema(example = "STOP")]
    body: Option<String>,
    /// The keyword that it is, if it is nothing else. `stop` and `start` have been heeded.
    keyword: Option<Keyword>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Millis,
    /// When what it says was purged.
    #[schema(value_type = Option<String>, format = DateTime)]
    purged_at: Option<Millis>,
}

impl InboundView {
    /// The view of a row. Error: the body was sealed with another key.
    pub(super) fn of(row: InboundRow, keyring: &Keyring) -> Result<InboundView> {
        let open = || {
            let body = keyring.open(Purpose::Body, row.id.as_str().as_bytes(), &row.body);
            let body = body.ok_or_else(|| Error::internal("an inbound message cannot be opened with this key"))?;
            String::from_utf8(body).map_err(Error::internal)
        };
        let body = if row.purged_at.is_none() { Some(open()?) } else { None };
        Ok(InboundView {
            id: row.id,
            channel: row.channel,
            from: row.sender,
            to: row.recipient,
            body,
            keyword: row.keyword,
            received_at: row.received_at,
            purged_at: row.purged_at,
        })
    }
}

/// A message that nobody's originator received. What it says stays sealed.
#[derive(Serialize, ToSchema)]
pub struct UnownedView {
    /// Its id.
    pub id: InboundId,
    /// By which carrier.
    #[schema(example = "acme")]
    carrier: String,
    /// How it came.
    channel: Channel,
    /// Who sent it, masked.
    #[schema(example = "+1415••••123")]
    from: String,
    /// The originator that it was sent to, and that nobody registered.
    #[schema(example = "+14155550100")]
    to: String,
    /// The keyword that it is, if it is nothing else.
    keyword: Option<Keyword>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Millis,
}

/// Messages that belong to nobody, newest first, from before `before` on.
pub fn list_unowned(conn: &mut Conn, before: Option<InboundId>, limit: i64) -> Result<Vec<UnownedView>> {
    let view = |row: InboundRow| UnownedView {
        id: row.id,
        carrier: row.carrier,
        channel: row.channel,
        from: mask(&row.sender),
        to: row.recipient,
        keyword: row.keyword,
        received_at: row.received_at,
    };
    Ok(store::list_without_owner(conn, before, limit)?.into_iter().map(view).collect())
}

/// Somebody who wants no messages but codes.
#[derive(Serialize, ToSchema)]
pub struct OptOutView {
    /// Its id.
    pub id: OptOutId,
    /// By which channel; the others are not touched.
    channel: Channel,
    /// The number in E.164, or the mail address.
    #[schema(example = "+14155550123")]
    to: String,
    /// Where it came from: the person's STOP, or you.
    source: Source,
    /// The message that said so.
    inbound_id: Option<InboundId>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

impl From<OptOutRow> for OptOutView {
    fn from(row: OptOutRow) -> OptOutView {
        OptOutView {
            id: row.id,
            channel: row.channel,
            to: row.recipient,
            source: row.source,
            inbound_id: row.inbound_id,
            created_at: row.created_at,
        }
    }
}
