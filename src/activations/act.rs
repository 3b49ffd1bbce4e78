//! What becomes of an activation: each step moves its state, its price and its number's place in one transaction, with the
//! activation's row held.

use std::time::Duration;

use super::state::{Event, Hold, Refusal, Status};
use super::store::{self, Name, Owner, Row};
use super::supply::USUAL_COOL_DOWN;
use super::told;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::failpoint;
use crate::wallet::{self, Rent};

/// Why a step is not taken.
#[derive(Debug)]
pub enum NoStep {
    /// It cannot be taken where the activation is; that is how it stands.
    Refused(Refusal, Box<Row>),
    /// Anything else.
    Other(crate::error::Error),
}

impl From<crate::error::Error> for NoStep {
    fn from(error: crate::error::Error) -> NoStep {
        NoStep::Other(error)
    }
}

impl From<NoStep> for crate::error::Error {
    fn from(refusal: NoStep) -> crate::error::Error {
        match refusal {
            NoStep::Refused(refusal, _) => refusal.into(),
            NoStep::Other(error) => error,
        }
    }
}

/// Does what the renter asks.
///
/// # Errors
/// `not_found`, or why it cannot be done.
pub fn act(conn: &mut Conn, owner: Owner, name: Name, event: Event, now: Millis) -> Result<Row, NoStep> {
    let row = store::load_locked(conn, owner, name)?;
    let here = row.status.at(row.expires_at, now);
    match here.after(event, row.cancel_at, now) {
        Ok(next) => Ok(enter(conn, row, next, now)?),
        Err(refusal) => Err(NoStep::Refused(refusal, Box::new(Row { status: here, ..row }))),
    }
}

/// Moves an activation, whose row is held, to `next`: with its price and, at its end, its number.
pub fn enter(conn: &mut Conn, row: Row, next: Status, now: Millis) -> Result<Row> {
    let hold = if row.hold == Hold::Held { next.hold() } else { row.hold };
    let moved = Row { status: next, hold, ended_at: next.is_final().then_some(now), updated_at: now, ..row.clone() };
    store::save(conn, &moved)?;
    if next.is_final() {
        let rest = rest_of(conn, &row)?;
        store::free_place(conn, (row.number_id, &row.service), row.id, now.plus(rest))?;
        metrics::counter!("postern_activations_total", "outcome" => next.as_str()).increment(1);
    }
    if next != row.status {
        told::tell(conn, &moved, now)?;
    }
    if hold != row.hold {
        wallet::settle_rent(conn, &rent(&row), hold == Hold::Settled, now)?;
    }
    failpoint::pass("activation.before_commit")?;
    Ok(moved)
}

fn rent(row: &Row) -> Rent {
    Rent {
        owner: row.owner(),
        reference: row.id.to_string(),
        amount: row.price_micros,
        currency: row.currency,
        key_id: row.key_id,
        country: row.country,
    }
}

/// How long the number rests: as it says itself, else as the service says.
fn rest_of(conn: &mut Conn, row: &Row) -> Result<Duration> {
    let own = store::number(conn, row.number_id)?.and_then(|number| number.cool_down_ms);
    let ms = match own {
        Some(own) => Some(own),
        None => store::service(conn, &row.service)?.map(|service| service.cool_down_ms),
    };
    Ok(ms.and_then(|ms| u64::try_from(ms).ok()).map_or(USUAL_COOL_DOWN, Duration::from_millis))
}

/// Ends what has run out, up to `limit` activations; how many that were.
pub fn run_out(conn: &mut Conn, now: Millis, limit: i64) -> Result<usize> {
    let due = store::due(conn, now, limit)?;
    let mut ended = 0;
    for id in due {
        let Some(row) = store::find_locked(conn, id)? else { continue };
        let here = row.status.at(row.expires_at, now);
        // Whoever had it meanwhile has ended it.
        if row.ended_at.is_none() && here.is_final() {
            enter(conn, row, here, now)?;
            ended += 1;
        }
    }
    Ok(ended)
}
