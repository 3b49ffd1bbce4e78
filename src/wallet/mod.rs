//! Money that is there, money that is spoken for, and what a message costs.
//!
//! A wallet's row is two accounts, what is available and what is held: a hold moves its price from one to the other in
//! the transaction that accepts the message, and a release moves it back, so accepting writes one row a wallet however
//! many messages it takes. The message itself says what it holds. What crosses the wallet's border (a charge, a top-up,
//! an adjustment, a carrier's price) is posted as an entry between two accounts. The balance less the holds never goes
//! below zero; [`check_books`] compares all of it.

mod caps;
mod month;
mod prices;
mod shown;
mod store;

pub use caps::{Cap, CapKey, CapScope, CapWindow, EACH_COUNTRY, SpendLog, Spending};
pub use month::{Month, date_of};
pub use prices::{ChargedAt, Margin, Price, Priced, Rate, Want, margin_of, price_of};
pub use shown::{CapView, cap_views};
pub use store::{
    Account, Books, Charge, Cost, Entry, EntryKind, PastPrice, Rent, Spend, Spent, accounts_of, adjust, caps_of,
    entries, entries_of_message, entries_of_month, find_entry, give_back, load_allowances, load_caps, load_for_update,
    load_prices, load_spent, post_costs, price_history, purge_spent, read, replace_caps, replace_prices, save,
    save_allowance, save_spent, settle, settle_rent, spend,
};

use crate::db::{self, Conn};
use crate::error::{Code, Error, Result};
use crate::ids::OrgId;
use crate::money::{Currency, Micros};
use crate::terms::Mode;

/// Test keys pay with test money; a test wallet opens with this much.
pub const TEST_OPENING: Micros = Micros(1_000_000_000_000);

/// What a wallet opens with.
fn opening(mode: Mode) -> Micros {
    match mode {
        Mode::Test => TEST_OPENING,
        Mode::Live => Micros::ZERO,
    }
}

/// Whether the ledger balances: its accounts are zero together, and every wallet has what its entries say and holds
/// what its messages hold. Reads whole tables; for the doctor and for tests.
pub fn check_books(conn: &mut Conn) -> Result<Books> {
    db::snapshot(conn, check_books_within)
}

/// The same in a transaction that is open and sees one snapshot.
pub fn check_books_within(conn: &mut Conn) -> Result<Books> {
    store::books(conn, opening)
}

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
        let balance = opening(mode);
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
        let (available, currency) = (self.available(), self.currency);
        let missing = price.amount.minus(available).filter(|_| price.currency == currency);
        let detail = match missing {
            Some(missing) => format!(
                "The wallet has {available} {currency} available and this costs {} {currency}: {missing} {currency} is \
                 missing. Top it up and send again.",
                price.amount
            ),
            None => format!(
                "The wallet has {available} {currency} available and this costs {} {}; top it up and send again.",
                price.amount, price.currency
            ),
        };
        Error::new(Code::InsufficientBalance).detail(detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    fn usd(micros: i64) -> Priced {
        Priced { amount: Micros(micros), currency: Currency::USD, charged_at: ChargedAt::HandOff }
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
        assert!(wallet.hold(Priced { currency: "EUR".parse().unwrap(), ..usd(1) }).is_err());
        assert_eq!(wallet.held, Micros(5));
    }

    proptest::proptest! {
        /// Whatever is held, settled, let go and paid in: nothing is below zero, and no hold is more than there is.
        #[test]
        fn a_wallet_is_never_below_its_holds(steps in proptest::collection::vec((0u8..4, 0i64..60), 0..80)) {
            let mut wallet = Wallet { balance: Micros(100), ..Wallet::fresh(OrgId::new(Millis(1)), Mode::Live) };
            let (mut open, mut paid_in, mut spent) = (Vec::new(), 100, 0);
            for (what, amount) in steps {
                match what {
                    0 => {
                        let fits = wallet.held.0 + amount <= wallet.balance.0;
                        proptest::prop_assert_eq!(wallet.hold(usd(amount)).is_ok(), fits || amount == 0);
                        open.extend(fits.then_some(amount));
                    }
                    1 => {
                        paid_in += amount;
                        wallet.balance = Micros(wallet.balance.0 + amount);
                    }
                    _ => {
                        let Some(held) = open.pop() else { continue };
                        wallet.held = Micros(wallet.held.0 - held);
                        if what == 2 {
                            wallet.balance = Micros(wallet.balance.0 - held);
                            spent += held;
                        }
                    }
                }
                proptest::prop_assert_eq!(wallet.held.0, open.iter().sum::<i64>());
                proptest::prop_assert_eq!(wallet.balance.0, paid_in - spent);
                proptest::prop_assert!(wallet.available().0 >= 0 && wallet.held.0 >= 0);
            }
        }
    }
}
