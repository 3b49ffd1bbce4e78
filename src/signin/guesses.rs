//! Guesses slowed down without locking anybody out.
//!
//! Each guess counts for its account and for the address it comes from, before it is judged. A device that has signed
//! in before counts for itself alone, so that whoever guesses at an account from elsewhere cannot keep its operator out.

use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OperatorId;
use crate::secret::{Keyring, Purpose, hex};
use crate::signin::store;

/// How long a guess counts.
pub(super) const WINDOW: Duration = Duration::from_secs(15 * 60);

/// What guesses are counted for: the key of a row, without a name or an address in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    key: String,
    pace: Pace,
}

/// How many guesses there are in a window, and how many of them without a wait between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pace {
    most: usize,
    free: usize,
}

/// Of one account or device.
const NARROW: Pace = Pace { most: 10, free: 3 };
/// Of an address, which an office may share.
const WIDE: Pace = Pace { most: 30, free: 10 };

/// Longest wait between two guesses that are both in the window.
const LONGEST: Duration = Duration::from_secs(64);

impl Scope {
    /// An account, by the name that was typed: one that nobody has counts as well.
    pub(super) fn account(ring: &Keyring, name: &str) -> Scope {
        Scope::of(ring, "account", &[name.as_bytes()], NARROW)
    }

    /// A device that has signed in to this account before.
    pub(super) fn device(ring: &Keyring, operator: OperatorId, device: &str) -> Scope {
        Scope::of(ring, "device", &[operator.as_str().as_bytes(), device.as_bytes()], NARROW)
    }

    /// The second factor of an account, after its password.
    pub(super) fn code(ring: &Keyring, operator: OperatorId, device: Option<&str>) -> Scope {
        let device = device.unwrap_or_default();
        Scope::of(ring, "code", &[operator.as_str().as_bytes(), device.as_bytes()], NARROW)
    }

    /// The password of an operator who is signed in.
    pub(super) fn proof(ring: &Keyring, operator: OperatorId) -> Scope {
        Scope::of(ring, "proof", &[operator.as_str().as_bytes()], NARROW)
    }

    /// An address; an IPv6 client owns a whole /64.
    pub(super) fn address(ring: &Keyring, client: IpAddr) -> Scope {
        let bits = match client.to_canonical() {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().into_iter().take(8).collect(),
        };
        Scope::of(ring, "address", &[bits.as_slice()], WIDE)
    }

    fn of(ring: &Keyring, kind: &str, parts: &[&[u8]], pace: Pace) -> Scope {
        let all: Vec<&[u8]> = [b"guess".as_slice(), kind.as_bytes()].into_iter().chain(parts.iter().copied()).collect();
        Scope { key: format!("{kind}:{}", hex(&ring.mac(Purpose::Signin, &all))), pace }
    }
}

/// What becomes of a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is counted and may be judged; so many were refused since the last.
    Judge {
        /// How many were refused.
        refused: i64,
    },
    /// It is not looked at; there is this long to wait.
    Wait(Duration),
}

/// Counts a guess for each of `scopes`, or refuses it where one of them has no room. In a transaction that commits
/// before the guess is judged, or with the judgement: a guess that failed must never be undone.
pub(super) fn admit(conn: &mut Conn, mut scopes: Vec<Scope>, now: Millis) -> Result<Verdict> {
    // One order for all, so that two guesses at once wait for each other and not in a ring.
    scopes.sort();
    let mut rows = Vec::with_capacity(scopes.len());
    for scope in &scopes {
        rows.push(store::guesses::take(conn, &scope.key, now)?);
    }
    let waits = scopes.iter().zip(&rows).map(|(scope, row)| wait(&row.marks, scope.pace, now));
    if let Some(longest) = waits.flatten().max() {
        for (scope, row) in scopes.iter().zip(rows) {
            if wait(&row.marks, scope.pace, now).is_some() {
                store::guesses::put(conn, &scope.key, &row.marks, row.refused.saturating_add(1), now)?;
            }
        }
        return Ok(Verdict::Wait(longest));
    }
    let refused = rows.iter().map(|row| row.refused).sum();
    for (scope, row) in scopes.iter().zip(rows) {
        let mut marks: Vec<Millis> = row.marks.into_iter().filter(|at| at.plus(WINDOW) > now).collect();
        marks.push(now);
        store::guesses::put(conn, &scope.key, &marks, 0, now)?;
    }
    Ok(Verdict::Judge { refused })
}

