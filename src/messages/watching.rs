//! The watch over routes, at a slow pace: looks which receipts came, and writes down what circuits did.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::store;
use super::tables::tables;
use crate::alerts::{self, Alert, AlertKind};
use crate::app::App;
use crate::error::Result;
use crate::providers::circuit::State;
use crate::routing::watch::{Event, Watch, insert_events};

/// How often.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);

/// One step: judges the hand-offs that are followed by the receipts that came, on whichever node they came, and writes
/// down what changed since the step before. What cannot be written waits for the next.
pub async fn watch_routes(app: &App) -> Result<()> {
    let watch = app.room::<Watch>();
    watch.keep_only(&tables(app).await?.routes);
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for followed in watch.followed() {
        ids.entry(followed.carrier).or_default().push(followed.provider_id);
    }
    let came = if ids.is_empty() {
        HashMap::new()
    } else {
        app.db
            .read(move |conn| {
                let mut came = HashMap::new();
                for (carrier, ids) in ids {
                    let found = store::final_receipts(conn, &carrier, ids)?;
                    // Latest first: the first of several is what counts.
                    came.extend(found.into_iter().map(|(id, at)| ((carrier.clone(), id), at)));
                }
                Ok(came)
            })
            .await?
    };
    watch.judge(&came, app.clock.now());
    let events = watch.take_untold();
    if events.is_empty() {
        return Ok(());
    }
    let written = events.clone();
    let now = app.clock.now();
    let done = app
        .db
        .write(move |conn| {
            insert_events(conn, &written)?;
            alerts::note(conn, &written.iter().filter_map(opened).collect::<Vec<_>>(), now)
        })
        .await;
    if done.is_err() {
        watch.put_back(events);
    }
    done
}

/// A circuit that has opened, as operators are told of it.
fn opened(event: &Event) -> Option<Alert> {
    let Event { route_id, carrier, to_state, reason, .. } = event;
    let what = route_id.map_or_else(|| format!("Carrier {carrier}"), |id| format!("Route {id} of carrier {carrier}"));
    let text = format!("{what} takes nothing for now. Its circuit is open: {reason}; see /v1/admin/routes.");
    (*to_state == State::Open).then(|| Alert::common(AlertKind::CircuitOpen, text))
}
