//! Which route a message takes next. Pure: health, what was tried and the dice are given.

/// A route as far as choosing goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The carrier it leads to.
    pub carrier: String,
    /// Lower goes first.
    pub priority: i32,
    /// Its share among routes of the same priority. Zero: only when the others cannot.
    pub weight: i32,
}

/// Chooses among `routes` one whose carrier is `usable` (healthy, known here, not yet tried for this message): the
/// lowest priority first, by weight among equals. `dice` is any random number. `None` where nothing is left.
pub fn pick(routes: &[Candidate], usable: impl Fn(&str) -> bool, dice: u64) -> Option<&Candidate> {
    let mut usable: Vec<&Candidate> = routes.iter().filter(|route| usable(&route.carrier)).collect();
    let first = usable.iter().map(|route| route.priority).min()?;
    usable.retain(|route| route.priority == first);
    let total: u64 = usable.iter().map(|route| share(route)).sum();
    if total == 0 {
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

fn share(route: &Candidate) -> u64 {
    u64::try_from(route.weight).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn route(carrier: &str, priority: i32, weight: i32) -> Candidate {
        Candidate { carrier: String::from(carrier), priority, weight }
    }

    fn chosen(routes: &[Candidate], without: &[&str], dice: u64) -> Option<String> {
        pick(routes, |carrier| !without.contains(&carrier), dice).map(|route| route.carrier.clone())
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
}
