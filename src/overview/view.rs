//! The overview as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::standing::Standing;
use crate::alerts::AlertView;
use crate::clock::Millis;
use crate::ids::OrgId;
use crate::money::MoneyView;
use crate::phone::Country;
use crate::providers::circuit::State as Circuit;
use crate::terms::{Channel, Mode};

/// How the platform does right now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Overview)]
pub struct OverviewView {
    /// Live or test.
    pub mode: Mode,
    /// When it was read; it may be shared for a second.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// How the platform does, and why.
    pub standing: Standing,
    /// The four figures.
    pub tiles: Tiles,
    /// The last sixty minutes, oldest first; the last one is under way.
    pub minutes: Vec<MinuteView>,
    /// The carriers, by name.
    pub carriers: Vec<CarrierHealth>,
    /// The five countries of most messages in these minutes.
    pub countries: Vec<CountryView>,
    /// What is due and waits, live and test together.
    pub queue: QueueView,
    /// Alerts that nobody has acknowledged: new, escalating, ongoing. At most twenty.
    pub alerts: Vec<AlertView>,
}

/// The four figures.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OverviewTiles)]
pub struct Tiles {
    /// Messages accepted in the last full minute.
    #[schema(example = 412)]
    pub accepted_per_minute: i64,
    /// Nineteen of twenty messages were with a carrier within this time of being accepted, milliseconds; of the hand-offs of
    /// the last fifteen minutes, at most the newest 5,000. Null without any.
    #[schema(example = 87)]
    pub hand_off_p95_ms: Option<i64>,
    /// Conversion of the last sixty minutes.
    pub conversion: ConversionView,
    /// What customers were charged today (UTC), by currency.
    pub spent_today: Vec<MoneyView>,
    /// Daily caps of whole organizations.
    pub caps: CapsView,
}

/// Verifications whose code was entered, of those that were begun.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OverviewConversion)]
pub struct ConversionView {
    /// Begun.
    pub begun: i64,
    /// Of these, verified.
    pub verified: i64,
    /// The share, 0 to 1 with four places; null without any.
    #[schema(example = 0.8713)]
    pub rate: Option<f64>,
    /// The share of the same sixty minutes a week before.
    #[schema(example = 0.8902)]
    pub rate_week_before: Option<f64>,
}

/// Daily caps.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OverviewCaps)]
pub struct CapsView {
    /// Organizations that have one.
    pub organizations: usize,
    /// All that may be spent in a day under them, by currency.
    pub limit: Vec<MoneyView>,
    /// All that was spent under them in the day that ends now, holds included, by currency.
    pub spent: Vec<MoneyView>,
    /// The one that is fullest.
    pub fullest: Option<CapFill>,
}

/// A cap that fills.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OverviewCapFill)]
pub struct CapFill {
    /// Whose.
    pub org_id: OrgId,
    /// What may be spent in a day.
    pub limit: MoneyView,
    /// What was.
    pub spent: MoneyView,
    /// The share, with four places.
    #[schema(example = 0.93)]
    pub share: Option<f64>,
}

/// A minute: messages accepted in it, where they are now, and what was refused in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OverviewMinute)]
pub struct MinuteView {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// Handed over, their end not known yet.
    pub sent: i64,
    /// On the handset.
    pub delivered: i64,
    /// Failed, not delivered, or too late.
    pub failed: i64,
    /// Refused before a message was made: by the fraud guard, a limit or the wallet.
    pub blocked: i64,
    /// Nobody knows whether they went.
    pub unknown: i64,
    /// Accepted and not handed over yet, or called back.
    pub waiting: i64,
}

/// How a carrier does.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OverviewCarrier)]
pub struct CarrierHealth {
    /// Its name.
    #[schema(example = "acme")]
    pub name: String,
    /// The channels it carries.
    pub channels: Vec<Channel>,
    /// Its circuit: in the process that answers, or where another has opened it lately, by its word.
    pub circuit: Circuit,
    /// Since when it stands so, where that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Millis>,
    /// It takes no new hand-offs, by an operator's word.
    pub draining: bool,
    /// Hand-offs that ended in the last fifteen minutes, of the newest 5,000.
    pub hand_offs: i64,
    /// Of these, accepted by the carrier, 0 to 1 with four places; null without any.
    #[schema(example = 0.9987)]
    pub success: Option<f64>,
    /// Nineteen of twenty took no longer, milliseconds from being accepted by us.
    #[schema(example = 87)]
    pub p95_ms: Option<i64>,
}

/// A country.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OverviewCountry)]
pub struct CountryView {
    /// Which.
    #[schema(value_type = String, example = "GB")]
    pub country: Country,
    /// Messages accepted.
    pub messages: i64,
    /// Of these, on the handset.
    pub delivered: i64,
    /// Verifications begun.
    pub begun: i64,
    /// Of these, verified.
    pub verified: i64,
    /// The share, 0 to 1 with four places; null without any.
    #[schema(example = 0.8713)]
    pub conversion: Option<f64>,
}

/// What waits.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OverviewQueue)]
pub struct QueueView {
    /// Messages that are due and not in hand; counted up to 100,000.
    pub waiting: i64,
    /// For how long the first of them has been due, seconds; null where none waits.
    pub oldest_s: Option<i64>,
}
