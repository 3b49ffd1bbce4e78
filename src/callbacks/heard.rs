//! What carriers have called here, counted in this process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::config::SANDBOX;

/// What became of a carrier's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is stored.
    Taken,
    /// It was not believed.
    BadSignature,
    /// It was believed, and could not be read.
    Malformed,
    /// The database did not take it; carriers try again.
    NotStored,
}

/// What one carrier has called here.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct CarrierCalls {
    /// Its name in the configuration.
    #[schema(example = "acme")]
    pub carrier: String,
    /// When it last called and was believed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_received_at: Option<Millis>,
    /// Calls that are stored.
    #[schema(example = 4711)]
    pub taken: u64,
    /// Calls with a missing or wrong signature.
    #[schema(example = 0)]
    pub bad_signatures: u64,
    /// When the last of these came.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_bad_signature_at: Option<Millis>,
    /// Calls that were believed and could not be read.
    #[schema(example = 0)]
    pub malformed: u64,
    /// Calls that the database did not take; the carrier tries again.
    #[schema(example = 0)]
    pub not_stored: u64,
}

/// The calls of every carrier.
pub struct Calls {
    since: Millis,
    by_carrier: Mutex<BTreeMap<String, CarrierCalls>>,
}

impl FromApp for Calls {
    fn from_app(app: &App) -> Calls {
        Calls { since: app.clock.now(), by_carrier: Mutex::default() }
    }
}

impl Calls {
    fn by_carrier(&self) -> MutexGuard<'_, BTreeMap<String, CarrierCalls>> {
        self.by_carrier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a call of the carrier `name`, which must be one of the configuration: its name becomes a label.
pub(super) fn count(app: &App, name: &str, heard: Heard) {
    let outcome = match heard {
        Heard::Taken => "taken",
        Heard::BadSignature => "bad_signature",
        Heard::Malformed => "malformed",
        Heard::NotStored => "not_stored",
    };
    metrics::counter!("postern_callbacks_total", "carrier" => String::from(name), "outcome" => outcome).increment(1);
    let (calls, now) = (app.room::<Calls>(), app.clock.now());
    let mut all = calls.by_carrier();
    let one = all.entry(String::from(name)).or_default();
    let (times, at) = match heard {
        Heard::Taken => (&mut one.taken, &mut one.last_received_at),
        Heard::BadSignature => (&mut one.bad_signatures, &mut one.last_bad_signature_at),
        Heard::Malformed => (&mut one.malformed, &mut one.last_received_at),
        Heard::NotStored => (&mut one.not_stored, &mut one.last_received_at),
    };
    *times = times.saturating_add(1);
    *at = Some(now);
}

/// What every carrier of the configuration has called here, by name, and since when this process counts.
pub fn carrier_calls(app: &App) -> (Millis, Vec<CarrierCalls>) {
    let calls = app.room::<Calls>();
    let known = calls.by_carrier();
    let of = |name: &String| CarrierCalls { carrier: name.clone(), ..known.get(name).cloned().unwrap_or_default() };
    let names = app.config.carriers.iter().map(|carrier| &carrier.name).filter(|name| name.as_str() != SANDBOX);
    let mut found: Vec<CarrierCalls> = names.map(of).collect();
    found.sort_by(|one, other| one.carrier.cmp(&other.carrier));
    (calls.since, found)
}
