//! Small tables that every send looks at, kept in memory: prices, routes, drains, pauses, senders, spend caps, WhatsApp
//! numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::app::{App, FromApp};
use crate::db::Fresh;
use crate::error::Result;
use crate::ids::OrgId;
use crate::inbound::{self, Consents};
use crate::routing::senders::{self, Pool};
use crate::routing::{self, Pauses, Route};
use crate::wallet::{self, Cap, Price};
use crate::whatsapp::{self, Numbers};

/// Messages a second of a number that nobody has raised. Source:
/// <https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput>.
const USUAL_THROUGHPUT: i32 = 80;

/// The tables as they stand.
#[derive(Clone)]
pub struct Tables {
    /// The price list.
    pub prices: Arc<Vec<Price>>,
    /// The routes.
    pub routes: Arc<Vec<Route>>,
    /// Carriers that take no new hand-offs.
    pub draining: Arc<BTreeSet<String>>,
    /// What operators have stopped.
    pub pauses: Arc<Pauses>,
    /// Who messages may come from.
    pub senders: Arc<Pool>,
    /// Each organization's spend caps.
    pub caps: Arc<BTreeMap<OrgId, Vec<Cap>>>,
    /// WhatsApp numbers.
    pub numbers: Arc<Numbers>,
    /// Opt-outs of people whose address was erased since, by their pseudonyms.
    pub erased: Arc<Consents>,
}

/// The tables in memory, and the throughput that carriers of WhatsApp numbers were told of.
#[derive(Default)]
pub struct Shelf {
    tables: Fresh<Tables>,
    paced: Mutex<BTreeMap<String, i32>>,
}

impl FromApp for Shelf {
    fn from_app(_app: &App) -> Self {
        Shelf::default()
    }
}

/// The tables, read anew where they are too old.
pub async fn tables(app: &App) -> Result<Tables> {
    let shelf = app.room::<Shelf>();
    if let Ok(tables) = shelf.tables.get() {
        return Ok(tables);
    }
    let at = Instant::now();
    let read = app
        .db
        .read(|conn| {
            Ok(Tables {
                prices: Arc::new(wallet::load_prices(conn)?),
                routes: Arc::new(routing::load(conn)?),
                draining: Arc::new(routing::draining(conn)?),
                pauses: Arc::new(routing::pauses(conn)?),
                senders: Arc::new(Pool::new(senders::load(conn)?)),
                caps: Arc::new(wallet::load_caps(conn)?),
                numbers: Arc::new(Numbers::new(whatsapp::load_numbers(conn)?)),
                erased: Arc::new(inbound::erased_consents(conn)?),
            })
        })
        .await?;
    pace(app, &shelf, &read.numbers);
    shelf.tables.put(at, read.clone());
    Ok(read)
}

/// A number that Meta has raised, or lowered again, goes at its own throughput; a sixteenth less, for clocks differ.
fn pace(app: &App, shelf: &Shelf, numbers: &Numbers) {
    let mut paced = shelf.paced.lock().unwrap_or_else(PoisonError::into_inner);
    for carrier in app.carriers.iter() {
        let Some(number) = carrier.phone_number_id().and_then(|id| numbers.at_meta(id)) else { continue };
        let before = paced.get(carrier.name()).copied().unwrap_or(USUAL_THROUGHPUT);
        if before != number.throughput {
            let rate = u32::try_from(number.throughput).unwrap_or(1);
            app.carriers.note_pace(carrier.name(), (rate - rate / 16).max(1));
            paced.insert(carrier.name().to_owned(), number.throughput);
        }
    }
}

/// Forgets the tables: an operator changed one.
pub fn forget_tables(app: &App) {
    app.room::<Shelf>().tables.forget();
}
