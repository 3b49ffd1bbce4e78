//! The ledger's entries. Append-only: nothing here changes or removes one.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::wallet_entries;
use crate::error::Result;
use crate::ids::{AttemptId, EntryId, KeyId, MessageId, OrgId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::{Channel, Mode};
use crate::wallet::{Charge, Rent};

crate::text_enum! {
    /// Why the ledger moved.
    pub enum EntryKind as "TransactionKind" {
        /// A message was charged.
        Settle = "settle",
        /// An operator changed the balance.
        Adjustment = "adjustment",
        /// Money was paid in.
        TopUp = "topup",
        /// A carrier took a hand-off and charges for it; not in a customer's own list.
        Cost = "cost",
    }
}

/// The customer's own account.
const WALLET: &str = "wallet";
/// What customers were charged.
const REVENUE: &str = "revenue";
/// Where money that was paid in came from.
const FUNDING: &str = "funding";
/// What operators gave and took.
const ADJUSTMENTS: &str = "adjustments";
/// What hand-offs cost us.
const COST: &str = "cost";

/// An entry of the ledger: `amount_micros` goes from the account `contra` to the account `account`, so that the accounts
/// of an organization, a mode and a currency are zero together after each.
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
    /// Added to the account; negative for a charge.
    pub amount_micros: Micros,
    /// Its currency.
    pub currency: Currency,
    /// An operator's reason.
    pub reason: Option<String>,
    /// When.
    pub created_at: Millis,
    /// The account it is added to.
    pub account: String,
    /// The account it is taken from.
    pub contra: String,
    /// The hand-off that a cost is for.
    pub attempt_id: Option<AttemptId>,
    /// The payment that a top-up is for, or the rent that a charge is for.
    pub reference: Option<String>,
    /// The key that sent the message.
    pub key_id: Option<KeyId>,
    /// The message's channel.
    pub channel: Option<Channel>,
    /// The message's country.
    pub country: Option<Country>,
    /// Billed parts.
    pub parts: Option<i32>,
}

impl Entry {
    /// Money that comes to or goes from a wallet: a top-up or an adjustment.
    pub fn new(kind: EntryKind, owner: (OrgId, Mode), amount: Micros, currency: Currency, now: Millis) -> Entry {
        let contra = match kind {
            EntryKind::Settle => REVENUE,
            EntryKind::Adjustment => ADJUSTMENTS,
            EntryKind::TopUp => FUNDING,
            EntryKind::Cost => COST,
        };
        Entry {
            id: EntryId::new(now),
            org_id: owner.0,
            mode: owner.1,
            message_id: None,
            kind,
            amount_micros: amount,
            currency,
            reason: None,
            created_at: now,
            account: String::from(WALLET),
            contra: String::from(contra),
            attempt_id: None,
            reference: None,
            key_id: None,
            channel: None,
            country: None,
            parts: None,
        }
    }

    /// The same with an operator's reason.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Entry {
        Entry { reason: Some(reason.into()), ..self }
    }

    /// The same for a payment.
    #[must_use]
    pub fn paid_by(self, reference: Option<String>) -> Entry {
        Entry { reference, ..self }
    }

    pub(super) fn of_charge(charge: &Charge, now: Millis) -> Entry {
        let taken = Micros(charge.amount.0.saturating_neg());
        Entry {
            message_id: Some(charge.message_id),
            key_id: Some(charge.key_id),
            channel: Some(charge.channel),
            country: charge.country,
            parts: Some(charge.parts),
            ..Entry::new(EntryKind::Settle, charge.owner, taken, charge.currency, now)
        }
    }

    pub(super) fn of_rent(rent: &Rent, now: Millis) -> Entry {
        let taken = Micros(rent.amount.0.saturating_neg());
        Entry {
            reference: Some(rent.reference.clone()),
            key_id: Some(rent.key_id),
            country: Some(rent.country),
            parts: Some(1),
            ..Entry::new(EntryKind::Settle, rent.owner, taken, rent.currency, now)
        }
    }

    fn of_cost(cost: &Cost, now: Millis) -> Entry {
        Entry {
            account: format!("carrier:{}", cost.carrier),
            attempt_id: Some(cost.attempt_id),
            channel: Some(cost.channel),
            country: cost.country,
            parts: Some(cost.parts),
            ..Entry::new(EntryKind::Cost, cost.owner, cost.amount, cost.currency, now)
        }
    }
}

