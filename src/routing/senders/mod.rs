//! Sender identities: who a message may come from, and whose an originator is.

mod pool;
pub mod rules;
mod store;

pub use pool::Pool;
pub use store::{Owner, delete, find, insert, list, load, of_address, owner_of};

use crate::clock::Millis;
use crate::ids::{OrgId, SenderId};
use crate::phone::Country;
use crate::terms::Channel;

/// An originator that was registered with us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its id.
    pub id: SenderId,
    /// Whose; `None` for one that all share.
    pub org_id: Option<OrgId>,
    /// On this channel.
    pub channel: Channel,
    /// E.164 with the plus, a short code, up to 11 letters and digits, or a mail address in lower case.
    pub address: String,
    /// Registered for this country only.
    pub country: Option<Country>,
    /// Known to this carrier only.
    pub carrier: Option<String>,
    /// Made.
    pub created_at: Millis,
}
