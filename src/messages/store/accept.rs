//! The statements of the accepting transaction: load and lock, then write, each for the whole batch.
//!
//! PostgreSQL gets one statement for each kind of row whatever the batch's size, its text always the same; on SQLite,
//! where a statement costs microseconds and the prepared ones are kept, each row is its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{decisions, guard_windows, messages, org_windows};
use crate::error::Result;
use crate::fraud::Action;
use crate::ids::{DecisionId, KeyId, OrgId};
use crate::limits::{OrgWindow, Policy, Rate, StampLog};
use crate::messages::gate_state::{GUARD_HORIZON, GuardKey, GuardKind, Kept};
use crate::messages::store::Row;
use crate::terms::Mode;

#[derive(Queryable, Insertable)]
#[diesel(table_name = guard_windows)]
struct GuardRow {
    kind: GuardKind,
    mode: Mode,
    subject: Vec<u8>,
    stamps: Vec<u8>,
    as_of: Millis,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = org_windows)]
struct PlanRow {
    org_id: OrgId,
    mode: Mode,
    policy: Policy,
    stamps: Vec<u8>,
    as_of: Millis,
}

/// A decision that refused.
#[derive(Clone, Insertable)]
#[diesel(table_name = decisions)]
pub struct DecisionRow {
    /// Its id.
    pub id: DecisionId,
    /// Whose message.
    pub org_id: OrgId,
    /// Sent with this key.
    pub key_id: KeyId,
    /// Live or test.
    pub mode: Mode,
    /// What it did.
    pub action: Action,
    /// What the client was told.
    pub code: String,
    /// JSON of what it saw.
    pub terms: String,
    /// The request.
    pub request_id: String,
    /// When.
    pub created_at: Millis,
}

/// How state is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Locked until the transaction ends, to be written back.
    Write,
    /// As it stands: a dry run.
    Peek,
}

/// The windows of `keys` (sorted); an absent row is an empty window.
pub fn load_guards(
    conn: &mut Conn,
    keys: &BTreeSet<GuardKey>,
    lock: Lock,
    now: Millis,
) -> Result<Vec<(GuardKey, Kept<StampLog>)>> {
    if let (Conn::Pg(c), Lock::Write) = (&mut *conn, lock) {
        let empty: Vec<GuardRow> = keys.iter().map(|key| guard_row(key, &StampLog::default())).collect();
        diesel::insert_into(guard_windows::table).values(&empty).on_conflict_do_nothing().execute(c)?;
    }
    let rows = match (&mut *conn, lock) {
        (Conn::Pg(c), Lock::Write) => lock_guards(c, keys)?,
        (conn, _) => read_guards(conn, keys)?,
    };
    let mut logs: BTreeMap<GuardKey, StampLog> = rows
        .into_iter()
        .map(|row| ((row.kind, row.mode, row.subject), StampLog::decode(&row.stamps, row.as_of)))
        .collect();
    Ok(keys.iter().map(|key| (key.clone(), turned(logs.remove(key).unwrap_or_default(), now))).collect())
}

#[derive(QueryableByName)]
#[diesel(table_name = guard_windows)]
struct ClaimedRow {
    kind: GuardKind,
    mode: Mode,
    subject: Vec<u8>,
    stamps: Vec<u8>,
    as_of: Millis,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    fresh: bool,
}

/// A row that is there is locked (the update changes nothing); a row that is not is stored as it is foreseen.
const CLAIM_GUARDS: &str = "INSERT INTO guard_windows AS kept (kind, mode, subject, stamps, as_of) \
    SELECT * FROM unnest(?::text[], ?::text[], ?::bytea[], ?::bytea[], ?::bigint[]) \
    ON CONFLICT (kind, mode, subject) DO UPDATE SET as_of = kept.as_of \
    RETURNING kind, mode, subject, stamps, as_of, (xmax = 0) AS fresh";

/// Windows as they were before a batch.
pub type Windows = BTreeMap<GuardKey, Kept<StampLog>>;
/// Windows that are stored already as they will be if everything passes.
pub type Foreseen = BTreeMap<GuardKey, StampLog>;

