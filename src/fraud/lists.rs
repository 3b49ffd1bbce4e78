//! Numbers, prefixes, client addresses and devices that somebody has listed by hand. Pure: held in memory, asked with
//! the time.
//!
//! The operators' entries come first, since they stand for the platform: what they block no organization lets through.
//! Of one owner's entries on a destination the most particular counts: a number before a prefix, a longer prefix before
//! a shorter one. An allowed destination is let through all rules of judgement, not through limits, money or the choice
//! of countries.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::clock::Millis;
use crate::ids::{ListId, OrgId};
use crate::phone::mask;
use crate::terms::Mode;

crate::text_enum! {
    /// What an entry does.
    pub enum ListAction { Allow = "allow", Block = "block" }
}

crate::text_enum! {
    /// What an entry is about.
    pub enum ListKind {
        /// A number in E.164.
        Number = "number",
        /// Numbers that start so.
        Prefix = "prefix",
        /// End users' addresses, one or a network.
        Ip = "ip",
        /// An end user's device.
        Device = "device",
    }
}

/// Whose messages an entry is about: an organization's live or test ones, or everybody's.
pub type ListOwner = Option<(OrgId, Mode)>;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// Its id.
    pub id: ListId,
    /// For whose messages.
    pub owner: ListOwner,
    /// Let through or keep out.
    pub action: ListAction,
    /// What it is about.
    pub kind: ListKind,
    /// The number, prefix, network or device, in its normal form.
    pub value: String,
    /// Why.
    pub reason: String,
    /// Who: an operator's id or a key's.
    pub author: String,
    /// Until when; for good where absent.
    pub expires_at: Option<Millis>,
    /// Since when.
    pub created_at: Millis,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Probe<'a> {
    /// The destination, E.164; none for mail.
    pub number: Option<&'a str>,
    /// The end user's address.
    pub ip: Option<IpAddr>,
    /// The end user's device.
    pub device: Option<&'a str>,
}

/// An entry that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub id: ListId,
    /// What it is about.
    pub kind: ListKind,
    /// The value, a number masked.
    pub shown: String,
}

/// What the lists say of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// It is kept out.
    pub blocked: Option<Found>,
    /// Its destination is let through.
    pub allowed: Option<Found>,
    /// Its end user's address or device is known to be good.
    pub trusted_client: bool,
}

/// All entries, to be asked.
#[derive(Debug, Default)]
pub struct Lists {
    owners: HashMap<ListOwner, Index>,
}

#[derive(Debug, Clone)]
struct Listed {
    id: ListId,
    action: ListAction,
    expires_at: Option<Millis>,
}

#[derive(Debug, Default)]
struct Index {
    numbers: HashMap<String, Vec<Listed>>,
    prefixes: HashMap<String, Vec<Listed>>,
    nets: Vec<(IpNet, Listed)>,
    devices: HashMap<String, Vec<Listed>>,
}

impl Lists {
    /// Lists of these entries.
    pub fn of(entries: impl IntoIterator<Item = ListEntry>) -> Lists {
        let mut lists = Lists::default();
        for entry in entries {
            let listed = Listed { id: entry.id, action: entry.action, expires_at: entry.expires_at };
            let index = lists.owners.entry(entry.owner).or_default();
            match entry.kind {
                ListKind::Number => index.numbers.entry(entry.value).or_default().push(listed),
                ListKind::Prefix => index.prefixes.entry(entry.value).or_default().push(listed),
                ListKind::Device => index.devices.entry(entry.value).or_default().push(listed),
                ListKind::Ip => index.nets.extend(entry.value.parse().ok().map(|net| (net, listed))),
            }
        }
        lists
    }

    /// What is listed of `probe` for the messages of `owner`.
    pub fn look(&self, owner: (OrgId, Mode), probe: Probe<'_>, now: Millis) -> Listing {
        let mut listing = Listing::default();
        for owner in [None, Some(owner)] {
            let Some(index) = self.owners.get(&owner) else { continue };
            let destination = probe.number.and_then(|number| index.destination(number, now));
            let client = index.client(probe, now);
            match destination {
                Some((ListAction::Allow, found)) => listing.allowed = listing.allowed.or(Some(found)),
                Some((ListAction::Block, found)) => return Listing { blocked: Some(found), ..Listing::default() },
                None => {}
            }
            match client {
                Some((ListAction::Allow, _)) => listing.trusted_client = true,
                // Who lists the very destination means it, wherever the request comes from.
                Some((ListAction::Block, found)) if listing.allowed.is_none() => {
                    return Listing { blocked: Some(found), ..Listing::default() };
                }
                _ => {}
            }
        }
        listing
    }
}

impl Index {
    fn destination(&self, number: &str, now: Millis) -> Option<(ListAction, Found)> {
        let exact = strictest(self.numbers.get(number), now)
            .map(|listed| (listed.action, Found { id: listed.id, kind: ListKind::Number, shown: mask(number) }));
        exact.or_else(|| {
            (2..=number.len()).rev().filter_map(|end| number.get(..end)).find_map(|prefix| {
                let listed = strictest(self.prefixes.get(prefix), now)?;
                Some((listed.action, Found { id: listed.id, kind: ListKind::Prefix, shown: String::from(prefix) }))
            })
        })
    }

