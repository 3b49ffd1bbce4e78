//! Carriers: who hands a message over, behind one small trait; an adapter is one file or folder.
//!
//! Reading order: `carrier` (the contract), `reports` (what links tell), `http_api` (what HTTP adapters share), the adapters, `wire` (builds them), then `pick`, `circuit` and `pace` (which one, and when).

mod carrier;
mod reports;
mod wording;
mod form;
mod outgoing_http;
mod http_api;
mod twilio;
mod generic_http;
mod vonage;
mod infobip;
mod plivo;
mod bird;
mod sns;
mod kannel;
mod meta;
mod email;
mod smpp;
pub mod sandbox;
mod wire;
pub mod circuit;
pub mod pace;
pub mod pick;

pub use carrier::{
    Carrier, CarrierLimits, Carriers, Hook, HookFault, HookKind, HookReply, Inbound, Linking, Outcome, Outgoing,
    Receipt, ReceiptState, Refusal, RefusalKind, Report, Sending,
};
pub use email::post_mail;
pub use reports::{ReportDesk, Told};
pub use wire::carriers;
