//! The gates of money: the caps on what may be spent, then the wallet. Pure; all of them or none.

use super::accept::Prepared;
use super::gate_state::State;
use super::gates::Denied;
use crate::accounts::Caller;
use crate::clock::Millis;
use crate::error::{Code, Error};
use crate::fraud::Reason;
use crate::money::{Currency, Micros};
use crate::wallet::{Cap, CapKey};

/// A cap that a message counts under, and what it counts under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capped {
    /// What is counted together.
    pub key: CapKey,
    /// What may be spent.
    pub cap: Cap,
}

/// Much of a cap is spent: somebody should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapAlert {
    /// Which.
    pub key: CapKey,
    /// 50, 80 or 100 percent.
    pub percent: i16,
    /// Spent so far.
    pub spent: Micros,
    /// The cap.
    pub amount: Micros,
    /// Of both.
    pub currency: Currency,
}

/// Pays for `item`: every cap has room for it and the wallet has it, or nothing is taken.
pub fn pay(state: &mut State, caller: &Caller, item: &Prepared, now: Millis) -> Result<(), Box<Denied>> {
    let used = state.allowances.get(&caller.org_id()).map(|kept| kept.value);
    if let Some((most, _)) = item.allowance.zip(used).filter(|(most, used)| used >= most) {
        return Err(exhausted(most));
    }
    hold(state, caller, item, now)?;
    if item.allowance.is_some()
        && let Some(kept) = state.allowances.get_mut(&caller.org_id())
    {
        *kept.change() += 1;
    }
    Ok(())
}

fn exhausted(most: i64) -> Box<Denied> {
    let detail = format!(
        "The free plan's {most} messages of this month are used up; move to a paid plan, or wait for the next month."
    );
    let error = Error::new(Code::FreePlanExhausted).detail(detail);
    let why = Reason::enforced("plan.allowance", error.sentence());
    Denied::plain(error, vec![why])
}

fn hold(state: &mut State, caller: &Caller, item: &Prepared, now: Millis) -> Result<(), Box<Denied>> {
    if item.price.amount == Micros::ZERO {
        return Ok(());
    }
    let full = caps_of(item).find(|capped| {
        state.spent.get(&capped.key).is_some_and(|kept| !kept.value.log.fits(&capped.cap, item.price.amount))
    });
    if let Some(capped) = full {
        return Err(over(state, capped, item));
    }
    if let Some(wallet) = state.wallets.get_mut(&(caller.org_id(), caller.mode())) {
        if let Err(error) = wallet.value.hold(item.price) {
            let why = Reason::enforced("wallet.balance", error.sentence());
            return Err(Denied::plain(error, vec![why]));
        }
        wallet.changed = true;
    }
    for capped in caps_of(item) {
        let Some(kept) = state.spent.get_mut(&capped.key) else { continue };
        let spent = kept.change();
        spent.log.turn_to(now);
        spent.log.add(item.price.amount);
        let sum = spent.log.spent();
        let level = capped.cap.alert_level(sum, item.price.amount);
        if level > spent.told {
            let (key, amount, currency) = (capped.key.clone(), capped.cap.amount, capped.cap.currency);
            state.alerts.push(CapAlert { key, percent: level, spent: sum, amount, currency });
        }
        // An alert is given again once the window has emptied to less than half.
        spent.told = if level == 0 { 0 } else { spent.told.max(level) };
    }
    Ok(())
}

/// The caps of `item` that are in its price's currency; with another the wallet refuses it anyway.
fn caps_of(item: &Prepared) -> impl Iterator<Item = &Capped> {
    item.caps.iter().filter(|capped| capped.cap.currency == item.price.currency)
}

fn over(state: &State, capped: &Capped, item: &Prepared) -> Box<Denied> {
    let (cap, price) = (&capped.cap, item.price.amount);
    let log = state.spent.get(&capped.key).map(|kept| &kept.value.log);
    let spent = log.map_or(Micros::ZERO, |log| log.spent());
    let until = log.and_then(|log| log.opens_at(cap, price));
    let whose = match capped.key.value.as_str() {
        "" => String::new(),
        value => format!(" for {value}"),
    };
    let (window, currency) = (cap.window, cap.currency);
    let detail = format!(
        "The {} cap{whose} is {} {currency} in {window}; {spent} is spent and this costs {price}. {}",
        cap.scope,
        cap.amount,
        until.map_or_else(
            || String::from("It would never fit."),
            |at| format!("It fits from {} on, or ask an operator to raise the cap.", at.rfc3339())
        )
    );
    let why = Reason {
        window_s: Some(window.length().as_secs()),
        until,
        ..Reason::enforced(&format!("spend.{}", cap.scope), format!("{spent} of {} {currency}{whose}", cap.amount))
    };
    let error = Error::new(Code::SpendCapReached).detail(detail);
    Denied::plain(error, vec![why])
}
