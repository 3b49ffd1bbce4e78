//! What customers were charged today, and how full their caps are. The ledger is append-only: what was summed up stays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::store;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;
use crate::money::{Currency, Micros};
use crate::terms::Mode;
use crate::wallet::{self, CapKey, CapScope, CapWindow};

/// An entry is committed within this time of getting its id.
const SETTLED: Duration = Duration::from_secs(30);
const DAY_MS: i64 = 86_400_000;
/// Caps that are looked at.
const CAPS_MAX: usize = 200;

/// What was charged since midnight (UTC), up to a moment.
#[derive(Debug, Clone, Default)]
pub struct Today {
    day: i64,
    until: Millis,
    sums: BTreeMap<Currency, Micros>,
}

impl Today {
    /// What was charged today, by currency, at `now`: only what is new is read.
    pub fn charged(&mut self, conn: &mut Conn, mode: Mode, now: Millis) -> Result<BTreeMap<Currency, Micros>> {
        let day = now.0.div_euclid(DAY_MS);
        let midnight = Millis(day.saturating_mul(DAY_MS));
        if day != self.day || self.until > now {
            *self = Today { day, until: midnight, sums: BTreeMap::new() };
        }
        let settled = now.minus(SETTLED).max(self.until);
        let sums = add(self.sums.clone(), &store::charged(conn, (self.until, settled), mode)?);
        (self.until, self.sums) = (settled, sums.clone());
        // An id of this very millisecond counts too.
        Ok(add(sums, &store::charged(conn, (settled, Millis(now.0 + 1)), mode)?))
    }
}

fn add(mut sums: BTreeMap<Currency, Micros>, rows: &[store::Charged]) -> BTreeMap<Currency, Micros> {
    for row in rows {
        let sum = sums.entry(row.currency).or_insert(Micros::ZERO);
        *sum = Micros(sum.0.saturating_add(row.micros.0));
    }
    sums
}

/// A daily cap of a whole organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// Whose.
    pub org_id: OrgId,
    /// What may be spent in a day.
    pub limit: Micros,
    /// What was spent in the day that ends now, holds included.
    pub spent: Micros,
    /// In this currency.
    pub currency: Currency,
}

/// The daily caps of organizations, the fullest first.
pub fn daily_caps(conn: &mut Conn, mode: Mode, now: Millis) -> Result<Vec<Full>> {
    let of_a_day = |(org, caps): (OrgId, Vec<wallet::Cap>)| {
        let mut caps = caps.into_iter();
        caps.find(|cap| cap.scope == CapScope::Org && cap.window == CapWindow::Day).map(|cap| (org, cap))
    };
    let caps: Vec<_> = wallet::load_caps(conn)?.into_iter().filter_map(of_a_day).take(CAPS_MAX).collect();
    let key = |org| CapKey { org_id: org, mode, scope: CapScope::Org, value: String::new(), window: CapWindow::Day };
    let keys: BTreeSet<CapKey> = caps.iter().map(|(org, _)| key(*org)).collect();
    let spent = wallet::load_spent(conn, &keys, false, now)?;
    let mut full: Vec<Full> = caps
        .into_iter()
        .map(|(org_id, cap)| Full {
            org_id,
            limit: cap.amount,
            spent: spent.get(&key(org_id)).map_or(Micros::ZERO, |spent| spent.log.spent()),
            currency: cap.currency,
        })
        .collect();
    full.sort_by_key(|one| std::cmp::Reverse(i128::from(one.spent.0) * 1_000_000 / i128::from(one.limit.0.max(1))));
    Ok(full)
}
