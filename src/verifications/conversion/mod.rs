//! Conversion by route: of the codes that a route carried, how many were entered, and what that cost.

mod store;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{AttemptId, RouteId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::Channel;

/// The stretch where the question names none.
const DEFAULT_STRETCH: Duration = Duration::from_secs(86_400);
/// The longest stretch: its hand-offs are all read.
const LONGEST_STRETCH: Duration = Duration::from_secs(31 * 86_400);

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// From here.
    pub since: Millis,
    /// Before this.
    pub until: Millis,
}

impl Stretch {
    /// A stretch of at most 31 days. Error: `validation_failed`.
    pub fn new(since: Option<Millis>, until: Option<Millis>, now: Millis) -> Result<Stretch> {
        let until = until.unwrap_or(now);
        let since = since.unwrap_or(until.minus(DEFAULT_STRETCH));
        if since >= until {
            return Err(Error::field("since", "must be earlier than until"));
        }
        if until.since(since) > LONGEST_STRETCH {
            return Err(Error::field("since", "must be at most 31 days before until"));
        }
        Ok(Stretch { since, until })
    }
}

/// What became of the hand-offs of one route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByRoute {
    /// The route; none for hand-offs of before routes were noted.
    pub route_id: Option<RouteId>,
    /// The carrier.
    pub carrier: String,
    /// Hand-offs begun.
    pub hand_offs: i64,
    /// Accepted by the carrier.
    pub accepted: i64,
    /// Delivered by its word.
    pub delivered: i64,
    /// That carried a verification's code and were not refused.
    pub attempted: i64,
    /// Whose code was entered.
    pub converted: i64,
    /// Billed parts of what was not refused.
    pub parts: i64,
    /// How many delivery receipts took so many seconds.
    pub lags: BTreeMap<i64, i64>,
}

/// Figures made of the counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Converted of attempted.
    pub rate: Option<f64>,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The median time to a delivery receipt.
    pub median_receipt_s: Option<i64>,
    /// What the parts cost.
    pub cost: Option<(Micros, Currency)>,
    /// That for each conversion.
    pub cost_per_conversion: Option<(Micros, Currency)>,
}

/// Counts the hand-offs of `stretch`, those of most hand-offs first.
pub fn by_route(
    conn: &mut Conn,
    stretch: Stretch,
    channel: Option<Channel>,
    country: Option<Country>,
) -> Result<Vec<ByRoute>> {
    let between = (AttemptId::first_at(stretch.since), AttemptId::first_at(stretch.until));
    let mut found: BTreeMap<(Option<RouteId>, String), ByRoute> = BTreeMap::new();
    for line in store::lines(conn, between, channel, country)? {
        let one = found.entry((line.route_id, line.carrier.clone())).or_default();
        one.route_id = line.route_id;
        one.carrier = line.carrier;
        one.hand_offs += line.hand_offs;
        one.accepted += line.accepted;
        one.delivered += line.delivered;
        one.attempted += line.attempted;
        one.converted += line.converted;
        one.parts += line.parts;
        if let Some(lag) = line.lag_s {
            *one.lags.entry(lag.max(0)).or_default() += line.hand_offs;
        }
    }
    let mut found: Vec<ByRoute> = found.into_values().collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.hand_offs));
    Ok(found)
}

impl ByRoute {
    /// The figures, at `price` a part.
    pub fn figures(&self, price: Option<(Micros, Currency)>) -> Figures {
        let interval = wilson(self.converted, self.attempted);
        let cost = price.and_then(|(each, currency)| {
            let parts = u32::try_from(self.parts).ok()?;
            Some((each.times(parts)?, currency))
        });
        let each = cost.and_then(|(sum, currency)| Some((Micros(sum.0.checked_div(self.converted)?), currency)));
        Figures {
            rate: interval.map(|(rate, ..)| rate),
            low: interval.map(|(_, low, _)| low),
            high: interval.map(|(.., high)| high),
            median_receipt_s: self.median(),
            cost,
            cost_per_conversion: each,
        }
    }

    fn median(&self) -> Option<i64> {
        let half = self.lags.values().sum::<i64>() / 2;
        let mut below = 0;
        self.lags
            .iter()
            .find(|(_, count)| {
                below += **count;
                below > half
            })
            .map(|(lag, _)| *lag)
    }
}

/// The rate and Wilson's score interval for it at 95 %, four places. Unlike the plain one it stays within 0 and 1 and is
/// of use for few trials.
/// Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), <https://doi.org/10.2307/2276774>.
fn wilson(good: i64, of: i64) -> Option<(f64, f64, f64)> {
    const Z: f64 = 1.959_964;
    let (good, n) = (f64::from(u32::try_from(good).ok()?), f64::from(u32::try_from(of).ok().filter(|of| *of > 0)?));
    let (rate, z2) = (good / n, Z * Z);
    let centre = (rate + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    let places = |value: f64| (value.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
    Some((places(rate), places(centre - half), places(centre + half)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilson_s() {
        // Values of Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        assert_eq!(wilson(81, 263), Some((0.308, 0.2553, 0.3662)));
        assert_eq!(wilson(15, 148), Some((0.1014, 0.0624, 0.1605)));
        assert_eq!(wilson(0, 20), Some((0.0, 0.0, 0.1611)));
        assert_eq!(wilson(29, 29), Some((1.0, 0.883, 1.0)));
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn a_stretch_is_at_most_a_month() {
        let now = Millis(100 * 86_400_000);
        let days = |n: u64| Some(now.minus(Duration::from_secs(n * 86_400)));
        assert_eq!(Stretch::new(None, None, now).unwrap().since, days(1).unwrap());
        assert!(Stretch::new(days(31), None, now).is_ok());
        assert!(Stretch::new(days(32), None, now).is_err() && Stretch::new(days(1), days(2), now).is_err());
    }

    #[test]
    fn figures_are_of_the_parts_and_the_median_of_the_receipts() {
        let counts = ByRoute {
            attempted: 10,
            converted: 8,
            parts: 12,
            lags: [(3, 5), (4, 1), (900, 4)].into(),
            ..ByRoute::default()
        };
        let figures = counts.figures(Some((Micros(10_000), Currency::USD)));
        assert_eq!((figures.rate, figures.median_receipt_s), (Some(0.8), Some(4)));
        assert_eq!(figures.cost, Some((Micros(120_000), Currency::USD)));
        assert_eq!(figures.cost_per_conversion, Some((Micros(15_000), Currency::USD)));
        let none = ByRoute::default().figures(None);
        assert_eq!((none.rate, none.cost, none.cost_per_conversion, none.median_receipt_s), (None, None, None, None));
    }
}
