//! Tables `topups` and the sums of verifications for reports.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::billing::topups::{Source, TopupStatus};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::topups;
use crate::error::Result;
use crate::ids::{EntryId, MessageId, OrgId, TopupId, VerificationId};
use crate::money::{Currency, Micros};
use crate::terms::Mode;

/// A row of `topups`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = topups, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Topup {
    /// Its id.
    pub id: TopupId,
    /// Whose wallet.
    pub org_id: OrgId,
    /// Live or test money.
    pub mode: Mode,
    /// Where it stands.
    pub status: TopupStatus,
    /// Who asked for it.
    pub source: Source,
    /// How much.
    pub amount_micros: Micros,
    /// In this currency.
    pub currency: Currency,
    /// The payment's own name.
    pub reference: Option<String>,
    /// The ledger's entry, once paid.
    pub entry_id: Option<EntryId>,
    /// Asked for.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

/// Adds a top-up.
pub fn insert_topup(conn: &mut Conn, topup: &Topup) -> Result<()> {
    diesel::insert_into(topups::table).values(topup.clone()).execute(conn)?;
    Ok(())
}

/// Writes a top-up as it now is.
pub fn update_topup(conn: &mut Conn, topup: &Topup) -> Result<()> {
    diesel::update(topups::table.filter(topups::id.eq(topup.id))).set(topup.clone()).execute(conn)?;
    Ok(())
}

/// The top-up `id`, whoever's.
pub fn find_topup(conn: &mut Conn, id: TopupId) -> Result<Option<Topup>> {
    Ok(topups::table.find(id).select(Topup::as_select()).first(conn).optional()?)
}

/// The top-up of a payment.
pub fn topup_of(conn: &mut Conn, reference: &str) -> Result<Option<Topup>> {
    Ok(topups::table.filter(topups::reference.eq(reference)).select(Topup::as_select()).first(conn).optional()?)
}

/// Whether a top-up waits for money as the organization itself asked, or has failed since `failed_since`.
pub fn has_auto(conn: &mut Conn, owner: (OrgId, Mode), failed_since: Millis) -> Result<bool> {
    let pending = topups::status.eq(TopupStatus::Pending);
    let failed = topups::status.eq(TopupStatus::Failed).and(topups::updated_at.ge(failed_since));

    let found: Option<TopupId> = topups::table
        .filter(topups::org_id.eq(owner.0))
        .filter(topups::mode.eq(owner.1))
        .filter(topups::source.eq(Source::Auto))
        .filter(pending.or(failed))
        .select(topups::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Top-ups of a wallet, newest first.
pub fn list_topups(conn: &mut Conn, owner: (OrgId, Mode), before: Option<TopupId>, limit: i64) -> Result<Vec<Topup>> {
    let mut query = topups::table
        .filter(topups::org_id.eq(owner.0))
        .filter(topups::mode.eq(owner.1))
        .order(topups::id.desc())
        .limit(limit)
        .select(Topup::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(topups::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Top-ups of every wallet, newest first, narrowed to an organization and a state where they are named.
pub fn all_topups(
    conn: &mut Conn,
    (org, status): (Option<OrgId>, Option<TopupStatus>),
    before: Option<TopupId>,
    limit: i64,
) -> Result<Vec<Topup>> {
    let mut query = topups::table.order(topups::id.desc()).limit(limit).select(Topup::as_select()).into_boxed();
    if let Some(org) = org {
        query = query.filter(topups::org_id.eq(org));
    }
    if let Some(status) = status {
        query = query.filter(topups::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(topups::id.lt(before));
    }
    Ok(query.load(conn)?)
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    amount: Micros,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

const ON_CODES: &str = "SELECT e.currency AS currency, CAST(-sum(e.amount_micros) AS BIGINT) AS amount \
    FROM messages AS m JOIN wallet_entries AS e ON e.message_id = m.id AND e.kind = 'settle' \
    WHERE m.org_id = ? AND m.mode = ? AND m.id >= ? AND m.id < ? AND m.verification_id IS NOT NULL \
    GROUP BY e.currency ORDER BY e.currency";

const APPROVED: &str = "SELECT count(*) AS count FROM verifications \
    WHERE org_id = ? AND mode = ? AND id >= ? AND id < ? AND status = 'approved'";

/// What the codes of verifications cost that were sent from `from` until before `to`, by currency, and how many of the
/// verifications begun then were approved.
pub fn codes(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    from: Millis,
    to: Millis,
) -> Result<(Vec<(Currency, Micros)>, i64)> {
    let spent: Vec<Sum> = crate::both!(conn, c => fixed(ON_CODES)
        .bind::<Text, _>(owner.0)
        .bind::<Text, _>(owner.1)
        .bind::<Text, _>(MessageId::first_at(from))
        .bind::<Text, _>(MessageId::first_at(to))
        .load(c))?;
    let Count { count } = crate::both!(conn, c => fixed(APPROVED)
        .bind::<Text, _>(owner.0)
        .bind::<Text, _>(owner.1)
        .bind::<Text, _>(VerificationId::first_at(from))
        .bind::<Text, _>(VerificationId::first_at(to))
        .get_result(c))?;
    Ok((spent.into_iter().map(|sum| (sum.currency, sum.amount)).collect(), count))
}
