//! Broadcasts: one message to many contacts. Contacts wait in rows of their own and are fed to the messages in steps, at
//! the pace that plan, tier and queue allow; a limit makes them wait, it never makes them fail.

mod act;
mod contacts;
mod http;
mod pace;
mod ruling;
mod state;
mod step;
mod store;
mod told;
mod upload;
mod view;
mod words;

pub use act::{Halt, halt};
pub use http::{BroadcastDocs, configure};
pub use state::Status;
pub use step::run_steps;
pub use store::{purge_broadcast_texts, purge_broadcasts};
