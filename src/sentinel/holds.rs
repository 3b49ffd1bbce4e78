//! Holds: written down when the engine asks for one, told to those who should know, ended by the engine or by hand.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::store::{self, HoldRow};
use crate::alerts::{self, Alert, AlertKind};
use crate::app::App;
use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::fraud::engine::Event;
use crate::fraud::{HoldBegun, Owner, Reason, for_customer, guards};
use crate::ids::{HoldId, OrgId};
use crate::terms::Mode;
use crate::webhooks::{self, EventType, NewEvent};

/// A hold, as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HoldView {
    /// Its id.
    pub id: HoldId,
    /// Whose attempts are held.
    pub org_id: OrgId,
    /// In which world.
    pub mode: Mode,
    /// What is held: a prefix, a network, a device.
    #[schema(example = "block4:+3712012")]
    pub group: String,
    /// How often the group was held before within a day; each time it is held twice as long.
    pub repetitions: u32,
    /// Why.
    pub reasons: Vec<Reason>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub begun_at: Millis,
    /// When it is half open: from then on a few attempts pass as probes, and two that verify end it.
    #[schema(value_type = String, format = DateTime)]
    pub until: Millis,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Millis>,
    /// Who ended it: `engine`, or an operator.
    pub ended_by: Option<String>,
}

impl HoldView {
    /// The hold of a row.
    pub fn of(row: &HoldRow) -> Result<HoldView> {
        Ok(HoldView {
            id: row.id,
            org_id: row.org_id,
            mode: row.mode,
            group: row.shown.clone(),
            repetitions: row.plan()?.0.before,
            reasons: row.reasons()?,
            begun_at: row.begun_at,
            until: row.until_at,
            ended_at: row.ended_at,
            ended_by: row.ended_by.clone(),
        })
    }
}

/// Writes down the holds that have begun and those that have ended, with their events. The upkeep calls this each second,
/// tests by hand.
pub async fn keep_holds(app: &App) -> Result<()> {
    let guards = guards(app).await?;
    let (begun, now) = (guards.watch.take_begun(), app.clock.now());
    if !begun.is_empty() {
        let to_write = begun.clone();
        match app.db.write(move |conn| write_begun(conn, &to_write, now)).await {
            // Others read them from the table; this process has them.
            Ok(written) => {
                for row in &written {
                    let _ = guards.watch.is_new(&row.mark(), now);
                }
            }
            Err(fault) => {
                guards.watch.give_back(begun);
                return Err(fault);
            }
        }
    }
    let open = app.db.read(move |conn| store::list_holds(conn, None, true, None, MOST_OPEN)).await?;
    metrics::gauge!("postern_fraud_holds").set(open.len() as f64);
    let mut ended = Vec::new();
    for row in open {
        let (plan, _) = row.plan()?;
        let known = guards.watch.hold(&plan.node).filter(|hold| hold.since() >= row.begun_at);
        let is_over = known.map_or(now >= row.until_at.plus(FORGOTTEN), |hold| !hold.stands(now));
        if is_over {
            ended.push(row);
        }
    }
    if ended.is_empty() {
        return Ok(());
    }
    app.db
        .write(move |conn| {
            for row in &ended {
                if store::end_hold(conn, row.id, "engine", now)? {
                    tell(conn, row, EventType::FraudHoldEnded, now)?;
                }
            }
            Ok(())
        })
        .await
}

/// Most holds that are looked at.
const MOST_OPEN: i64 = 10_000;
/// A hold that no process knows any more is over so long after it was half open.
const FORGOTTEN: Duration = Duration::from_secs(6 * 3_600);

fn write_begun(conn: &mut Conn, begun: &[HoldBegun], now: Millis) -> Result<Vec<HoldRow>> {
    let rows = begun.iter().map(|hold| row_of(hold, now)).collect::<Result<Vec<_>>>()?;
    store::insert_holds(conn, &rows)?;
    for row in &rows {
        tracing::warn!(
            org.id = %row.org_id, mode = %row.mode, hold.id = %row.id, group = %row.shown, until = %row.until_at.rfc3339(),
            "the fraud guard holds a group of attempts"
        );
        metrics::counter!("postern_fraud_holds_total").increment(1);
        tell(conn, row, EventType::FraudHoldStarted, now)?;
    }
    let alert = |row: &HoldRow| {
        let (group, mode, until) = (&row.shown, row.mode, row.until_at.rfc3339());
        let text =
            format!("The fraud guard holds {group}. In {mode}, until {until}; see /v1/admin/fraud/holds/{}.", row.id);
        Alert::of(AlertKind::FraudHold, row.org_id, text)
    };
    alerts::note(conn, &rows.iter().map(alert).collect::<Vec<_>>(), now)?;
    Ok(rows)
}

fn row_of(hold: &HoldBegun, now: Millis) -> Result<HoldRow> {
    Ok(HoldRow {
        id: HoldId::new(hold.at),
        org_id: hold.owner.0,
        mode: hold.owner.1,
        shown: hold.plan.node.to_string(),
        plan: serde_json::to_string(&hold.plan).map_err(Error::internal)?,
        origin: serde_json::to_string(&hold.origin).map_err(Error::internal)?,
        reasons: serde_json::to_string(&hold.reasons).map_err(Error::internal)?,
        begun_at: hold.at,
        until_at: hold.plan.until,
        ended_at: None,
        ended_by: None,
        changed_at: now,
    })
}

/// Tells the organization.
fn tell(conn: &mut Conn, row: &HoldRow, kind: EventType, now: Millis) -> Result<()> {
    let reasons = for_customer(row.reasons()?);
    let data = || {
        json!({
            "id": row.id,
            "group": row.shown,
            "reasons": reasons,
            "begun_at": row.begun_at,
            "until": row.until_at,
        })
    };
    let owner: Owner = (row.org_id, row.mode);
    webhooks::emit(conn, &[NewEvent { owner, kind, data: Box::new(data) }], now)
}

/// Ends a hold by hand. Errors: `not_found`; one that has ended already stays as it is.
pub fn release(conn: &mut Conn, by: &By, id: HoldId) -> Result<HoldView> {
    let row = store::find_hold(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    if store::end_hold(conn, id, &by.actor.to_string(), by.now)? {
        tell(conn, &row, EventType::FraudHoldEnded, by.now)?;
        let before = HoldView::of(&row)?;
        let after = store::find_hold(conn, id)?.map_or_else(|| Ok(before.clone()), |row| HoldView::of(&row))?;
        by.tell(conn, "hold.release", id, Change::changed(&before, &after))?;
        return Ok(after);
    }
    HoldView::of(&row)
}

/// Tells this process's engine at once of a hold that was ended by hand; the others read it within a second.
pub async fn forget_hold(app: &App, id: HoldId) -> Result<()> {
    let guards = guards(app).await?;
    let Some(row) = app.db.read(move |conn| store::find_hold(conn, id)).await? else { return Ok(()) };
    let (plan, origin) = row.plan()?;
    guards.watch.observe(Event::Released(plan.node, origin), &guards.book.base, app.clock.now());
    Ok(())
}
