//! What the ledger says as a whole: the accounts, whether wallets and messages agree with them, and what was spent on
//! what.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::error::Result;
use crate::ids::{EntryId, OrgId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::{Channel, Mode};

/// An account of the ledger, one for each mode and currency.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Account {
    /// Whose; none for all organizations together.
    #[diesel(sql_type = Nullable<Text>)]
    pub org_id: Option<OrgId>,
    /// `wallet`, `revenue`, `funding`, `adjustments`, `cost` or `carrier:NAME`.
    #[diesel(sql_type = Text)]
    pub account: String,
    /// Live or test money.
    #[diesel(sql_type = Text)]
    pub mode: Mode,
    /// Its currency.
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    /// The sum of everything posted to it.
    #[diesel(sql_type = BigInt)]
    pub balance: Micros,
}

/// What the books say.
#[derive(Debug, Clone)]
pub struct Books {
    /// The accounts of all organizations together.
    pub accounts: Vec<Account>,
    /// Wallets looked at.
    pub wallets: i64,
    /// Each disagreement in a sentence; empty where the books balance.
    pub faults: Vec<String>,
}

const ACCOUNTS: &str = "SELECT NULL AS org_id, account, mode, currency, CAST(sum(amount) AS BIGINT) AS balance FROM \
    (SELECT account, mode, currency, amount_micros AS amount FROM wallet_entries \
     UNION ALL SELECT contra, mode, currency, -amount_micros FROM wallet_entries) AS postings \
    GROUP BY account, mode, currency ORDER BY account, mode, currency";

const ACCOUNTS_OF: &str = "SELECT org_id, account, mode, currency, CAST(sum(amount) AS BIGINT) AS balance FROM \
    (SELECT org_id, account, mode, currency, amount_micros AS amount FROM wallet_entries WHERE org_id = ? \
     UNION ALL SELECT org_id, contra, mode, currency, -amount_micros FROM wallet_entries WHERE org_id = ?) AS postings \
    GROUP BY org_id, account, mode, currency ORDER BY account, mode, currency";

/// The accounts of one organization.
pub fn accounts_of(conn: &mut Conn, org: OrgId) -> Result<Vec<Account>> {
    Ok(crate::both!(conn, c => fixed(ACCOUNTS_OF).bind::<Text, _>(org).bind::<Text, _>(org).load(c))?)
}

#[derive(QueryableByName)]
struct Purse {
    #[diesel(sql_type = Text)]
    org_id: OrgId,
    #[diesel(sql_type = Text)]
    mode: Mode,
    #[diesel(sql_type = BigInt)]
    balance: Micros,
    #[diesel(sql_type = BigInt)]
    held: Micros,
    #[diesel(sql_type = BigInt)]
    posted: Micros,
    #[diesel(sql_type = BigInt)]
    spoken: Micros,
}

/// Wallets whose two numbers are not those of their entries, and of their messages and rents. Reads these tables whole.
const PURSES: &str = "SELECT w.org_id AS org_id, w.mode AS mode, w.balance_micros AS balance, w.held_micros AS held, \
    CAST(coalesce(e.posted, 0) AS BIGINT) AS posted, \
    CAST(coalesce(m.spoken, 0) + coalesce(a.spoken, 0) AS BIGINT) AS spoken FROM wallets AS w \
    LEFT JOIN (SELECT org_id, mode, sum(amount_micros) AS posted FROM wallet_entries WHERE account = 'wallet' \
      GROUP BY org_id, mode) AS e ON e.org_id = w.org_id AND e.mode = w.mode \
    LEFT JOIN (SELECT org_id, mode, sum(price_micros) AS spoken FROM messages \
      WHERE hold IN ('held', 'for_delivery') GROUP BY org_id, mode) AS m ON m.org_id = w.org_id AND m.mode = w.mode \
    LEFT JOIN (SELECT org_id, mode, sum(price_micros) AS spoken FROM activations \
      WHERE hold = 'held' GROUP BY org_id, mode) AS a ON a.org_id = w.org_id AND a.mode = w.mode";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Settled messages without their charge, and charges without a settled message that is still kept.
const UNCHARGED: &str = "SELECT count(*) AS count FROM messages AS m WHERE m.hold = 'settled' AND NOT EXISTS \
    (SELECT 1 FROM wallet_entries AS e WHERE e.message_id = m.id AND e.kind = 'settle' \
      AND e.amount_micros = -m.price_micros)";
const UNSETTLED: &str = "SELECT count(*) AS count FROM wallet_entries AS e JOIN messages AS m ON m.id = e.message_id \
    WHERE e.kind = 'settle' AND m.hold <> 'settled'";

