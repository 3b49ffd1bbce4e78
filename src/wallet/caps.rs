//! Spend caps: what an organization may spend in a window, in all, by one key, to one country, to one prefix. Pure.
//!
//! A cap is taken in the transaction that accepts a message, so that it cannot overshoot. What is spoken for counts, also
//! where the message fails later: a cap bounds the loss, it does not keep the books.

use std::time::Duration;

use crate::clock::Millis;
use crate::ids::{KeyId, OrgId};
use crate::limits::varint;
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::Mode;

crate::text_enum! {
    /// What a cap counts together.
    pub enum CapScope {
        /// Everything the organization sends.
        Org = "org",
        /// What one key sends.
        Key = "key",
        /// What goes to one country; `*`: to each country on its own.
        Country = "country",
        /// What goes to numbers that start so.
        Prefix = "prefix",
    }
}

crate::text_enum! {
    /// The window of a cap. Every window of this length holds at most the cap; what leaves it is free again up to a
    /// sixtieth later.
    pub enum CapWindow { Hour = "1h", Day = "1d" }
}

impl CapWindow {
    /// Its length.
    pub fn length(self) -> Duration {
        match self {
            CapWindow::Hour => Duration::from_secs(3_600),
            CapWindow::Day => Duration::from_secs(86_400),
        }
    }

    /// Its length, milliseconds.
    pub fn millis(self) -> i64 {
        i64::try_from(self.length().as_millis()).unwrap_or(i64::MAX)
    }
}

/// Every country on its own, as the value of a cap.
pub const EACH_COUNTRY: &str = "*";

/// What may be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// What it counts together.
    pub scope: CapScope,
    /// Which key, country or prefix; empty for the organization.
    pub value: String,
    /// In which window.
    pub window: CapWindow,
    /// At most this.
    pub amount: Micros,
    /// In this currency.
    pub currency: Currency,
}

/// What is spent under which cap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CapKey {
    /// Whose cap.
    pub org_id: OrgId,
    /// Live and test money do not mix.
    pub mode: Mode,
    /// What the cap counts together.
    pub scope: CapScope,
    /// The key, country or prefix itself.
    pub value: String,
    /// The cap's window.
    pub window: CapWindow,
}

/// A message that would be paid for.
#[derive(Debug, Clone, Copy)]
pub struct Spending<'a> {
    /// By which key.
    pub key_id: KeyId,
    /// To which country.
    pub country: Option<Country>,
    /// To whom.
    pub recipient: &'a str,
}

impl Cap {
    /// What `spending` counts under, where this cap is about it.
    pub fn key_for(&self, org_id: OrgId, mode: Mode, spending: &Spending<'_>) -> Option<CapKey> {
        let value = match self.scope {
            CapScope::Org => String::new(),
            CapScope::Key if self.value == spending.key_id.as_str() => self.value.clone(),
            CapScope::Country if self.value == EACH_COUNTRY => spending.country?.to_string(),
            CapScope::Country if spending.country?.as_str() == self.value => self.value.clone(),
            CapScope::Prefix if spending.recipient.starts_with(&self.value) => self.value.clone(),
            CapScope::Key | CapScope::Country | CapScope::Prefix => return None,
        };
        Some(CapKey { org_id, mode, scope: self.scope, value, window: self.window })
    }

    /// The share of the cap in percent that an alert is due for: 50, 80, or 100 once another message at `price` would
    /// not fit; 0 for less.
    pub fn alert_level(&self, spent: Micros, price: Micros) -> i16 {
        let full = spent.plus(price).is_none_or(|next| next > self.amount);
        let percent = i128::from(spent.0) * 100 / i128::from(self.amount.0.max(1));
        match percent {
            _ if full => 100,
            80.. => 80,
            50.. => 50,
            _ => 0,
        }
    }
}

/// Parts of a window that are told apart.
const PARTS: i64 = 60;

/// What was spent in the parts of a window that has been, each part with its sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendLog {
    width_ms: i64,
    as_of: Millis,
    parts: Vec<(i64, i64)>,
}

impl SpendLog {
    /// Nothing spent.
    pub fn new(window: CapWindow, as_of: Millis) -> SpendLog {
        SpendLog { width_ms: window.millis() / PARTS, as_of, parts: Vec::new() }
    }

    /// Reads what `encode` wrote, as of the moment that is stored beside.
    pub fn decode(bytes: &[u8], window: CapWindow, as_of: Millis) -> SpendLog {
        let mut log = SpendLog::new(window, as_of);
        let mut rest = bytes;
        while let (Some(index), Some(sum)) = (varint::get_signed(&mut rest), varint::get_signed(&mut rest)) {
            log.parts.push((index, sum));
        }
        log
    }

