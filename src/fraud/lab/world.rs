//! The lab's world: countries with prices and mobile ranges that exist, taken from the numbering plans themselves.

use crate::fraud::engine::rng::Rng;
use crate::money::Micros;
use crate::phone::{Country, LineType, Phone};

/// One country.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its code.
    pub country: Country,
    /// What a message costs.
    pub price: Micros,
    /// Mobile prefixes of each operator, the number's digits before the last six; the first operator is the largest.
    pub operators: Vec<Vec<u64>>,
}

/// Countries by their share of traffic, with a price in micros of about what carriers ask; the last are dear ones.
const COUNTRIES: &[(&str, i64)] = &[
    ("GB", 40_000),
    ("DE", 75_000),
    ("FR", 65_000),
    ("ES", 55_000),
    ("PL", 30_000),
    ("IT", 60_000),
    ("NL", 80_000),
    ("LV", 70_000),
    ("UZ", 190_000),
    ("AZ", 260_000),
    ("TJ", 280_000),
    ("BD", 240_000),
];

/// The shares of a country's operators.
const SHARES: [f64; 3] = [0.40, 0.35, 0.25];
/// Prefixes looked for in a country.
const PREFIXES: usize = 9;
/// Numbers of one prefix.
pub const TAIL: u64 = 1_000_000;

/// All countries, the one with the most traffic first.
#[derive(Debug, Clone)]
pub struct World {
    /// The countries.
    pub places: Vec<Place>,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed ^ 0x0077_6f72_6c64);
        let place = |(code, price): &(&str, i64)| {
            let country: Country = code.parse().ok()?;
            let prefixes = prefixes(country, &mut rng);
            let mut operators = vec![Vec::new(); SHARES.len()];
            for (at, prefix) in prefixes.into_iter().enumerate() {
                if let Some(own) = operators.get_mut(at % SHARES.len()) {
                    own.push(prefix);
                }
            }
            operators.retain(|own| !own.is_empty());
            (!operators.is_empty()).then_some(Place { country, price: Micros(*price), operators })
        };
        World { places: COUNTRIES.iter().filter_map(place).collect() }
    }

    /// A country by its share of traffic (Zipf).
    pub fn draw(&self, rng: &mut Rng) -> Option<&Place> {
        let weight = |at: usize| 1.0 / (at as f64 + 1.0);
        let total: f64 = (0..self.places.len()).map(weight).sum();
        let mut left = rng.share() * total;
        self.places.iter().enumerate().find_map(|(at, place)| {
            left -= weight(at);
            (left <= 0.0).then_some(place)
        })
    }

    /// The dearest countries first.
    pub fn dear(&self, count: usize) -> Vec<&Place> {
        let mut all: Vec<&Place> = self.places.iter().collect();
        all.sort_by_key(|place| std::cmp::Reverse(place.price));
        all.truncate(count);
        all
    }
}

impl Place {
    /// A random number of an operator by its share: (operator, digits).
    pub fn number(&self, rng: &mut Rng) -> (usize, u64) {
        let mut left = rng.share();
        let operator = SHARES.iter().position(|share| {
            left -= share;
            left <= 0.0
        });
        let operator = operator.unwrap_or(0).min(self.operators.len().saturating_sub(1));
        (operator, self.number_of(operator, rng))
    }

    /// A random number of this operator.
    pub fn number_of(&self, operator: usize, rng: &mut Rng) -> u64 {
        self.prefix(operator, rng) * TAIL + rng.below(TAIL)
    }

    /// A random prefix of this operator.
    pub fn prefix(&self, operator: usize, rng: &mut Rng) -> u64 {
        let own = self.operators.get(operator).map_or(&[][..], Vec::as_slice);
        own.get(rng.below(own.len() as u64) as usize).copied().unwrap_or(0)
    }
}

/// Prefixes near the plan's own example of a mobile number, those that the plan calls mobile.
fn prefixes(country: Country, rng: &mut Rng) -> Vec<u64> {
    let Some(example) = Phone::example(country) else { return Vec::new() };
    let Ok(example) = example.e164().trim_start_matches('+').parse::<u64>() else { return Vec::new() };
    let stem = example / TAIL / 100 * 100;
    let mut order: Vec<u64> = (0..100).collect();
    order.sort_by_cached_key(|_| rng.draw());
    let mobile = |prefix: &u64| {
        let probe = format!("+{}", prefix * TAIL + example % TAIL);
        Phone::parse(&probe, None).is_ok_and(|phone| {
            matches!(phone.line(), LineType::Mobile | LineType::FixedLineOrMobile) && phone.country() == country
        })
    };
    order.into_iter().map(|pair| stem + pair).filter(mobile).take(PREFIXES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_operators_with_real_mobile_ranges() {
        let world = World::new(1);
        assert_eq!(world.places.len(), COUNTRIES.len());
        let mut rng = Rng::new(2);
        let (mut real, mut all) = (0, 0);
        for place in &world.places {
            assert_eq!(place.operators.len(), 3, "{}", place.country);
            for _ in 0..10 {
                let (_, digits) = place.number(&mut rng);
                all += 1;
                real += u32::from(Phone::parse(&format!("+{digits}"), None).is_ok());
            }
        }
        assert!(real * 100 >= all * 95, "{real} of {all}");
    }
}
