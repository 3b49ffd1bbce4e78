//! What the engine learns while it runs, and how it comes by what it knew before a restart: from the tables, which every
//! process reads alike. A code typed or lost anywhere is known everywhere within two seconds.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::store::{self, HoldRow, Outcome, Sent, Typed};
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::config::Role;
use crate::db::Conn;
use crate::error::Result;
use crate::fraud::engine::{Event, Key};
use crate::fraud::{Guards, Kept, Owner, guards, org_key};
use crate::ids::{EventId, MessageId};
use crate::phone::address_mac;
use crate::secret::Keyring;

/// Rows of one read.
const PAGE: i64 = 2_000;
/// What is read again each time, since a transaction's rows are seen only after its commit.
const AGAIN: Duration = Duration::from_secs(3);
/// Attempts that a start reads at most, the latest: some seconds' work.
const MOST_ATTEMPTS: usize = 500_000;
/// Typed codes that it reads at most.
const MOST_TYPED: usize = 1_000_000;
/// How long a proven number is remembered: see `number.unverified`.
const PROVEN: Duration = Duration::from_secs(90 * 86_400);
/// The longest hold and its half-open time, with a day in which it counts as a repetition.
const HOLDS: Duration = Duration::from_secs(2 * 86_400);

/// How far this process has read.
#[derive(Default)]
struct Place(Mutex<Option<Millis>>);

impl FromApp for Place {
    fn from_app(_app: &App) -> Self {
        Place::default()
    }
}

/// Something that happened, as the engine takes it, and when.
type News = (Event, Millis);

/// Learns of what has happened since the last call; the first call reads the past. The upkeep calls this each second, tests by
/// hand.
pub async fn learn(app: &App) -> Result<()> {
    let guards = guards(app).await?;
    let (place, now) = (app.room::<Place>(), app.clock.now());
    let known = *place.0.lock().unwrap_or_else(PoisonError::into_inner);
    match known {
        None => rebuild(app, &guards, now).await?,
        Some(since) => catch_up(app, &guards, since.minus(AGAIN), now).await?,
    }
    *place.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    let (groups, numbers) = guards.watch.size();
    metrics::gauge!("postern_fraud_tracked_groups").set(groups as f64);
    metrics::gauge!("postern_fraud_tracked_numbers").set(numbers as f64);
    Ok(())
}

async fn catch_up(app: &App, guards: &Guards, since: Millis, now: Millis) -> Result<()> {
    let (keyring, watch) = (app.keyring.clone(), guards.watch.clone());
    // With other processes, what they have sent is read too.
    let is_alone = app.config.node.role == Role::All && app.nodes.serving() <= 1 && app.nodes.working() <= 1;
    let news = app.db.read(move |conn| {
        let mut news = Vec::new();
        let is_new = |id: &str| watch.is_new(id, now);
        news.extend(
            typed_since(conn, since)?.into_iter().filter(|typed| is_new(typed.id.as_str())).filter_map(typed_news),
        );
        let outcomes = outcomes_since(conn, since)?.into_iter().filter(|outcome| is_new(outcome.id.as_str()));
        news.extend(outcomes.filter_map(|outcome| outcome_news(&keyring, &outcome)));
        for hold in store::changed_holds(conn, since, PAGE)? {
            news.extend(if is_new(&hold.mark()) { hold_news(&hold)? } else { None });
        }
        if !is_alone {
            let mut after = MessageId::first_at(since);
            loop {
                let page = store::ids_after(conn, after, PAGE)?;
                let Some((last, _)) = page.last() else { break };
                after = *last;
                // Most are this process's own, or were read a second ago: their terms are not read for nothing.
                let unknown = page.iter().filter(|(_, decision)| is_new(decision.as_str()));
                let unknown: Vec<_> = unknown.map(|(id, _)| *id).collect();
                news.extend(store::sent_among(conn, &unknown)?.iter().filter_map(sent_news));
            }
        }
        Ok(news)
    });
    for (event, at) in in_order(news.await?) {
        guards.watch.observe(event, &guards.book.base, at);
    }
    Ok(())
}

