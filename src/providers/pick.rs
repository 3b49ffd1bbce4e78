//! Which route a message takes next. Pure: health, what was tried and the dice are given.

use crate::ids::RouteId;
use crate::money::{Currency, Micros};

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
/// priority first, by weight among equals, the cheapest where none has a weight. `dice` is any random number. `None`
/// where nothing is left.
pub fn pick(routes: &[Candidate], usable: impl Fn(&Candidate) -> bool, dice: u64) -> Option<&Candidate> {
    let mut usable: Vec<&Candidate> = routes.iter().filter(|route| usable(route)).collect();
    let first = usable.iter().map(|route| route.priority).min()?;
    usable.retain(|route| route.priority == first);
    let total: u64 = usable.iter().map(|route| share(route)).sum();
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
        pick(routes, |route| !without.contains(&route.carrier.as_str()), dice).map(|route| route.carrier.clone())
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
