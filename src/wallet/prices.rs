//! What a message costs: the most particular price that is in force.

use crate::clock::Millis;
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::{Channel, Kind};

crate::text_enum! {
    /// When a message is charged.
    pub enum ChargedAt {
        /// A carrier took it.
        HandOff = "hand_off",
        /// It is known to be delivered; what is not is free.
        Delivery = "delivery",
    }
}

/// One line of the price list. An absent member matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Price {
    /// Of this channel.
    pub channel: Channel,
    /// To this country.
    pub country: Option<Country>,
    /// To numbers that start so (E.164 with plus).
    pub prefix: Option<String>,
    /// For messages of this kind.
    pub category: Option<Kind>,
    /// For this segment of an SMS and those after it; 1 for all of them.
    pub segment: u16,
    /// Each segment (SMS) or message (the rest).
    pub amount: Micros,
    /// Its currency.
    pub currency: Currency,
    /// In force from here on.
    pub valid_from: Millis,
    /// When it is charged.
    pub charged_at: ChargedAt,
}

/// What is to be priced.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// The channel.
    pub channel: Channel,
    /// What for.
    pub kind: Kind,
    /// The recipient's country.
    pub country: Option<Country>,
    /// E.164 or a mail address.
    pub recipient: &'a str,
    /// Billed parts.
    pub segments: u32,
}

/// An amount to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// How much.
    pub amount: Micros,
    /// Of what.
    pub currency: Currency,
    /// When it is charged.
    pub charged_at: ChargedAt,
}

impl Priced {
    /// Nothing.
    pub const FREE: Priced = Priced { amount: Micros::ZERO, currency: Currency::USD, charged_at: ChargedAt::HandOff };
}

/// The price of `want` at `now`: of each segment the longest prefix, then country, then category, then the highest segment
/// that a line begins at, then the latest start. Currency and time of charge are those of the first segment's line; lines
/// in another currency do not count for the others. No price on the list means free: an operator who bills nobody needs
/// no list. `None` where the sum overflows.
pub fn price_of(list: &[Price], want: &Want<'_>, now: Millis) -> Option<Priced> {
    let fitting = || list.iter().filter(|price| price.matches(want, now));
    let Some(first) = fitting().filter(|price| price.segment <= 1).max_by_key(|price| price.rank()) else {
        return Some(Priced::FREE);
    };
    let parts = if want.channel == Channel::Sms { want.segments.max(1) } else { 1 };
    let reaches = |price: &&Price, nth: u32| u32::from(price.segment) <= nth && price.currency == first.currency;
    let amount = if parts > 1 && fitting().any(|price| price.segment > 1) {
        let each = |nth| fitting().filter(|price| reaches(price, nth)).max_by_key(|price| price.rank());
        (1..=parts).try_fold(Micros::ZERO, |sum, nth| sum.plus(each(nth).map_or(Micros::ZERO, |price| price.amount)))?
    } else {
        first.amount.times(parts)?
    };
    Some(Priced { amount, currency: first.currency, charged_at: first.charged_at })
}

/// What a way charges us for a part, and whom it takes: a route as far as margins go.
#[derive(Debug, Clone, Copy)]
pub struct Rate<'a> {
    /// The channel.
    pub channel: Channel,
    /// To this country only.
    pub country: Option<Country>,
    /// To numbers that start so only.
    pub prefix: Option<&'a str>,
    /// A part.
    pub cost: Option<(Micros, Currency)>,
}

/// What a price leaves over what a way costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// Price less cost; none where either is in another currency, or no cost is known.
    pub amount: Option<Micros>,
    /// In percent of the price, rounded down; none of a price of nothing.
    pub percent: Option<i64>,
}

/// The margin of `price` on the way `rate`; `None` where no message takes both.
pub fn margin_of(price: &Price, rate: &Rate<'_>) -> Option<Margin> {
    let countries_meet = match (price.country, rate.country) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    let prefixes_meet = match (price.prefix.as_deref(), rate.prefix) {
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
        _ => true,
    };
    if price.channel != rate.channel || !countries_meet || !prefixes_meet {
        return None;
    }
    let amount =
        rate.cost.filter(|(_, currency)| *currency == price.currency).and_then(|(cost, _)| price.amount.minus(cost));
    let percent = amount.and_then(|left| left.0.checked_mul(100)?.checked_div_euclid(price.amount.0));
    Some(Margin { amount, percent })
}

/// See [`Price::place`].
pub type Place<'a> = (Channel, Option<Country>, Option<&'a str>, Option<Kind>, u16, Millis);

impl Price {
    fn matches(&self, want: &Want<'_>, now: Millis) -> bool {
        self.channel == want.channel
            && self.valid_from <= now
            && self.country.is_none_or(|country| want.country == Some(country))
            && self.prefix.as_deref().is_none_or(|prefix| want.recipient.starts_with(prefix))
            && self.category.is_none_or(|kind| kind == want.kind)
    }

