//! Every step fails in turn: the process dies there, the step has an error, the step stalls.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::json;

use super::{Ask, notice_to, number};
use crate::harness::fake_carrier::Script;
use crate::harness::oracle::{Kept, Oracle, count};
use crate::harness::process::Server;
use crate::harness::town::Town;
use crate::harness::wait::{meanwhile, pause};

/// Every failpoint of a running server. `migrate.mid` has a test among the migrations.
const POINTS: [&str; 12] = [
    "accept.after_keys",
    "accept.after_guards",
    "accept.before_insert",
    "accept.before_commit",
    "accept.after_commit",
    "dispatch.after_claim",
    "dispatch.after_carrier",
    "dispatch.before_write",
    "receipts.before_write",
    "settle.release",
    "audit.append",
    "sweep.purge",
];

/// What a town's clients do, and what they still have to repeat.
#[derive(Default)]
struct Day {
    oracle: Oracle,
    asks: Vec<Ask>,
    open: Vec<Ask>,
}

impl Day {
    /// Three messages, of which the carrier refuses one; a key made by an operator; the receipts of all so far.
    async fn walk(&mut self, town: &Town, server: &mut Server) {
        town.acme.next(Script::json(400, json!({"error": "refused"})));
        let from = self.asks.len();
        let new: Vec<Ask> = (from..from + 3).map(|n| Ask::send(format!("walk-{n}"), notice_to(&number(n)))).collect();
        self.asks.extend(new.iter().cloned());
        self.open.extend(new);
        self.repeat(town, server).await;
        let path = format!("/v1/admin/orgs/{}/keys", town.org);
        let _ = town.operator(server).attempt("POST", &path, Some(json!({"name": "k", "mode": "test"}))).await;
        let calls = town.acme.calls();
        for _ in 0..100 {
            if server.exit().is_some() || town.acme.calls() > calls.max(1) || self.open.is_empty() {
                break;
            }
            pause(std::time::Duration::from_millis(20)).await;
        }
        let _ = town.deliver_all(server).await;
    }

    /// Every client tries once more what it was not told to have succeeded.
    async fn repeat(&mut self, town: &Town, server: &Server) {
        let live = town.live(server);
        let replies = join_all(self.open.iter().map(|ask| ask.once(&live))).await;
        let asks = std::mem::take(&mut self.open);
        for (ask, reply) in asks.into_iter().zip(replies) {
            match reply {
                Some(reply) if reply.status == 202 => self.oracle.note(&reply),
                _ => self.open.push(ask),
            }
        }
    }

    /// Everybody is served in the end, each message is there once, and the books agree.
    async fn close(mut self, town: &Town, server: &Server) -> Vec<Kept> {
        let live = town.live(server);
        for ask in std::mem::take(&mut self.open) {
            ask.until_accepted(&live, &mut self.oracle).await;
        }
        let messages = self.oracle.judge_at_rest(town).await;
        assert_eq!(messages.len(), self.asks.len(), "a message for each key and no more");
        assert_eq!(self.oracle.told(), messages.len());
        messages
    }
}

fn ids(messages: &[Kept], status: &str) -> BTreeSet<String> {
    messages.iter().filter(|message| message.status == status).map(|message| message.id.clone()).collect()
}

fn armed(action: &str) -> String {
    POINTS.map(|point| format!("{point}={action}")).join(";")
}

#[actix_web::test]
async fn a_process_that_dies_at_any_step_loses_and_doubles_nothing() {
    let town = Town::found().await;
    let (mut day, mut in_hand) = (Day::default(), BTreeSet::new());
    for point in POINTS {
        let trap = format!("{point}=abort");
        let mut server = town.start(&[("FAILPOINTS", &trap), ("POSTERN_RETENTION_SWEEP_INTERVAL", "1s")]);
        if point != "sweep.purge" && server.ready_or_gone().await {
            day.walk(&town, &mut server).await;
        }
        let code = meanwhile(&format!("the death at {point}"), || {
            let gone = server.exit();
            async move { gone }
        })
        .await;
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&code), Some(6), "{point}: {code:?}");
        let messages = day.oracle.judge(&town, point).await;
        let dying = ids(&messages, "sending");
        assert!(!point.starts_with("dispatch.") || !dying.is_subset(&in_hand), "{point}: nothing was in hand");
        in_hand.extend(dying);
    }
    let server = town.serve().await;
    let messages = day.close(&town, &server).await;
    // Whatever a process had in hand when it died is unknown, that and nothing else, and never goes a second time.
    assert_eq!(ids(&messages, "unknown"), in_hand);
}

#[actix_web::test]
async fn an_error_at_any_step_loses_and_doubles_nothing() {
    let town = Town::found().await;
    // The first four batches fail before their commit; the answer of the fifth is lost after it.
    let traps = armed("error").replace("after_commit=", "after_commit=5*");
    let mut server = town.serve_with(&[("FAILPOINTS", &traps)]).await;
    let mut day = Day::default();
    // One by one at first: of several that were merged into one batch a single error is nobody's.
    let live = town.live(&server);
    for n in 0..8 {
        let ask = Ask::send(format!("alone-{n}"), notice_to(&number(5_000 + n)));
        match ask.once(&live).await.unwrap() {
            reply if reply.status == 202 => day.oracle.note(&reply),
            reply => {
                reply.refused(Code::Internal);
                day.open.push(ask.clone());
            }
        }
        day.asks.push(ask);
    }
    assert_eq!(day.open.len(), 5, "each of the five points of the acceptance had its error");
    for _ in 0..3 {
        day.walk(&town, &mut server).await;
        day.oracle.judge(&town, "between walks").await;
    }
    day.close(&town, &server).await;
    // An outcome that fails among others is written anew on its own, and nobody hears of it.
    let quiet = ["accept.after_commit", "dispatch.before_write", "settle.release"];
    for point in POINTS.iter().filter(|point| !quiet.contains(point)) {
        assert!(server.said().contains(&format!("the failpoint {point}")), "{point} was not passed");
    }
}

#[actix_web::test]
async fn a_stall_at_any_step_loses_and_doubles_nothing() {
    let town = Town::found().await;
    let mut server = town.serve_with(&[("FAILPOINTS", &armed("sleep(300)"))]).await;
    let mut day = Day::default();
    for _ in 0..3 {
        day.walk(&town, &mut server).await;
        day.oracle.judge(&town, "between walks").await;
    }
    let messages = day.close(&town, &server).await;
    assert_eq!(count(&messages, "unknown"), 0, "slow is not lost");
}
