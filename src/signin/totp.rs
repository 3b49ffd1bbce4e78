//! Time-based one-time passwords (RFC 6238): six digits, thirty seconds, SHA-1, as every authenticator app makes them.

use crate::clock::Millis;
use crate::http::query::encoded;
use crate::secret::{fill_random, hmac_sha1, same};

const STEP_MS: i64 = 30_000;
const DIGITS: usize = 6;

/// Bytes of a secret: as many as SHA-1 has (RFC 4226, section 4, R6).
const SECRET_LEN: usize = 20;

/// A new secret.
pub(super) fn fresh() -> Vec<u8> {
    let mut secret = vec![0; SECRET_LEN];
    fill_random(&mut secret);
    secret
}

/// The step whose code this is: the present one, or the one before or after where clocks differ.
pub(super) fn step_of(secret: &[u8], code: &str, now: Millis) -> Option<i64> {
    let present = now.0.div_euclid(STEP_MS);
    // Every one is computed, so that the time tells nothing.
    let fitting =
        [present - 1, present, present + 1].map(|step| (step, same(at(secret, step).as_bytes(), code.as_bytes())));
    fitting.iter().rev().find(|(_, fits)| *fits).map(|(step, _)| *step)
}

/// The code of a step.
/// Source: RFC 4226, section 5.3.
fn at(secret: &[u8], step: i64) -> String {
    let mac = hmac_sha1(secret, &step.to_be_bytes());
    let offset = usize::from(mac[19] & 0x0f);
    let word = mac.iter().skip(offset).take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    format!("{:0width$}", (word & 0x7fff_ffff) % 1_000_000, width = DIGITS)
}

/// A secret as people type it: base 32 (RFC 4648), in groups of four.
pub(super) fn spelled(secret: &[u8]) -> String {
    let text = base32(secret);
    let groups: Vec<String> =
        text.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(" ")
}

/// The address that authenticator apps read from a picture.
/// Source: <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>.
pub(super) fn uri(secret: &[u8], issuer: &str, name: &str) -> String {
    let (issuer, name) = (encoded(issuer), encoded(name));
    format!(
        "otpauth://totp/{issuer}:{name}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        base32(secret)
    )
}

fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let place = usize::try_from(held >> bits & 31).unwrap_or(0);
            text.push(LETTERS.get(place).map_or('A', |letter| char::from(*letter)));
        }
    }
    if bits > 0 {
        let place = usize::try_from(held << (5 - bits) & 31).unwrap_or(0);
        text.push(LETTERS.get(place).map_or('A', |letter| char::from(*letter)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1: eight digits there, the last six here.
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(at(SECRET, secs / 30), code, "{secs}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off() {
        let now = Millis(59_000);
        for (step, fits) in [(0, true), (1, true), (2, true), (3, false), (-1, false)] {
            assert_eq!(step_of(SECRET, &at(SECRET, step), now), fits.then_some(step), "{step}");
        }
        assert_eq!(step_of(SECRET, "", now), None);
    }

    #[test]
    fn base_32_is_that_of_rfc_4648() {
        for (plain, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(plain.as_bytes()), text);
        }
        assert_eq!(spelled(b"foobar"), "MZXW 6YTB OI");
        assert!(
            uri(b"foobar", "Postern", "Ada L")
                .starts_with("otpauth://totp/Postern:Ada%20L?secret=MZXW6YTBOI&issuer=Postern")
        );
    }
}
