//! What the engine sees of an attempt: keys, prefix nodes, price; nothing it would have to look up.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::limits::Rate;
use crate::money::Micros;
use crate::phone::Country;
use crate::terms::Channel;

/// Something the engine knows only by a keyed or plain hash: an organization, a credential, a number, a network, a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub u64);

impl Key {
    /// The first eight bytes of the text's SHA-256: the same in every process and on every day.
    pub fn of(text: &str) -> Key {
        Key::of_bytes(&crate::secret::sha256(text.as_bytes()))
    }

    /// The first eight bytes of a keyed hash.
    pub fn of_bytes(bytes: &[u8]) -> Key {
        Key(bytes.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }
}

crate::text_enum! {
    /// How wide a group of attempts is, narrowest first.
    pub enum Level {
        Block3 = "block3",
        Block4 = "block4",
        Range = "range",
        Network = "network",
        Device = "device",
        Country = "country",
        Credential = "credential",
    }
}

impl Level {
    /// Whether the group is one of numbers next to each other.
    pub fn is_prefix(self) -> bool {
        matches!(self, Level::Block3 | Level::Block4 | Level::Range)
    }

    /// Whether so many strangers share the group that it is only ever challenged.
    pub fn is_wide(self) -> bool {
        matches!(self, Level::Country | Level::Credential)
    }
}

/// A group of attempts within one organization: a prefix (the digits before the last 3, 4 or 6), a country, a network, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Node {
    /// The organization.
    pub org: Key,
    /// Which kind of group.
    pub level: Level,
    /// The prefix's digits, or the hash of what the group is.
    pub id: u64,
}

impl std::fmt::Display for Node {
    /// `block4:3712012`, as the console shows it. Never a whole number: a prefix lacks three digits at least.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.level {
            level if level.is_prefix() => write!(f, "{level}:+{}", self.id),
            Level::Country => {
                let [.., a, b, c] = self.id.to_be_bytes();
                let letters = [a, b, c].into_iter().filter(|byte| *byte != 0).map(char::from);
                write!(f, "country:{}", letters.collect::<String>())
            }
            level => write!(f, "{level}:{:016x}", self.id),
        }
    }
}

/// A country as a node's id: its letters.
fn country_id(country: Country) -> u64 {
    country.as_str().bytes().fold(0, |sum, byte| (sum << 8) | u64::from(byte))
}

/// A key that the caller named (an account, a session), with the rate it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The hash of name and value.
    pub key: Key,
    /// At most this many attempts, `3/5m`.
    pub rate: Rate,
}

/// What the engine judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// The organization.
    pub org: Key,
    /// The API key or operator that asks.
    pub credential: Key,
    /// The hash of the number, the same in every organization.
    pub number: Key,
    /// The digits of the number in E.164, without the plus.
    pub digits: u64,
    /// The number's country.
    pub country: Country,
    /// The channel.
    pub channel: Channel,
    /// What the message would cost.
    pub price: Micros,
    /// The end user's /24 or /48.
    pub network: Option<Key>,
    /// The end user's device.
    pub device: Option<Key>,
    /// Keys that the caller named.
    pub named: Vec<Named>,
    /// When the number last proved itself, where the caller keeps a longer memory than the engine.
    pub proven_at: Option<Millis>,
    /// Whether a verification will be reported: only then is silence evidence.
    pub reports: bool,
}

/// How many digits of a calling code `digits` begins with. ITU-T E.164 (list of assigned codes): zones 1 and 7 have one
/// digit, those below two, all others three.
fn calling_code_len(digits: &[u8]) -> u32 {
    const TWO: &[&[u8]] = &[
        b"20", b"27", b"30", b"31", b"32", b"33", b"34", b"36", b"39", b"40", b"41", b"43", b"44", b"45", b"46", b"47",
        b"48", b"49", b"51", b"52", b"53", b"54", b"55", b"56", b"57", b"58", b"60", b"61", b"62", b"63", b"64", b"65",
        b"66", b"81", b"82", b"84", b"86", b"90", b"91", b"92", b"93", b"94", b"95", b"98",
    ];
    match digits {
        [b'1' | b'7', ..] => 1,
        [a, b, ..] if TWO.contains(&[*a, *b].as_slice()) => 2,
        _ => 3,
    }
}