/// Reads the books; call it in one snapshot. `opening` is what a wallet of a mode opens with.
pub fn books(conn: &mut Conn, opening: fn(Mode) -> Micros) -> Result<Books> {
    let accounts: Vec<Account> = crate::both!(conn, c => fixed(ACCOUNTS).load(c))?;
    let purses: Vec<Purse> = crate::both!(conn, c => fixed(PURSES).load(c))?;
    let mut faults = Vec::new();
    let sum: i128 = accounts.iter().map(|account| i128::from(account.balance.0)).sum();
    if sum != 0 {
        faults.push(format!("the accounts are {sum} micros together, not zero"));
    }
    for purse in &purses {
        let whose = format!("the {} wallet of {}", purse.mode, purse.org_id);
        let posted = purse.posted.plus(opening(purse.mode));
        if posted != Some(purse.balance) {
            faults.push(format!("{whose} has {}, its entries say {}", purse.balance, posted.unwrap_or_default()));
        }
        if purse.held != purse.spoken {
            faults.push(format!("{whose} holds {}, its messages {}", purse.held, purse.spoken));
        }
        if purse.held > purse.balance || purse.held < Micros::ZERO {
            faults.push(format!("{whose} holds {} of {}", purse.held, purse.balance));
        }
    }
    for (text, what) in
        [(UNCHARGED, "settled messages have no charge"), (UNSETTLED, "charges are of messages not settled")]
    {
        let Count { count } = crate::both!(conn, c => fixed(text).get_result(c))?;
        if count > 0 {
            faults.push(format!("{count} {what}"));
        }
    }
    Ok(Books { accounts, wallets: i64::try_from(purses.len()).unwrap_or(i64::MAX), faults })
}

/// What was spent on one thing.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Spend {
    /// The day (UTC, since the epoch).
    #[diesel(sql_type = BigInt)]
    pub day: i64,
    /// The key.
    #[diesel(sql_type = Nullable<Text>)]
    pub key_id: Option<crate::ids::KeyId>,
    /// The channel.
    #[diesel(sql_type = Nullable<Text>)]
    pub channel: Option<Channel>,
    /// The country.
    #[diesel(sql_type = Nullable<Text>)]
    pub country: Option<Country>,
    /// In this currency.
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    /// Messages.
    #[diesel(sql_type = BigInt)]
    pub messages: i64,
    /// Billed parts.
    #[diesel(sql_type = BigInt)]
    pub parts: i64,
    /// What was charged.
    #[diesel(sql_type = BigInt)]
    pub amount: Micros,
}

const SPEND: &str = "SELECT created_at / 86400000 AS day, key_id, channel, country, currency, count(*) AS messages, \
    CAST(coalesce(sum(parts), 0) AS BIGINT) AS parts, CAST(-sum(amount_micros) AS BIGINT) AS amount \
    FROM wallet_entries WHERE org_id = ? AND mode = ? AND id >= ? AND id < ? AND kind = 'settle' \
    GROUP BY created_at / 86400000, key_id, channel, country, currency ORDER BY 1, 2, 3, 4, 5";

/// What an organization was charged for messages from `from` until before `to`, by day, key, channel and country.
/// Entries' ids sort by time, so this reads one stretch of their index.
pub fn spend(conn: &mut Conn, owner: (OrgId, Mode), from: Millis, to: Millis) -> Result<Vec<Spend>> {
    Ok(crate::both!(conn, c => fixed(SPEND)
        .bind::<Text, _>(owner.0)
        .bind::<Text, _>(owner.1)
        .bind::<Text, _>(EntryId::first_at(from))
        .bind::<Text, _>(EntryId::first_at(to))
        .load(c))?)
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    kind: super::EntryKind,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    amount: Micros,
}

const SUMS: &str = "SELECT kind, currency, CAST(sum(amount_micros) AS BIGINT) AS amount FROM wallet_entries \
    WHERE org_id = ? AND mode = ? AND id >= ? AND id < ? AND account = 'wallet' GROUP BY kind, currency ORDER BY 1, 2";

/// What moved a wallet from `from` until before `to`, by kind.
pub fn entries_of_month(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    from: Millis,
    to: Millis,
) -> Result<Vec<(super::EntryKind, Currency, Micros)>> {
    let sums: Vec<Sum> = crate::both!(conn, c => fixed(SUMS)
        .bind::<Text, _>(owner.0)
        .bind::<Text, _>(owner.1)
        .bind::<Text, _>(EntryId::first_at(from))
        .bind::<Text, _>(EntryId::first_at(to))
        .load(c))?;
    Ok(sums.into_iter().map(|sum| (sum.kind, sum.currency, sum.amount)).collect())
}
