//! Writing invoices. Everything an invoice shows is settled when it is written and kept as one document.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::view::{InvoiceLine, InvoiceParty, InvoiceStatement, InvoiceView, view_of};
use crate::accounts::load_org;
use crate::app::App;
use crate::billing::fees::{self, InvoiceFee};
use crate::billing::settings::{BillingProfile, load_profile};
use crate::billing::store::{self, InvoiceRow};
use crate::clock::Millis;
use crate::config::Billing;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{InvoiceId, OrgId};
use crate::money::{Currency, Micros, MoneyView};
use crate::terms::Mode;
use crate::wallet::{self, EntryKind, Month, Spend, Wallet, date_of};
use crate::webhooks::{self, EventType, NewEvent};

/// Writes the invoices of the month before this one that are missing; how many. Cheap once they are written.
pub async fn issue_due(app: &App) -> Result<usize> {
    let month = Month::of(app.clock.now()).before();
    let owners = app.db.read(move |conn| missing(conn, month)).await?;
    let mut written = 0;
    for owner in owners {
        let (terms, clock) = (app.config.billing.clone(), app.clock.clone());
        let done = app.db.write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            issue_month(conn, owner, month, &terms, now)
        });
        // One that cannot be written does not keep the others from theirs.
        match done.await {
            Ok(_) => written += 1,
            Err(fault) => tracing::error!(org.id = %owner.0, %month, error = ?fault, "an invoice could not be written"),
        }
    }
    Ok(written)
}

/// Wallets that moved in the month, and organizations that owe a fee for it.
fn missing(conn: &mut Conn, month: Month) -> Result<BTreeSet<(OrgId, Mode)>> {
    let mut owners: BTreeSet<(OrgId, Mode)> = store::unbilled(conn, month)?.into_iter().collect();
    for org in store::fee_payers(conn, month)? {
        if !owners.contains(&(org, Mode::Live)) && !fees::owed(conn, org, month)?.is_empty() {
            owners.insert((org, Mode::Live));
        }
    }
    Ok(owners)
}

/// Writes the invoice of `owner` for `month`, or gives the one that is written. Error: 400 where the month is not over.
pub fn issue_month(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    month: Month,
    terms: &Billing,
    now: Millis,
) -> Result<InvoiceView> {
    if now < month.end() {
        return Err(Error::field("month", "is not over yet"));
    }
    // The wallet's row first, so that two nodes take turns.
    let wallet = wallet::load_for_update(conn, &[owner], now)?;
    if let Some(known) = store::invoice_for(conn, owner, month)? {
        return view_of(&known);
    }
    let owed = if owner.1 == Mode::Live { fees::owed(conn, owner.0, month)? } else { BTreeMap::new() };
    let currency = currency_of(conn, wallet.get(&owner), &owed)?;
    let fees = owed.get(&currency).cloned().unwrap_or_default();
    if let (true, Some(other)) = (fees.is_empty(), owed.keys().next()) {
        tracing::warn!(org.id = %owner.0, %month, "its plan has a fee in {other} and none in its wallet's {currency}");
    }
    let org = load_org(conn, owner.0)?;
    let profile = load_profile(conn, owner.0, &org.name)?;
    let mail_to = profile.email.clone().filter(|_| owner.1 == Mode::Live && terms.mail_carrier.is_some());
    let (name, prefix) = match owner.1 {
        Mode::Live => ("invoice", "INV"),
        Mode::Test => ("invoice.test", "TEST"),
    };
    let number = store::next_number(conn, name)?;
    let spend = wallet::spend(conn, owner, month.start(), month.end())?;
    let statement = statement(conn, owner, month, currency)?;
    let draft = Draft { owner, month, currency, number: format!("{prefix}-{number:06}"), now };
    let view = draft.view((&spend, fees), statement, profile, terms);
    let id = view.id;
    let row = InvoiceRow {
        id,
        org_id: owner.0,
        mode: owner.1,
        month: month.to_string(),
        number,
        document: serde_json::to_string(&view).map_err(Error::internal)?,
        mail_to,
        mailed_at: None,
        issued_at: now,
        mail_tries: 0,
        mail_at: now,
    };
    store::insert_invoice(conn, &row)?;
    let data =
        || json!({"invoice_id": id, "number": view.number, "month": view.month, "total": view.total, "due": view.due});
    webhooks::emit(conn, &[NewEvent { owner, kind: EventType::InvoiceIssued, data: Box::new(data) }], now)?;
    Ok(view)
}