    fn rank(&self) -> (usize, bool, bool, u16, Millis) {
        let prefix = self.prefix.as_ref().map_or(0, String::len);
        (prefix, self.country.is_some(), self.category.is_some(), self.segment, self.valid_from)
    }

    /// Which messages it prices, and from when on: of two lines of one place nobody could say which counts.
    pub fn place(&self) -> Place<'_> {
        (self.channel, self.country, self.prefix.as_deref(), self.category, self.segment, self.valid_from)
    }

    /// The same line from the beginning of time on: what two lines have in common that differ in their start only.
    #[must_use]
    pub fn timeless(&self) -> Price {
        Price { valid_from: Millis(0), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(country: Option<&str>, prefix: Option<&str>, amount: i64, from: i64) -> Price {
        Price {
            channel: Channel::Sms,
            country: country.map(|c| c.parse().unwrap()),
            prefix: prefix.map(String::from),
            category: None,
            segment: 1,
            amount: Micros(amount),
            currency: Currency::USD,
            valid_from: Millis(from),
            charged_at: ChargedAt::HandOff,
        }
    }

    fn cost(list: &[Price], to: &str, country: &str, segments: u32) -> Option<i64> {
        let want =
            Want { channel: Channel::Sms, kind: Kind::Otp, country: country.parse().ok(), recipient: to, segments };
        price_of(list, &want, Millis(100)).map(|priced| priced.amount.0)
    }

    #[test]
    fn the_most_particular_price_in_force_counts() {
        let list = [
            price(None, None, 1, 0),
            price(Some("GB"), None, 5, 0),
            price(Some("GB"), None, 6, 50),
            price(Some("GB"), None, 9, 101),
            price(None, Some("+4474"), 7, 0),
        ];
        assert_eq!(cost(&list, "+14155550123", "US", 1), Some(1));
        assert_eq!(cost(&list, "+447511111111", "GB", 2), Some(12));
        assert_eq!(cost(&list, "+447400123456", "GB", 1), Some(7));
        assert_eq!(cost(&[], "+447400123456", "GB", 1), Some(0));
        assert_eq!(cost(&[price(None, None, i64::MAX, 0)], "+447400123456", "GB", 2), None);
    }

    #[test]
    fn each_segment_has_the_most_particular_price_that_reaches_it() {
        let from = |segment, price| Price { segment, ..price };
        let eur = |price| Price { currency: "EUR".parse().unwrap(), ..price };
        let list = [
            price(None, None, 10, 0),
            from(3, price(None, None, 4, 0)),
            from(2, price(Some("GB"), None, 6, 0)),
            from(2, price(Some("GB"), None, 5, 50)),
            eur(from(2, price(None, Some("+1"), 99, 0))),
        ];
        let of = |to: &str, country: &str| [1, 2, 3, 4].map(|parts| cost(&list, to, country, parts).unwrap());
        assert_eq!(of("+33123", "FR"), [10, 20, 24, 28]);
        // A country's line for the second segment is more particular than one for the third of all countries.
        assert_eq!(of("+44123", "GB"), [10, 15, 20, 25]);
        // What is in another currency than the first segment does not count.
        assert_eq!(of("+1415", "US"), [10, 20, 24, 28]);
        // A list that begins with the second segment prices nothing: the first says in which currency.
        assert_eq!(cost(&[from(2, price(None, None, 7, 0))], "+44", "GB", 3), Some(0));
        let huge = [price(None, None, i64::MAX, 0), from(2, price(None, None, 1, 0))];
        assert_eq!((cost(&huge, "+44", "GB", 1), cost(&huge, "+44", "GB", 2)), (Some(i64::MAX), None));
    }

    #[test]
    fn a_margin_is_of_ways_that_a_price_meets() {
        let usd = |micros| Some((Micros(micros), Currency::USD));
        let rate = |country: Option<&str>, prefix, cost| Rate {
            channel: Channel::Sms,
            country: country.map(|c| c.parse().unwrap()),
            prefix,
            cost,
        };
        let of = |price: &Price, rate| margin_of(price, &rate).map(|margin| (margin.amount, margin.percent));
        let line = price(Some("GB"), None, 10_000, 0);
        assert_eq!(of(&line, rate(None, None, usd(4_000))), Some((Some(Micros(6_000)), Some(60))));
        assert_eq!(of(&line, rate(Some("GB"), Some("+44"), usd(12_000))), Some((Some(Micros(-2_000)), Some(-20))));
        assert_eq!(of(&line, rate(Some("US"), None, usd(4_000))), None);
        assert_eq!(of(&line, rate(None, None, None)), Some((None, None)));
        let long = price(None, Some("+4474"), 10_000, 0);
        assert_eq!(of(&long, rate(None, Some("+33"), usd(1))), None);
        assert_eq!(of(&price(None, None, 0, 0), rate(None, None, usd(1))), Some((Some(Micros(-1)), None)));
    }
}
