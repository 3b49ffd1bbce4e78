//! Money comes in: asked for by a key or by the wallet's own settings, paid by an operator's word or by a signed
//! payment webhook. One payment, one top-up, one entry of the ledger.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::store::{self, Topup};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{OrgId, TopupId};
use crate::money::{Currency, Micros, MoneyView};
use crate::terms::Mode;
use crate::wallet::{self, Entry, EntryKind};
use crate::webhooks::{self, EventType, NewEvent};

crate::text_enum! {
    /// Where a top-up stands.
    pub enum TopupStatus {
        /// It waits for its payment.
        Pending = "pending",
        /// The money is in the wallet.
        Paid = "paid",
        /// The payment failed.
        Failed = "failed",
    }
}

crate::text_enum! {
    /// Who asked for a top-up.
    pub enum Source as "TopupSource" {
        /// The organization, by a key.
        Key = "key",
        /// An operator.
        Operator = "operator",
        /// A payment that came by itself.
        Payment = "payment",
        /// The wallet's settings.
        Auto = "auto",
    }
}

/// Least of one top-up: a cent.
const LEAST: Micros = Micros(10_000);
/// Most of one top-up; a slip of the point is caught here.
const MOST: Micros = Micros(1_000_000_000_000);

/// A top-up as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TopupView {
    /// Its id: what a payment names.
    pub id: TopupId,
    /// Where it stands.
    pub status: TopupStatus,
    /// Who asked for it.
    pub source: Source,
    /// Live or test money.
    pub mode: Mode,
    /// How much.
    pub amount: MoneyView,
    /// The payment's own name.
    pub reference: Option<String>,
    /// The transaction, once paid.
    pub transaction_id: Option<crate::ids::EntryId>,
    /// Asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
}

impl From<&Topup> for TopupView {
    fn from(topup: &Topup) -> TopupView {
        TopupView {
            id: topup.id,
            status: topup.status,
            source: topup.source,
            mode: topup.mode,
            amount: MoneyView::new(topup.amount_micros, topup.currency),
            reference: topup.reference.clone(),
            transaction_id: topup.entry_id,
            created_at: topup.created_at,
            updated_at: topup.updated_at,
        }
    }
}

/// An amount as a request writes it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "100.00", "currency": "USD"}))]
pub struct NewTopup {
    /// From 0.01 to 1000000: a decimal text with at most six places.
    #[schema(example = "100.00", pattern = r"^[0-9]{1,7}(\.[0-9]{1,6})?$")]
    pub amount: String,
    /// ISO 4217; the wallet's own, which is USD where nothing was ever paid in.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
}

impl NewTopup {
    /// The amount and its currency, where one is named. Errors: `validation_failed`.
    pub fn read(&self) -> Result<(Micros, Option<Currency>)> {
        money(&self.amount, self.currency.as_deref())
    }
}

/// Reads an amount to pay in. Errors: `validation_failed`.
pub fn money(amount: &str, currency: Option<&str>) -> Result<(Micros, Option<Currency>)> {
    let wrong =
        || Error::field("amount", "must be a decimal text of at most six places from 0.01 to 1000000, e.g. 100.00");
    let amount = Micros::parse(amount).filter(|amount| (LEAST..=MOST).contains(amount)).ok_or_else(wrong)?;
    let currency =
        currency.map(str::parse).transpose().map_err(|fault| Error::field("currency", format!("{fault}")))?;
    Ok((amount, currency))
}

/// Asks for money to be paid in, in the wallet's currency where none is named. Test money is there at once. Error:
/// `validation_failed` where it is another than that of a wallet that has moved.
pub fn ask(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    (amount, currency): (Micros, Option<Currency>),
    source: Source,
    now: Millis,
) -> Result<Topup> {
    wallet::load_for_update(conn, &[owner], now)?;
    let own = wallet::read(conn, owner.0, owner.1)?.currency;
    let currency = currency.unwrap_or(own);
    if currency != own && !wallet::entries(conn, owner, None, None, 1)?.is_empty() {
        return Err(Error::field("currency", format!("must be {own}, the wallet's currency")));
    }
    let topup = fresh(owner, (amount, currency), source, now);
    store::insert_topup(conn, &topup)?;
    if owner.1 == Mode::Live { Ok(topup) } else { book(conn, topup, now) }
}

fn fresh(owner: (OrgId, Mode), (amount, currency): (Micros, Currency), source: Source, now: Millis) -> Topup {
    Topup {
        id: TopupId::new(now),
        org_id: owner.0,
        mode: owner.1,
        status: TopupStatus::Pending,
        source,
        amount_micros: amount,
        currency,
        reference: None,
        entry_id: None,
        created_at: now,
        updated_at: now,
    }
}

/// A payment that came in.
#[derive(Debug, Clone)]
pub struct Payment {
    /// The top-up it is for; none where it came by itself.
    pub topup: Option<TopupId>,
    /// Into this wallet.
    pub owner: (OrgId, Mode),
    /// How much.
    pub amount: Micros,
    /// In this currency; in that of the top-up, or of the wallet, where none is named.
    pub currency: Option<Currency>,
    /// The payment's own name.
    pub reference: String,
    /// Who says so.
    pub source: Source,
}

