//! Steps that change numbers and portfolios: each audited, told, and felt at once by the keys that exist.

use std::collections::BTreeSet;

use serde::Serialize;

use super::ladder::{ContactLimit, Ladder, TierName, send_factor};
use super::leave::open_new_home;
use super::numbers::{Number, Portfolio};
use super::standing::{Manager, NumberStatus, Quality};
use super::{store, told};
use crate::accounts;
use crate::audit::{By, Change};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{OrgId, SenderId, WhatsappNumberId};
use crate::phone::mask;
use crate::routing::senders::{self, Sender};
use crate::terms::Channel;

/// A number to register; what is absent is the portfolio's, where that exists, else the usual.
#[derive(Debug, Clone)]
pub struct NewNumber {
    /// Whose.
    pub org_id: OrgId,
    /// E.164 with the plus.
    pub phone: String,
    /// Its portfolio; made where there is none of the name.
    pub portfolio: String,
    /// See [`NumberChange`].
    pub tier: TierChange,
    /// How well recipients take it.
    pub quality: Quality,
    /// Messages a second.
    pub throughput: i32,
    /// Whether it sends.
    pub status: NumberStatus,
    /// Meta's account.
    pub waba_id: Option<String>,
    /// Meta's id of it.
    pub phone_number_id: Option<String>,
}

/// What shall be of a portfolio.
#[derive(Debug, Clone, Default)]
pub struct TierChange {
    /// Its tiers.
    pub ladder: Option<Ladder>,
    /// Where it stands.
    pub tier: Option<TierName>,
    /// Who moves it.
    pub managed_by: Option<Manager>,
}

/// What shall be of a number; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct NumberChange {
    /// The portfolio it moves to; made where there is none of the name.
    pub portfolio: Option<String>,
    /// Of its portfolio: of all numbers in it. With another portfolio: what that one is, as for a new number.
    pub tier: TierChange,
    /// How well recipients take it.
    pub quality: Option<Quality>,
    /// Messages a second.
    pub throughput: Option<i32>,
    /// Whether it sends.
    pub status: Option<NumberStatus>,
    /// Meta's account.
    pub waba_id: Option<String>,
    /// Meta's id of it.
    pub phone_number_id: Option<String>,
}

/// A number for the audit log.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    org_id: OrgId,
    phone_number: String,
    portfolio: &'a str,
    quality: Quality,
    throughput: i32,
    status: NumberStatus,
    waba_id: Option<&'a str>,
    phone_number_id: Option<&'a str>,
}

pub(super) fn told_of(number: &Number) -> Told<'_> {
    Told {
        org_id: number.org_id,
        phone_number: mask(&number.phone),
        portfolio: &number.portfolio,
        quality: number.quality,
        throughput: number.throughput,
        status: number.status,
        waba_id: number.waba_id.as_deref(),
        phone_number_id: number.phone_number_id.as_deref(),
    }
}

/// A portfolio for the audit log.
#[derive(Serialize)]
struct TierTold {
    ladder: Ladder,
    limit: ContactLimit,
    managed_by: Manager,
}

fn tier_told(portfolio: &Portfolio) -> TierTold {
    TierTold { ladder: portfolio.ladder, limit: portfolio.limit, managed_by: portfolio.managed_by }
}

/// Registers a number, and its portfolio where that is new. It is a sender of its organization from then on: what people
/// write to it is that organization's. Error: `validation_failed`.
pub fn create_number(conn: &mut Conn, by: &By, new: NewNumber) -> Result<Number> {
    accounts::load_org(conn, new.org_id).map_err(|fault| match fault.code() {
        Code::NotFound => Error::field("org_id", "names no organization"),
        _ => fault,
    })?;
    open_portfolio(conn, by, &new.portfolio, &new.tier)?;
    let number = Number {
        id: WhatsappNumberId::new(by.now),
        org_id: new.org_id,
        phone: new.phone,
        portfolio: new.portfolio,
        waba_id: new.waba_id,
        phone_number_id: new.phone_number_id,
        quality: new.quality,
        quality_since: by.now,
        throughput: new.throughput,
        status: new.status,
        created_at: by.now,
        updated_at: by.now,
    };
    if !store::insert_number(conn, &number)? {
        return Err(Error::field("phone_number", "is registered already"));
    }
    register_sender(conn, &number)?;
    boost(conn, &[number.org_id].into())?;
    by.tell(conn, "whatsapp_number.create", number.id, Change::made(&told_of(&number)))?;
    Ok(number)
}