/// An invoice is in the wallet's currency; where nothing ever moved, in that of the plan's fee.
fn currency_of(
    conn: &mut Conn,
    wallet: Option<&Wallet>,
    owed: &BTreeMap<Currency, Vec<InvoiceFee>>,
) -> Result<Currency> {
    let known = wallet.map_or(Currency::USD, |wallet| wallet.currency);
    let other = owed.keys().next().copied().filter(|_| !owed.contains_key(&known));
    let Some((other, wallet)) = other.zip(wallet) else { return Ok(known) };
    let owner = (wallet.org_id, wallet.mode);
    Ok(if wallet::entries(conn, owner, None, None, 1)?.is_empty() { other } else { known })
}

/// What is settled of an invoice before its sums.
struct Draft {
    owner: (OrgId, Mode),
    month: Month,
    currency: Currency,
    number: String,
    now: Millis,
}

impl Draft {
    fn view(
        self,
        (spend, fees): (&[Spend], Vec<InvoiceFee>),
        statement: InvoiceStatement,
        profile: BillingProfile,
        terms: &Billing,
    ) -> InvoiceView {
        let Draft { owner, month, currency, number, now } = self;
        let sums = Sums::of(spend, &fees, terms.tax);
        let money = |amount| MoneyView::new(amount, currency);
        let lines_of = |text: &Option<String>| text.as_deref().map(split).unwrap_or_default();
        InvoiceView {
            id: InvoiceId::new(now),
            number,
            org_id: owner.0,
            mode: owner.1,
            month: month.to_string(),
            period_start: date_of(month.start()),
            period_end: date_of(month.end().minus(Duration::from_millis(1))),
            issuer: InvoiceParty {
                name: terms.issuer.clone(),
                address: lines_of(&terms.issuer_address),
                tax_id: terms.issuer_tax_id.clone(),
            },
            customer: InvoiceParty { name: profile.name, address: profile.address, tax_id: profile.tax_id },
            fees,
            lines: lines(spend, currency),
            subtotal: money(sums.subtotal),
            tax_percent: format!("{}.{:02}", terms.tax / 100, terms.tax % 100),
            tax: money(sums.tax),
            total: money(sums.total),
            paid: money(sums.usage),
            due: money(sums.due),
            payment_terms: lines_of(&terms.payment_terms),
            statement,
            issued_at: now,
            due_on: date_of(now.plus(Duration::from_secs(u64::from(terms.due_days) * 86_400))),
        }
    }
}

fn split(text: &str) -> Vec<String> {
    text.split('|').map(|line| String::from(line.trim())).filter(|line| !line.is_empty()).collect()
}

/// An invoice's sums.
#[derive(Debug, PartialEq, Eq)]
struct Sums {
    usage: Micros,
    subtotal: Micros,
    tax: Micros,
    total: Micros,
    due: Micros,
}

impl Sums {
    /// Of `spend`, which is paid already, and `fees`, which are not, with a tax in hundredths of a percent, to the cent,
    /// half a cent up.
    fn of(spend: &[Spend], fees: &[InvoiceFee], tax: u32) -> Sums {
        const CENT: i128 = 10_000;
        let usage: i128 = spend.iter().map(|line| i128::from(line.amount.0)).sum();
        let fee = |fee: &InvoiceFee| Micros::parse(&fee.amount.amount).map_or(0, |amount| i128::from(amount.0));
        let fees: i128 = fees.iter().map(fee).sum();
        let subtotal = usage.saturating_add(fees);
        let exact = subtotal.saturating_mul(i128::from(tax));
        let cents = exact.saturating_add(CENT * 10_000 / 2).div_euclid(CENT * 10_000);
        let micros = |sum: i128| Micros(i64::try_from(sum).unwrap_or(i64::MAX));
        let tax = cents.saturating_mul(CENT);
        Sums {
            usage: micros(usage),
            subtotal: micros(subtotal),
            tax: micros(tax),
            total: micros(subtotal.saturating_add(tax)),
            due: micros(fees.saturating_add(tax)),
        }
    }
}

