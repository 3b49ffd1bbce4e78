//! Which route a message takes next. Pure: health, what was tried and the dice are given.

use crate::ids::RouteId;
use crate::money::{Currency, Micros};
use crate::secret::sha256;

/// A route as far as choosing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The route itself; the sandbox of test messages has none.
    pub route: Option<RouteId>,
    /// The carrier it leads to.
    pub carrier: String,
    /// Lower goes first.
    pub priority: i32,
    /// Its share among routes of the same priority. Zero: only when the others cannot, the cheapest first.
    pub weight: i32,
    /// What the carrier charges us a part.
    pub price: Option<(Micros, Currency)>,
}

/// Chooses among `routes` one that is `usable` (healthy, known here, not yet tried for this message): the lowest
/// priority first, by weight among equals, the cheapest where none has a weight. `dice` is any random number; with `whom`, a
/// recipient that shall meet the same carrier each time, equals share by it instead. `None` where nothing is left.
pub fn pick<'a>(
    routes: &'a [Candidate],
    usable: impl Fn(&Candidate) -> bool,
    whom: Option<&str>,
    dice: u64,
) -> Option<&'a Candidate> {
    let mut usable: Vec<&Candidate> = routes.iter().filter(|route| usable(route)).collect();
    let first = usable.iter().map(|route| route.priority).min()?;
    usable.retain(|route| route.priority == first);
    let total: u64 = usable.iter().map(|route| share(route)).sum();
    if let (Some(whom), true) = (whom, total > 0) {
        return usable
            .into_iter()
            .filter(|route| share(route) > 0)
            .min_by(|one, other| draw(one, whom).total_cmp(&draw(other, whom)));
    }
    if total == 0 {
        let cheapest = usable.iter().map(|route| cost(route)).min()?;
        usable.retain(|route| cost(route) == cheapest);
        let count = u64::try_from(usable.len()).unwrap_or(1).max(1);
        return usable.get(usize::try_from(dice % count).unwrap_or(0)).copied();
    }
    let mut left = dice % total;
    usable.into_iter().find(|route| {
        let hit = left < share(route);
        left = left.saturating_sub(share(route));
        hit
    })
}

/// A price that is not known comes last. Prices in several currencies cannot be compared: one currency comes before the
/// other, by its name, so that at least the order is always the same.
fn cost(route: &Candidate) -> (bool, Option<Currency>, Micros) {
    let (amount, currency) = route.price.unzip();
    (amount.is_none(), currency, amount.unwrap_or_default())
}

/// Weighted rendezvous hashing: the smallest draw wins, and wins in proportion to its weight; a carrier that comes or
/// goes moves only the recipients it wins or had won.
/// Source: Schindelhauer and Schomaker, "Weighted distributed hash tables" (2005), <https://doi.org/10.1145/1073970.1074008>.
#[expect(clippy::cast_precision_loss, reason = "a hash as a number between 0 and 1, and a small weight")]
fn draw(route: &Candidate, whom: &str) -> f64 {
    let hash = sha256(&[whom.as_bytes(), b"\0", route.carrier.as_bytes()].concat());
    let first = hash.iter().take(6).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let chance = (first as f64 + 1.0) / ((1_u64 << 48) as f64 + 1.0);
    -chance.ln() / share(route) as f64
}

fn share(route: &Candidate) -> u64 {
    u64::try_from(route.weight).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn route(carrier: &str, priority: i32, weight: i32) -> Candidate {
        Candidate { route: None, carrier: String::from(carrier), priority, weight, price: None }
    }

    fn chosen(routes: &[Candidate], without: &[&str], dice: u64) -> Option<String> {
        pick(routes, |route| !without.contains(&route.carrier.as_str()), None, dice).map(|route| route.carrier.clone())
    }

    #[test]
    fn the_lowest_priority_that_is_usable_goes_first() {
        let routes = [route("b", 20, 1), route("a", 10, 1), route("c", 30, 1)];
        assert_eq!(chosen(&routes, &[], 7).as_deref(), Some("a"));
        assert_eq!(chosen(&routes, &["a"], 7).as_deref(), Some("b"));
        assert_eq!(chosen(&routes, &["a", "b", "c"], 7), None);
        assert_eq!(chosen(&[], &[], 7), None);
    }

    #[test]
    fn equals_share_by_weight_exactly() {
        let routes = [route("a", 1, 3), route("b", 1, 1), route("c", 1, 0)];
        let mut counts = BTreeMap::new();
        for dice in 0..400 {
            *counts.entry(chosen(&routes, &[], dice)).or_insert(0) += 1;
        }
        assert_eq!(counts, BTreeMap::from([(Some(String::from("a")), 300), (Some(String::from("b")), 100)]));
    }

    #[test]
    fn a_recipient_meets_the_same_carrier_and_the_weights_hold() {
        let routes = [route("a", 1, 3), route("b", 1, 1), route("c", 1, 0)];
        let of = |whom: &str, without: &str, dice| {
            let usable = |route: &Candidate| route.carrier != without;
            pick(&routes, usable, Some(whom), dice).unwrap().carrier.clone()
        };
        let mut counts = BTreeMap::new();
        for n in 0..2_000_u64 {
            let whom = format!("+4474001{n:05}");
            let first = of(&whom, "", n);
            assert_eq!(of(&whom, "", n + 1), first);
            // Where a carrier is away, only its own recipients meet another.
            assert_eq!(of(&whom, "b", n) == first, first != "b");
            *counts.entry(first).or_insert(0) += 1;
        }
        assert!(counts.len() == 2 && (1_400..1_600).contains(&counts["a"]), "{counts:?}");
        assert_eq!(pick(&routes, |route| route.carrier == "c", Some("+1"), 7).unwrap().carrier, "c");
    }

    #[test]
    fn a_weight_of_zero_is_a_last_resort_among_equals() {
        let routes = [route("a", 1, 5), route("c", 1, 0), route("d", 1, -3)];
        let found: Vec<_> = (0..4).map(|dice| chosen(&routes, &["a"], dice)).collect();
        let name = |text: &str| Some(String::from(text));
        assert_eq!(found, [name("c"), name("d"), name("c"), name("d")]);
    }

    #[test]
    fn among_last_resorts_the_cheapest_goes_first_and_an_unknown_price_last() {
        let priced = |carrier: &str, micros: i64| Candidate {
            price: Some((Micros(micros), Currency::USD)),
            ..route(carrier, 1, 0)
        };
        let routes =
            [route("unknown", 1, 0), priced("dear", 9_000), priced("cheap", 4_000), priced("cheap too", 4_000)];
        let found =
            |without: &[&str]| -> Vec<_> { (0..2).map(|dice| chosen(&routes, without, dice).unwrap()).collect() };
        assert_eq!(found(&[]), ["cheap", "cheap too"]);
        assert_eq!(found(&["cheap", "cheap too"]), ["dear", "dear"]);
        assert_eq!(found(&["cheap", "cheap too", "dear"]), ["unknown", "unknown"]);
    }
}
