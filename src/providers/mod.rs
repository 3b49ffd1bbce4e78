//! Carriers: who hands a message over, behind one small trait; an adapter is one file.

mod carrier;
pub mod circuit;
pub mod pick;

pub use carrier::{
    Carrier, CarrierLimits, Carriers, Hook, HookFault, HookReply, Outcome, Outgoing, Receipt, ReceiptState, Refusal,
    RefusalKind, Sending,
};