/// Takes the guess of `at` back: it was right.
pub(super) fn forgive(conn: &mut Conn, scopes: &[Scope], at: Millis) -> Result<()> {
    let mut scopes = scopes.to_vec();
    scopes.sort();
    for scope in &scopes {
        let mut row = store::guesses::take(conn, &scope.key, at)?;
        if let Some(place) = row.marks.iter().rposition(|mark| *mark == at) {
            row.marks.remove(place);
            store::guesses::put(conn, &scope.key, &row.marks, row.refused, at)?;
        }
    }
    Ok(())
}

/// How long until the next guess may be judged, after those at `marks`; `None`: now.
fn wait(marks: &[Millis], pace: Pace, now: Millis) -> Option<Duration> {
    let counted: Vec<Millis> = marks.iter().copied().filter(|at| at.plus(WINDOW) > now).collect();
    let last = *counted.last()?;
    let full = counted.len().checked_sub(pace.most).and_then(|first| counted.get(first));
    let free_at = match full {
        Some(first) => first.plus(WINDOW).max(last.plus(pause(pace.most.saturating_sub(1), pace))),
        None => last.plus(pause(counted.len(), pace)),
    };
    (free_at > now).then(|| free_at.since(now))
}

/// The wait after the `count`-th guess of a window: none at first, then a second, doubled each time.
fn pause(count: usize, pace: Pace) -> Duration {
    let Some(over) = count.checked_sub(pace.free) else { return Duration::ZERO };
    let doubled = u32::try_from(over).ok().and_then(|over| 1_u64.checked_shl(over)).unwrap_or(u64::MAX);
    Duration::from_secs(doubled).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn the_wait_grows_and_ten_in_a_quarter_of_an_hour_are_all() {
        let waits: Vec<u64> = (1..=9).map(|count| pause(count, NARROW).as_secs()).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64]);
        let (mut now, mut marks) = (Millis(1_000_000), Vec::new());
        let mut judged = 0;
        // Somebody who guesses every second for an hour.
        for _ in 0..3600 {
            if wait(&marks, NARROW, now).is_none() {
                marks.push(now);
                judged += 1;
            }
            let recent = marks.iter().filter(|at| at.plus(WINDOW) > now).count();
            assert!(recent <= 10);
            now = now.plus(secs(1));
        }
        assert!((30..=50).contains(&judged), "{judged}");
    }

    #[test]
    fn a_wait_says_how_long_and_ends() {
        let marks: Vec<Millis> = (0..3).map(|n| Millis(n * 1000)).collect();
        assert_eq!(wait(&marks, NARROW, Millis(2_400)), Some(Duration::from_millis(600)));
        assert_eq!(wait(&marks, NARROW, Millis(3_000)), None);
        assert_eq!(wait(&[], NARROW, Millis(0)), None);
        let full: Vec<Millis> = (0..10).map(|n| Millis(n * 100_000)).collect();
        let late = Millis(full[9].0 + 64_000);
        assert_eq!(wait(&full, NARROW, Millis(899_999)), Some(Duration::from_millis(64_001)));
        assert_eq!(wait(&full, NARROW, late), None, "the first has left the window");
    }

    #[test]
    fn scopes_tell_kinds_apart_and_show_nothing() {
        let ring = Keyring::new([7; 32]);
        let account = Scope::account(&ring, "Ada");
        assert!(account.key.starts_with("account:") && !account.key.contains("Ada"));
        let ip = |text: &str| Scope::address(&ring, text.parse().unwrap());
        assert_eq!(ip("2001:db8::1"), ip("2001:db8::2"));
        assert_ne!(ip("192.0.2.1"), ip("192.0.2.2"));
    }
}
