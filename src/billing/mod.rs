//! Billing: what organizations see of their money, how it comes in, and the invoices.

mod fees;
mod http;
mod invoices;
mod report;
mod settings;
mod store;
mod topups;
mod watch;

pub use fees::{FeeView, InvoiceFee, NewFee, plan_fees, set_plan_fees};
pub use http::{BillingDocs, TransactionView, configure, configure_hooks, invoice_answer};
pub use invoices::{InvoiceParty, InvoiceView, any_invoice, invoices_of, issue_due, issue_month, mail_due};
pub use report::{SpendReport, report};
pub use settings::{BillingProfile, load_profile, save_profile};
pub use topups::{Payment, Source, TopupStatus, TopupView, all_topups, close, confirm, list_topups, money, pay};
pub use watch::watch;
