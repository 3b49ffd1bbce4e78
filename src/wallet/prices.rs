//! What a message costs: the most particular price that is in force.

use crate::clock::Millis;
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::{Channel, Kind};

/// One line of the price list. An absent member matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Of this channel.
    pub channel: Channel,
    /// To this country.
    pub country: Option<Country>,
    /// To numbers that start so (E.164 with plus).
    pub prefix: Option<String>,
    /// For messages of this kind.
    pub category: Option<Kind>,
    /// Each segment (SMS) or message (the rest).
    pub amount: Micros,
    /// Its currency.
    pub currency: Currency,
    /// In force from here on.
    pub valid_from: Millis,
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
}

/// The price of `want` at `now`: the longest prefix, then country, then category, then the latest start. No price on
/// the list means free: an operator who bills nobody needs no list. `None` where the sum overflows.
pub fn price_of(list: &[Price], want: &Want<'_>, now: Millis) -> Option<Priced> {
    let best = list.iter().filter(|price| price.matches(want, now)).max_by_key(|price| price.rank());
    let Some(price) = best else {
        return Some(Priced { amount: Micros::ZERO, currency: Currency::USD });
    };
    let parts = if want.channel == Channel::Sms { want.segments.max(1) } else { 1 };
    Some(Priced { amount: price.amount.times(parts)?, currency: price.currency })
}

impl Price {
    fn matches(&self, want: &Want<'_>, now: Millis) -> bool {
        self.channel == want.channel
            && self.valid_from <= now
            && self.country.is_none_or(|country| want.country == Some(country))
            && self.prefix.as_deref().is_none_or(|prefix| want.recipient.starts_with(prefix))
            && self.category.is_none_or(|kind| kind == want.kind)
    }

    fn rank(&self) -> (usize, bool, bool, Millis) {
        (self.prefix.as_ref().map_or(0, String::len), self.country.is_some(), self.category.is_some(), self.valid_from)
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
            amount: Micros(amount),
            currency: Currency::USD,
            valid_from: Millis(from),
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
}