/// Locks the windows of an accepting batch in the order of their keys, in one statement, storing new ones as
/// `foreseen`: the windows as they were before, and those that are new. For PostgreSQL.
pub fn claim_guards(
    conn: &mut Conn,
    foreseen: &BTreeMap<GuardKey, StampLog>,
    now: Millis,
) -> Result<(Windows, Foreseen)> {
    let (Conn::Pg(c), false) = (conn, foreseen.is_empty()) else { return Ok(Default::default()) };
    let rows: Vec<ClaimedRow> = fixed(CLAIM_GUARDS)
        .bind::<Array<Text>, _>(foreseen.keys().map(|key| key.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(foreseen.keys().map(|key| key.1).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(foreseen.keys().map(|key| key.2.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(foreseen.values().map(StampLog::encode).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(foreseen.values().map(StampLog::as_of).collect::<Vec<_>>())
        .get_results(c)?;
    let (mut before, mut new) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let key = (row.kind, row.mode, row.subject);
        let log = StampLog::decode(&row.stamps, row.as_of);
        if row.fresh {
            before.insert(key.clone(), Kept::loaded(StampLog::new()));
            new.insert(key, log);
        } else {
            before.insert(key, turned(log, now));
        }
    }
    Ok((before, new))
}

/// A log as of now. Where the clock has stepped back the log is rebased, and that must be kept even if nothing is let
/// through: else its stamps would stand still until the clock has caught up.
fn turned(mut log: StampLog, now: Millis) -> Kept<StampLog> {
    let changed = log.turn_to(now);
    Kept { value: log, changed }
}

/// One statement for each kind of guard, rows locked in the order of their keys.
fn lock_guards(conn: &mut diesel::PgConnection, keys: &BTreeSet<GuardKey>) -> Result<Vec<GuardRow>> {
    let mut groups: BTreeMap<(GuardKind, Mode), Vec<&[u8]>> = BTreeMap::new();
    for (kind, mode, subject) in keys {
        groups.entry((*kind, *mode)).or_default().push(subject);
    }
    let mut rows = Vec::with_capacity(keys.len());
    for ((kind, mode), subjects) in groups {
        let found: Vec<GuardRow> = guard_windows::table
            .filter(guard_windows::kind.eq(kind))
            .filter(guard_windows::mode.eq(mode))
            .filter(guard_windows::subject.eq_any(subjects))
            .order(guard_windows::subject.asc())
            .for_update()
            .load(conn)?;
        rows.extend(found);
    }
    Ok(rows)
}

fn read_guards(conn: &mut Conn, keys: &BTreeSet<GuardKey>) -> Result<Vec<GuardRow>> {
    let mut rows = Vec::with_capacity(keys.len());
    for (kind, mode, subject) in keys {
        let query = guard_windows::table.find((*kind, *mode, subject.as_slice()));
        let row: Option<GuardRow> = crate::both!(conn, c => query.first(c)).optional()?;
        rows.extend(row);
    }
    Ok(rows)
}

const SAVE_GUARDS: &str = "INSERT INTO guard_windows (kind, mode, subject, stamps, as_of) \
    SELECT * FROM unnest(?::text[], ?::text[], ?::bytea[], ?::bytea[], ?::bigint[]) \
    ON CONFLICT (kind, mode, subject) DO UPDATE SET stamps = excluded.stamps, as_of = excluded.as_of";

/// Writes windows back; one that holds nothing leaves no row.
pub fn save_guards(conn: &mut Conn, changed: &[(&GuardKey, &StampLog)]) -> Result<()> {
    let (empty, held): (Vec<_>, Vec<_>) = changed.iter().partition(|(_, log)| log.is_empty());
    for ((kind, mode, subject), _) in empty {
        diesel::delete(guard_windows::table.find((*kind, *mode, subject.as_slice()))).execute(conn)?;
    }
    let rows: Vec<GuardRow> = held.iter().map(|(key, log)| guard_row(key, log)).collect();
    match conn {
        Conn::Sqlite(c) => {
            for row in &rows {
                diesel::replace_into(guard_windows::table).values(row).execute(c)?;
            }
        }
        Conn::Pg(_) if rows.is_empty() => {}
        Conn::Pg(c) => {
            fixed(SAVE_GUARDS)
                .bind::<Array<Text>, _>(rows.iter().map(|row| row.kind).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(rows.iter().map(|row| row.mode).collect::<Vec<_>>())
                .bind::<Array<Binary>, _>(rows.iter().map(|row| row.subject.as_slice()).collect::<Vec<_>>())
                .bind::<Array<Binary>, _>(rows.iter().map(|row| row.stamps.as_slice()).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(rows.iter().map(|row| row.as_of).collect::<Vec<_>>())
                .execute(c)?;
        }
    }
    Ok(())
}

/// The plan's window of an organization under `rate`.
pub fn load_plan(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    rate: Rate,
    lock: Lock,
    now: Millis,
) -> Result<Kept<OrgWindow>> {
    let key = (owner.0, owner.1, Policy::SmsPlan);
    let query = org_windows::table.find(key);
    let row: Option<PlanRow> = match (&mut *conn, lock) {
        (Conn::Pg(c), Lock::Write) => match query.for_update().first(c).optional()? {
            Some(row) => Some(row),
            None => {
                let empty =
                    PlanRow { org_id: owner.0, mode: owner.1, policy: Policy::SmsPlan, stamps: Vec::new(), as_of: now };
                diesel::insert_into(org_windows::table).values(&empty).on_conflict_do_nothing().execute(c)?;
                query.for_update().first(c).optional()?
            }
        },
        (conn, _) => crate::both!(conn, c => query.first(c)).optional()?,
    };
    let (stamps, as_of) = row.map_or((Vec::new(), now), |row| (row.stamps, row.as_of));
    let mut window = OrgWindow::open(&stamps, as_of, rate);
    let changed = window.turn_to(now);
    Ok(Kept { value: window, changed })
}

const SAVE_PLAN: &str = "UPDATE org_windows SET stamps = ?, as_of = ? WHERE org_id = ? AND mode = ? AND policy = ?";

/// Writes a plan's window back.
pub fn save_plan(conn: &mut Conn, owner: (OrgId, Mode), window: &OrgWindow) -> Result<()> {
    let row = PlanRow {
        org_id: owner.0,
        mode: owner.1,
        policy: Policy::SmsPlan,
        stamps: window.encode(),
        as_of: window.as_of(),
    };
    match conn {
        Conn::Sqlite(c) => diesel::replace_into(org_windows::table).values(&row).execute(c)?,
        // The row is there and locked.
        Conn::Pg(c) => fixed(SAVE_PLAN)
            .bind::<Binary, _>(&row.stamps)
            .bind::<BigInt, _>(row.as_of)
            .bind::<Text, _>(row.org_id)
            .bind::<Text, _>(row.mode)
            .bind::<Text, _>(row.policy)
            .execute(c)?,
    };
    Ok(())
}

/// Looks at up to `limit` windows of each kind that nobody has touched for [`GUARD_HORIZON`] and drops those that count
/// nothing any more; one that holds appointments is written anew, to be looked at again a horizon later. Numbers once
/// verified stay so. How many were looked at.
pub fn purge_guards(conn: &mut Conn, now: Millis, limit: i64) -> Result<usize> {
    let before = now.minus(GUARD_HORIZON);
    let mut old: Vec<GuardRow> = Vec::new();
    for kind in [GuardKind::Otp, GuardKind::Check, GuardKind::Ip, GuardKind::Device] {
        let found: Vec<GuardRow> = guard_windows::table
            .filter(guard_windows::kind.eq(kind))
            .filter(guard_windows::as_of.lt(before))
            .limit(limit)
            .load(conn)?;
        old.extend(found);
    }
    for row in &old {
        // Whoever has touched it since has made it young.
        let untouched = guard_windows::table
            .find((row.kind, row.mode, row.subject.as_slice()))
            .filter(guard_windows::as_of.eq(row.as_of));
        let mut log = StampLog::decode(&row.stamps, row.as_of);
        log.prune(GUARD_HORIZON, now);
        if log.is_empty() {
            diesel::delete(untouched).execute(conn)?;
        } else {
            diesel::update(untouched)
                .set((guard_windows::stamps.eq(log.encode()), guard_windows::as_of.eq(log.as_of())))
                .execute(conn)?;
        }
    }
    Ok(old.len())
}

/// Stores accepted messages.
pub fn insert_messages(conn: &mut Conn, rows: &[Arc<Row>]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(messages::table).values(&**row).execute(c)?;
            }
        }
        Conn::Pg(c) => {
            insert_messages_pg(c, rows)?;
        }
    }
    Ok(())
}

fn insert_messages_pg(conn: &mut diesel::PgConnection, rows: &[Arc<Row>]) -> diesel::QueryResult<usize> {
    crate::insert_many!(conn, "messages", rows, row => {
        id: Text = Some(row.id),
        org_id: Text = Some(row.org_id),
        key_id: Text = Some(row.key_id),
        mode: Text = Some(row.mode),
        batch_id: Text = row.batch_id,
        verification_id: Text = row.verification_id,
        channel: Text = Some(row.channel),
        kind: Text = Some(row.kind),
        recipient: Text = Some(row.recipient.as_str()),
        country: Text = row.country,
        sender: Text = row.sender.as_deref(),
        content: Binary = row.content.as_deref(),
        encoding: Text = row.encoding,
        segments: Integer = Some(row.segments),
        status: Text = Some(row.status),
        error_code: Text = row.error_code.as_deref(),
        price_micros: BigInt = Some(row.price_micros),
        currency: Text = Some(row.currency),
        hold: Text = Some(row.hold),
        decision_id: Text = Some(row.decision_id),
        decision: Text = Some(row.decision.as_str()),
        lane: SmallInt = Some(row.lane),
        next_at: BigInt = row.next_at,
        attempts: Integer = Some(row.attempts),
        carrier: Text = row.carrier.as_deref(),
        extra: Text = Some(row.extra.as_str()),
        request_id: Text = Some(row.request_id.as_str()),
        scheduled_for: BigInt = row.scheduled_for,
        expires_at: BigInt = Some(row.expires_at),
        created_at: BigInt = Some(row.created_at),
        updated_at: BigInt = Some(row.updated_at),
    })
}

/// Stores decisions that refused; one that is there already (a batch that was tried again) stays.
pub fn insert_decisions(conn: &mut Conn, rows: &[DecisionRow]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(decisions::table).values(row).on_conflict_do_nothing().execute(c)?;
            }
        }
        Conn::Pg(c) => {
            for chunk in rows.chunks(1_000) {
                diesel::insert_into(decisions::table).values(chunk).on_conflict_do_nothing().execute(c)?;
            }
        }
    }
    Ok(())
}

fn guard_row(key: &GuardKey, log: &StampLog) -> GuardRow {
    GuardRow { kind: key.0, mode: key.1, subject: key.2.clone(), stamps: log.encode(), as_of: log.as_of() }
}
