//! What an invoice shows, and is kept as.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::billing::fees::InvoiceFee;
use crate::billing::store::InvoiceRow;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::ids::{InvoiceId, OrgId};
use crate::money::MoneyView;
use crate::terms::Mode;

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
    /// What the organization's plans cost.
    #[serde(default)]
    pub fees: Vec<InvoiceFee>,
    /// What was charged for messages.
    pub lines: Vec<InvoiceLine>,
    /// Fees and lines together.
    pub subtotal: MoneyView,
    /// Tax, in percent.
    #[schema(example = "20.00")]
    pub tax_percent: String,
    /// Tax on the subtotal, to the cent.
    pub tax: MoneyView,
    /// Both together.
    pub total: MoneyView,
    /// Already paid out of the prepaid balance: what messages cost.
    pub paid: MoneyView,
    /// What is left to be paid: the fees and the tax.
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
