//! The watch over routes, at a slow pace: looks which receipts came, and writes down what circuits did.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::store;
use super::tables::tables;
use super::troubles;
use crate::app::App;
use crate::error::Result;
use crate::routing::watch::Watch;

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
    troubles::heed_stops(app).await?;
    troubles::write_changes(app).await
}
