//! The use cases that send: one message, or many.

use super::accept::{Accept, Accepted, BulkTerms, Item, ItemOutcome, Render};
use super::body::{BulkBody, BulkMode, Pacing, SendBody};
use super::counter::rendered_again;
use super::new::NewMessage;
use super::prepare::Bench;
use super::queue::Queue;
use super::record::rehearse;
use super::rehearsal::Rehearsed;
use crate::accounts::Caller;
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::idempotency::{self, Claim};
use crate::ids::BatchId;
use crate::recipient::Recipient;

/// Most messages of one bulk.
pub const BULK_MAX: usize = 1_000;

/// A request as every send takes it.
pub struct Ask {
    /// The request's id.
    pub request_id: String,
    /// The client's own.
    pub client_request_id: Option<String>,
    /// The idempotency key.
    pub claim: Option<Claim>,
    /// Where the caller reaches this server; only a bulk's answer asks.
    pub base: String,
    /// How the answer is written.
    pub render: Render,
    /// The recipient of a single send, where it was read already.
    pub to: Option<Recipient>,
}

/// Accepts one message. 202 means recorded on disk; nobody is called before that.
pub async fn send(app: &App, caller: &Caller, body: SendBody, ask: Ask) -> Result<Accepted> {
    let (claim, render) = (ask.claim.clone(), ask.render);
    match single(app, caller, body, ask).await {
        Ok(accept) => app.room::<Queue>().submit(accept).await,
        Err(fault) => replay_or(app, claim, render, fault).await,
    }
}

/// Decides one message and takes nothing.
pub async fn rehearse_send(app: &App, caller: &Caller, body: SendBody, ask: Ask) -> Result<(Accept, ItemOutcome)> {
    let accept = single(app, caller, body, ask).await?;
    let (accept, mut rehearsed) = rehearsed(app, accept).await?;
    let outcome = rehearsed.outcomes.pop().ok_or_else(|| Error::internal("a rehearsal without an outcome"))?;
    Ok((accept, outcome))
}

/// Accepts many messages, in one transaction and for one request slot.
pub async fn send_bulk(app: &App, caller: &Caller, body: BulkBody, ask: Ask) -> Result<Accepted> {
    let (claim, render) = (ask.claim.clone(), ask.render);
    match bulk(app, caller, body, ask).await {
        Ok(accept) => app.room::<Queue>().submit(accept).await,
        Err(fault) => replay_or(app, claim, render, fault).await,
    }
}

/// A repeat of what took effect is answered as it was, even where its time has passed (`scheduled_for`) since.
async fn replay_or(app: &App, claim: Option<Claim>, render: Render, fault: Error) -> Result<Accepted> {
    let Some(claim) = claim else { return Err(fault) };
    let now = app.clock.now();
    let found = app.db.read(move |conn| {
        let kept = idempotency::find_answer(conn, &claim, now)?;
        kept.map(|stored| rendered_again(conn, render, stored)).transpose()
    });
    found.await?.map_or(Err(fault), |stored| Ok(Accepted::again(stored)))
}

/// Decides many messages and takes nothing.
pub async fn rehearse_bulk(app: &App, caller: &Caller, body: BulkBody, ask: Ask) -> Result<(Accept, Rehearsed)> {
    let accept = bulk(app, caller, body, ask).await?;
    rehearsed(app, accept).await
}

async fn rehearsed(app: &App, accept: Accept) -> Result<(Accept, Rehearsed)> {
    let clock = app.clock.clone();
    app.db
        .read(move |conn| {
            let outcomes = rehearse(conn, &clock, &accept)?;
            Ok((accept, outcomes))
        })
        .await
}

async fn single(app: &App, caller: &Caller, body: SendBody, ask: Ask) -> Result<Accept> {
    let bench = Bench::of(app).await?;
    let message = NewMessage::parse(body, ask.to, bench.now)?;
    let item = bench.prepare(caller, message, ask.client_request_id)?;
    Ok(Accept {
        caller: caller.clone(),
        request_id: ask.request_id,
        claim: ask.claim,
        items: vec![Ok(item)],
        bulk: None,
        render: ask.render,
    })
}

async fn bulk(app: &App, caller: &Caller, body: BulkBody, ask: Ask) -> Result<Accept> {
    check_size(&body)?;
    check_places(&body)?;
    let bench = Bench::of(app).await?;
    let defaults = body.defaults.unwrap_or_default();
    let items: Vec<Item> = body
        .messages
        .into_iter()
        .map(|message| {
            let message = NewMessage::parse(message.over(&defaults), None, bench.now)?;
            bench.prepare(caller, message, ask.client_request_id.clone())
        })
        .collect();
    let terms = BulkTerms {
        batch_id: BatchId::new(bench.now),
        mode: body.mode.unwrap_or(BulkMode::Partial),
        pacing: body.pacing.unwrap_or(Pacing::Plan),
        base: ask.base,
        is_step: false,
    };
    Ok(Accept {
        caller: caller.clone(),
        request_id: ask.request_id,
        claim: ask.claim,
        items,
        bulk: Some(terms),
        render: ask.render,
    })
}

fn check_places(body: &BulkBody) -> Result<()> {
    let of_defaults = body.defaults.as_ref().and_then(|defaults| BulkBody::misplaced(defaults, "defaults"));
    let of_messages = || {
        let mut numbered = body.messages.iter().enumerate();
        numbered.find_map(|(index, message)| BulkBody::misplaced(message, &format!("messages[{index}]")))
    };
    of_defaults.or_else(of_messages).map_or(Ok(()), Err)
}

fn check_size(body: &BulkBody) -> Result<()> {
    match body.messages.len() {
        0 => Err(Error::field("messages", "must hold at least one message")),
        1..=BULK_MAX => Ok(()),
        many => Err(Error::new(Code::BatchTooLargeForPlan)
            .detail(format!("A bulk holds at most {BULK_MAX} messages, this one has {many}; split it."))),
    }
}
