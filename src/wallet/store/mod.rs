//! Wallets and what moves them; the ledger's entries, the price list and caps in files of their own.

mod allowances;
mod books;
mod caps;
mod entries;
mod prices;

pub use allowances::{give_back, load_allowances, save_allowance};
pub use books::{Account, Books, Spend, accounts_of, books, entries_of_month, spend};
pub use caps::{Spent, caps_of, load_caps, load_spent, purge_spent, replace_caps, save_spent};
pub use entries::{Cost, Entry, EntryKind, entries, entries_of_message, find_entry, post_costs};
pub use prices::{PastPrice, load_prices, price_history, replace_prices};

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::wallets;
use crate::error::{Error, Result};
use crate::ids::{KeyId, MessageId, OrgId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::{Channel, Mode};
use crate::wallet::Wallet;

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
    /// The key it was sent with.
    pub key_id: KeyId,
    /// The channel it was accepted for.
    pub channel: Channel,
    /// The number's country.
    pub country: Option<Country>,
    /// Billed parts.
    pub parts: i32,
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
    let posted: Vec<Entry> = charged.iter().map(|charge| Entry::of_charge(charge, now)).collect();
    entries::insert(conn, &posted)?;
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

/// The price of a number that is rented, held until a code comes or the rent ends.
#[derive(Debug, Clone)]
pub struct Rent {
    /// Whose wallet.
    pub owner: (OrgId, Mode),
    /// The rent's id, as the ledger names it.
    pub reference: String,
    /// Its price.
    pub amount: Micros,
    /// In this currency.
    pub currency: Currency,
    /// The key it was ordered with.
    pub key_id: KeyId,
    /// The number's country.
    pub country: Country,
}

/// Ends the hold of a rent: charged, and posted, or let go. The caller sees to it that this happens once, with the rent's
/// row held.
pub fn settle_rent(conn: &mut Conn, rent: &Rent, charged: bool, now: Millis) -> Result<()> {
    if rent.amount == Micros::ZERO {
        return Ok(());
    }
    if charged {
        entries::insert(conn, &[Entry::of_rent(rent, now)])?;
    }
    let spent = if charged { rent.amount } else { Micros::ZERO };
    crate::both!(conn, c => fixed(MOVE)
        .bind::<BigInt, _>(spent)
        .bind::<BigInt, _>(rent.amount)
        .bind::<BigInt, _>(now)
        .bind::<Text, _>(rent.owner.0)
        .bind::<Text, _>(rent.owner.1)
        .execute(c))?;
    Ok(())
}

/// Money in, or an operator's change: the balance moves by the entry's amount. An untouched wallet takes the entry's
/// currency. Error: 400 where it would take the balance below the holds, or where the sum overflows.
pub fn adjust(conn: &mut Conn, entry: &Entry, now: Millis) -> Result<Wallet> {
    let owner = (entry.org_id, entry.mode);
    let mut wallet = load_for_update(conn, &[owner], now)?
        .remove(&owner)
        .ok_or_else(|| Error::internal("a wallet was not loaded"))?;
    if wallet.currency != entry.currency {
        if wallet != Wallet::fresh(owner.0, owner.1) || entries::has_entries(conn, owner)? {
            return Err(Error::field("currency", format!("must be {}, the wallet's currency", wallet.currency)));
        }
        wallet.currency = entry.currency;
    }
    wallet.balance =
        wallet.balance.plus(entry.amount_micros).filter(|balance| *balance >= wallet.held).ok_or_else(|| {
            Error::field("amount", "would take the balance below what is held, or beyond what can be kept")
        })?;
    entries::insert(conn, std::slice::from_ref(entry))?;
    save_with_currency(conn, &wallet, now)?;
    Ok(wallet)
}

fn save_with_currency(conn: &mut Conn, wallet: &Wallet, now: Millis) -> Result<()> {
    save(conn, &[wallet], now)?;
    let row = wallets::table.find((wallet.org_id, wallet.mode));
    crate::both!(conn, c => diesel::update(row).set(wallets::currency.eq(wallet.currency)).execute(c))?;
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