/// Where an attempt belongs, without the number itself: enough to find its groups again when it verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The organization; attempts whose verification nobody reports have groups of their own.
    pub org: Key,
    /// The API key or operator that asked.
    pub credential: Key,
    /// The digits before the last three.
    pub block3: u64,
    /// The number's country.
    pub country: Country,
    /// The end user's /24 or /48.
    pub network: Option<Key>,
    /// The end user's device.
    pub device: Option<Key>,
}

/// Sets the groups of attempts without reports apart.
const UNREPORTED: u64 = 0x756e_7265_706f_7274;

impl Origin {
    /// The groups that the attempt belongs to, narrowest first.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        let org = self.org;
        let node = move |level, id| Some(Node { org, level, id });
        [
            node(Level::Block3, self.block3),
            node(Level::Block4, self.block3 / 10),
            node(Level::Range, self.block3 / 1_000),
            self.network.and_then(|key| node(Level::Network, key.0)),
            self.device.and_then(|key| node(Level::Device, key.0)),
            node(Level::Country, country_id(self.country)),
            node(Level::Credential, self.credential.0),
        ]
        .into_iter()
        .flatten()
    }

    /// The group of its operator's range.
    pub fn range(&self) -> Node {
        Node { org: self.org, level: Level::Range, id: self.block3 / 1_000 }
    }

    /// The group of its country.
    pub fn country(&self) -> Node {
        Node { org: self.org, level: Level::Country, id: country_id(self.country) }
    }
}

/// The share of a plan's mobile numbers that is really given out, roughly.
const IN_USE: f64 = 0.15;

impl Features {
    /// Where the attempt belongs.
    pub fn origin(&self) -> Origin {
        Origin {
            org: if self.reports { self.org } else { Key(self.org.0 ^ UNREPORTED) },
            credential: self.credential,
            block3: self.digits / 1_000,
            country: self.country,
            network: self.network,
            device: self.device,
        }
    }

    /// How many numbers the country's plan has in use: a first guess, until verified numbers tell better.
    pub fn plan_size(&self) -> f64 {
        let text = self.digits.to_string();
        let national = text.len() as u32 - calling_code_len(text.as_bytes()).min(text.len() as u32);
        IN_USE * 10f64.powi(national.saturating_sub(1) as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(digits: u64, country: &str) -> Features {
        Features {
            org: Key(1),
            credential: Key(2),
            number: Key(digits),
            digits,
            country: country.parse().unwrap(),
            channel: Channel::Sms,
            price: Micros(30_000),
            network: Some(Key(3)),
            device: None,
            named: Vec::new(),
            proven_at: None,
            reports: true,
        }
    }

    #[test]
    fn nodes_are_the_prefixes_and_never_the_number() {
        let shown: Vec<_> = to(37_120_123_456, "LV").origin().nodes().map(|node| node.to_string()).collect();
        assert_eq!(shown.len(), 6);
        assert_eq!(&shown[..3], ["block3:+37120123", "block4:+3712012", "range:+37120"]);
        assert_eq!(shown[4], "country:LV");
    }

    #[test]
    fn a_plan_is_as_large_as_its_national_numbers_are_long() {
        assert!((to(37_120_123_456, "LV").plan_size() - 1.5e6).abs() < 1.0);
        assert!((to(447_400_123_456, "GB").plan_size() - 1.5e8).abs() < 1.0);
        assert!((to(14_155_550_123, "US").plan_size() - 1.5e8).abs() < 1.0);
    }
}
