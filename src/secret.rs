//! Secrets: values that cannot be printed, the server's keyring (MAC and sealing), constant-time equality.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hmac::{Hmac, Mac};
use rand::Rng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A value that has no Debug or Display of its own and is wiped when dropped. `expose` is the only way in.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes `value` into keeping.
    pub fn new(value: T) -> Self {
        Secret(Zeroizing::new(value))
    }

    /// The value itself; never pass it to a log, an error or a metric.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> serde::Deserialize<'de> for Secret<String> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// What a MAC or a sealing is for. Each purpose has a key of its own, so that one cannot stand in for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Codes of verifications.
    Code,
    /// Phone numbers and addresses as keys of guards.
    Number,
    /// Client addresses and device ids as keys of guards.
    Client,
    /// Paging cursors.
    Cursor,
    /// Message bodies at rest.
    Body,
    /// Tokens in callback addresses.
    Callback,
    /// Answers with a secret in them, kept for a replay.
    Reply,
    /// Signing secrets of webhook endpoints at rest.
    Webhook,
    /// The key that signs checkpoints of the audit chain.
    Checkpoint,
    /// What operators sign in with: links, cookies of the door, second factors at rest. The first part says which.
    Signin,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Purpose::Code => b"postern/code/1",
            Purpose::Number => b"postern/number/1",
            Purpose::Client => b"postern/client/1",
            Purpose::Cursor => b"postern/cursor/1",
            Purpose::Body => b"postern/body/1",
            Purpose::Callback => b"postern/callback/1",
            Purpose::Reply => b"postern/reply/1",
            Purpose::Webhook => b"postern/webhook/1",
            Purpose::Checkpoint => b"postern/checkpoint/1",
            Purpose::Signin => b"postern/signin/1",
        }
    }
}

/// The server's key, kept outside the database: source of every MAC and sealing.
#[derive(Clone)]
pub struct Keyring {
    master: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[keyring]")
    }
}

impl Keyring {
    /// A keyring on 32 bytes from an approved random source.
    pub fn new(master: [u8; 32]) -> Self {
        Keyring { master: Zeroizing::new(master) }
    }

    /// HMAC-SHA-256 of `parts` under the key of `purpose`. Parts are length-prefixed, so that they cannot run together.
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let key = self.subkey(purpose);
        let mut mac = keyed(key.as_slice());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Seals `plain` (ChaCha20-Poly1305, random nonce); `context` must be given again to open it.
    /// Layout: key id (4 bytes), nonce (12), ciphertext with tag.
    pub fn seal(&self, purpose: Purpose, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0u8; 12];
        fill_noise(&mut nonce);
        let sealed =
            self.cipher(purpose).encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: context }).unwrap_or_default();
        let mut out = Vec::with_capacity(16 + sealed.len());
        out.extend_from_slice(&self.key_id());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens what `seal` made; `None` where key, context or text do not fit.
    pub fn open(&self, purpose: Purpose, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (key_id, rest) = sealed.split_at_checked(4)?;
        let (nonce, text) = rest.split_at_checked(12)?;
        if key_id != self.key_id() {
            return None;
        }
        let nonce: [u8; 12] = nonce.try_into().ok()?;
        self.cipher(purpose).decrypt(&Nonce::from(nonce), Payload { msg: text, aad: context }).ok()
    }

    /// 32 secret bytes for a key pair of `purpose`: the same as long as the master key is.
    pub fn seed(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        self.subkey(purpose)
    }

    /// Names the master key in sealed texts, so that a later rotation can tell old from new.
    fn key_id(&self) -> [u8; 4] {
        let digest = sha256(self.master.as_slice());
        [digest[0], digest[1], digest[2], digest[3]]
    }

    fn subkey(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac_sha256(self.master.as_slice(), purpose.label()))
    }

    fn cipher(&self, purpose: Purpose) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.subkey(purpose)))
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// HMAC-SHA-256 of `message` under `key`.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA-1 of `message` under `key`: Twilio's `X-Twilio-Signature` and nothing else.
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut mac = match <Hmac<sha1::Sha1> as KeyInit>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => <Hmac<sha1::Sha1> as KeyInit>::new(&Default::default()),
    };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Bytes as lower-case hex: how digests and signatures are written.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Equality in a time that does not depend on where the texts differ.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Fills `bytes` from the operating system's random source; ends the process where there is none, since no code or
/// key made after that could be trusted.
pub fn fill_random(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        std::process::abort();
    }
}

/// Fills `bytes` from this thread's generator (ChaCha, seeded and reseeded from the operating system): as good as
/// `fill_random` for ids and nonces, without a system call for each.
pub fn fill_noise(bytes: &mut [u8]) {
    rand::rng().fill_bytes(bytes);
}

/// A random number: dice, not a secret.
pub fn random_u64() -> u64 {
    rand::rng().next_u64()
}

/// `LEN` letters and digits (base 62) from the operating system's random source, each equally likely.
pub fn random_token<const LEN: usize>() -> String {
    let mut token = String::with_capacity(LEN);
    while token.len() < LEN {
        let mut noise = [0u8; 64];
        fill_random(&mut noise);
        // 248 is the largest multiple of 62 below 256: bytes above it would favour the first letters.
        token.extend(noise.iter().filter(|b| **b < 248).take(LEN - token.len()).map(|b| base62(b % 62)));
    }
    token
}

fn base62(digit: u8) -> char {
    match digit {
        0..=9 => char::from(b'0' + digit),
        10..=35 => char::from(b'A' + digit - 10),
        _ => char::from(b'a' + digit - 36),
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length (RFC 2104, section 2); the error arm cannot be reached.
    match <Hmac<Sha256> as KeyInit>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => <Hmac<Sha256> as KeyInit>::new(&Default::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_only_with_its_context_purpose_and_key() {
        let ring = Keyring::new([7; 32]);
        let sealed = ring.seal(Purpose::Body, b"msg_1", b"hello");
        assert_eq!(ring.open(Purpose::Body, b"msg_1", &sealed).as_deref(), Some(&b"hello"[..]));
        assert_eq!(ring.open(Purpose::Body, b"msg_2", &sealed), None);
        assert_eq!(ring.open(Purpose::Cursor, b"msg_1", &sealed), None);
        assert_eq!(Keyring::new([8; 32]).open(Purpose::Body, b"msg_1", &sealed), None);
        assert_eq!(ring.open(Purpose::Body, b"msg_1", &sealed[..9]), None);
    }

    #[test]
    fn parts_of_a_mac_do_not_run_together() {
        let ring = Keyring::new([7; 32]);
        assert_ne!(ring.mac(Purpose::Number, &[b"ab", b"c"]), ring.mac(Purpose::Number, &[b"a", b"bc"]));
    }

    #[test]
    fn hmac_is_that_of_rfc_4231_case_2() {
        let tag = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(tag[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }

    #[test]
    fn a_secret_cannot_be_printed() {
        assert_eq!(format!("{:?}", Secret::new(String::from("hunter2"))), "[secret]");
    }
}
