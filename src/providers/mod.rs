//! Carriers: who hands a message over, behind one small trait; an adapter is one file or folder.
//!
//! Reading order: `carrier` (the contract), `report` (what carriers tell), `number_report` (what is told of our numbers), `reports` (what links tell), `template` (texts that carriers review), `http_api` (what HTTP adapters share), the adapters, `wire` (builds them), `probe` (looks whether they let us in), then `pick`, `circuit` and `pace` (which one, and when).

mod carrier;
mod number_report;
mod report;
mod reports;
mod template;
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
mod probe;
pub mod circuit;
pub mod pace;
pub mod pick;

pub use carrier::{
    Carrier, CarrierLimits, Carriers, Cause, Hook, HookFault, HookKind, HookReply, Linking, Outcome, Outgoing, Refusal,
    RefusalKind, Sending,
};
pub use email::post_mail;
pub use number_report::{AccountFate, NumberEvent, NumberReport, ToldLimit};
pub use probe::{Probe, Probing, probe_carriers};
pub use report::{Inbound, OtherForms, Receipt, ReceiptState, Report, Trust};
pub use reports::{ReportDesk, Told};
pub use template::{
    ButtonKind, CodeButton, Reviewed, Reviewing, SignedApp, TemplateCall, TemplateCategory, TemplateForm, TemplateNews,
    TemplateReport, TemplateState,
};
pub use wire::carriers;
