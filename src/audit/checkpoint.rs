//! Checkpoints, pure: signed statements of where the chain ended at some moment. Kept outside the database, they show what
//! the chain alone cannot: a tail that was cut, an older copy put back, a log written anew as a whole.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::ids::{CheckpointId, NodeId};
use crate::secret::{Keyring, Purpose};

/// Where the chain ended at a moment, signed. As a line of JSON it is what the export targets are given; anybody who has the
/// public key can check it. `kind` is always `checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AuditCheckpoint)]
pub struct Checkpoint {
    /// Its id.
    pub id: CheckpointId,
    /// The place of the last row, which is the number of rows as well: the chain starts at 1 and has no holes.
    #[schema(example = 4711)]
    pub seq: i64,
    /// The last row's hash, hex; empty where the chain was empty.
    pub hash: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-03-28T14:00:00.000Z")]
    pub at: Millis,
    /// The process that made it.
    pub node: NodeId,
    /// The public key it is signed with, base64: it names the installation as well.
    pub key: String,
    /// The Ed25519 signature (RFC 8032) over the text that docs/audit.md tells, base64.
    pub signature: String,
}

impl Checkpoint {
    /// The text that is signed: a line for each member, as JSON shows it.
    fn text(&self) -> String {
        let Checkpoint { id, seq, hash, at, node, key, .. } = self;
        let at = at.rfc3339();
        format!("postern audit checkpoint 1\nid {id}\nseq {seq}\nhash {hash}\nat {at}\nnode {node}\nkey {key}\n")
    }

    /// The line of JSON that is exported, with its `kind`.
    ///
    /// # Errors
    /// `internal` where it is no JSON, which it always is.
    pub fn line(&self) -> Result<String> {
        super::proof::tagged("checkpoint", self)
    }

    /// Whether the holder of `key` signed it as it stands.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let Ok(signature) = STANDARD.decode(&self.signature) else { return false };
        let public = UnparsedPublicKey::new(&ED25519, key.0);
        self.key == key.to_string() && public.verify(self.text().as_bytes(), &signature).is_ok()
    }
}

/// A public key of Ed25519, written in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// A text that is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a public key: 32 bytes in base64, as `postern audit key` shows it")]
pub struct NotAKey;

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| NotAKey)?;
        bytes.try_into().map(PublicKey).map_err(|_| NotAKey)
    }
}

/// What signs: a key pair made from the server's key, so that it lives as long, is kept nowhere else, and is the same in
/// every process of the installation.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// The installation's.
    ///
    /// # Errors
    /// `internal` where the seed is refused, which no seed of 32 bytes is.
    pub fn of(keyring: &Keyring) -> Result<Signer> {
        let seed = keyring.seed(Purpose::Checkpoint);
        Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map(Signer).map_err(Error::internal)
    }

    /// What others check by.
    ///
    /// # Errors
    /// `internal` where it has not 32 bytes, which every one has.
    pub fn public(&self) -> Result<PublicKey> {
        self.0.public_key().as_ref().try_into().map(PublicKey).map_err(Error::internal)
    }

    /// Signs where the chain ended: its last row's place and hash.
    ///
    /// # Errors
    /// See [`Signer::public`].
    pub fn sign(&self, (seq, hash): (i64, String), at: Millis, node: NodeId) -> Result<Checkpoint> {
        let key = self.public()?.to_string();
        let plain = Checkpoint { id: CheckpointId::new(at), seq, hash, at, node, key, signature: String::new() };
        let signature = STANDARD.encode(self.0.sign(plain.text().as_bytes()).as_ref());
        Ok(Checkpoint { signature, ..plain })
    }
}

/// The checkpoints among lines of text: a file that was exported, what a webhook collected, or a log with one object a line.
/// Other lines are passed over; the same checkpoint twice is one.
pub fn read_lines(text: &str) -> Vec<Checkpoint> {
    let mut found: Vec<Checkpoint> = Vec::new();
    for checkpoint in text.lines().filter_map(|line| serde_json::from_str::<Checkpoint>(line.trim()).ok()) {
        found.push(checkpoint);
    }
    found.sort_by_key(|checkpoint| (checkpoint.seq, checkpoint.id));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(byte: u8) -> Signer {
        Signer::of(&Keyring::new([byte; 32])).unwrap()
    }

    fn made() -> Checkpoint {
        signer(7).sign((3, String::from("ab")), Millis(1_774_708_200_000), NodeId::new(Millis(1))).unwrap()
    }

    #[test]
    fn a_checkpoint_is_its_signer_s_and_nobody_else_s() {
        let (ours, other) = (signer(7).public().unwrap(), signer(8).public().unwrap());
        assert!(made().is_signed_by(&ours));
        assert!(!made().is_signed_by(&other));
        assert_eq!(ours.to_string().parse(), Ok(ours));
        assert!("c2hvcnQ=".parse::<PublicKey>().is_err());
    }

    #[test]
    fn a_change_of_any_member_breaks_the_signature() {
        let key = signer(7).public().unwrap();
        let tampers: [fn(&mut Checkpoint); 6] = [
            |made| made.id = CheckpointId::new(Millis(5)),
            |made| made.seq = 2,
            |made| made.hash.push('0'),
            |made| made.at = Millis(0),
            |made| made.node = NodeId::new(Millis(9)),
            |made| made.signature.insert(0, 'A'),
        ];
        for tamper in tampers {
            let mut checkpoint = made();
            tamper(&mut checkpoint);
            assert!(!checkpoint.is_signed_by(&key), "{checkpoint:?}");
        }
    }

    #[test]
    fn lines_of_other_kinds_are_passed_over() {
        let checkpoint = made();
        let mut logged = serde_json::to_value(&checkpoint).unwrap();
        logged["level"] = "INFO".into();
        let line = serde_json::to_string(&checkpoint).unwrap();
        let text = format!("{line}\nnonsense\n{{\"level\":\"INFO\"}}\n\n{line}\n{logged}\n");
        assert_eq!(read_lines(&text), [checkpoint]);
    }
}
