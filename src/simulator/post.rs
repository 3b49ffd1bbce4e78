//! Telling: webhooks go to the callback signed, and come again until it takes them.

use std::time::Duration;

use serde_json::Value;

use super::Simulator;
use super::webhook::envelope;
use super::world::{Delivery, Due, World};
use crate::clock::Millis;
use crate::secret::{hex, hmac_sha256};

/// For how long Meta tries.
const DAYS_7_MS: i64 = 7 * 86_400_000;
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// What telling came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Told {
    /// Calls that the callback took.
    pub taken: u64,
    /// Calls that it did not take; they come again.
    pub refused: u64,
    /// Webhooks that were lost on purpose.
    pub dropped: u64,
    /// Webhooks that still wait.
    pub waiting: usize,
}

/// A call that is to be made: its entries and the webhooks in it.
struct Call {
    entries: Vec<Value>,
    of: Vec<Due>,
}

impl Simulator {
    /// Tells what is due by now.
    pub async fn tell_due(&self) -> Told {
        let now = self.0.clock.now();
        self.tell_until(now, now).await
    }

    /// Tells everything that waits, in its order, whenever it is due.
    pub async fn tell_all(&self) -> Told {
        self.tell_until(Millis(i64::MAX), self.0.clock.now()).await
    }

    async fn tell_until(&self, until: Millis, now: Millis) -> Told {
        let (calls, dropped) = calls(&mut self.world(), until);
        let mut told = Told { dropped, ..Told::default() };
        for call in calls {
            if self.post(&call.entries).await {
                told.taken += 1;
            } else {
                told.refused += 1;
                again(&mut self.world(), call.of, now);
            }
        }
        let mut world = self.world();
        world.told += told.taken;
        told.waiting = world.outbox.len();
        told
    }

    /// One call to the callback; whether it took it.
    async fn post(&self, entries: &[Value]) -> bool {
        let (url, secret) = {
            let world = self.world();
            (world.settings.callback.clone(), world.settings.app_secret.clone())
        };
        let Some(url) = url else { return false };
        let body = envelope(entries).to_string();
        let signature = format!("sha256={}", hex(&hmac_sha256(secret.as_bytes(), body.as_bytes())));
        let call = self.0.client.post(url).header("content-type", "application/json");
        let sent = call.header("x-hub-signature-256", signature).body(body).send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }

    /// Asks the callback whether it is who it should be, as Meta does when an app subscribes.
    pub async fn shake_hands(&self) -> bool {
        let (url, token) = {
            let world = self.world();
            (world.settings.callback.clone(), world.settings.verify_token.clone())
        };
        let Some(url) = url else { return false };
        let challenge = "1158201444";
        let asked = format!("{url}?hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token={token}");
        match self.0.client.get(asked).send().await {
            Ok(answer) if answer.status().is_success() => answer.text().await.is_ok_and(|text| text == challenge),
            _ => false,
        }
    }
}

/// Takes the webhooks that are due until `until` out of the outbox, as the mode of delivery wants them called; how many
/// are lost.
fn calls(world: &mut World, until: Millis) -> (Vec<Call>, u64) {
    if world.delivery == Delivery::Hold || (world.settings.callback.is_none() && world.delivery != Delivery::Drop) {
        return (Vec::new(), 0);
    }
    let (mut due, later): (Vec<Due>, Vec<Due>) = world.outbox.drain(..).partition(|one| one.at <= until);
    world.outbox.extend(later);
    due.sort_by_key(|one| one.at);
    for one in &due {
        world.apply(&one.effect);
    }
    let single = |one: Due| Call { entries: vec![one.entry.clone()], of: vec![one] };
    match world.delivery {
        Delivery::Hold => (Vec::new(), 0),
        Delivery::Drop => (Vec::new(), u64::try_from(due.len()).unwrap_or(u64::MAX)),
        Delivery::Normal => (due.into_iter().map(single).collect(), 0),
        Delivery::Disorder => (due.into_iter().rev().map(single).collect(), 0),
        Delivery::Duplicate => (due.into_iter().flat_map(|one| [single(one.clone()), single(one)]).collect(), 0),
        Delivery::Batch if due.is_empty() => (Vec::new(), 0),
        Delivery::Batch => {
            let entries = due.iter().map(|one| one.entry.clone()).collect();
            (vec![Call { entries, of: due }], 0)
        }
    }
}

/// Puts back what the callback did not take, after a wait that doubles; after a week it is given up.
fn again(world: &mut World, of: Vec<Due>, now: Millis) {
    for mut one in of {
        let doubled = 1u64.checked_shl(one.failures).map_or(LONGEST_WAIT, Duration::from_secs);
        one.failures += 1;
        if now.0 - one.at.0 < DAYS_7_MS {
            one.at = now.plus(doubled.min(LONGEST_WAIT));
            world.outbox.push_back(one);
        }
    }
}
