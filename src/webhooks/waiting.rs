//! Listeners that wait for an event with a request open: how many, and the end of it where the process stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::bell::{self, Ear};
use super::emit::Owner;
use super::listeners;
use super::store::EventRow;
use crate::app::{App, FromApp};
use crate::error::Result;
use crate::ids::ListenerId;

/// Most requests of this process that wait: each looks into the database again and again. Those beyond are answered at
/// once.
const WAITERS_MAX: usize = 128;

/// The requests that wait.
#[derive(Default)]
pub struct Waiting {
    count: AtomicUsize,
    is_over: AtomicBool,
}

impl FromApp for Waiting {
    fn from_app(_: &App) -> Waiting {
        Waiting::default()
    }
}

/// A place among those that wait; free again when dropped, as it is where the client goes away.
struct Place(Arc<Waiting>);

impl Place {
    fn of(waiting: &Arc<Waiting>) -> Option<Place> {
        let place = Place(Arc::clone(waiting));
        (waiting.count.fetch_add(1, Ordering::Relaxed) < WAITERS_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets every request that waits be answered, and none wait any more: the process stops.
pub fn release_listeners(app: &App) {
    app.room::<Waiting>().is_over.store(true, Ordering::Relaxed);
}

/// What a listener has not heard yet, waited for as long as `patience`. Error: `not_found`.
pub(super) async fn wait(app: &App, owner: Owner, id: ListenerId, patience: Duration) -> Result<Vec<EventRow>> {
    let waiting = app.room::<Waiting>();
    let place = Place::of(&waiting);
    let until = Instant::now() + patience;
    let mut ear = Ear::new(&bell::LISTENERS, app.config.dispatch.poll_interval);
    let is_over = || waiting.is_over.load(Ordering::Relaxed) || Instant::now() >= until;
    loop {
        let now = app.clock.now();
        let found = app.db.read(move |conn| listeners::unheard(conn, owner, id, now)).await?;
        if !found.is_empty() || place.is_none() || is_over() {
            return Ok(found);
        }
        ear.wait(is_over).await;
    }
}
