//! The worker: dispatch, due jobs, and the sweeps that keep tables and memory small. One loop each, all ended by one
//! signal; each step is a function that tests call by hand.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use tokio::sync::watch;

use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::messages::{self, InFlight, Queue};
use crate::providers::sandbox;
use crate::secret::Keyring;
use crate::{
    accounts, activations, alerts, audit, billing, broadcasts, callbacks, disk, failpoint, fraud, health, idempotency,
    inbound, limits, privacy, requests, routing, sentinel, signin, system, templates, trials, verifications, wallet,
    webhooks, whatsapp,
};

/// Runs until `stop` says true, then waits for the hand-offs under way.
pub async fn run(app: Data<App>, stop: watch::Receiver<bool>) {
    tokio::join!(
        dispatch(app.clone(), stop.clone()),
        callbacks::keep_links(app.clone(), stop.clone()),
        webhooks::run(app.clone(), stop.clone()),
        every(STEPS_EVERY, stop.clone(), || async {
            verifications::run_workflow_steps(&app, STEPS_MAX).await.map(drop)
        }),
        every(ALERTS_EVERY, stop.clone(), || async { alerts::mail_due(&app).await.map(drop) }),
        every(SIMULATIONS_EVERY, stop.clone(), || async { sentinel::run_simulations(&app).await.map(drop) }),
        every(SUBMISSIONS_EVERY, stop.clone(), || async {
            templates::run_submissions(&app, SUBMISSIONS_MAX).await.map(drop)
        }),
        every(BROADCASTS_EVERY, stop.clone(), || async {
            broadcasts::run_steps(&app, BROADCAST_STEPS_MAX).await.map(drop)
        }),
        every(app.config.retention.sweep_interval, stop.clone(), || sweep(&app)),
        every(messages::WATCH_EVERY, stop.clone(), || messages::watch_routes(&app)),
        every(whatsapp::REVIEW_EVERY, stop.clone(), || async { whatsapp::review_tiers(&app).await.map(drop) }),
        every(EXPIRY_EVERY, stop.clone(), || async { activations::run_expiry(&app).await.map(drop) }),
        every(BALANCES_EVERY, stop.clone(), || async { billing::watch(&app).await.map(drop) }),
        every(BILLED_EVERY, stop.clone(), || bill(&app)),
        every(CHECKPOINTS_EVERY, stop.clone(), || async {
            audit::checkpoint_due(&app).await?;
            audit::export_due(&app).await.map(drop)
        }),
        every(BACKUPS_EVERY, stop.clone(), || async { system::run_backups(&app).await.map(drop) }),
        every(TRIALS_EVERY, stop.clone(), || async { trials::run_trials(&app).await.map(drop) }),
        every(ERASURES_EVERY, stop.clone(), || async { privacy::run_erasures(&app).await.map(drop) }),
        every(DISK_EVERY, stop.clone(), || async {
            disk::watch(&app);
            Ok(())
        }),
    );
}

/// Keeps the door of a process that serves: writes down the windows that outlive a restart and forgets idle ones. The last
/// word comes after `stop`, so that a clean stop forgets nothing.
pub async fn keep_door(app: &App, stop: watch::Receiver<bool>) {
    let forget_idle = || async {
        app.door.evict_idle(app.clock.now());
        Ok(())
    };
    tokio::join!(
        every(Duration::from_secs(5), stop.clone(), || save_windows(app)),
        every(Duration::from_secs(60), stop, forget_idle),
    );
    if let Err(fault) = save_windows(app).await {
        complain("saving the door windows", &fault);
    }
}

