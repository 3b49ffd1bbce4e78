//! Listeners: a developer's machine that asks for an organization's events and cannot be called. Ledger steps.

use std::time::Duration;

use super::emit::Owner;
use super::kinds::Wanted;
use super::store::{self, EventRow, ListenerRow};
use super::view::ListenerView;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{EventId, ListenerId};

/// Most listeners of an organization in each mode: what happens is written once for each of them.
const LISTENERS_MAX: i64 = 10;
/// How long a listener is kept that says nothing: longer than a server takes to come back, or a laptop to find a network.
const LEASE: Duration = Duration::from_secs(3_600);
/// One that has said nothing for so long makes room for another, where there are as many as there may be.
const SILENT: Duration = Duration::from_secs(300);
/// Most events of one answer, and of one acknowledgement.
pub const BATCH_MAX: i64 = 100;

/// Opens a listener, in place of one that has gone silent where there is no room. Error: `validation_failed` where there
/// are too many that live.
pub fn open(conn: &mut Conn, owner: Owner, wanted: &Wanted, now: Millis) -> Result<ListenerView> {
    let is_full = store::count_listeners(conn, owner, now)? >= LISTENERS_MAX;
    let silent = store::first_to_end(conn, owner, now)?.filter(|row| row.expires_at <= now.plus(LEASE - SILENT));
    if let (true, Some(silent)) = (is_full, &silent) {
        store::set_lease(conn, silent.id, now)?;
    } else if is_full {
        let why = format!(
            "would be one more than {LISTENERS_MAX} listeners; close one, or wait until one has been silent for five minutes"
        );
        return Err(Error::field("events", why));
    }
    let row = ListenerRow {
        id: ListenerId::new(now),
        org_id: owner.0,
        mode: owner.1,
        events: serde_json::to_string(wanted).map_err(Error::internal)?,
        expires_at: now.plus(LEASE),
        created_at: now,
    };
    store::insert_listener(conn, &row)?;
    ListenerView::of(&row)
}

/// What a listener has not heard yet, oldest first. Error: `not_found`, also where its lease has ended.
pub fn unheard(conn: &mut Conn, owner: Owner, id: ListenerId, now: Millis) -> Result<Vec<EventRow>> {
    store::load_listener(conn, owner, id, now)?;
    store::list_unheard(conn, id, BATCH_MAX)
}

/// Notes what a listener has, and renews its lease. Error: `not_found`.
pub fn acknowledge(
    conn: &mut Conn,
    owner: Owner,
    id: ListenerId,
    events: &[EventId],
    now: Millis,
) -> Result<ListenerView> {
    let row = store::load_listener(conn, owner, id, now)?;
    store::mark_heard(conn, id, events)?;
    let expires_at = now.plus(LEASE);
    store::set_lease(conn, id, expires_at)?;
    ListenerView::of(&ListenerRow { expires_at, ..row })
}

/// Ends a listener; the sweep drops what it had not heard. Error: `not_found`.
pub fn close(conn: &mut Conn, owner: Owner, id: ListenerId, now: Millis) -> Result<()> {
    store::load_listener(conn, owner, id, now)?;
    store::set_lease(conn, id, now)
}
