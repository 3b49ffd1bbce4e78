//! Messages from people: their alphabet, and the parts of long ones joined.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::deliver::Delivered;
use crate::providers::Inbound;
use crate::terms::Channel;
use crate::text::from_septets;

/// Long messages that wait for a part, at most; then the oldest is told as far as it came.
const WAITING: usize = 1_000;
/// How long a part is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// Numbers of this many digits whose type is not told are taken as international.
const LONG_NUMBER: usize = 10;

/// Who writes what to whom: its parts have this in common.
pub type Key = (String, String, u16, u8);

/// The parts that came of long messages. They are in memory alone: what a crash loses, nobody tells again.
#[derive(Default)]
pub struct Inbox {
    waiting: BTreeMap<Key, Waiting>,
}

struct Waiting {
    since: Instant,
    parts: BTreeMap<u8, Delivered>,
}

impl Inbox {
    /// Takes a message or a part of one. The whole, once all parts are there: it stays until `forget` says that it is
    /// stored, so that the last part may come again.
    pub fn take(&mut self, came: Delivered, now: Instant) -> Option<(Delivered, Option<Key>)> {
        let Some(place) = came.place.filter(|place| place.total > 1) else { return Some((came, None)) };
        let key = (came.from.clone(), came.to.clone(), place.reference, place.total);
        let waiting = self.waiting.entry(key.clone()).or_insert(Waiting { since: now, parts: BTreeMap::new() });
        waiting.parts.insert(place.number, came);
        let whole = waiting.parts.len() >= usize::from(place.total);
        if whole { waiting.join().map(|joined| (joined, Some(key))) } else { None }
    }

    /// The message of `key` is stored.
    pub fn forget(&mut self, key: &Key) {
        self.waiting.remove(key);
    }

    /// Those whose other parts did not come, as far as they came.
    pub fn overdue(&mut self, now: Instant) -> Vec<(Delivered, Key)> {
        let late = |waiting: &Waiting| now.saturating_duration_since(waiting.since) >= PATIENCE;
        let mut keys: Vec<(Instant, Key)> =
            self.waiting.iter().map(|(key, waiting)| (waiting.since, key.clone())).collect();
        keys.sort();
        let too_many = keys.len().saturating_sub(WAITING);
        let of = |(place, (_, key)): (usize, (Instant, Key))| {
            let waiting = self.waiting.get(&key)?;
            let told = place < too_many || late(waiting);
            if told { waiting.join().map(|joined| (joined, key)) } else { None }
        };
        keys.into_iter().enumerate().filter_map(of).collect()
    }
}

impl Waiting {
    fn join(&self) -> Option<Delivered> {
        let first = self.parts.values().next()?.clone();
        let text = self.parts.values().flat_map(|part| part.text.iter().copied()).collect();
        Some(Delivered { text, place: None, ..first })
    }
}

/// A message as the rooms know it; `id` tells it from all others.
pub fn inbound(delivered: &Delivered, id: String) -> Inbound {
    Inbound {
        provider_id: id,
        channel: Channel::Sms,
        from: address(&delivered.from, delivered.from_ton),
        to: address(&delivered.to, delivered.to_ton),
        text: decode(delivered.data_coding, &delivered.text),
        sent_at: None,
    }
}

/// E.164 for a number that is international by its type, or by its length where no type is told.
fn address(text: &str, ton: u8) -> String {
    let digits = text.trim_start_matches('+');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let international = ton == 1 || (ton == 0 && digits.len() >= LONG_NUMBER) || text.starts_with('+');
    if is_number && international { format!("+{digits}") } else { String::from(text) }
}

/// The text of octets (SMPP 3.4, section 5.2.19; 3GPP TS 23.038, section 4). Unknown alphabets are read as GSM-7.
fn decode(data_coding: u8, octets: &[u8]) -> String {
    let group = match data_coding {
        1 | 3 => return octets.iter().map(|octet| char::from(*octet)).collect(),
        0x10..=0x3F => data_coding & 0x0C,
        0xE0..=0xEF => 8,
        other => other,
    };
    if group == 8 {
        let units = octets.chunks(2).map(|pair| match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            _ => 0xFFFD,
        });
        return char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
    }
    from_septets(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::smpp::deliver::Place;
    use crate::providers::smpp::tests::delivered;

    fn part(text: &[u8], reference: u16, number: u8) -> Delivered {
        Delivered { text: text.to_vec(), place: Some(Place { reference, total: 2, number }), ..delivered("") }
    }

    #[test]
    fn alphabets_are_told_by_the_data_coding() {
        for (coding, octets, text) in [
            (0, b"\x00\x1b\x65 hi".as_slice(), "@€ hi"),
            (1, b"a@b", "a@b"),
            (3, b"\xe4\xdf", "äß"),
            (8, b"\x04\x1a\xd8\x3d\xde\x00", "К😀"),
            (0x18, b"\x00a", "a"),
            (0xF1, b"\x00", "@"),
            (8, b"\x00a\x00", "a\u{fffd}"),
        ] {
            assert_eq!(decode(coding, octets), text, "{coding}");
        }
    }

    #[test]
    fn parts_in_any_order_are_joined_and_a_split_pair_is_whole_again() {
        let (mut inbox, now) = (Inbox::default(), Instant::now());
        assert!(inbox.take(part(b"\xde\x00", 7, 2), now).is_none());
        assert!(inbox.take(part(b"x", 8, 1), now).is_none());
        let (mut joined, key) = inbox.take(part(b"\xd8\x3d", 7, 1), now).unwrap();
        joined.data_coding = 8;
        assert_eq!(inbound(&joined, String::from("1")).text, "😀");
        let again = inbox.take(part(b"\xd8\x3d", 7, 1), now).unwrap();
        assert_eq!(again.1, key);
        inbox.forget(&key.unwrap());
        assert!(inbox.take(part(b"\xd8\x3d", 7, 1), now).is_none());
    }

    #[test]
    fn what_waits_in_vain_is_told_as_far_as_it_came_and_memory_has_a_bound() {
        let (mut inbox, now) = (Inbox::default(), Instant::now());
        inbox.take(part(b"STOP", 1, 1), now);
        assert!(inbox.overdue(now + PATIENCE / 2).is_empty());
        let late = inbox.overdue(now + PATIENCE);
        assert_eq!((late.len(), late[0].0.text.as_slice()), (1, b"STOP".as_slice()));
        inbox.forget(&late[0].1);
        for reference in 0..=u16::try_from(WAITING).unwrap() {
            inbox.take(part(b"x", reference, 1), now + Duration::from_millis(u64::from(reference)));
        }
        let most = inbox.overdue(now);
        assert_eq!((most.len(), most[0].1.2), (1, 0));
    }

    #[test]
    fn numbers_get_their_plus_and_other_senders_stay() {
        for (text, ton, shown) in [
            ("447700900123", 1, "+447700900123"),
            ("+447700900123", 0, "+447700900123"),
            ("447700900123", 0, "+447700900123"),
            ("07700900123", 2, "07700900123"),
            ("60606", 3, "60606"),
            ("ACME", 5, "ACME"),
        ] {
            assert_eq!(address(text, ton), shown);
        }
    }
}