/// Passes the bell of a process that only serves on to those that deliver: many rings within a moment are one.
pub async fn ring_others(app: &App, mut stop: watch::Receiver<bool>) {
    let queue = app.room::<Queue>();
    loop {
        tokio::select! {
            () = queue.rung() => {}
            _ = stop.changed() => return,
        }
        if let Err(fault) = app.db.ring().await {
            complain("waking the workers", &fault);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Messages that are worth a claim of their own; after fewer, the next ones gather for a moment.
const WORTH_A_CLAIM: usize = 32;
/// That moment: far below what anybody notices, and a transaction saved for each.
const BETWEEN_CLAIMS: Duration = Duration::from_millis(3);

/// Writes down the refusals that this process has noted, until `stop` says true and once more then.
pub async fn keep_refusals(app: &App, stop: watch::Receiver<bool>) {
    let write = || async { messages::write_refusals(app).await.map(drop) };
    every(REFUSALS_EVERY, stop, write).await;
    if let Err(fault) = messages::write_refusals(app).await {
        complain("writing refusals down", &fault);
    }
}

/// Writes down the requests that this process has noted, until `stop` says true and once more then.
pub async fn keep_requests(app: &App, stop: watch::Receiver<bool>) {
    every(REQUESTS_EVERY, stop, || async { requests::write_log(app, false).await.map(drop) }).await;
    if let Err(fault) = requests::write_log(app, true).await {
        complain("writing requests down", &fault);
    }
}

/// Keeps the fraud engine of a process: what it learns, and the holds it asked for.
pub async fn keep_engine(app: &App, stop: watch::Receiver<bool>) {
    let step = || async {
        sentinel::learn(app).await?;
        sentinel::keep_holds(app).await
    };
    every(ENGINE_EVERY, stop, step).await;
}

/// Hands over what is due, as many at once as configured.
async fn dispatch(app: Data<App>, stop: watch::Receiver<bool>) {
    let (queue, in_flight) = (app.room::<Queue>(), app.room::<InFlight>());
    let bell = Arc::clone(&queue);
    if let Err(fault) = app.db.on_ring(move || bell.ring()) {
        complain("listening for other processes", &fault);
    }
    let most = usize::try_from(app.config.dispatch.concurrency).unwrap_or(usize::MAX);
    while !*stop.borrow() {
        let free = most.saturating_sub(in_flight.count());
        let claimed = if free == 0 { Ok(Vec::new()) } else { messages::claim(&app, free).await };
        match claimed {
            Ok(claimed) if claimed.is_empty() => queue.wait(pause(&app).await).await,
            Ok(claimed) => {
                let few = claimed.len() < WORTH_A_CLAIM;
                for message in claimed {
                    let app = app.clone();
                    tokio::spawn(async move {
                        if let Err(fault) = messages::hand_over(&app, message).await {
                            complain("handing a message over", &fault);
                        }
                        app.room::<Queue>().ring();
                    });
                }
                if few {
                    tokio::time::sleep(BETWEEN_CLAIMS).await;
                }
            }
            Err(fault) => {
                complain("claiming messages", &fault);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
    while in_flight.count() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Until the earliest message is due, at most the polling interval: a bell that another process rang is not heard here.
async fn pause(app: &App) -> Duration {
    let poll = app.config.dispatch.poll_interval;
    match messages::until_next(app).await {
        Ok(Some(next)) => next.clamp(Duration::from_millis(5), poll),
        _ => poll,
    }
}

/// Writes down the door windows that outlive a restart.
pub async fn save_windows(app: &App) -> Result<()> {
    let (saved, now) = (app.door.snapshot(), app.clock.now());
    if saved.is_empty() {
        return Ok(());
    }
    let node = if app.db.is_sqlite() { String::from(limits::store::ALONE) } else { app.nodes.id().to_string() };
    app.db.write(move |conn| limits::store::save(conn, &node, &saved, now)).await
}

/// How long a refusal waits to be written down.
const REFUSALS_EVERY: Duration = Duration::from_secs(1);
/// How long a request waits to be written down.
const REQUESTS_EVERY: Duration = Duration::from_secs(1);
/// How long the engine waits to learn what other processes know.
const ENGINE_EVERY: Duration = Duration::from_secs(1);
/// How late operators are told of something.
const ALERTS_EVERY: Duration = Duration::from_secs(5);
/// How long a simulation waits to be begun.
const SIMULATIONS_EVERY: Duration = Duration::from_secs(1);
/// How late a workflow's step may be: waits are 10 s and more.
const STEPS_EVERY: Duration = Duration::from_secs(1);
/// How soon a template is handed to the carrier that reviews it, which takes minutes and more.
const SUBMISSIONS_EVERY: Duration = Duration::from_secs(5);
/// Submissions of one round.
const SUBMISSIONS_MAX: i64 = 20;
/// How late a rented number may end.
const EXPIRY_EVERY: Duration = Duration::from_secs(1);
/// How late a low balance may be told.
const BALANCES_EVERY: Duration = Duration::from_secs(5);
/// How often to look for invoices and changes of plan that are due.
const BILLED_EVERY: Duration = Duration::from_secs(60);
/// How often to look how full the disk is.
const DISK_EVERY: Duration = Duration::from_secs(5);
/// How late a checkpoint of the audit chain may be, and its export.
const CHECKPOINTS_EVERY: Duration = Duration::from_secs(5);
/// How late a backup that was asked for may begin.
const BACKUPS_EVERY: Duration = Duration::from_secs(1);
/// How soon a test message is handed over: an operator waits for it.
const TRIALS_EVERY: Duration = Duration::from_secs(1);
/// How soon an erasure is begun.
const ERASURES_EVERY: Duration = Duration::from_secs(5);
/// How late a broadcast's step may be.
const BROADCASTS_EVERY: Duration = Duration::from_secs(1);
/// Steps of broadcasts in one round: it ends in time for a stop.
const BROADCAST_STEPS_MAX: usize = 50;
/// Steps of one round.
const STEPS_MAX: i64 = 200;
/// Rows of one purge: small enough that accepting never waits long for it.
const PURGE_ROWS: i64 = 500;
/// Purges of one sweep at most; what is left goes with the next.
const PURGES_MAX: usize = 600;

/// How long an entry of a list stays to be seen after its end.
const ENDED_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// How long what was spent under a cap is kept: longer than any window.
const SPENT_KEPT: Duration = Duration::from_secs(2 * 86_400);

/// Drops what has been kept long enough, in small batches.
pub async fn sweep(app: &App) -> Result<()> {
    let now = app.clock.now();
    let keep = app.config.retention.clone();
    let logged = now.minus(app.config.request_log.retention);
    let console = app.config.console.clone();
    for _ in 0..PURGES_MAX {
        let (keep, console, keyring) = (keep.clone(), console.clone(), app.keyring.clone());
        let gone = app
            .db
            .write(move |conn| {
                let keys = idempotency::purge(conn, now, PURGE_ROWS)?;
                let checked = now.minus(keep.verifications);
                let verifications = verifications::purge_verifications(conn, checked, PURGE_ROWS)?;
                failpoint::pass("sweep.purge")?;
                let windows = messages::purge_guards(conn, now, PURGE_ROWS)?;
                let pairs = messages::purge_pairs(conn, now, PURGE_ROWS)?;
                let inbound = inbound::purge_inbound(conn, now.minus(keep.messages), PURGE_ROWS)?;
                let rents = activations::purge_activations(conn, now.minus(keep.messages), PURGE_ROWS)?;
                let listed = fraud::purge_entries(conn, now.minus(ENDED_KEPT), PURGE_ROWS)?;
                let held = sentinel::purge_holds(conn, now.minus(keep.decisions), PURGE_ROWS)?;
                let unproven = messages::release_unproven(conn, now, PURGE_ROWS)?;
                let spent = wallet::purge_spent(conn, now.minus(SPENT_KEPT), PURGE_ROWS)?;
                let chats = whatsapp::purge_whatsapp(conn, now, PURGE_ROWS)?;
                let broadcasts = broadcasts::purge_broadcasts(conn, now.minus(keep.messages), PURGE_ROWS)?;
                let doors = signin::purge_signin(conn, &console, now, PURGE_ROWS)?;
                let told = now.minus(keep.events);
                let deliveries = webhooks::purge_deliveries(conn, told, PURGE_ROWS)?;
                let events = webhooks::purge_events(conn, told, PURGE_ROWS)?;
                let listeners = webhooks::purge_listeners(conn, now, PURGE_ROWS)?;
                let requests = requests::purge_requests(conn, logged, PURGE_ROWS)?;
                Ok(keys
                    + inbound
                    + rents
                    + chats
                    + doors
                    + pairs
                    + spent
                    + unproven
                    + listed
                    + held
                    + verifications
                    + windows
                    + broadcasts
                    + deliveries
                    + events
                    + listeners
                    + requests
                    + purge_texts(conn, &keyring, now.minus(keep.bodies), now)?
                    + messages::purge_messages(conn, now.minus(keep.messages), PURGE_ROWS)?)
            })
            .await?;
        if gone == 0 {
            break;
        }
    }
    app.db
        .write(move |conn| {
            messages::purge_decisions(conn, now.minus(keep.decisions))?;
            sentinel::purge_simulations(conn, now.minus(keep.decisions))?;
            routing::watch::purge_events(conn, now.minus(keep.messages), PURGE_ROWS)?;
            trials::purge_trials(conn, now.minus(keep.messages))?;
            sandbox::purge(conn, now.minus(keep.sandbox)).map(drop)
        })
        .await?;
    if let Some(handle) = health::recorder() {
        handle.run_upkeep();
    }
    Ok(())
}

/// What anybody was told or wrote goes before the rows that it stands in. How many rows lost a text.
fn purge_texts(conn: &mut Conn, keyring: &Keyring, before: Millis, now: Millis) -> Result<usize> {
    let sent = messages::purge_bodies(conn, before, PURGE_ROWS)?;
    let wrote = inbound::purge_inbound_texts(conn, keyring, before, now, PURGE_ROWS)?;
    let received = activations::purge_activation_texts(conn, keyring, before, now, PURGE_ROWS)?;
    let broadcast = broadcasts::purge_broadcast_texts(conn, before, PURGE_ROWS)?;
    Ok(sent + wrote + received + broadcast)
}

/// Changes plans whose time has come, writes and mails the invoices that are due.
pub async fn bill(app: &App) -> Result<()> {
    let now = app.clock.now();
    if app.db.write(move |conn| accounts::apply_due_plans(conn, now)).await? > 0 {
        app.room::<accounts::Directory>().forget();
    }
    billing::issue_due(app).await?;
    billing::mail_due(app).await.map(drop)
}

async fn every<F, Fut>(pause: Duration, mut stop: watch::Receiver<bool>, step: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<()>>,
{
    while !*stop.borrow() {
        if let Err(fault) = step().await {
            complain("a sweep", &fault);
        }
        // A sender that is gone means stop as well.
        if let Ok(Err(_)) = tokio::time::timeout(pause, stop.changed()).await {
            return;
        }
    }
}

fn complain(doing: &str, fault: &Error) {
    tracing::warn!(error = fault.cause_text().unwrap_or(fault.sentence()), code = %fault.code(), "{doing} failed");
}
