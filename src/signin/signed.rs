//! Short texts that this server has signed and a browser keeps: a known device, a sign-in half done.

use crate::secret::{Keyring, Purpose, hex, same};

/// `parts` and a MAC over them, joined by dots; no part may hold one. `what` tells one use from another.
pub(super) fn sign(ring: &Keyring, what: &str, parts: &[&str]) -> String {
    format!("{}.{}", parts.join("."), tag(ring, what, parts))
}

/// The parts of a text that `sign` made for `what`.
pub(super) fn open<'a, const N: usize>(ring: &Keyring, what: &str, text: &'a str) -> Option<[&'a str; N]> {
    let (body, mac) = text.rsplit_once('.')?;
    let parts: [&str; N] = body.split('.').collect::<Vec<_>>().try_into().ok()?;
    same(mac.as_bytes(), tag(ring, what, &parts).as_bytes()).then_some(parts)
}

fn tag(ring: &Keyring, what: &str, parts: &[&str]) -> String {
    let all: Vec<&[u8]> = std::iter::once(what).chain(parts.iter().copied()).map(str::as_bytes).collect();
    hex(&ring.mac(Purpose::Signin, &all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_opens_for_its_use_and_with_every_letter_in_place() {
        let ring = Keyring::new([7; 32]);
        let text = sign(&ring, "device", &["opr_1", "abc"]);
        assert_eq!(open(&ring, "device", &text), Some(["opr_1", "abc"]));
        assert_eq!(open::<2>(&ring, "pending", &text), None);
        assert_eq!(open::<1>(&ring, "device", &text), None);
        assert_eq!(open::<2>(&ring, "device", &text.replace("opr_1", "opr_2")), None);
        assert_eq!(open::<2>(&Keyring::new([8; 32]), "device", &text), None);
    }
}
