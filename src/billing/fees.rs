//! What plans cost a month, and what of it an organization owes.
//!
//! The rule: each day (UTC) of a month costs the fee of the plan that the organization was on when the day ended, divided
//! by the month's days; a stretch of days on one plan is one line of the invoice, to the cent, half a cent up. A canceled
//! subscription owes nothing; one that is past due, and an organization that is suspended, do. A change of a fee acts from
//! the next month on, so that nobody pays for what was not announced. A fee is owed in the invoice's currency, which is
//! the wallet's: a plan without a fee in it is free there.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::{self, FeeRow};
use crate::accounts::{PlanName, plans_of};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::OrgId;
use crate::money::{Currency, Micros, MoneyView};
use crate::wallet::{Month, date_of};

const DAY: Duration = Duration::from_secs(86_400);
const CENT: i128 = 10_000;
/// Most of one fee; a slip of the point is caught here.
const MOST: Micros = Micros(1_000_000_000_000);

/// What a plan costs a month, in one currency.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "49.00", "currency": "USD"}))]
pub struct NewFee {
    /// A decimal text with at most six places, up to 1000000.
    #[schema(example = "49.00", pattern = r"^[0-9]{1,7}(\.[0-9]{1,6})?$")]
    pub amount: String,
    /// ISO 4217: for organizations whose wallets are in it.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// What a plan costs a month from some month on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeeView {
    /// How much.
    pub amount: MoneyView,
    /// From this day (UTC) on, always the first of a month.
    #[schema(format = Date)]
    pub from: String,
}

/// The fees of a plan: those that were, the one in force and the one to come, by currency and time.
pub fn plan_fees(conn: &mut Conn, plan: PlanName) -> Result<Vec<FeeView>> {
    let view =
        |row: FeeRow| FeeView { amount: MoneyView::new(row.amount_micros, row.currency), from: date_of(row.since) };
    Ok(store::fees_of(conn, plan)?.into_iter().map(view).collect())
}

/// Sets what a plan costs from the next month on; in currencies that are left out it is free from then on. Errors:
/// `validation_failed`.
pub fn set_plan_fees(conn: &mut Conn, plan: PlanName, fees: &[NewFee], now: Millis) -> Result<Vec<FeeView>> {
    let since = Month::of(now).end();
    let mut wanted = BTreeMap::new();
    for (index, fee) in fees.iter().enumerate() {
        let at = |member: &str| format!("fees[{index}].{member}");
        let amount = Micros::parse(&fee.amount).filter(|amount| (Micros::ZERO..=MOST).contains(amount));
        let amount = amount.ok_or_else(|| {
            Error::field(at("amount"), "must be a decimal text of at most six places from 0 to 1000000, e.g. 49.00")
        })?;
        let currency: Currency =
            fee.currency.parse().map_err(|fault| Error::field(at("currency"), format!("{fault}")))?;
        if wanted.insert(currency, amount).is_some() {
            return Err(Error::field(at("currency"), "is there twice: a plan has one fee in each currency"));
        }
    }
    for row in store::fees_of(conn, plan)?.into_iter().filter(|row| row.since < since) {
        wanted.entry(row.currency).or_insert(Micros::ZERO);
    }
    let row = |(currency, amount_micros)| FeeRow { plan, currency, since, amount_micros };
    store::put_fees(conn, plan, since, wanted.into_iter().map(row).collect())?;
    plan_fees(conn, plan)
}

/// A plan's fee for some days of a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceFee {
    /// The plan.
    pub plan: PlanName,
    /// The first day.
    #[schema(format = Date)]
    pub from: String,
    /// The last day.
    #[schema(format = Date)]
    pub to: String,
    /// How many days that are.
    pub days: u32,
    /// Of how many that the month has.
    pub of_days: u32,
    /// The fee for them.
    pub amount: MoneyView,
}

/// What an organization owes for `month` in each currency that its plans have a fee in.
pub fn owed(conn: &mut Conn, org: OrgId, month: Month) -> Result<BTreeMap<Currency, Vec<InvoiceFee>>> {
    let fees = store::fees_at(conn, month.start())?;
    if fees.is_empty() {
        return Ok(BTreeMap::new());
    }
    let spans = plans_of(conn, org, month.end())?;
    let of = |(currency, plans)| (currency, charged(&spans, month, (&plans, currency)));
    Ok(fees.into_iter().map(of).filter(|(_, lines)| !lines.is_empty()).collect())
}

/// Days in a row on one plan.
struct Stretch {
    plan: PlanName,
    first: Millis,
    last: Millis,
    days: u32,
}

