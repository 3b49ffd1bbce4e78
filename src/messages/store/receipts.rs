//! The table of receipts: kept as they came, applied once their hand-off is known.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::receipts;
use crate::error::Result;
use crate::ids::MessageId;

/// A receipt as it came: stored before it is believed to have come.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = receipts, treat_none_as_default_value = false)]
pub struct ReceiptRow {
    /// From this carrier.
    pub carrier: String,
    /// About this hand-off, by the carrier's id.
    pub provider_id: String,
    /// The carrier's word.
    pub status: String,
    /// The message, once it is known.
    pub message_id: Option<MessageId>,
    /// The carrier's error code.
    pub error_code: Option<String>,
    /// When.
    pub received_at: Millis,
}

/// Makes the two who write about one hand-off of a carrier, its answer and its receipt, follow each other: without it
/// neither would see the other's row on PostgreSQL, and a receipt would stay parked. In the order given, which must be
/// the same everywhere. SQLite has one writer anyway.
pub fn hold_hand_offs(conn: &mut Conn, hand_offs: &[(&str, &str)]) -> Result<()> {
    if let (Conn::Pg(c), false) = (conn, hand_offs.is_empty()) {
        fixed("SELECT pg_advisory_xact_lock(hashtext(carrier), hashtext(id)) FROM unnest(?::text[], ?::text[]) AS n (carrier, id)")
            .bind::<Array<Text>, _>(hand_offs.iter().map(|(carrier, _)| *carrier).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(hand_offs.iter().map(|(_, id)| *id).collect::<Vec<_>>())
            .execute(c)?;
    }
    Ok(())
}

const PARKED: &str = "SELECT EXISTS (SELECT 1 FROM receipts AS r JOIN unnest(?::text[], ?::text[]) AS n (carrier, id) \
    ON r.carrier = n.carrier AND r.provider_id = n.id WHERE r.message_id IS NULL) AS any";

#[derive(QueryableByName)]
struct AnyParked {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    any: bool,
}

/// Whether a receipt of any of these hand-offs may have come before its id was known: one look for a whole batch on
/// PostgreSQL; on SQLite each look costs too little to save.
pub fn may_be_parked(conn: &mut Conn, hand_offs: &[(&str, &str)]) -> Result<bool> {
    match conn {
        Conn::Sqlite(_) => Ok(true),
        Conn::Pg(_) if hand_offs.is_empty() => Ok(false),
        Conn::Pg(c) => {
            let found: AnyParked = fixed(PARKED)
                .bind::<Array<Text>, _>(hand_offs.iter().map(|(carrier, _)| *carrier).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(hand_offs.iter().map(|(_, id)| *id).collect::<Vec<_>>())
                .get_result(c)?;
            Ok(found.any)
        }
    }
}

/// Stores a receipt; `false` where it is a repeat.
pub fn insert_receipt(conn: &mut Conn, row: &ReceiptRow) -> Result<bool> {
    let stored = crate::both!(conn, c => diesel::insert_into(receipts::table)
        .values(row)
        .on_conflict((receipts::carrier, receipts::provider_id, receipts::status))
        .do_nothing()
        .execute(c))?;
    Ok(stored == 1)
}

/// When the final receipt of hand-offs of one carrier came, by the carrier's ids: along the primary key.
pub fn final_receipts(conn: &mut Conn, carrier: &str, ids: Vec<String>) -> Result<Vec<(String, Millis)>> {
    const FINAL: [&str; 3] = ["=delivered", "=undelivered", "=failed"];
    Ok(receipts::table
        .filter(receipts::carrier.eq(carrier))
        .filter(receipts::provider_id.eq_any(ids))
        .filter(receipts::status.eq_any(FINAL))
        .order(receipts::received_at.desc())
        .select((receipts::provider_id, receipts::received_at))
        .load(conn)?)
}

/// Receipts about a hand-off that came before its id was known.
pub fn parked_receipts(conn: &mut Conn, carrier: &str, provider_id: &str) -> Result<Vec<ReceiptRow>> {
    let parked = receipts::table
        .filter(receipts::carrier.eq(carrier))
        .filter(receipts::provider_id.eq(provider_id))
        .filter(receipts::message_id.is_null());
    Ok(crate::both!(conn, c => parked.select(ReceiptRow::as_select()).load(c))?)
}

/// Notes whose receipts these were.
pub fn claim_receipts(conn: &mut Conn, carrier: &str, provider_id: &str, id: MessageId) -> Result<()> {
    diesel::update(receipts::table)
        .filter(receipts::carrier.eq(carrier))
        .filter(receipts::provider_id.eq(provider_id))
        .set(receipts::message_id.eq(id))
        .execute(conn)?;
    Ok(())
}
