//! What the WhatsApp room asks of inbound messages: who wrote last, to which number, when.

use crate::clock::Millis;
use crate::ids::OrgId;
use crate::terms::Mode;

/// The latest message of somebody to one of our numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Whose number.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// Who wrote: a number in E.164, or the channel's own id of them.
    pub sender: String,
    /// The number that was written to.
    pub recipient: String,
    /// When it was sent.
    pub at: Millis,
}