/// By channel and country, the dearest first.
fn lines(spend: &[Spend], currency: Currency) -> Vec<InvoiceLine> {
    let mut sums: BTreeMap<(String, Option<String>), (i64, i64, i64)> = BTreeMap::new();
    for line in spend {
        let channel = line.channel.map(|channel| channel.to_string()).unwrap_or_else(|| String::from("other"));
        let key = (channel, line.country.map(|country| country.to_string()));
        let (messages, parts, amount) = sums.entry(key).or_default();
        *messages = messages.saturating_add(line.messages);
        *parts = parts.saturating_add(line.parts);
        *amount = amount.saturating_add(line.amount.0);
    }
    let mut list: Vec<_> = sums.into_iter().collect();
    list.sort_by_key(|(_, (_, _, amount))| std::cmp::Reverse(*amount));
    let line = |((channel, country), (messages, parts, amount))| InvoiceLine {
        channel,
        country,
        messages,
        parts,
        amount: MoneyView::new(Micros(amount), currency),
    };
    list.into_iter().map(line).collect()
}

fn statement(conn: &mut Conn, owner: (OrgId, Mode), month: Month, currency: Currency) -> Result<InvoiceStatement> {
    let fresh = wallet::Wallet::fresh(owner.0, owner.1).balance;
    let sum = |list: Vec<(EntryKind, Currency, Micros)>, kind: Option<EntryKind>| {
        let fitting = list.into_iter().filter(|(of, ..)| kind.is_none_or(|kind| kind == *of));
        fitting.fold(0i64, |sum, (_, _, amount)| sum.saturating_add(amount.0))
    };
    let before = wallet::entries_of_month(conn, owner, Millis(0), month.start())?;
    let during = wallet::entries_of_month(conn, owner, month.start(), month.end())?;
    let opening = fresh.0.saturating_add(sum(before, None));
    let closing = opening.saturating_add(sum(during.clone(), None));
    let of = |kind| MoneyView::new(Micros(sum(during.clone(), Some(kind))), currency);
    Ok(InvoiceStatement {
        opening: MoneyView::new(Micros(opening), currency),
        topups: of(EntryKind::TopUp),
        adjustments: of(EntryKind::Adjustment),
        charges: of(EntryKind::Settle),
        closing: MoneyView::new(Micros(closing), currency),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_is_to_the_cent_and_the_sums_add_up() {
        let line = |amount| Spend {
            day: 0,
            key_id: None,
            channel: None,
            country: None,
            currency: Currency::USD,
            messages: 1,
            parts: 1,
            amount: Micros(amount),
        };
        let sums = |amounts: &[i64], tax| {
            let sums = Sums::of(&amounts.iter().map(|a| line(*a)).collect::<Vec<_>>(), &[], tax);
            assert_eq!((sums.usage, sums.due), (sums.subtotal, sums.tax));
            (sums.subtotal.0, sums.tax.0, sums.total.0)
        };
        assert_eq!(sums(&[], 2_000), (0, 0, 0));
        assert_eq!(sums(&[7_500, 7_500], 0), (15_000, 0, 15_000));
        assert_eq!(sums(&[1_000_000], 2_000), (1_000_000, 200_000, 1_200_000));
        assert_eq!(sums(&[25_000], 2_000), (25_000, 10_000, 35_000));
        assert_eq!(sums(&[24_999], 2_000), (24_999, 0, 24_999));
        assert_eq!(sums(&[i64::MAX, i64::MAX], 10_000).2, i64::MAX);
        let fee = InvoiceFee {
            plan: crate::accounts::PlanName::Pro,
            from: String::from("2026-11-01"),
            to: String::from("2026-11-30"),
            days: 30,
            of_days: 30,
            amount: MoneyView::new(Micros(49_000_000), Currency::USD),
        };
        let Sums { usage, subtotal, tax, total, due } = Sums::of(&[line(1_005_000)], &[fee], 2_000);
        assert_eq!((usage.0, subtotal.0, tax.0), (1_005_000, 50_005_000, 10_000_000));
        assert_eq!((total.0, due.0), (60_005_000, 59_000_000));
    }

    #[test]
    fn an_address_is_written_with_bars() {
        assert_eq!(split("1 Street | Town||"), ["1 Street", "Town"]);
    }
}
