//! Money that is there, money that is spoken for, and what a message costs.
//!
//! A hold is taken in the transaction that accepts a message and settled or released when its fate is known; the
//! ledger is posted at settlement. The balance less the holds never goes below zero.

mod caps;
mod prices;
mod shown;
mod store;

pub use caps::{Cap, CapKey, CapScope, CapWindow, EACH_COUNTRY, SpendLog, Spending};
pub use prices::{Price, Priced, Want, price_of};
pub use shown::{CapView, cap_views};
pub use store::{
    Charge, Entry, EntryKind, Spent, adjust, caps_of, entries, load_caps, load_for_update, load_prices, load_spent,
    purge_spent, read, replace_caps, replace_prices, save, save_spent, settle,
};

use crate::error::{Code, Error, Result};
use crate::ids::OrgId;
use crate::money::{Currency, Micros};
use crate::terms::Mode;

/// Test keys pay with test money; a test wallet opens with this much.
pub const TEST_OPENING: Micros = Micros(1_000_000_000_000);

/// An organization's money in one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    /// Whose.
    pub org_id: OrgId,
    /// Live or test money.
    pub mode: Mode,
    /// Of one currency.
    pub currency: Currency,
    /// All that is there, holds included.
    pub balance: Micros,
    /// What accepted messages have spoken for.
    pub held: Micros,
}

impl Wallet {
    /// A wallet nobody has touched yet.
    pub fn fresh(org_id: OrgId, mode: Mode) -> Wallet {
        let balance = if mode == Mode::Test { TEST_OPENING } else { Micros::ZERO };
        Wallet { org_id, mode, currency: Currency::USD, balance, held: Micros::ZERO }
    }

    /// What a new hold could take.
    pub fn available(&self) -> Micros {
        self.balance.minus(self.held).unwrap_or(Micros::ZERO)
    }

    /// Speaks for `price`. Error: `wallet.insufficient_balance`, naming what is missing.
    pub fn hold(&mut self, price: Priced) -> Result<()> {
        if price.amount == Micros::ZERO {
            return Ok(());
        }
        let held = self.held.plus(price.amount).filter(|held| price.currency == self.currency && *held <= self.balance);
        self.held = held.ok_or_else(|| self.short_of(price))?;
        Ok(())
    }

    fn short_of(&self, price: Priced) -> Error {
        let detail = format!(
            "The wallet has {} {} available and this costs {} {}; top it up and send again.",
            self.available(),
            self.currency,
            price.amount,
            price.currency
        );
        Error::new(Code::InsufficientBalance).detail(detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    fn usd(micros: i64) -> Priced {
        Priced { amount: Micros(micros), currency: Currency::USD }
    }

    #[test]
    fn holds_stop_exactly_at_the_balance() {
        let mut wallet = Wallet { balance: Micros(30), ..Wallet::fresh(OrgId::new(Millis(1)), Mode::Live) };
        assert!((0..3).all(|_| wallet.hold(usd(10)).is_ok()));
        assert_eq!(wallet.hold(usd(10)).unwrap_err().code(), Code::InsufficientBalance);
        assert_eq!(wallet.hold(usd(1)).unwrap_err().code(), Code::InsufficientBalance);
        assert!(wallet.hold(usd(0)).is_ok());
        assert_eq!((wallet.held, wallet.available()), (Micros(30), Micros(0)));
    }

    #[test]
    fn a_price_beyond_all_money_or_in_another_currency_is_refused() {
        let mut wallet = Wallet { balance: Micros(i64::MAX), ..Wallet::fresh(OrgId::new(Millis(1)), Mode::Live) };
        assert!(wallet.hold(usd(5)).is_ok());
        assert!(wallet.hold(usd(i64::MAX)).is_err());
        assert!(wallet.hold(Priced { amount: Micros(1), currency: "EUR".parse().unwrap() }).is_err());
        assert_eq!(wallet.held, Micros(5));
    }
}
