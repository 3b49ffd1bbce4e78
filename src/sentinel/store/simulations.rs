//! Simulations that were asked for, and the recorded attempts that they run over.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::Deserialize;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{decisions, fraud_simulations, message_events, messages};
use crate::error::{Code, Result};
use crate::ids::{DecisionId, MessageId, OrgId, SimulationId, VerificationId};
use crate::messages::Status;
use crate::sentinel::simulation::SimulationState;
use crate::terms::{Channel, Kind, Mode};
use crate::verifications;

/// A simulation as it is stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = fraud_simulations, treat_none_as_default_value = false)]
pub struct SimulationRow {
    /// Its id.
    pub id: SimulationId,
    /// Where it is.
    pub state: SimulationState,
    /// JSON of what to run.
    pub spec: String,
    /// Who asked for it.
    pub author: String,
    /// JSON of what came of it, or the fault.
    pub outcome: Option<String>,
    /// When it was asked for.
    pub created_at: Millis,
    /// When a process took it in hand.
    pub claimed_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
}

/// Adds a simulation.
pub fn insert_simulation(conn: &mut Conn, row: &SimulationRow) -> Result<()> {
    diesel::insert_into(fraud_simulations::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// The simulation `id`.
pub fn find_simulation(conn: &mut Conn, id: SimulationId) -> Result<Option<SimulationRow>> {
    Ok(fraud_simulations::table.find(id).select(SimulationRow::as_select()).first(conn).optional()?)
}

/// Simulations, newest first, from before `before` on.
pub fn list_simulations(conn: &mut Conn, before: Option<SimulationId>, limit: i64) -> Result<Vec<SimulationRow>> {
    let mut query = fraud_simulations::table
        .order(fraud_simulations::id.desc())
        .limit(limit)
        .select(SimulationRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(fraud_simulations::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Those in a state, oldest first.
pub fn simulations_in(conn: &mut Conn, state: SimulationState, limit: i64) -> Result<Vec<SimulationRow>> {
    Ok(fraud_simulations::table
        .filter(fraud_simulations::state.eq(state))
        .order(fraud_simulations::id.asc())
        .limit(limit)
        .select(SimulationRow::as_select())
        .load(conn)?)
}

/// Takes one that waits in hand; whether nobody else had.
pub fn claim_simulation(conn: &mut Conn, id: SimulationId, now: Millis) -> Result<bool> {
    let waiting = fraud_simulations::table
        .filter(fraud_simulations::id.eq(id))
        .filter(fraud_simulations::state.eq(SimulationState::Queued));
    let claimed = diesel::update(waiting)
        .set((fraud_simulations::state.eq(SimulationState::Running), fraud_simulations::claimed_at.eq(Some(now))))
        .execute(conn)?;
    Ok(claimed == 1)
}

/// Writes down how one ended.
pub fn end_simulation(
    conn: &mut Conn,
    id: SimulationId,
    state: SimulationState,
    outcome: &str,
    now: Millis,
) -> Result<()> {
    let running = fraud_simulations::table
        .filter(fraud_simulations::id.eq(id))
        .filter(fraud_simulations::state.eq(SimulationState::Running));
    diesel::update(running)
        .set((
            fraud_simulations::state.eq(state),
            fraud_simulations::outcome.eq(Some(outcome)),
            fraud_simulations::finished_at.eq(Some(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Drops simulations asked for before `before`.
pub fn purge_simulations(conn: &mut Conn, before: Millis) -> Result<usize> {
    let old = fraud_simulations::table.filter(fraud_simulations::id.lt(SimulationId::first_at(before)));
    Ok(diesel::delete(old).execute(conn)?)
}

/// Which recorded attempts.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// From this moment on.
    pub from: Millis,
    /// Before this one.
    pub to: Millis,
    /// Of this organization; of all where absent.
    pub org_id: Option<OrgId>,
    /// In this world.
    pub mode: Mode,
}

/// A code that was sent by SMS, and what came of it.
#[derive(Debug, Clone)]
pub struct PastSend {
    /// Its message.
    pub id: MessageId,
    /// Its decision.
    pub decision_id: DecisionId,
    /// The decision's terms, JSON.
    pub terms: String,
    /// When.
    pub at: Millis,
    /// When its code was typed.
    pub typed_at: Option<Millis>,
    /// What the carrier said, where it did.
    pub delivered: Option<bool>,
}

type Found = (
    MessageId,
    DecisionId,
    Option<VerificationId>,
    Status,
    String,
    Millis,
    Option<verifications::Status>,
    Option<Millis>,
);

/// Codes sent by SMS in `span`, newest first, from before `before` on.
pub fn past_sends(conn: &mut Conn, span: Span, before: MessageId, limit: i64) -> Result<Vec<PastSend>> {
    use crate::db::schema::verifications::dsl as v;
    let mut query = messages::table
        .left_join(v::verifications.on(messages::verification_id.eq(v::id.nullable())))
        .filter(messages::id.lt(before))
        .filter(messages::id.ge(MessageId::first_at(span.from)))
        .filter(messages::mode.eq(span.mode))
        .filter(messages::kind.eq(Kind::Otp))
        .filter(messages::channel.eq(Channel::Sms))
        .order(messages::id.desc())
        .limit(limit)
        .select((
            messages::id,
            messages::decision_id,
            messages::verification_id,
            messages::status,
            messages::decision,
            messages::created_at,
            v::status.nullable(),
            v::decided_at.nullable(),
        ))
        .into_boxed();
    if let Some(org) = span.org_id {
        query = query.filter(messages::org_id.eq(org));
    }
    let rows: Vec<Found> = query.load(conn)?;
    let own_codes: Vec<MessageId> = rows.iter().filter(|row| row.2.is_none()).map(|row| row.0).collect();
    let told = told_typed(conn, &own_codes)?;
    let send = |(id, decision_id, _, status, terms, at, verified, decided_at): Found| PastSend {
        id,
        decision_id,
        terms,
        at,
        typed_at: decided_at
            .filter(|_| verified == Some(verifications::Status::Approved))
            .or_else(|| told.get(&id).copied()),
        delivered: match status {
            Status::Delivered => Some(true),
            Status::Undelivered => Some(false),
            _ => None,
        },
    };
    Ok(rows.into_iter().map(send).collect())
}

/// Of messages with a code of the caller's own: when it said that the code was typed.
fn told_typed(conn: &mut Conn, ids: &[MessageId]) -> Result<HashMap<MessageId, Millis>> {
    #[derive(Deserialize)]
    struct Feedback {
        outcome: Option<String>,
    }
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let events = message_events::table
        .filter(message_events::message_id.eq_any(ids))
        .filter(message_events::kind.eq("message.feedback"))
        .select((message_events::message_id, message_events::at, message_events::detail));
    let rows: Vec<(MessageId, Millis, String)> = crate::both!(conn, c => events.load(c))?;
    let typed = |detail: &str| {
        serde_json::from_str::<Feedback>(detail).is_ok_and(|said| said.outcome.as_deref() == Some("converted"))
    };
    Ok(rows.into_iter().filter(|(.., detail)| typed(detail)).map(|(id, at, _)| (id, at)).collect())
}

/// What the engine refused in `span`, newest first, from before `before` on: decision, its terms, when.
pub fn past_refusals(
    conn: &mut Conn,
    span: Span,
    before: DecisionId,
    limit: i64,
) -> Result<Vec<(DecisionId, String, Millis)>> {
    let of_the_engine = |code: Code| decisions::code.eq(code.as_str());
    let mut query = decisions::table
        .filter(decisions::id.lt(before))
        .filter(decisions::id.ge(DecisionId::first_at(span.from)))
        .filter(decisions::mode.eq(span.mode))
        .filter(of_the_engine(Code::FraudBlocked).or(of_the_engine(Code::FraudChallengeRequired)))
        .order(decisions::id.desc())
        .limit(limit)
        .select((decisions::id, decisions::terms, decisions::created_at))
        .into_boxed();
    if let Some(org) = span.org_id {
        query = query.filter(decisions::org_id.eq(org));
    }
    Ok(query.load(conn)?)
}
