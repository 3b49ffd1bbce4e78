//! Who wants no messages: asked before a message is accepted, and again before it is handed over.

use std::collections::BTreeSet;

use super::store;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OrgId;
use crate::terms::{Channel, Mode};

/// Whom a message of an organization would go to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whom {
    /// Who sends.
    pub org_id: OrgId,
    /// In which world.
    pub mode: Mode,
    /// By which channel: who stopped the texts may still want the mails.
    pub channel: Channel,
    /// The number in E.164, or the mail address.
    pub recipient: String,
}

/// Those among a number of recipients who have opted out.
#[derive(Debug, Clone, Default)]
pub struct Consents {
    own: BTreeSet<Whom>,
    everybody: BTreeSet<(Mode, Channel, String)>,
}

impl Consents {
    /// Whether `whom` wants none of the organization's messages.
    pub fn refuses(&self, whom: &Whom) -> bool {
        self.own.contains(whom) || self.everybody.contains(&(whom.mode, whom.channel, whom.recipient.clone()))
    }

    /// Whether nobody has opted out.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.everybody.is_empty()
    }

    /// Notes a row: an opt-out of one organization's messages, or (no organization) of everybody's.
    pub(super) fn note(&mut self, org_id: Option<OrgId>, mode: Mode, channel: Channel, recipient: String) {
        match org_id {
            Some(org_id) => {
                self.own.insert(Whom { org_id, mode, channel, recipient });
            }
            None => {
                self.everybody.insert((mode, channel, recipient));
            }
        }
    }
}

/// Which of `recipients` have opted out of anything, in one look; nothing is looked for where there are none.
pub fn opted_out(conn: &mut Conn, recipients: &BTreeSet<&str>) -> Result<Consents> {
    if recipients.is_empty() { Ok(Consents::default()) } else { store::consents(conn, recipients) }
}