/// Changes a number, and the tier of its portfolio. Errors: `not_found`, `validation_failed`.
pub fn change_number(conn: &mut Conn, by: &By, id: WhatsappNumberId, change: NumberChange) -> Result<Number> {
    let before = store::find_number(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    // The portfolio first, like whoever else locks one; the number is read again behind its lock.
    let elsewhere = change.portfolio.as_deref().filter(|portfolio| *portfolio != before.portfolio);
    match elsewhere {
        Some(portfolio) => open_new_home(conn, by, &before, (portfolio, &change.tier))?,
        None => {
            let portfolio = locked(conn, &before.portfolio)?;
            move_portfolio(conn, by, portfolio, &change.tier)?;
        }
    }
    let before = store::find_number(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    let mut after = Number {
        portfolio: elsewhere.map_or_else(|| before.portfolio.clone(), String::from),
        quality: change.quality.unwrap_or(before.quality),
        throughput: change.throughput.unwrap_or(before.throughput),
        status: change.status.unwrap_or(before.status),
        waba_id: change.waba_id.or_else(|| before.waba_id.clone()),
        phone_number_id: change.phone_number_id.or_else(|| before.phone_number_id.clone()),
        ..before.clone()
    };
    if after == before {
        return Ok(before);
    }
    if after.quality != before.quality {
        after.quality_since = by.now;
    }
    save_number(conn, by, &before, after, "operator")
}

/// Writes a number that changed: `why` goes to those who are told of its quality.
pub(super) fn save_number(conn: &mut Conn, by: &By, before: &Number, mut after: Number, why: &str) -> Result<Number> {
    after.updated_at = by.now;
    store::update_number(conn, &after)?;
    if after.quality != before.quality {
        told::quality(conn, &after, before.quality, why, by.now)?;
    }
    if after.status != before.status {
        told::status(conn, &after, before.status, why, by.now)?;
    }
    boost(conn, &[after.org_id].into())?;
    by.tell(conn, "whatsapp_number.update", after.id, Change::changed(&told_of(before), &told_of(&after)))?;
    Ok(after)
}

/// A portfolio, held until the transaction ends.
pub(super) fn locked(conn: &mut Conn, name: &str) -> Result<Portfolio> {
    store::lock_portfolio(conn, name)?.ok_or_else(|| Error::internal("a number without its portfolio"))
}

/// Makes a portfolio, or checks that what is asked of it is what it is: a new number does not change what others share.
pub(super) fn open_portfolio(conn: &mut Conn, by: &By, name: &str, asked: &TierChange) -> Result<()> {
    let ladder = asked.ladder.unwrap_or(Ladder::Tiers);
    let first = ladder.tier(1).unwrap_or(ContactLimit::Unlimited);
    let limit = asked.tier.as_ref().map_or(Ok(first), |tier| tier.on(ladder));
    let fresh = Portfolio {
        name: String::from(name),
        ladder,
        limit: limit.unwrap_or(first),
        managed_by: asked.managed_by.unwrap_or(Manager::Postern),
        tier_since: by.now,
        told_at: by.now,
        created_at: by.now,
        updated_at: by.now,
    };
    if let Some(known) = store::lock_portfolio(conn, name)? {
        let same_tier = asked.tier.as_ref().map_or(Ok(known.limit), |tier| tier.on(known.ladder)) == Ok(known.limit);
        let same = asked.ladder.is_none_or(|ladder| ladder == known.ladder)
            && asked.managed_by.is_none_or(|manager| manager == known.managed_by);
        return if same && same_tier {
            Ok(())
        } else {
            let why = format!(
                "exists, on the ladder {} at {} contacts, managed by {}: leave ladder, tier and managed_by out, or change them at one of its numbers",
                known.ladder, known.limit, known.managed_by
            );
            Err(Error::field("portfolio", why))
        };
    }
    asked.tier.as_ref().map_or(Ok(first), |tier| tier.on(ladder)).map_err(|why| Error::field("tier", why))?;
    if store::insert_portfolio(conn, &fresh)? {
        by.tell(conn, "whatsapp_portfolio.create", name, Change::made(&tier_told(&fresh)))?;
    }
    Ok(())
}

fn move_portfolio(conn: &mut Conn, by: &By, before: Portfolio, asked: &TierChange) -> Result<()> {
    let ladder = asked.ladder.unwrap_or(before.ladder);
    let limit = match &asked.tier {
        Some(tier) => tier.on(ladder).map_err(|why| Error::field("tier", why))?,
        None => before.limit,
    };
    let managed_by = asked.managed_by.unwrap_or(before.managed_by);
    let after = Portfolio { ladder, managed_by, ..before.clone() };
    set_tier(conn, by, &before, after, limit, "operator").map(drop)
}

/// Writes `after` with `limit`, where it differs from `before`; whether it does. The portfolio is locked.
pub(super) fn set_tier(
    conn: &mut Conn,
    by: &By,
    before: &Portfolio,
    after: Portfolio,
    limit: ContactLimit,
    why: &str,
) -> Result<bool> {
    let mut after = Portfolio { limit, ..after };
    if after == *before {
        return Ok(false);
    }
    after.updated_at = by.now;
    let moved = after.limit != before.limit;
    if moved {
        after.tier_since = by.now;
    }
    store::update_portfolio(conn, &after)?;
    if moved {
        let orgs: BTreeSet<OrgId> = store::numbers_in(conn, &after.name)?.iter().map(|number| number.org_id).collect();
        boost(conn, &orgs)?;
        told::tier(conn, &orgs, &after, before.limit, why, by.now)?;
    }
    // Meta's word may be newer and say the same.
    let differs = (before.ladder, before.limit, before.managed_by) != (after.ladder, after.limit, after.managed_by);
    if differs {
        let change = Change::changed(&tier_told(before), &tier_told(&after));
        by.tell(conn, "whatsapp_portfolio.update", &after.name, change)?;
    }
    Ok(moved)
}

/// Gives each organization the sending requests of the highest tier among its numbers that send.
pub(super) fn boost(conn: &mut Conn, orgs: &BTreeSet<OrgId>) -> Result<()> {
    for org in orgs {
        let mut factor = 1;
        for number in store::list_numbers(conn, Some(*org), None, MOST_NUMBERS)? {
            if number.status == NumberStatus::Connected
                && let Some(portfolio) = store::find_portfolio(conn, &number.portfolio)?
            {
                factor = factor.max(send_factor(portfolio.limit));
            }
        }
        accounts::set_send_boost(conn, *org, factor)?;
    }
    Ok(())
}

/// More than an organization has numbers.
pub(super) const MOST_NUMBERS: i64 = 1_000;

fn register_sender(conn: &mut Conn, number: &Number) -> Result<()> {
    let known = senders::of_address(conn, Channel::Whatsapp, &number.phone)?;
    if known.iter().any(|sender| sender.org_id != Some(number.org_id)) {
        return Err(Error::field("phone_number", "is a sender of another organization; remove it there first"));
    }
    if known.is_empty() {
        let sender = Sender {
            id: SenderId::new(number.created_at),
            org_id: Some(number.org_id),
            channel: Channel::Whatsapp,
            address: number.phone.clone(),
            country: None,
            carrier: None,
            created_at: number.created_at,
        };
        senders::insert(conn, &sender)?;
    }
    Ok(())
}