/// Books a payment, once: a repeat gives what the first gave. Errors: `not_found` where its top-up is nobody's,
/// `validation_failed` where it is not what was asked for, or was booked for something else.
pub fn pay(conn: &mut Conn, payment: &Payment, now: Millis) -> Result<Topup> {
    // The wallet's row first: two payments into one wallet take turns from here on.
    wallet::load_for_update(conn, &[payment.owner], now)?;
    if let Some(known) = store::topup_of(conn, &payment.reference)? {
        let same = (known.org_id, known.mode) == payment.owner
            && known.amount_micros == payment.amount
            && payment.currency.is_none_or(|currency| currency == known.currency)
            && payment.topup.is_none_or(|id| id == known.id);
        return if same { Ok(known) } else { Err(Error::field("reference", "was used by another payment")) };
    }
    let topup = match payment.topup {
        Some(id) => awaited(conn, id, payment)?,
        None => {
            let own = wallet::read(conn, payment.owner.0, payment.owner.1)?.currency;
            let money = (payment.amount, payment.currency.unwrap_or(own));
            let topup = fresh(payment.owner, money, payment.source, now);
            store::insert_topup(conn, &topup)?;
            topup
        }
    };
    book(conn, Topup { reference: Some(payment.reference.clone()), ..topup }, now)
}

fn awaited(conn: &mut Conn, id: TopupId, payment: &Payment) -> Result<Topup> {
    let found = store::find_topup(conn, id)?.filter(|topup| (topup.org_id, topup.mode) == payment.owner);
    let topup = found.ok_or_else(|| Error::new(Code::NotFound))?;
    let is_other = payment.currency.is_some_and(|currency| currency != topup.currency);
    if topup.amount_micros != payment.amount || is_other {
        let wanted = format!("must be {} {}, as was asked for", topup.amount_micros, topup.currency);
        return Err(Error::field("amount", wanted));
    }
    if topup.status == TopupStatus::Paid {
        return Err(Error::field("topup_id", "is paid already, by another payment"));
    }
    // One that had failed and is paid after all is paid.
    Ok(topup)
}

/// Puts the money into the wallet and says so.
fn book(conn: &mut Conn, topup: Topup, now: Millis) -> Result<Topup> {
    let owner = (topup.org_id, topup.mode);
    let entry = Entry::new(EntryKind::TopUp, owner, topup.amount_micros, topup.currency, now);
    let entry = entry.paid_by(topup.reference.clone());
    let wallet = wallet::adjust(conn, &entry, now)?;
    let topup = Topup { status: TopupStatus::Paid, entry_id: Some(entry.id), updated_at: now, ..topup };
    store::update_topup(conn, &topup)?;
    let data = || {
        json!({
            "topup_id": topup.id,
            "source": topup.source,
            "amount": MoneyView::new(topup.amount_micros, topup.currency),
            "available": MoneyView::new(wallet.available(), wallet.currency),
        })
    };
    webhooks::emit(conn, &[NewEvent { owner, kind: EventType::WalletToppedUp, data: Box::new(data) }], now)?;
    Ok(topup)
}

/// Books a top-up that waits, on an operator's word. Errors: `not_found`.
pub fn confirm(conn: &mut Conn, id: TopupId, now: Millis) -> Result<Topup> {
    let topup = store::find_topup(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    wallet::load_for_update(conn, &[(topup.org_id, topup.mode)], now)?;
    let topup = store::find_topup(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    if topup.status == TopupStatus::Paid { Ok(topup) } else { book(conn, topup, now) }
}

/// Marks a top-up as failed. Errors: `not_found`; `validation_failed` where it is paid.
pub fn close(conn: &mut Conn, id: TopupId, now: Millis) -> Result<Topup> {
    let topup = store::find_topup(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    wallet::load_for_update(conn, &[(topup.org_id, topup.mode)], now)?;
    let topup = store::find_topup(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    if topup.status == TopupStatus::Paid {
        return Err(Error::field("outcome", "cannot be failed: the money is in the wallet"));
    }
    let topup = Topup { status: TopupStatus::Failed, updated_at: now, ..topup };
    store::update_topup(conn, &topup)?;
    Ok(topup)
}

/// Top-ups of every organization, or of one, in one state or all of them, newest first; each with whose it is.
pub fn all_topups(
    conn: &mut Conn,
    org: Option<OrgId>,
    status: Option<TopupStatus>,
    before: Option<TopupId>,
    limit: i64,
) -> Result<Vec<(OrgId, TopupView)>> {
    let found = store::all_topups(conn, (org, status), before, limit)?;
    Ok(found.iter().map(|topup| (topup.org_id, TopupView::from(topup))).collect())
}

/// Top-ups of a wallet, newest first.
pub fn list_topups(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    before: Option<TopupId>,
    limit: i64,
) -> Result<Vec<TopupView>> {
    Ok(store::list_topups(conn, owner, before, limit)?.iter().map(TopupView::from).collect())
}
