//! Alerts as an operator sees them: opened when something happens, counted while it goes on, over when it was quiet for
//! long. The state is a function of the counts and the time; nothing has to run for it.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::store::{self, OpenRow};
use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::config::AlertKind;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{AlertId, OrgId};

/// Quiet for so long, it is over; what happens then is another alert.
const QUIET: Duration = Duration::from_secs(3_600);
/// So long it is new.
const NEW: Duration = Duration::from_secs(15 * 60);
/// Stretches of this length are compared with each other.
const STRETCH: Duration = Duration::from_secs(10 * 60);
/// Fewer in a stretch are no growth.
const GROWTH: i64 = 3;
/// So many more than were acknowledged, and twice as many, and it asks for attention again.
const REOPENS: i64 = 5;

crate::text_enum! {
    /// Where an alert stands, the most urgent first.
    pub enum AlertState {
        /// It began within a quarter of an hour.
        New = "new",
        /// Twice as often as before.
        Escalating = "escalating",
        /// It goes on.
        Ongoing = "ongoing",
        /// An operator has seen it. Where it doubles after that, it escalates.
        Acknowledged = "acknowledged",
        /// Nothing for an hour.
        Over = "over",
    }
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AlertView {
    /// Its id.
    pub id: AlertId,
    /// What happened.
    #[schema(value_type = String, example = "circuit_open")]
    pub kind: AlertKind,
    /// Whom it concerns; null where it is nobody's in particular.
    pub org_id: Option<OrgId>,
    /// Where it stands.
    pub state: AlertState,
    /// The latest, in a line.
    #[schema(example = "Carrier acme takes nothing for now. Its circuit is open: errors; see /v1/admin/routes.")]
    pub cause: String,
    /// What to do next.
    #[schema(example = "Look at the carrier's error codes; drain it or give its traffic another route.")]
    pub next_step: String,
    /// How often since it was opened.
    pub count: i64,
    /// The first time.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen_at: Millis,
    /// The last time.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Millis,
    /// When an operator acknowledged it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged_at: Option<Millis>,
    /// Which operator, by id.
    pub acknowledged_by: Option<String>,
    /// What they said.
    pub acknowledged_reason: Option<String>,
}

/// What to do next about a kind of alert.
fn next_step(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::FraudHold => "Look at the hold and its decisions; release it if the users are real.",
        AlertKind::SpendCap => "Ask the customer whether the traffic is theirs; raise the cap or let it stop.",
        AlertKind::CircuitOpen => "Look at the carrier's error codes; drain it or give its traffic another route.",
        AlertKind::EndpointDisabled => "Tell the customer that its endpoint fails; replay the events when it is back.",
        AlertKind::Pause => "See who paused and why; resume when the cause is gone.",
        AlertKind::ProtectionLowered => "Ask the customer whether it was meant; raise the protection again if not.",
    }
}

impl AlertView {
    fn of(row: OpenRow, now: Millis) -> AlertView {
        AlertView {
            id: row.id,
            kind: row.kind,
            org_id: row.org_id.parse().ok(),
            state: row.state(now),
            cause: row.example,
            next_step: String::from(next_step(row.kind)),
            count: row.total,
            first_seen_at: row.opened_at,
            last_seen_at: row.seen_at,
            acknowledged_at: row.acknowledged_at,
            acknowledged_by: row.acknowledged_by,
            acknowledged_reason: row.acknowledged_reason,
        }
    }
}

impl OpenRow {
    /// Begins with `count` at `now`.
    fn begun((kind, org): (AlertKind, &str), count: i64, example: &str, now: Millis) -> OpenRow {
        OpenRow {
            kind,
            org_id: String::from(org),
            id: AlertId::new(now),
            example: String::from(example),
            total: count,
            opened_at: now,
            seen_at: now,
            stretch_at: now,
            stretch_count: count,
            before_count: 0,
            acknowledged_at: None,
            acknowledged_by: None,
            acknowledged_total: None,
            acknowledged_reason: None,
        }
    }

    fn is_over(&self, now: Millis) -> bool {
        now.since(self.seen_at) >= QUIET
    }

    /// The counts of the stretch that is now and of the one before it.
    fn stretches(&self, now: Millis) -> (i64, i64) {
        match now.since(self.stretch_at) {
            passed if passed < STRETCH => (self.stretch_count, self.before_count),
            passed if passed < STRETCH * 2 => (0, self.stretch_count),
            _ => (0, 0),
        }
    }

    /// The same after it happened again.
    fn again(self, count: i64, example: &str, now: Millis) -> OpenRow {
        if self.is_over(now) {
            return OpenRow::begun((self.kind, &self.org_id), count, example, now);
        }
        let (present, before) = self.stretches(now);
        let is_same = now.since(self.stretch_at) < STRETCH;
        OpenRow {
            example: String::from(example),
            total: self.total.saturating_add(count),
            seen_at: now.max(self.seen_at),
            stretch_at: if is_same { self.stretch_at } else { now },
            stretch_count: present.saturating_add(count),
            before_count: before,
            ..self
        }
    }

    /// Where it stands at `now`.
    fn state(&self, now: Millis) -> AlertState {
        if self.is_over(now) {
            return AlertState::Over;
        }
        if let Some(then) = self.acknowledged_total {
            let more = self.total.saturating_sub(then);
            return if more >= then.max(REOPENS) { AlertState::Escalating } else { AlertState::Acknowledged };
        }
        let (present, before) = self.stretches(now);
        match now.since(self.opened_at) {
            age if age < NEW => AlertState::New,
            _ if present >= GROWTH && present >= before.saturating_mul(2) => AlertState::Escalating,
            _ => AlertState::Ongoing,
        }
    }
}

