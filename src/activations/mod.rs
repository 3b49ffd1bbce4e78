//! Activations: numbers of the operator's own that receive codes, rented for one service at a time, for teams that test
//! their sign-up end to end. By the API, and by the text endpoint that clients of an old protocol speak.
//!
//! A code is one that came in a message to such a number, by a carrier's webhook; there is no other source. Off unless the
//! configuration says otherwise.

mod act;
mod catalog;
mod classic;
mod code;
mod countries;
mod http;
mod order;
mod pattern;
mod service;
mod state;
mod store;
mod supply;
mod take;
mod told;
mod view;

pub use catalog::forget_catalog;
pub use classic::configure_classic;
pub use http::{ActivationDocs, configure, configure_catalog};
pub use service::{NewService, ServiceView, put_service};
pub use store::{NumberRow, list_numbers, purge_activation_texts, purge_activations, services};
pub use supply::{
    ActivationNumberView, NewSupply, NumberStatus, SupplyChange, USUAL_COOL_DOWN, add_numbers, change_number,
    show_number, views,
};
pub use take::{Bringer, take_activation};

use crate::app::App;
use crate::config::Activations;
use crate::error::{Code, Error, Result};

/// Ends what has run out; how many activations that were. Also where activations were turned off meanwhile: what they
/// hold is to be let go.
pub async fn run_expiry(app: &App) -> Result<usize> {
    let now = app.clock.now();
    if app.db.read(move |conn| store::due(conn, now, 1)).await?.is_empty() {
        return Ok(0);
    }
    let clock = app.clock.clone();
    let ended = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        act::run_out(conn, now, EXPIRED_AT_ONCE)
    });
    let ended = ended.await?;
    if ended > 0 {
        forget_catalog(app);
    }
    Ok(ended)
}

/// Activations ended in one transaction.
const EXPIRED_AT_ONCE: i64 = 100;

/// Error: `not_found` where activations are off.
fn must_be_on(app: &App) -> Result<()> {
    match app.config.node.activations {
        Activations::On => Ok(()),
        Activations::Off => Err(Error::new(Code::NotFound)
            .detail("Activations are off on this server; its operator turns them on with POSTERN_ACTIVATIONS=on.")),
    }
}
