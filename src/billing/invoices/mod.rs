//! Invoices: one a month for each wallet that moved, made of the ledger, numbered without gaps, never changed.

mod issue;
mod mail;
mod pdf;
mod pen;

pub use issue::{InvoiceParty, InvoiceView, issue_due, issue_month, view_of};
pub use mail::mail_due;
pub use pdf::pdf;
