//! A message that somebody sent to us: whose it is, what it says, kept once.

use super::keyword::Keyword;
use super::store::{self, InboundRow, OptOutRow};
use super::told;
use crate::accounts;
use crate::activations::{self, Bringer};
use crate::clock::Millis;
use crate::config::SANDBOX;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{InboundId, OrgId};
use crate::phone::{Phone, mask, pseudonym};
use crate::providers::Inbound;
use crate::routing::senders;
use crate::secret::{Keyring, Purpose};
use crate::terms::{Channel, Mode};

/// Longest text that is kept, characters: ten concatenated segments, and more than any handset sends.
pub(super) const LONGEST: usize = 1600;

/// The carrier that brings messages.
pub struct From<'a> {
    /// Its name.
    pub carrier: &'a str,
    /// What seals texts.
    pub keyring: &'a Keyring,
    /// What its messages come from where no sender is named. Organizations without a sender of their own share it,
    /// whoever it is registered to.
    pub originator: Option<&'a str>,
    /// Under which other names an organization knows somebody: who hides a number on WhatsApp is still the same person.
    pub other_names: OtherNames,
}

/// The other names of a person, as an organization knows them.
pub type OtherNames = fn(&mut Conn, OrgId, &str) -> Result<Vec<String>>;

/// Stores what people sent; a repeat changes nothing. STOP ends the consent to everything but codes by that channel: to
/// the messages of the organization whose originator it was sent to, or of every organization where several share it.
/// START renews it.
pub fn take_inbound(conn: &mut Conn, from: &From<'_>, inbound: &[Inbound], now: Millis) -> Result<()> {
    for one in inbound {
        let bringer = Bringer { carrier: from.carrier, keyring: from.keyring, mode: Mode::Live, only: None };
        if activations::take_activation(conn, bringer, one, &address_of(one.channel, &one.to), now)? {
            // Its renter's alone: nobody else's message, and no word of anybody's consent.
            continue;
        }
        let owner = (owner_of(conn, one)?, Mode::Live);
        let row = row(one, from.carrier, owner, (from.keyring, now));
        let is_shared = from.originator.is_some_and(|own| address_of(one.channel, own) == row.recipient);
        if keep(conn, from.keyring, &row, is_shared, now)?
            && let (Some(org), true) = (row.org_id, row.keyword.is_some() && row.channel == Channel::Whatsapp)
        {
            for name in (from.other_names)(conn, org, &row.sender)? {
                heed(conn, from.keyring, (&row, &name), is_shared, now)?;
            }
        }
    }
    Ok(())
}

/// The same for a message that a test key makes up, which is to `org` alone.
pub(super) fn take_test(
    conn: &mut Conn,
    keyring: &Keyring,
    org: OrgId,
    one: &Inbound,
    now: Millis,
) -> Result<InboundRow> {
    let bringer = Bringer { carrier: SANDBOX, keyring, mode: Mode::Test, only: Some(org) };
    activations::take_activation(conn, bringer, one, &address_of(one.channel, &one.to), now)?;
    let row = row(one, SANDBOX, (Some(org), Mode::Test), (keyring, now));
    keep(conn, keyring, &row, false, now)?;
    Ok(row)
}

fn row(
    one: &Inbound,
    carrier: &str,
    (org_id, mode): (Option<OrgId>, Mode),
    (keyring, now): (&Keyring, Millis),
) -> InboundRow {
    let id = InboundId::new(now);
    let text: String = one.text.chars().take(LONGEST).collect();
    InboundRow {
        id,
        carrier: String::from(carrier),
        provider_id: one.provider_id.clone(),
        org_id,
        mode,
        channel: one.channel,
        sender: address_of(one.channel, &one.from),
        recipient: address_of(one.channel, &one.to),
        body: keyring.seal(Purpose::Body, id.as_str().as_bytes(), text.as_bytes()),
        keyword: Keyword::of(&one.text),
        received_at: now,
        // A clock that is ahead of ours opens nothing for longer.
        sent_at: Some(one.sent_at.map_or(now, |at| at.min(now))),
        purged_at: None,
    }
}

/// Stores a message, and heeds it if it was not there; whether it was not.
fn keep(conn: &mut Conn, keyring: &Keyring, row: &InboundRow, is_shared: bool, now: Millis) -> Result<bool> {
    if !store::insert_inbound(conn, row)? {
        return Ok(false);
    }
    heed(conn, keyring, (row, &row.sender), is_shared, now)?;
    told::tell(conn, row, now)?;
    let word = row.keyword.map_or("none", |keyword| keyword.as_str());
    metrics::counter!("postern_inbound_total", "channel" => row.channel.as_str(), "keyword" => word).increment(1);
    Ok(true)
}

/// Heeds what somebody wrote who is known as `name`. `is_shared`: others send from this originator as well, and the person cannot tell them apart.
fn heed(
    conn: &mut Conn,
    keyring: &Keyring,
    (row, name): (&InboundRow, &str),
    is_shared: bool,
    now: Millis,
) -> Result<()> {
    let whose = row.org_id.filter(|_| !is_shared);
    let whom = (row.mode, row.channel, name);
    match row.keyword {
        Some(Keyword::Stop) => {
            store::insert_opt_out(conn, &OptOutRow::new(whose, whom, Some(row.id), now))?;
        }
        Some(Keyword::Start) => {
            // The address may have been erased since it opted out.
            let before = pseudonym(keyring, name);
            for whom in [whom, (row.mode, row.channel, before.as_str())] {
                store::delete_opt_out(conn, row.org_id, whom)?;
                if is_shared {
                    store::delete_opt_out(conn, None, whom)?;
                }
            }
        }
        Some(Keyword::Help) | None => {}
    }
    Ok(())
}

/// Whose originator it was sent to, by the list of senders; one that nobody registered is the only organization's,
/// where there is one only.
fn owner_of(conn: &mut Conn, inbound: &Inbound) -> Result<Option<OrgId>> {
    match senders::owner_of(conn, inbound.channel, &address_of(inbound.channel, &inbound.to))? {
        Some(owner) => Ok(owner.org_id),
        None => {
            let only = accounts::only_org(conn)?;
            if only.is_none() {
                metrics::counter!("postern_inbound_unowned_total", "channel" => inbound.channel.as_str()).increment(1);
                tracing::warn!(
                    originator = %mask(&inbound.to),
                    "somebody wrote to an originator that no sender is registered for: no organization sees it; \
                     register it at /v1/admin/senders"
                );
            }
            Ok(only)
        }
    }
}

/// The address in the form that messages are sent to, so that the two meet; what is no number stays as it is.
fn address_of(channel: Channel, text: &str) -> String {
    match channel {
        Channel::Sms | Channel::Whatsapp => {
            Phone::parse(text, None).map_or_else(|_| String::from(text), |phone| String::from(phone.e164()))
        }
        Channel::Email => text.to_lowercase(),
    }
}
