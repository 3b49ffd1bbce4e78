//! Wallets, their ledger entries and the price list; caps in a file of their own.

mod caps;

pub use caps::{Spent, caps_of, load_caps, load_spent, purge_spent, replace_caps, save_spent};

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{prices, wallet_entries, wallets};
use crate::error::{Code, Error, Result};
use crate::ids::{EntryId, MessageId, OrgId, PriceId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::{Channel, Kind, Mode};
use crate::wallet::{Price, Wallet};

crate::text_enum! {
    /// Why the ledger moved.
    pub enum EntryKind { Settle = "settle", Adjustment = "adjustment", TopUp = "topup" }
}

/// A line of the ledger.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = wallet_entries, treat_none_as_default_value = false)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// Whose wallet.
    pub org_id: OrgId,
    /// Live or test money.
    pub mode: Mode,
    /// The message it was for.
    pub message_id: Option<MessageId>,
    /// Why.
    pub kind: EntryKind,
    /// Added to the balance; negative for a charge.
    pub amount_micros: Micros,
    /// Its currency.
    pub currency: Currency,
    /// An operator's reason.
    pub reason: Option<String>,
    /// When.
    pub created_at: Millis,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = wallets)]
struct Row {
    org_id: OrgId,
    mode: Mode,
    currency: Currency,
    balance_micros: Micros,
    held_micros: Micros,
    updated_at: Millis,
}

/// Wallets by owner, locked until the transaction ends. Those that have no row yet are fresh.
pub fn load_for_update(
    conn: &mut Conn,
    owners: &[(OrgId, Mode)],
    now: Millis,
) -> Result<BTreeMap<(OrgId, Mode), Wallet>> {
    let mut found = BTreeMap::new();
    for owner in owners {
        let wallet = match conn {
            Conn::Sqlite(_) => read(conn, owner.0, owner.1)?,
            Conn::Pg(c) => lock_pg(c, *owner, now)?,
        };
        found.insert(*owner, wallet);
    }
    Ok(found)
}

fn lock_pg(conn: &mut diesel::PgConnection, owner: (OrgId, Mode), now: Millis) -> Result<Wallet> {
    let known: Option<Row> = wallets::table.find(owner).for_update().first(conn).optional()?;
    if let Some(known) = known {
        return Ok(wallet(known));
    }
    let fresh = row(&Wallet::fresh(owner.0, owner.1), now);
    diesel::insert_into(wallets::table).values(&fresh).on_conflict_do_nothing().execute(conn)?;
    let row: Row = wallets::table.find(owner).for_update().first(conn)?;
    Ok(wallet(row))
}

/// The wallet as it stands, fresh where there is none.
pub fn read(conn: &mut Conn, org: OrgId, mode: Mode) -> Result<Wallet> {
    let query = wallets::table.find((org, mode));
    let found: Option<Row> = crate::both!(conn, c => query.first(c)).optional()?;
    Ok(found.map_or_else(|| Wallet::fresh(org, mode), wallet))
}

const SAVE: &str =
    "UPDATE wallets SET balance_micros = ?, held_micros = ?, updated_at = ? WHERE org_id = ? AND mode = ?";

/// Writes wallets back after they were loaded for update.
pub fn save(conn: &mut Conn, changed: &[&Wallet], now: Millis) -> Result<()> {
    for wallet in changed {
        let row = row(wallet, now);
        match conn {
            Conn::Sqlite(c) => diesel::replace_into(wallets::table).values(&row).execute(c)?,
            // The row is there and locked.
            Conn::Pg(c) => fixed(SAVE)
                .bind::<BigInt, _>(row.balance_micros)
                .bind::<BigInt, _>(row.held_micros)
                .bind::<BigInt, _>(row.updated_at)
                .bind::<Text, _>(row.org_id)
                .bind::<Text, _>(row.mode)
                .execute(c)?,
        };
    }
    Ok(())
}

/// A message's price, held until its fate is known.
#[derive(Debug, Clone, Copy)]
pub struct Charge {
    /// Whose wallet.
    pub owner: (OrgId, Mode),
    /// The message.
    pub message_id: MessageId,
    /// Its price.
    pub amount: Micros,
    /// In this currency.
    pub currency: Currency,
}

const MOVE: &str = "UPDATE wallets SET balance_micros = balance_micros - ?, held_micros = held_micros - ?, \
    updated_at = ? WHERE org_id = ? AND mode = ?";

/// Turns the holds of `charged` into charges and posts them, each message's at most once, and lets go of those of
/// `released`: one write for each wallet, in the order of their owners.
pub fn settle(conn: &mut Conn, charged: &[Charge], released: &[Charge], now: Millis) -> Result<()> {
    let charged: Vec<&Charge> = charged.iter().filter(|charge| charge.amount != Micros::ZERO).collect();
    let mut sums: BTreeMap<(OrgId, Mode), (i64, i64)> = BTreeMap::new();
    for charge in &charged {
        let (spent, freed) = sums.entry(charge.owner).or_default();
        *spent = spent.saturating_add(charge.amount.0);
        *freed = freed.saturating_add(charge.amount.0);
    }
    for charge in released.iter().filter(|charge| charge.amount != Micros::ZERO) {
        let (_, freed) = sums.entry(charge.owner).or_default();
        *freed = freed.saturating_add(charge.amount.0);
    }
    let entries: Vec<Entry> = charged.iter().map(|charge| posted(charge, now)).collect();
    insert_entries(conn, &entries)?;
    for ((org, mode), (spent, freed)) in sums {
        crate::both!(conn, c => fixed(MOVE)
            .bind::<BigInt, _>(spent)
            .bind::<BigInt, _>(freed)
            .bind::<BigInt, _>(now)
            .bind::<Text, _>(org)
            .bind::<Text, _>(mode)
            .execute(c))?;
    }
    Ok(())
}