fn charged(
    spans: &[(Millis, Option<PlanName>)],
    month: Month,
    (fees, currency): (&BTreeMap<PlanName, Micros>, Currency),
) -> Vec<InvoiceFee> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let (mut day, mut of_days, mut on_before) = (month.start(), 0u32, None);
    while day < month.end() {
        let next = day.plus(DAY);
        let plan = spans.iter().take_while(|(since, _)| *since < next).last().and_then(|(_, plan)| *plan);
        match (plan, stretches.last_mut().filter(|_| plan == on_before)) {
            (Some(_), Some(known)) => (known.last, known.days) = (day, known.days + 1),
            (Some(plan), None) => stretches.push(Stretch { plan, first: day, last: day, days: 1 }),
            (None, _) => {}
        }
        (day, of_days, on_before) = (next, of_days + 1, plan);
    }
    let line = |stretch: Stretch| {
        let amount = part(*fees.get(&stretch.plan)?, stretch.days, of_days);
        (amount > Micros::ZERO).then(|| InvoiceFee {
            plan: stretch.plan,
            from: date_of(stretch.first),
            to: date_of(stretch.last),
            days: stretch.days,
            of_days,
            amount: MoneyView::new(amount, currency),
        })
    };
    stretches.into_iter().filter_map(line).collect()
}

/// `days` of `of_days` of a fee: all of it as it is, a part to the cent, half a cent up.
fn part(fee: Micros, days: u32, of_days: u32) -> Micros {
    if days == of_days {
        return fee;
    }
    let whole = CENT.saturating_mul(i128::from(of_days).max(1));
    let exact = i128::from(fee.0).saturating_mul(i128::from(days));
    let cents = exact.saturating_add(whole / 2).div_euclid(whole);
    Micros(i64::try_from(cents.saturating_mul(CENT)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        Millis::parse_rfc3339(text).unwrap()
    }

    fn lines(spans: &[(&str, Option<PlanName>)]) -> Vec<(PlanName, String, String, u32, String)> {
        let spans: Vec<_> = spans.iter().map(|(text, plan)| (at(text), *plan)).collect();
        let fees = [(PlanName::Pro, Micros(30_000_000)), (PlanName::Enterprise, Micros(100_000_000))].into();
        let list = charged(&spans, "2026-11".parse().unwrap(), (&fees, Currency::USD));
        assert!(list.iter().all(|fee| fee.of_days == 30));
        list.into_iter().map(|fee| (fee.plan, fee.from, fee.to, fee.days, fee.amount.amount)).collect()
    }

    fn line(plan: PlanName, from: u32, to: u32, amount: &str) -> (PlanName, String, String, u32, String) {
        let date = |day: u32| format!("2026-11-{day:02}");
        (plan, date(from), date(to), to + 1 - from, amount.to_owned())
    }

    #[test]
    fn a_day_costs_the_plan_that_it_ended_on() {
        use PlanName::{Enterprise, Free, Pro};
        assert_eq!(lines(&[("2026-01-05T10:00:00Z", Some(Pro))]), [line(Pro, 1, 30, "30.00")]);
        assert_eq!(lines(&[("2026-11-30T23:59:59.999Z", Some(Pro))]), [line(Pro, 30, 30, "1.00")]);
        assert_eq!(lines(&[("2026-12-01T00:00:00Z", Some(Pro))]), []);
        assert_eq!(lines(&[("2026-01-05T10:00:00Z", Some(Free))]), []);
        // From the 11th on another plan; one that came and went on the 20th costs nothing.
        let changed = [
            ("2026-10-01T00:00:00Z", Some(Pro)),
            ("2026-11-11T12:00:00Z", Some(Enterprise)),
            ("2026-11-20T08:00:00Z", Some(Free)),
            ("2026-11-20T09:00:00Z", Some(Enterprise)),
        ];
        assert_eq!(lines(&changed), [line(Pro, 1, 10, "10.00"), line(Enterprise, 11, 30, "66.67")]);
        // Canceled from the 4th on and taken up again on the 28th.
        let gap =
            [("2026-10-01T00:00:00Z", Some(Pro)), ("2026-11-04T00:00:00Z", None), ("2026-11-28T00:00:00Z", Some(Pro))];
        assert_eq!(lines(&gap), [line(Pro, 1, 3, "3.00"), line(Pro, 28, 30, "3.00")]);
    }

    proptest::proptest! {
        /// However often the plan changes, the parts are within half a cent a line of what the days cost, and never more
        /// days than the month has.
        #[test]
        fn parts_add_up(changes in proptest::collection::vec((1i64..720, 0usize..4), 0..12), fee in 1i64..500_000_000) {
            let start = at("2026-11-01T00:00:00Z");
            let plans = [None, Some(PlanName::Free), Some(PlanName::Pro), Some(PlanName::Enterprise)];
            let mut spans = vec![(Millis(0), Some(PlanName::Pro))];
            let mut sorted = changes;
            sorted.sort();
            spans.extend(sorted.into_iter().map(|(hour, which)| (Millis(start.0 + hour * 3_600_000), plans[which])));
            let fees = [(PlanName::Pro, Micros(fee)), (PlanName::Enterprise, Micros(fee))].into();
            let list = charged(&spans, "2026-11".parse().unwrap(), (&fees, Currency::USD));
            let days: i64 = list.iter().map(|line| i64::from(line.days)).sum();
            let sum: i64 = list.iter().map(|line| Micros::parse(&line.amount.amount).unwrap().0).sum();
            proptest::prop_assert!(days <= 30);
            let off = (sum * 30 - fee * days).abs();
            proptest::prop_assert!(off <= 5_000 * 30 * list.len() as i64, "{off}");
        }
    }
}
