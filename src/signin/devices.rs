//! Devices that have signed in before. A device is a cookie that this server has signed: whose, which, when, and the
//! generation of their devices; another generation forgets them all.

use std::time::Duration;

use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::OperatorId;
use crate::secret::{Keyring, random_token};
use crate::signin::{signed, store};

/// How long a device is known after its last sign-in.
pub(super) const LASTS: Duration = Duration::from_secs(90 * 86_400);

const DEVICE: &str = "device";

/// The cookie of a device, as it came, or none.
pub(super) type Cookie<'a> = Option<&'a str>;

/// The id of a device that is known to `operator` under this generation.
pub(super) fn known(
    ring: &Keyring,
    cookie: Cookie<'_>,
    (operator, generation): (OperatorId, i64),
    now: Millis,
) -> Option<String> {
    let [whose, device, at, under] = signed::open::<4>(ring, DEVICE, cookie?)?;
    let is_theirs = whose == operator.as_str() && under.parse() == Ok(generation);
    (is_theirs && is_young(at, now)).then(|| String::from(device))
}

/// Whether a device is known to anybody, as far as its cookie tells: whether they have forgotten it since stands in the
/// database.
pub(super) fn may_be_known(ring: &Keyring, cookie: Cookie<'_>, now: Millis) -> bool {
    cookie.and_then(|text| signed::open::<4>(ring, DEVICE, text)).is_some_and(|[_, _, at, _]| is_young(at, now))
}

fn is_young(at: &str, now: Millis) -> bool {
    at.parse().is_ok_and(|at| Millis(at).plus(LASTS) > now)
}

/// The cookie by which a device is known from now on: the same device where it was known, else a new one.
pub(super) fn remember(
    conn: &mut Conn,
    ring: &Keyring,
    cookie: Cookie<'_>,
    operator: OperatorId,
    now: Millis,
) -> Result<String> {
    let generation = generation(conn, operator)?;
    let device = known(ring, cookie, (operator, generation), now).unwrap_or_else(random_token::<22>);
    Ok(write(ring, (operator, generation), &device, now))
}

/// Does what forgets every device of `operator`, and gives the one of `cookie` another cookie where it was known: whoever
/// sends the others away is not sent away with them.
pub(super) fn keeping<T>(
    conn: &mut Conn,
    ring: &Keyring,
    cookie: Cookie<'_>,
    (operator, now): (OperatorId, Millis),
    work: impl FnOnce(&mut Conn) -> Result<T>,
) -> Result<(T, Option<String>)> {
    // Held: a reset meanwhile has forgotten this device as well.
    let before = store::logins::hold(conn, operator)?.map_or(0, |login| login.generation);
    let device = known(ring, cookie, (operator, before), now);
    let done = work(conn)?;
    let after = generation(conn, operator)?;
    Ok((done, device.map(|device| write(ring, (operator, after), &device, now))))
}

fn generation(conn: &mut Conn, operator: OperatorId) -> Result<i64> {
    Ok(store::logins::find(conn, operator)?.map_or(0, |login| login.generation))
}

fn write(ring: &Keyring, (operator, generation): (OperatorId, i64), device: &str, at: Millis) -> String {
    signed::sign(ring, DEVICE, &[operator.as_str(), device, &at.0.to_string(), &generation.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_to_one_operator_for_a_while_and_within_its_generation() {
        let (ring, now) = (Keyring::new([7; 32]), Millis(1_774_708_200_000));
        let (ada, eve) = (OperatorId::new(now), OperatorId::new(now));
        let cookie = write(&ring, (ada, 3), "abc", now);
        let is_known = |whose, at| known(&ring, Some(&cookie), whose, at);
        assert_eq!(is_known((ada, 3), now).as_deref(), Some("abc"));
        assert_eq!(is_known((eve, 3), now), None);
        assert_eq!(is_known((ada, 4), now), None);
        assert_eq!(known(&Keyring::new([8; 32]), Some(&cookie), (ada, 3), now), None);
        let late = now.plus(LASTS);
        assert_eq!(is_known((ada, 3), Millis(late.0 - 1)).as_deref(), Some("abc"));
        assert_eq!(is_known((ada, 3), late), None);
        assert!(may_be_known(&ring, Some(&cookie), now) && !may_be_known(&ring, Some(&cookie), late));
        assert!(!may_be_known(&ring, None, now));
    }
}
