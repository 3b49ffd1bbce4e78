//! The order, and the passes over every place.
//!
//! A place is walked in stretches: each is looked at by a reader, and written to only where it holds the address, so that
//! sends never wait behind a scan. A pass that was cut short by a crash is done again from its beginning; that changes
//! nothing twice. Only a pass that finds nothing ends an erasure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::places::{PLACES, Place};
use super::store::{self, Row, Stretch};
use super::subject::Subject;
use super::view::{ErasureStatus, ErasureView};
use crate::app::App;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::fraud::{forget_guards, lists_changed};
use crate::ids::ErasureId;
use crate::messages::{self, forget_tables};
use crate::phone::pseudonym;
use crate::recipient::Recipient;
use crate::secret::{Keyring, Purpose};

/// Rows of a stretch: some milliseconds of looking.
const ROWS: i64 = 5_000;
/// How long a process may be silent about an erasure before another one takes it.
const LEASE: Duration = Duration::from_secs(600);
/// How long to wait for hand-offs that are under way.
const HAND_OFF_WAIT: Duration = Duration::from_secs(10);
/// Passes in one go; one more than is ever needed while nothing is sent to the address.
const PASSES: usize = 3;

/// Orders the erasure of an address. Errors: `validation_failed` where `to` is none or one of the platform's own, or where
/// the reason names it.
pub fn order_erasure(conn: &mut Conn, by: &By, keyring: &Keyring, (to, reason): (&str, &str)) -> Result<ErasureView> {
    let wrong = |_| Error::field("to", "must be a number in E.164 or a mail address");
    let recipient = Recipient::in_query(to).map_err(wrong)?;
    let address = recipient.address();
    let digits: String = reason.chars().filter(char::is_ascii_digit).collect();
    let bare = address.trim_start_matches('+');
    if reason.contains(address) || (address.starts_with('+') && digits.contains(bare)) {
        return Err(Error::field("reason", "must not name the address: the audit log cannot be erased"));
    }
    if store::is_own(conn, address)? {
        return Err(Error::field("to", "is a number that this platform sends from or receives at; remove it there"));
    }
    let id = ErasureId::new(by.now);
    let row = Row {
        id,
        status: ErasureStatus::Waiting,
        subject: pseudonym(keyring, address),
        address: Some(keyring.seal(Purpose::Body, id.as_str().as_bytes(), address.as_bytes())),
        author: by.actor.to_string(),
        reason: String::from(reason),
        request_id: by.request_id.clone(),
        erased: String::from("{}"),
        left_over: String::from("{}"),
        error: None,
        next_at: Some(by.now),
        created_at: by.now,
        started_at: None,
        finished_at: None,
    };
    store::insert(conn, &row)?;
    by.tell(conn, "erasure.order", id, Change::made(&serde_json::json!({ "subject": row.subject })))?;
    ErasureView::of(row)
}

/// Does the erasures that are due; how many were proved. The worker calls this in its loop.
pub async fn run_erasures(app: &App) -> Result<usize> {
    run_erasures_by(app, ROWS).await
}

/// The same in stretches of that many rows. Tests call this, so that small tables have many.
pub async fn run_erasures_by(app: &App, rows: i64) -> Result<usize> {
    let mut proved = 0;
    loop {
        let now = app.clock.now();
        let Some(row) = app.db.read(move |conn| store::due(conn, now)).await? else { return Ok(proved) };
        let claimed = row.clone();
        if !app.db.write(move |conn| store::claim(conn, &claimed, now.plus(LEASE))).await? {
            continue;
        }
        match run(app, row.clone(), rows).await {
            Ok(true) => proved += 1,
            Ok(false) => return Ok(proved),
            Err(fault) => {
                // Told where it is looked for, and tried again: an order must not stand still in silence.
                let next_at = Some(app.clock.now().plus(LEASE));
                let row = Row { error: Some(format!("stopped by {}; it begins again", fault.code())), next_at, ..row };
                app.db.write(move |conn| store::save(conn, &row)).await?;
                return Err(fault);
            }
        }
    }
}

/// Runs one erasure; whether it is proved.
async fn run(app: &App, row: Row, rows: i64) -> Result<bool> {
    let now = app.clock.now();
    let mut row = Row { status: ErasureStatus::Running, started_at: row.started_at.or(Some(now)), ..row };
    let subjects = subjects(app, &row).await?;
    if call_back(app, &subjects).await? > 0 {
        row.error = Some(String::from("a message to it is being handed over"));
        row.next_at = Some(app.clock.now().plus(HAND_OFF_WAIT));
        app.db.write(move |conn| store::save(conn, &row)).await?;
        return Ok(false);
    }
    let mut erased: BTreeMap<String, i64> = serde_json::from_str(&row.erased).map_err(Error::internal)?;
    let mut left = BTreeMap::new();
    for _ in 0..PASSES {
        pass(app, &subjects, rows, Some(&mut erased)).await?;
        left = pass(app, &subjects, rows, None).await?;
        if left.values().all(|rows| *rows == 0) {
            break;
        }
    }
    forget_tables(app);
    forget_guards(app);
    let proved = left.values().all(|rows| *rows == 0);
    row.erased = store::to_json(&erased);
    row.left_over = store::to_json(&left);
    end(app, row, proved).await?;
    // Best effort: readers may be in the way, and every later checkpoint does the same.
    let _ = app.db.read(store::empty_log).await;
    Ok(proved)
}

