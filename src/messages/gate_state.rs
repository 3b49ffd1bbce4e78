//! What the gates decide on: windows, money, contacts, as they were loaded and as items have taken from them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::pairs::Pairs;
use super::purse::CapAlert;
use crate::clock::Millis;
use crate::ids::OrgId;
use crate::inbound::Consents;
use crate::limits::{OrgWindow, Rate, StampLog};
use crate::terms::Mode;
use crate::wallet::{CapKey, Spent, Wallet};
use crate::whatsapp::Chats;

crate::text_enum! {
    /// What a guard's window counts.
    pub enum GuardKind { Otp = "otp", Check = "check", Ip = "ip", Device = "device", Verified = "verified" }
}

/// A guard's window: what it counts, in which world, for whom (a keyed hash).
pub type GuardKey = (GuardKind, Mode, Vec<u8>);

/// Stamps that lie so far back decide nothing: the longest message-level window.
pub const GUARD_HORIZON: Duration = Duration::from_secs(86_400);

/// The state that a batch is decided on.
#[derive(Clone, Default)]
pub struct State {
    /// Windows per number, client address and device.
    pub guards: BTreeMap<GuardKey, Kept<StampLog>>,
    /// Windows whose rows are new and stored already as they will be if everything passes (see [`foresee`]).
    pub foreseen: BTreeMap<GuardKey, StampLog>,
    /// The plan's SMS windows.
    pub plans: BTreeMap<(OrgId, Mode), Kept<OrgWindow>>,
    /// Where pacing has come to, so that a bulk's next message need not look from its beginning again.
    pub paced: BTreeMap<PaceKey, Millis>,
    /// Who wants no messages but codes.
    pub consents: Consents,
    /// WhatsApp: contacts and sessions.
    pub chats: Chats,
    /// How far ahead of Meta's pace WhatsApp recipients are, with what waits for them.
    pub pairs: Pairs,
    /// Money.
    pub wallets: BTreeMap<(OrgId, Mode), Kept<Wallet>>,
    /// What of the month's allowance is used.
    pub allowances: BTreeMap<OrgId, Kept<i64>>,
    /// What has been spent under caps.
    pub spent: BTreeMap<CapKey, Kept<Spent>>,
    /// Caps of which much is spent by now.
    pub alerts: Vec<CapAlert>,
    /// Whether the fraud engine learns of what is decided: not in a dry run.
    pub learns: bool,
}

impl State {
    /// The guards' windows that are not in the database as they are here.
    pub fn to_save(&self) -> impl Iterator<Item = (&GuardKey, &StampLog)> {
        self.guards.iter().filter_map(|(key, kept)| match self.foreseen.get(key) {
            Some(stored) => (*stored != kept.value).then_some((key, &kept.value)),
            None => kept.changed.then_some((key, &kept.value)),
        })
    }
}

/// Whose pacing, from when on, at which rate.
pub type PaceKey = (OrgId, Mode, Millis, u32, Duration);

/// A piece of state and whether it must be written back.
#[derive(Clone)]
pub struct Kept<T> {
    /// The piece.
    pub value: T,
    /// Whether an item took from it.
    pub changed: bool,
}

impl<T> Kept<T> {
    /// As it was loaded.
    pub fn loaded(value: T) -> Self {
        Kept { value, changed: false }
    }

    /// The piece, to be taken from.
    pub(super) fn change(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

/// Any stamp at all: wider than any window.
pub const EVER: Rate = Rate::per_secs(1, 100 * 365 * 86_400);
