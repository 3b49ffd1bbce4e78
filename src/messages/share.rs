//! What the plan lets a bulk send now: its share of the window, the rest being for single sends.

use super::gates::paced;
use super::store::{self, Lock};
use crate::accounts::Caller;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::limits::{Allowance, Policy};
use crate::terms::Channel;

/// A bulk's share of the plan as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Messages that would pass now.
    pub free: u64,
    /// When the next one passes; now, where some are free.
    pub opens: Millis,
}

/// The caller's share for bulks by `channel`; `None` where no plan counts it. Looks, and takes nothing.
pub fn bulk_share(conn: &mut Conn, caller: &Caller, channel: Channel, now: Millis) -> Result<Option<Share>> {
    let rate = match caller.policies.get(Policy::SmsPlan) {
        Allowance::Rate(rate) if channel == Channel::Sms => rate,
        _ => return Ok(None),
    };
    let window = store::load_plan(conn, (caller.org_id(), caller.mode()), rate, Lock::Peek, now)?.value;
    let opens = window.opening(paced(rate), now, now);
    let free = match opens > now {
        true => 0,
        false => window.check(Policy::SmsPlan, paced(rate), now).remaining().max(1),
    };
    Ok(Some(Share { free, opens }))
}