    /// The bytes to store: some ten a part in use.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.parts.len() * 10);
        for (index, sum) in &self.parts {
            varint::put_signed(&mut bytes, *index);
            varint::put_signed(&mut bytes, *sum);
        }
        bytes
    }

    /// The latest moment this log has seen.
    pub fn as_of(&self) -> Millis {
        self.as_of
    }

    /// Brings it to `now`: drops what no window touches any more. Where the clock has stepped back what was spent moves
    /// with it: a jump ahead does not lock a cap until the clock has caught up.
    pub fn turn_to(&mut self, now: Millis) {
        if now < self.as_of {
            let shift = self.index(self.as_of) - self.index(now);
            self.parts.iter_mut().for_each(|(index, _)| *index = index.saturating_sub(shift));
        }
        self.as_of = now;
        let oldest = self.index(now).saturating_sub(PARTS);
        self.parts.retain(|(index, _)| *index >= oldest);
    }

    /// What has been spent in the window that ends now, its first part counted whole. Call `turn_to` first.
    pub fn spent(&self) -> Micros {
        Micros(self.parts.iter().fold(0i64, |sum, (_, part)| sum.saturating_add(*part)))
    }

    /// Whether `price` more fits under `cap`.
    pub fn fits(&self, cap: &Cap, price: Micros) -> bool {
        self.spent().plus(price).is_some_and(|next| next <= cap.amount)
    }

    /// When `price` fits under `cap` if nothing else is spent; never where it is more than the cap.
    pub fn opens_at(&self, cap: &Cap, price: Micros) -> Option<Millis> {
        if price > cap.amount {
            return None;
        }
        let mut spent = self.spent();
        let mut at = self.as_of;
        for (index, part) in &self.parts {
            if spent.plus(price).is_some_and(|next| next <= cap.amount) {
                break;
            }
            spent = Micros(spent.0.saturating_sub(*part));
            at = Millis(index.saturating_add(PARTS + 1).saturating_mul(self.width_ms));
        }
        Some(at)
    }

    /// Counts `price` in the moment it was turned to.
    pub fn add(&mut self, price: Micros) {
        let here = self.index(self.as_of);
        match self.parts.last_mut() {
            Some((index, sum)) if *index == here => *sum = sum.saturating_add(price.0),
            _ => self.parts.push((here, price.0)),
        }
    }

    fn index(&self, at: Millis) -> i64 {
        at.0.div_euclid(self.width_ms.max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Millis = Millis(1_774_708_200_000);

    fn cap(amount: i64) -> Cap {
        Cap {
            scope: CapScope::Org,
            value: String::new(),
            window: CapWindow::Hour,
            amount: Micros(amount),
            currency: Currency::USD,
        }
    }

    proptest! {
        /// In every window of an hour what was let through is at most the cap, whenever it came and whatever it cost;
        /// and the moment that a refusal names is right.
        #[test]
        fn no_window_holds_more_than_the_cap(steps in prop::collection::vec((0i64..600_000, 1i64..40), 1..200)) {
            let cap = cap(100);
            let mut log = SpendLog::new(cap.window, START);
            let (mut now, mut passed): (Millis, Vec<(i64, i64)>) = (START, Vec::new());
            for (wait, price) in steps {
                now = Millis(now.0 + wait);
                log = SpendLog::decode(&log.encode(), cap.window, log.as_of());
                log.turn_to(now);
                if log.fits(&cap, Micros(price)) {
                    log.add(Micros(price));
                    passed.push((now.0, price));
                } else {
                    let at = log.opens_at(&cap, Micros(price)).unwrap();
                    let (mut then, mut before) = (log.clone(), log.clone());
                    then.turn_to(at);
                    before.turn_to(Millis(at.0 - 1));
                    prop_assert!(then.fits(&cap, Micros(price)) && !before.fits(&cap, Micros(price)));
                }
                let sum: i64 = passed.iter().filter(|(at, _)| now.0 - at < 3_600_000).map(|(_, price)| price).sum();
                prop_assert!(sum <= 100, "{}", sum);
            }
        }
    }

    #[test]
    fn a_clock_that_jumps_ahead_and_back_locks_nothing_for_longer_than_a_window() {
        let cap = cap(10);
        let mut log = SpendLog::new(cap.window, START);
        log.turn_to(Millis(START.0 + 365 * 86_400_000));
        log.add(Micros(10));
        log.turn_to(START);
        assert_eq!(log.spent(), Micros(10), "what was spent a moment ago still counts");
        log.turn_to(Millis(START.0 + 3_660_001));
        assert!(log.fits(&cap, Micros(10)));
    }

    #[test]
    fn alerts_are_due_at_a_half_four_fifths_and_when_nothing_more_fits() {
        let level = |spent| cap(1_000).alert_level(Micros(spent), Micros(30));
        assert_eq!([0, 499, 500, 799, 800, 969, 970, 971, 1_000].map(level), [0, 0, 50, 50, 80, 80, 80, 100, 100]);
    }

    #[test]
    fn a_cap_is_about_its_own_key_country_or_prefix() {
        let (org, key) = (OrgId::new(START), KeyId::new(START));
        let spending = Spending { key_id: key, country: "GB".parse().ok(), recipient: "+447400123456" };
        let of = |scope, value: &str| {
            let cap = Cap { scope, value: String::from(value), ..cap(1) };
            cap.key_for(org, Mode::Live, &spending).map(|key| key.value)
        };
        assert_eq!(of(CapScope::Org, ""), Some(String::new()));
        assert_eq!(of(CapScope::Key, key.as_str()), Some(key.to_string()));
        assert_eq!(of(CapScope::Key, "key_other"), None);
        assert_eq!(of(CapScope::Country, "GB"), Some(String::from("GB")));
        assert_eq!(of(CapScope::Country, EACH_COUNTRY), Some(String::from("GB")));
        assert_eq!(of(CapScope::Country, "FR"), None);
        assert_eq!(of(CapScope::Prefix, "+4474"), Some(String::from("+4474")));
        assert_eq!(of(CapScope::Prefix, "+4475"), None);
        let mail = Spending { country: None, recipient: "ann@example.com", ..spending };
        let each = Cap { scope: CapScope::Country, value: String::from(EACH_COUNTRY), ..cap(1) };
        assert_eq!(each.key_for(org, Mode::Live, &mail), None);
    }
}
