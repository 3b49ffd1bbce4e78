//! Writing invoices. Everything an invoice shows is settled when it is written and kept as one document.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::accounts::load_org;
use crate::app::App;
use crate::billing::settings::{BillingProfile, load_profile};
use crate::billing::store::{self, InvoiceRow};
use crate::clock::Millis;
use crate::config::Billing;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{InvoiceId, OrgId};
use crate::money::{Currency, Micros, MoneyView};
use crate::terms::Mode;
use crate::wallet::{self, EntryKind, Month, Spend, date_of};
use crate::webhooks::{self, EventType, NewEvent};

/// One of the two sides of an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceParty {
    /// Its name.
    #[schema(example = "ACME Ltd")]
    pub name: String,
    /// The lines of its address.
    pub address: Vec<String>,
    /// Its tax number.
    pub tax_id: Option<String>,
}

/// A line of an invoice: messages of one channel to one country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceLine {
    /// The channel.
    #[schema(example = "sms")]
    pub channel: String,
    /// The country; absent where there is none (mail).
    pub country: Option<String>,
    /// Messages charged.
    pub messages: i64,
    /// Their billed parts.
    pub parts: i64,
    /// What they cost.
    pub amount: MoneyView,
}

/// How the wallet moved in the month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceStatement {
    /// At the month's beginning.
    pub opening: MoneyView,
    /// Paid in.
    pub topups: MoneyView,
    /// Given and taken by operators.
    pub adjustments: MoneyView,
    /// Charged for messages.
    pub charges: MoneyView,
    /// At the month's end.
    pub closing: MoneyView,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceView {
    /// Its id.
    pub id: InvoiceId,
    /// Its number, without gaps from the first on; those of test money have a row of their own.
    #[schema(example = "INV-000017")]
    pub number: String,
    /// Whose.
    pub org_id: OrgId,
    /// Live or test money; nobody pays test money.
    pub mode: Mode,
    /// For this month.
    #[schema(example = "2026-11")]
    pub month: String,
    /// Its first day.
    #[schema(format = Date)]
    pub period_start: String,
    /// Its last day.
    #[schema(format = Date)]
    pub period_end: String,
    /// Who writes it.
    pub issuer: InvoiceParty,
    /// To whom.
    pub customer: InvoiceParty,
    /// What was charged.
    pub lines: Vec<InvoiceLine>,
    /// The lines together.
    pub subtotal: MoneyView,
    /// Tax, in percent.
    #[schema(example = "20.00")]
    pub tax_percent: String,
    /// Tax on the subtotal, to the cent.
    pub tax: MoneyView,
    /// Both together.
    pub total: MoneyView,
    /// Already paid out of the prepaid balance.
    pub paid: MoneyView,
    /// What is left to be paid.
    pub due: MoneyView,
    /// How to pay.
    pub payment_terms: Vec<String>,
    /// How the wallet moved.
    pub statement: InvoiceStatement,
    /// Written.
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Millis,
    /// To be paid by.
    #[schema(format = Date)]
    pub due_on: String,
}

/// The invoice as it was written.
pub fn view_of(row: &InvoiceRow) -> Result<InvoiceView> {
    serde_json::from_str(&row.document).map_err(Error::internal)
}

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
        done.await?;
        written += 1;
    }
    Ok(written)
}

fn missing(conn: &mut Conn, month: Month) -> Result<Vec<(OrgId, Mode)>> {
    store::unbilled(conn, month)
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
    let currency = wallet.get(&owner).map_or(Currency::USD, |wallet| wallet.currency);
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
    let view = draft.view(&spend, statement, profile, terms);
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
    };
    store::insert_invoice(conn, &row)?;
    let data =
        || json!({"invoice_id": id, "number": view.number, "month": view.month, "total": view.total, "due": view.due});
    webhooks::emit(conn, &[NewEvent { owner, kind: EventType::InvoiceIssued, data: Box::new(data) }], now)?;
    Ok(view)
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
        spend: &[Spend],
        statement: InvoiceStatement,
        profile: BillingProfile,
        terms: &Billing,
    ) -> InvoiceView {
        let Draft { owner, month, currency, number, now } = self;
        let sums = Sums::of(spend, terms.tax);
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
            lines: lines(spend, currency),
            subtotal: money(sums.subtotal),
            tax_percent: format!("{}.{:02}", terms.tax / 100, terms.tax % 100),
            tax: money(sums.tax),
            total: money(sums.total),
            paid: money(sums.subtotal),
            due: money(sums.tax),
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
    subtotal: Micros,
    tax: Micros,
    total: Micros,
}

impl Sums {
    /// Of `spend` with a tax in hundredths of a percent, to the cent, half a cent up.
    fn of(spend: &[Spend], tax: u32) -> Sums {
        const CENT: i128 = 10_000;
        let subtotal: i128 = spend.iter().map(|line| i128::from(line.amount.0)).sum();
        let exact = subtotal.saturating_mul(i128::from(tax));
        let cents = exact.saturating_add(CENT * 10_000 / 2).div_euclid(CENT * 10_000);
        let micros = |sum: i128| Micros(i64::try_from(sum).unwrap_or(i64::MAX));
        let tax = cents.saturating_mul(CENT);
        Sums { subtotal: micros(subtotal), tax: micros(tax), total: micros(subtotal.saturating_add(tax)) }
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
            let Sums { subtotal, tax, total } = Sums::of(&amounts.iter().map(|a| line(*a)).collect::<Vec<_>>(), tax);
            (subtotal.0, tax.0, total.0)
        };
        assert_eq!(sums(&[], 2_000), (0, 0, 0));
        assert_eq!(sums(&[7_500, 7_500], 0), (15_000, 0, 15_000));
        assert_eq!(sums(&[1_000_000], 2_000), (1_000_000, 200_000, 1_200_000));
        assert_eq!(sums(&[25_000], 2_000), (25_000, 10_000, 35_000));
        assert_eq!(sums(&[24_999], 2_000), (24_999, 0, 24_999));
        assert_eq!(sums(&[i64::MAX, i64::MAX], 10_000).2, i64::MAX);
    }

    #[test]
    fn an_address_is_written_with_bars() {
        assert_eq!(split("1 Street | Town||"), ["1 Street", "Town"]);
    }
}
