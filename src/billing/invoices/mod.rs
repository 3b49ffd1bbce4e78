//! Invoices: one a month for each wallet that moved, made of the ledger, numbered without gaps, never changed.

mod issue;
mod mail;
mod pdf;
mod pen;
mod texts;
mod view;

pub use issue::{issue_due, issue_month};
pub use mail::mail_due;
pub use pdf::pdf;
pub use view::{InvoiceParty, InvoiceView, view_of};

use super::store::{self, InvoiceRow};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{InvoiceId, OrgId};
use crate::terms::Mode;

/// An organization's invoices, newest first.
pub fn invoices_of(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    before: Option<InvoiceId>,
    limit: i64,
) -> Result<Vec<InvoiceView>> {
    store::list_invoices(conn, owner, before, limit)?.iter().map(view_of).collect()
}

/// The invoice `id`, whoever's. Error: `not_found`.
pub fn any_invoice(conn: &mut Conn, id: InvoiceId) -> Result<InvoiceRow> {
    store::find_any_invoice(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))
}
