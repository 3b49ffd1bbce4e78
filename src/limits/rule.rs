//! A rule: which policy counts what, how, and how much of it.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::limits::{Allowance, Policy};

/// What a rule counts: a key, an organization, an address. 128 bits, the same after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeKey(pub u128);

impl ScopeKey {
    /// The scope of any text: the first 128 bits of its SHA-256. Compute once and keep, not once a request.
    pub fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        ScopeKey(digest.iter().take(16).fold(0, |word, byte| (word << 8) | u128::from(*byte)))
    }

    /// The scope of a client address. An IPv6 client owns a whole /64, so its last 64 bits do not count.
    pub fn ip(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => ScopeKey(u128::from(u32::from(v4))),
            IpAddr::V6(v6) => ScopeKey(u128::from(v6) >> 64 << 64 | 1),
        }
    }
}

/// How a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A log of timestamps: exact over any sliding window. Several tiers of a key share one log.
    Ring,
    /// A counter that starts anew at each multiple of the window (a calendar minute).
    Calendar,
    /// Sixty counters: sliding, never over, frees up to a sixtieth of the window late.
    Bucketed,
    /// A meter that starts anew at UTC midnight and counts every request its own gate lets in, whatever the others say.
    UtcDay,
}

impl Shape {
    /// How `policy` counts where it is counted in memory.
    pub const fn of(policy: Policy) -> Self {
        match policy {
            Policy::KeyDaily => Shape::UtcDay,
            Policy::KeyWindow => Shape::Bucketed,
            Policy::KeyMinute
            | Policy::OrgMinute
            | Policy::BandSend
            | Policy::BandRead
            | Policy::BandManage
            | Policy::BandBilling
            | Policy::AnonymousIp => Shape::Calendar,
            _ => Shape::Ring,
        }
    }
}

/// One question to the limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The policy.
    pub policy: Policy,
    /// What it counts.
    pub scope: ScopeKey,
    /// How much it allows.
    pub allowance: Allowance,
    /// How it counts.
    pub shape: Shape,
}

impl Rule {
    /// A rule that counts as its policy does.
    pub const fn new(policy: Policy, scope: ScopeKey, allowance: Allowance) -> Self {
        Rule { policy, scope, allowance, shape: Shape::of(policy) }
    }

    /// The same rule for one of `nodes` that count apart: its share of the limit, at least 1.
    #[must_use]
    pub fn share(mut self, nodes: u32) -> Self {
        if let Allowance::Rate(rate) = &mut self.allowance {
            rate.limit = (rate.limit / nodes.max(1)).max(rate.limit.min(1));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Rate;

    fn ip(text: &str) -> ScopeKey {
        ScopeKey::ip(text.parse().unwrap())
    }

    #[test]
    fn a_network_of_sixty_four_bits_is_one_client() {
        assert_eq!(ip("2001:db8::1"), ip("2001:db8::ffff:2"));
        assert_ne!(ip("2001:db8::1"), ip("2001:db8:0:1::1"));
        assert_eq!(ip("::ffff:192.0.2.7"), ip("192.0.2.7"));
        assert_ne!(ip("192.0.2.7"), ip("192.0.2.8"));
    }

    #[test]
    fn shares_never_add_up_to_more_than_the_whole() {
        let rule = |limit| Rule::new(Policy::KeyMinute, ScopeKey(1), Rate::per_secs(limit, 60).into());
        let share = |limit, nodes| rule(limit).share(nodes).allowance.rate().map(|rate| rate.limit);
        assert_eq!((share(100, 3), share(7, 7), share(5, 1)), (Some(33), Some(1), Some(5)));
        assert_eq!((share(1, 2), share(0, 2)), (Some(1), Some(0)), "one each is the least there is");
        let free = Rule::new(Policy::KeyDaily, ScopeKey(1), Allowance::Unlimited);
        assert_eq!(free.share(4), free);
    }

    #[test]
    fn a_scope_is_the_same_after_a_restart() {
        // The first 16 bytes of SHA-256("abc"), FIPS 180-4's example.
        assert_eq!(ScopeKey::of("abc"), ScopeKey(0xba78_16bf_8f01_cfea_4141_40de_5dae_2223));
    }
}