/// Notes that something happened `count` times, in the transaction where it does.
pub(super) fn see(conn: &mut Conn, key: (AlertKind, &str), count: i64, example: &str, now: Millis) -> Result<()> {
    for _ in 0..2 {
        match store::open_row(conn, key)? {
            Some(row) => return store::save_open(conn, &row.again(count, example, now)),
            // Where another transaction has opened it meanwhile, it is read again.
            None if store::insert_open(conn, OpenRow::begun(key, count, example, now))? => return Ok(()),
            None => {}
        }
    }
    Ok(())
}

/// Rows that are looked through for one page.
const LOOKED_AT: i64 = 1_000;

/// Alerts, the latest opened first, from before `before` on: those in `state`, or all that are not over.
pub fn list_alerts(
    conn: &mut Conn,
    (state, kind): (Option<AlertState>, Option<AlertKind>),
    (before, limit): (Option<AlertId>, i64),
    now: Millis,
) -> Result<Vec<AlertView>> {
    let (mut found, mut before) = (Vec::new(), before);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    loop {
        let rows = store::open_rows(conn, kind, before, LOOKED_AT)?;
        let is_last = i64::try_from(rows.len()).unwrap_or(LOOKED_AT) < LOOKED_AT;
        before = rows.last().map(|row| row.id);
        let views = rows.into_iter().map(|row| AlertView::of(row, now));
        found.extend(views.filter(|view| match state {
            Some(state) => view.state == state,
            None => view.state != AlertState::Over,
        }));
        if is_last || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}

/// The alerts that are open and not acknowledged, at most `limit`: new, then escalating, then ongoing ones, each latest first.
pub fn open_alerts(conn: &mut Conn, limit: usize, now: Millis) -> Result<Vec<AlertView>> {
    let mut open = list_alerts(conn, (None, None), (None, LOOKED_AT), now)?;
    open.retain(|view| view.state < AlertState::Acknowledged);
    open.sort_by_key(|view| (view.state, std::cmp::Reverse(view.last_seen_at)));
    open.truncate(limit);
    Ok(open)
}

/// One alert. Error: `not_found`.
pub fn find_alert(conn: &mut Conn, id: AlertId, now: Millis) -> Result<AlertView> {
    let row = store::find_open(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    Ok(AlertView::of(row, now))
}

/// Notes that an operator has seen an alert; one that was seen already is seen by the latest. Error: `not_found`.
pub fn acknowledge(conn: &mut Conn, by: &By, id: AlertId) -> Result<AlertView> {
    let key = store::find_open(conn, id)?.map(|row| (row.kind, row.org_id));
    let (kind, org) = key.ok_or_else(|| Error::new(Code::NotFound))?;
    let row = store::open_row(conn, (kind, &org))?.filter(|row| row.id == id);
    let row = row.ok_or_else(|| Error::new(Code::NotFound))?;
    let after = OpenRow {
        acknowledged_at: Some(by.now),
        acknowledged_by: Some(by.actor.to_string()),
        acknowledged_total: Some(row.total),
        acknowledged_reason: by.reason.clone(),
        ..row.clone()
    };
    store::save_open(conn, &after)?;
    let (before, after) = (AlertView::of(row, by.now), AlertView::of(after, by.now));
    by.tell(conn, "alert.acknowledge", id, Change::changed(&before, &after))?;
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Millis = Millis(1_790_000_000_000);

    fn at(minutes: u64) -> Millis {
        START.plus(Duration::from_secs(minutes * 60))
    }

    fn begun() -> OpenRow {
        OpenRow::begun((AlertKind::CircuitOpen, ""), 1, "first", START)
    }

    #[test]
    fn it_is_new_then_ongoing_then_over_and_opens_anew() {
        let row = begun();
        let state = |minutes| row.state(at(minutes));
        assert_eq!([0, 14, 15, 59, 60].map(state), {
            use AlertState::{New, Ongoing, Over};
            [New, New, Ongoing, Ongoing, Over]
        });
        let again = row.clone().again(1, "second", at(61));
        assert_eq!((again.total, again.opened_at, again.state(at(61))), (1, at(61), AlertState::New));
        assert_ne!(again.id, row.id);
    }

    #[test]
    fn twice_as_often_escalates_and_a_steady_pace_does_not() {
        let steady = (1..6).fold(begun().again(2, "", at(1)), |row, n| row.again(3, "", at(n * 10)));
        assert_eq!(steady.state(at(51)), AlertState::Ongoing);
        let grown = steady.again(3, "more", at(52));
        assert_eq!((grown.state(at(52)), grown.example.as_str()), (AlertState::Escalating, "more"));
        assert_eq!(grown.state(at(75)), AlertState::Ongoing, "it has slowed down");
    }

    #[test]
    fn what_was_acknowledged_asks_again_where_it_doubles() {
        let row = OpenRow { total: 8, acknowledged_total: Some(8), ..begun() };
        assert_eq!(row.state(at(1)), AlertState::Acknowledged);
        assert_eq!(row.clone().again(7, "", at(2)).state(at(2)), AlertState::Acknowledged);
        assert_eq!(row.clone().again(8, "", at(2)).state(at(2)), AlertState::Escalating);
        assert_eq!(row.state(at(60)), AlertState::Over);
    }
}