/// What a carrier charges us for a hand-off that it took.
#[derive(Debug, Clone)]
pub struct Cost {
    /// Whose message.
    pub owner: (OrgId, Mode),
    /// The hand-off.
    pub attempt_id: AttemptId,
    /// To this carrier.
    pub carrier: String,
    /// How much.
    pub amount: Micros,
    /// In this currency.
    pub currency: Currency,
    /// By this channel.
    pub channel: Channel,
    /// To this country.
    pub country: Option<Country>,
    /// Billed parts.
    pub parts: i32,
}

/// Posts what hand-offs cost, each once.
pub fn post_costs(conn: &mut Conn, costs: &[Cost], now: Millis) -> Result<()> {
    for cost in costs.iter().filter(|cost| cost.amount != Micros::ZERO) {
        let entry = Entry::of_cost(cost, now);
        let query = diesel::insert_into(wallet_entries::table).values(entry);
        crate::both!(conn, c => query.on_conflict_do_nothing().execute(c))?;
    }
    Ok(())
}

/// Appends entries, on PostgreSQL in one statement.
pub(super) fn insert(conn: &mut Conn, entries: &[Entry]) -> Result<()> {
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
                account: Text = Some(entry.account.as_str()),
                contra: Text = Some(entry.contra.as_str()),
                attempt_id: Text = entry.attempt_id,
                reference: Text = entry.reference.as_deref(),
                key_id: Text = entry.key_id,
                channel: Text = entry.channel,
                country: Text = entry.country,
                parts: Integer = entry.parts,
            })?;
        }
    }
    Ok(())
}

/// A wallet's own entries, newest first, from before `before` on.
pub fn entries(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    kind: Option<EntryKind>,
    before: Option<EntryId>,
    limit: i64,
) -> Result<Vec<Entry>> {
    let mut query = wallet_entries::table
        .filter(wallet_entries::org_id.eq(owner.0))
        .filter(wallet_entries::mode.eq(owner.1))
        .filter(wallet_entries::account.eq(WALLET))
        .order(wallet_entries::id.desc())
        .limit(limit)
        .select(Entry::as_select())
        .into_boxed();
    if let Some(kind) = kind {
        query = query.filter(wallet_entries::kind.eq(kind));
    }
    if let Some(before) = before {
        query = query.filter(wallet_entries::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Everything the ledger posted for a message, costs of its hand-offs too, oldest first.
pub fn entries_of_message(conn: &mut Conn, message: MessageId, attempts: &[AttemptId]) -> Result<Vec<Entry>> {
    let mut found: Vec<Entry> =
        wallet_entries::table.filter(wallet_entries::message_id.eq(message)).select(Entry::as_select()).load(conn)?;
    let costs: Vec<Entry> = wallet_entries::table
        .filter(wallet_entries::attempt_id.eq_any(attempts.to_vec()))
        .select(Entry::as_select())
        .load(conn)?;
    found.extend(costs);
    found.sort_by_key(|entry| entry.id);
    found.dedup_by_key(|entry| entry.id);
    Ok(found)
}

/// One entry of a wallet.
pub fn find_entry(conn: &mut Conn, owner: (OrgId, Mode), id: EntryId) -> Result<Option<Entry>> {
    Ok(wallet_entries::table
        .find(id)
        .filter(wallet_entries::org_id.eq(owner.0))
        .filter(wallet_entries::mode.eq(owner.1))
        .filter(wallet_entries::account.eq(WALLET))
        .select(Entry::as_select())
        .first(conn)
        .optional()?)
}

/// Whether anything was ever posted to a wallet.
pub fn has_entries(conn: &mut Conn, owner: (OrgId, Mode)) -> Result<bool> {
    Ok(!entries(conn, owner, None, None, 1)?.is_empty())
}
