//! Billing: what organizations see of their money, how it comes in, and the invoices.

mod http;
mod invoices;
mod report;
mod settings;
mod store;
mod topups;
mod watch;

pub use http::{BillingDocs, configure, configure_hooks};
pub use invoices::{InvoiceParty, InvoiceView, issue_due, issue_month, mail_due};
pub use report::{SpendReport, report};
pub use settings::{BillingProfile, load_profile, save_profile};
pub use topups::{Payment, Source, TopupStatus, TopupView, close, confirm, list_topups, money, pay};
pub use watch::watch;