async fn end(app: &App, row: Row, proved: bool) -> Result<()> {
    let clock = app.clock.clone();
    app.db
        .write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            if !proved {
                let error = Some(String::from("the last pass still found it"));
                return store::save(conn, &Row { error, next_at: Some(now.plus(HAND_OFF_WAIT)), ..row });
            }
            let done = Row {
                status: ErasureStatus::Done,
                address: None,
                error: None,
                next_at: None,
                finished_at: Some(now),
                ..row
            };
            store::save(conn, &done)?;
            lists_changed(conn)?;
            let id = done.id;
            let told = ErasureView::of(done)?;
            let proof = serde_json::json!({
                "subject": told.subject, "erased": told.erased, "left_over": told.left_over,
            });
            By::local(Actor::System, now).tell(conn, "erasure.done", id, Change::made(&proof))
        })
        .await
}

/// The address of an order, and the ids under which WhatsApp shows its owner.
async fn subjects(app: &App, row: &Row) -> Result<Vec<Subject>> {
    let sealed = row.address.clone().ok_or_else(|| Error::internal("an erasure without its address"))?;
    let opened = app.keyring.open(Purpose::Body, row.id.as_str().as_bytes(), &sealed);
    let opened = opened.and_then(|bytes| String::from_utf8(bytes).ok());
    let address = opened.ok_or_else(|| Error::internal("an erasure was sealed under another secret key"))?;
    let phone = address.clone();
    let others = app.db.read(move |conn| store::user_ids(conn, &phone)).await?;
    let subject = |address: String| Subject {
        digits: address.strip_prefix('+').map(String::from),
        pseudonym: pseudonym(&app.keyring, &address),
        address,
    };
    Ok(others.into_iter().chain([address]).map(subject).collect())
}

/// Calls back what has not gone yet; how many messages are being handed over at this moment.
async fn call_back(app: &App, subjects: &[Subject]) -> Result<usize> {
    let (subjects, clock) = (subjects.to_vec(), app.clock.clone());
    app.db
        .write(move |conn| {
            let now: Millis = crate::db::now(conn, &clock)?;
            let mut under_way = 0;
            for subject in &subjects {
                for row in store::open_messages(conn, subject)? {
                    match row.status {
                        messages::Status::Sending => under_way += 1,
                        status if status.is_cancelable() => messages::cancel(conn, &row, "erasure", now)?,
                        // It was sent; what would follow it in another channel has nothing to say any more.
                        _ => {}
                    }
                }
            }
            Ok(under_way)
        })
        .await
}

/// One pass over every place: erases and adds up what it erased, or only counts what it finds.
async fn pass(
    app: &App,
    subjects: &[Subject],
    rows: i64,
    mut erased: Option<&mut BTreeMap<String, i64>>,
) -> Result<BTreeMap<String, i64>> {
    let mut found = BTreeMap::new();
    for place in PLACES {
        let mut sum = 0;
        let mut stretch = Stretch::default();
        loop {
            let (whom, looked) = (subjects.to_vec(), stretch.clone());
            let (next, here) = app.db.read(move |conn| look(conn, place, &whom, looked, rows)).await?;
            sum += here;
            if here > 0
                && let Some(erased) = erased.as_deref_mut()
            {
                let (whom, struck) = (subjects.to_vec(), next.clone());
                let rows = app.db.write(move |conn| strike(conn, place, &whom, &struck)).await?;
                *erased.entry(String::from(place.table)).or_default() += rows;
            }
            match next.to {
                Some(to) => stretch = Stretch { after: Some(to), to: None },
                None => break,
            }
        }
        found.insert(String::from(place.table), sum);
    }
    Ok(found)
}

fn look(conn: &mut Conn, place: &Place, subjects: &[Subject], stretch: Stretch, rows: i64) -> Result<(Stretch, i64)> {
    let to = store::stretch_end(conn, place, stretch.after.as_deref(), rows)?;
    let stretch = Stretch { to, ..stretch };
    let mut found = 0;
    for subject in subjects {
        found += store::count(conn, place, subject, &stretch)?;
    }
    Ok((stretch, found))
}

fn strike(conn: &mut Conn, place: &Place, subjects: &[Subject], stretch: &Stretch) -> Result<i64> {
    let mut rows = 0;
    for subject in subjects {
        rows += store::erase(conn, place, subject, stretch)?;
    }
    Ok(rows)
}