fn posted(charge: &Charge, now: Millis) -> Entry {
    Entry {
        id: EntryId::new(now),
        org_id: charge.owner.0,
        mode: charge.owner.1,
        message_id: Some(charge.message_id),
        kind: EntryKind::Settle,
        amount_micros: Micros(charge.amount.0.saturating_neg()),
        currency: charge.currency,
        reason: None,
        created_at: now,
    }
}

fn insert_entries(conn: &mut Conn, entries: &[Entry]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for entry in entries {
                diesel::insert_into(wallet_entries::table).values(entry).execute(c)?;
            }
        }
        Conn::Pg(_) if entries.is_empty() => {}
        Conn::Pg(c) => {
            crate::insert_many!(c, "wallet_entries", entries, entry => {
                id: Text = Some(entry.id),
                org_id: Text = Some(entry.org_id),
                mode: Text = Some(entry.mode),
                message_id: Text = entry.message_id,
                kind: Text = Some(entry.kind),
                amount_micros: BigInt = Some(entry.amount_micros),
                currency: Text = Some(entry.currency),
                reason: Text = entry.reason.as_deref(),
                created_at: BigInt = Some(entry.created_at),
            })?;
        }
    }
    Ok(())
}

/// An operator's change of the balance, posted with its reason. Error: 400 where it would take the balance below the
/// holds, or where the sum overflows.
pub fn adjust(conn: &mut Conn, entry: &Entry, now: Millis) -> Result<Wallet> {
    let owner = (entry.org_id, entry.mode);
    let mut wallet = load_for_update(conn, &[owner], now)?
        .remove(&owner)
        .ok_or_else(|| Error::internal("a wallet was not loaded"))?;
    if wallet.currency != entry.currency {
        return Err(Error::field("currency", format!("must be {}, the wallet's currency", wallet.currency)));
    }
    wallet.balance =
        wallet.balance.plus(entry.amount_micros).filter(|balance| *balance >= wallet.held).ok_or_else(|| {
            Error::field("amount", "would take the balance below what is held, or beyond what can be kept")
        })?;
    diesel::insert_into(wallet_entries::table).values(entry.clone()).execute(conn)?;
    save(conn, &[&wallet], now)?;
    Ok(wallet)
}

/// The ledger, newest first, from before `before` on.
pub fn entries(conn: &mut Conn, owner: (OrgId, Mode), before: Option<EntryId>, limit: i64) -> Result<Vec<Entry>> {
    let mut query = wallet_entries::table
        .filter(wallet_entries::org_id.eq(owner.0))
        .filter(wallet_entries::mode.eq(owner.1))
        .order(wallet_entries::id.desc())
        .limit(limit)
        .select(Entry::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(wallet_entries::id.lt(before));
    }
    Ok(query.load(conn)?)
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = prices, treat_none_as_default_value = false)]
struct PriceRow {
    id: PriceId,
    channel: Channel,
    country: Option<Country>,
    prefix: Option<String>,
    category: Option<Kind>,
    amount_micros: Micros,
    currency: Currency,
    valid_from: Millis,
    created_at: Millis,
}

/// The whole price list.
pub fn load_prices(conn: &mut Conn) -> Result<Vec<Price>> {
    let rows: Vec<PriceRow> = prices::table.order(prices::id.asc()).load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Price {
            channel: row.channel,
            country: row.country,
            prefix: row.prefix,
            category: row.category,
            amount: row.amount_micros,
            currency: row.currency,
            valid_from: row.valid_from,
        })
        .collect())
}

/// Puts `list` in place of the whole price list.
pub fn replace_prices(conn: &mut Conn, list: &[Price], now: Millis) -> Result<()> {
    diesel::delete(prices::table).execute(conn)?;
    for price in list {
        if price.amount < Micros::ZERO {
            return Err(Error::new(Code::ValidationFailed).and_field("amount", "must not be negative"));
        }
        let row = PriceRow {
            id: PriceId::new(now),
            channel: price.channel,
            country: price.country,
            prefix: price.prefix.clone(),
            category: price.category,
            amount_micros: price.amount,
            currency: price.currency,
            valid_from: price.valid_from,
            created_at: now,
        };
        diesel::insert_into(prices::table).values(row).execute(conn)?;
    }
    Ok(())
}

fn row(wallet: &Wallet, now: Millis) -> Row {
    Row {
        org_id: wallet.org_id,
        mode: wallet.mode,
        currency: wallet.currency,
        balance_micros: wallet.balance,
        held_micros: wallet.held,
        updated_at: now,
    }
}

fn wallet(row: Row) -> Wallet {
    Wallet {
        org_id: row.org_id,
        mode: row.mode,
        currency: row.currency,
        balance: row.balance_micros,
        held: row.held_micros,
    }
}