/// Reads the past: who is proven, the codes of the last day with what became of them, and the holds.
async fn rebuild(app: &App, guards: &Guards, now: Millis) -> Result<()> {
    let mut state = guards.watch.blank(app);
    let since = now.minus(app.config.fraud.rebuild);
    let proven = now.minus(PROVEN);
    let mut news: Vec<News> =
        app.db.read(move |conn| typed_since(conn, proven)).await?.into_iter().filter_map(typed_news).collect();
    let (first, mut before, mut read) = (MessageId::first_at(since), MessageId::first_at(now), 0);
    while read < MOST_ATTEMPTS {
        let page = app.db.read(move |conn| store::sent_between(conn, first, before, PAGE)).await?;
        let Some(earliest) = page.last() else { break };
        before = earliest.id;
        read += page.len();
        news.extend(page.iter().filter_map(sent_news));
    }
    let (keyring, clock) = (app.keyring.clone(), app.clock.clone());
    news.extend(app.db.read(move |conn| rest_of_past(conn, &keyring, since, clock.now())).await?);
    // What happens from now on this process tells the new state itself.
    news.retain(|(_, at)| *at < now);
    for (event, at) in in_order(news) {
        state.observe(&event, &guards.book.base, at);
    }
    guards.watch.replace(state, &guards.book.base);
    Ok(())
}

/// Codes typed since then, at most [`MOST_TYPED`] of them.
fn typed_since(conn: &mut Conn, since: Millis) -> Result<Vec<Typed>> {
    let (mut all, mut after) = (Vec::new(), since);
    loop {
        let page = store::typed_after(conn, after, PAGE)?;
        let is_full = i64::try_from(page.len()).unwrap_or(PAGE) >= PAGE;
        let last = page.iter().filter_map(|typed| typed.decided_at).next_back();
        all.extend(page);
        match last.filter(|_| is_full && all.len() < MOST_TYPED) {
            // Rows of one moment may stand on two pages; the engine counts a unit's verification once.
            Some(last) => after = Millis((last.0 - 1).max(after.0 + 1)),
            None => return Ok(all),
        }
    }
}

/// What became of codes since then.
fn outcomes_since(conn: &mut Conn, since: Millis) -> Result<Vec<Outcome>> {
    let (mut all, mut after) = (Vec::new(), EventId::first_at(since));
    loop {
        let page = store::outcomes_after(conn, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.id;
        all.extend(page);
    }
}

fn rest_of_past(conn: &mut Conn, keyring: &Keyring, since: Millis, now: Millis) -> Result<Vec<News>> {
    let outcomes = outcomes_since(conn, since)?;
    let mut news: Vec<News> = outcomes.iter().filter_map(|outcome| outcome_news(keyring, outcome)).collect();
    for hold in store::open_holds(conn, now.minus(HOLDS))? {
        news.extend(hold_news(&hold)?);
    }
    Ok(news)
}

fn in_order(mut news: Vec<News>) -> Vec<News> {
    news.sort_by_key(|(_, at)| *at);
    news
}

fn typed_news(typed: Typed) -> Option<News> {
    let org = org_key(typed.org_id, typed.mode, true);
    Some((Event::Verified { org, number: Key::of_bytes(&typed.recipient_mac) }, typed.decided_at?))
}

/// What the engine takes from a message.
fn sent_news(sent: &Sent) -> Option<News> {
    #[derive(Deserialize)]
    struct Terms {
        e: Option<Kept>,
    }
    let kept = serde_json::from_str::<Terms>(&sent.decision).ok()?.e?;
    Some((Event::Accepted(Box::new(kept.features()), None), sent.created_at))
}

fn outcome_news(keyring: &Keyring, outcome: &Outcome) -> Option<News> {
    #[derive(Deserialize)]
    struct Feedback {
        outcome: Option<String>,
    }
    let owner: Owner = (outcome.org_id, outcome.mode);
    let org = org_key(owner.0, owner.1, outcome.verification_id.is_some());
    let number = Key::of_bytes(&address_mac(keyring, &outcome.recipient));
    if outcome.kind != "message.feedback" {
        return Some((Event::Receipt { org, number, delivered: false }, outcome.at));
    }
    let said = serde_json::from_str::<Feedback>(&outcome.detail).ok()?.outcome?;
    (said == "converted").then_some((Event::Verified { org, number }, outcome.at))
}

fn hold_news(hold: &HoldRow) -> Result<Option<News>> {
    let (plan, origin) = hold.plan()?;
    Ok(Some(match hold.ended_at {
        None => (Event::Held(plan, origin), hold.begun_at),
        // What the engine ended it ends in every process by itself.
        Some(at) if hold.ended_by.as_deref() != Some("engine") => (Event::Released(plan.node, origin), at),
        Some(_) => return Ok(None),
    }))
}