    fn client(&self, probe: Probe<'_>, now: Millis) -> Option<(ListAction, Found)> {
        let device = probe.device.and_then(|device| strictest(self.devices.get(device), now)).map(|listed| {
            (listed.action, Found { id: listed.id, kind: ListKind::Device, shown: String::from("device") })
        });
        device.or_else(|| {
            let ip = probe.ip?;
            let fitting = self.nets.iter().filter(|(net, listed)| net.contains(&ip) && listed.holds(now));
            let (net, listed) = fitting.max_by_key(|(net, listed)| (net.prefix_len(), listed.action))?;
            Some((listed.action, Found { id: listed.id, kind: ListKind::Ip, shown: net.to_string() }))
        })
    }
}

impl Listed {
    fn holds(&self, now: Millis) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// Of entries on the very same thing a block counts before an allowance.
fn strictest(entries: Option<&Vec<Listed>>, now: Millis) -> Option<&Listed> {
    entries?.iter().filter(|listed| listed.holds(now)).max_by_key(|listed| listed.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_774_708_200_000);

    fn entry(org_id: Option<OrgId>, action: ListAction, kind: ListKind, value: &str) -> ListEntry {
        ListEntry {
            id: ListId::new(NOW),
            owner: org_id.map(|org| (org, Mode::Live)),
            action,
            kind,
            value: String::from(value),
            reason: String::new(),
            author: String::new(),
            expires_at: None,
            created_at: NOW,
        }
    }

    fn word(lists: &Lists, org: OrgId, probe: Probe<'_>) -> &'static str {
        let listing = lists.look((org, Mode::Live), probe, NOW);
        match (listing.blocked, listing.allowed) {
            (Some(_), _) => "block",
            (None, Some(_)) => "allow",
            (None, None) if listing.trusted_client => "trusted",
            (None, None) => "-",
        }
    }

    fn to(number: &str) -> Probe<'_> {
        Probe { number: Some(number), ..Probe::default() }
    }

    #[test]
    fn the_most_particular_entry_on_a_destination_counts() {
        use ListAction::{Allow, Block};
        use ListKind::{Number, Prefix};
        let org = OrgId::new(NOW);
        let lists = Lists::of([
            entry(Some(org), Block, Prefix, "+371"),
            entry(Some(org), Allow, Prefix, "+3712"),
            entry(Some(org), Block, Prefix, "+37129"),
            entry(Some(org), Allow, Number, "+37129000001"),
            entry(Some(org), Block, Number, "+37129000001"),
            entry(Some(org), Allow, Number, "+37129000002"),
        ]);
        let cases = [
            ("+37161234567", "block"),
            ("+37121234567", "allow"),
            ("+37129123456", "block"),
            ("+37129000001", "block"),
            ("+37129000002", "allow"),
            ("+447400123456", "-"),
        ];
        for (number, wanted) in cases {
            assert_eq!(word(&lists, org, to(number)), wanted, "{number}");
            assert_eq!(word(&lists, OrgId::new(NOW), to(number)), "-", "{number} is another's business");
        }
    }

    #[test]
    fn what_operators_block_no_organization_lets_through() {
        use ListAction::{Allow, Block};
        use ListKind::{Number, Prefix};
        let org = OrgId::new(NOW);
        let own = entry(Some(org), Allow, Number, "+37129000001");
        let lists = Lists::of([entry(None, Block, Prefix, "+371"), own.clone()]);
        assert_eq!(word(&lists, org, to("+37129000001")), "block");
        let lists = Lists::of([entry(None, Allow, Prefix, "+371"), entry(Some(org), Block, Prefix, "+3712"), own]);
        assert_eq!(word(&lists, org, to("+37129000001")), "allow");
        assert_eq!(word(&lists, org, to("+37129000002")), "block");
    }

    #[test]
    fn clients_are_known_by_network_and_device_until_their_entry_ends() {
        use ListAction::{Allow, Block};
        use ListKind::{Device, Ip, Number};
        let org = OrgId::new(NOW);
        let ended = ListEntry { expires_at: Some(NOW), ..entry(None, Block, Device, "old") };
        let lists = Lists::of([
            entry(None, Block, Ip, "203.0.113.0/24"),
            entry(None, Allow, Ip, "203.0.113.7/32"),
            entry(Some(org), Block, Device, "d1"),
            entry(None, Block, Ip, "2001:db8::/32"),
            entry(Some(org), Allow, Number, "+447400123456"),
            ended,
        ]);
        let from = |ip: &str| Probe { ip: ip.parse().ok(), ..Probe::default() };
        for (ip, wanted) in
            [("203.0.113.9", "block"), ("203.0.113.7", "trusted"), ("203.0.114.1", "-"), ("2001:db8::1", "block")]
        {
            assert_eq!(word(&lists, org, from(ip)), wanted, "{ip}");
        }
        let device = |device| Probe { device: Some(device), ..Probe::default() };
        assert_eq!(["d1", "d2", "old"].map(|name| word(&lists, org, device(name))), ["block", "-", "-"]);
        let listed = Probe { number: Some("+447400123456"), ..device("d1") };
        assert_eq!(word(&lists, org, listed), "allow", "its own organization has listed the very number");
    }
}
