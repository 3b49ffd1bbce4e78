//! What people send to us: messages to our originators, kept; and their word that they want no messages, or want them
//! again. Codes are not messages in that sense: whoever asks for one gets it.

mod chats;
mod http;
mod keyword;
mod opt_outs;
mod store;
mod take;
mod told;
mod view;

pub use chats::Written;
pub use http::{InboundDocs, configure};
pub use opt_outs::{Consents, Whom, opted_out};
pub use store::erased_consents;
pub use store::{latest_chats, purge_inbound, purge_inbound_texts};
pub use take::{From, OtherNames, take_inbound};
pub use view::{UnownedView, list_unowned};
