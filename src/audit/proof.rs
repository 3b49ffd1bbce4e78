//! A proof: a stretch of the chain with the signed checkpoint that covers it, as lines of JSON that anybody can check
//! without a database, a server or a secret.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::chain::{Entry, Fault, Head, Link, step};
use super::checkpoint::{Checkpoint, PublicKey};
use super::store;
use super::store::checkpoints;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::secret::hex;

/// Most rows of one proof.
pub const ROWS_MAX: i64 = 20_000;

/// A row as a proof holds it: everything its hash covers. `before` and `after` are texts, since they are hashed as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    seq: i64,
    at: Millis,
    actor: String,
    action: String,
    target: String,
    reason: Option<String>,
    before: Option<String>,
    after: Option<String>,
    request_id: Option<String>,
    prev_hash: String,
    hash: String,
}

/// What checking a proof found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProofVerdict {
    /// Whether every row is as it was written and a checkpoint vouches for the last one, signed by a key that was known
    /// beforehand.
    pub whole: bool,
    /// Whether rows, checkpoint and signature agree with each other, whoever signed: somebody who makes a proof up makes a
    /// key for it.
    pub consistent: bool,
    /// Whether the key was known beforehand and not read out of the proof.
    pub signer_checked: bool,
    /// The first row.
    pub from: i64,
    /// The last good row.
    pub to: i64,
    /// The place of the first bad row, where there is one.
    pub first_bad: Option<i64>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// Whether the checkpoint is signed by the key and names the last row's hash.
    pub signed: bool,
    /// When the checkpoint was made.
    pub signed_at: Option<Millis>,
    /// The key it was checked by; where the signer is not checked, the proof's own.
    pub key: Option<String>,
    /// The key that the proof says it is signed by.
    pub named_key: Option<String>,
}

/// `value` as a line of JSON, with `kind` in it.
pub(super) fn tagged(kind: &str, value: &impl Serialize) -> Result<String> {
    let mut value = serde_json::to_value(value).map_err(Error::internal)?;
    if let Some(members) = value.as_object_mut() {
        members.insert(String::from("kind"), Value::from(kind));
    }
    Ok(value.to_string())
}

/// Writes the proof of the rows from `from` to `to`, or to the last that a checkpoint covers. It goes on to the row that the
/// checkpoint names: without the rows between, nothing would lead there.
///
/// # Errors
/// `validation_failed` on `from` or `to`: no such rows, no checkpoint yet, or too many.
pub fn write(conn: &mut Conn, from: i64, to: Option<i64>) -> Result<String> {
    if from < 1 {
        return Err(Error::field("from", "must be the place of a row, from 1"));
    }
    if to.is_some_and(|to| to < from) {
        return Err(Error::field("to", "must not lie before from"));
    }
    let covering = match to {
        Some(to) => checkpoints::covering(conn, to)?,
        None => checkpoints::latest(conn)?.filter(|last| last.seq >= from),
    };
    let checkpoint = covering.ok_or_else(|| {
        let why = "no checkpoint covers these rows yet; make one with POST /v1/admin/audit/checkpoints";
        Error::field(if to.is_some() { "to" } else { "from" }, why)
    })?;
    if checkpoint.seq - from >= ROWS_MAX {
        let why = format!("gives more than {ROWS_MAX} rows up to the next checkpoint, at {}", checkpoint.seq);
        return Err(Error::field("from", why));
    }
    let rows = store::page_after(conn, from - 1, checkpoint.seq - from + 1)?;
    let mut out = String::new();
    for row in rows {
        out.push_str(&tagged("row", &Line::from(row))?);
        out.push('\n');
    }
    out.push_str(&tagged("checkpoint", &checkpoint)?);
    out.push('\n');
    Ok(out)
}

/// Checks a proof by `key`. Without one it can only be found consistent in itself, by the key that it names.
///
/// # Errors
/// A sentence where the text is no proof at all.
pub fn check(text: &str, key: Option<PublicKey>) -> Result<ProofVerdict> {
    let (rows, checkpoint) = parse(text)?;
    let first = rows.first().ok_or_else(|| Error::internal("there is no row in it"))?;
    let from = first.entry.seq;
    let mut head = Head { seq: from.saturating_sub(1), hash: first.prev_hash.clone() };
    let mut bad = None;
    for row in &rows {
        match step(&head, row) {
            Ok(next) => head = next,
            Err(fault) => {
                bad = Some(fault);
                break;
            }
        }
    }
    let named = || checkpoint.as_ref().and_then(|signed| signed.key.parse().ok());
    let signer_checked = key.is_some();
    let key: Option<PublicKey> = key.or_else(named);
    let vouches = |signed: &Checkpoint| {
        key.is_some_and(|key| signed.is_signed_by(&key)) && signed.seq == head.seq && signed.hash == hex(&head.hash)
    };
    let signed = checkpoint.as_ref().is_some_and(vouches);
    let consistent = bad.is_none() && signed;
    Ok(ProofVerdict {
        whole: consistent && signer_checked,
        consistent,
        signer_checked,
        from,
        to: head.seq,
        first_bad: bad.map(|(seq, _)| seq),
        fault: bad.map(|(_, fault)| fault),
        signed,
        named_key: checkpoint.as_ref().map(|signed| signed.key.clone()),
        signed_at: checkpoint.map(|signed| signed.at),
        key: key.map(|key| key.to_string()),
    })
}

fn parse(text: &str) -> Result<(Vec<Link>, Option<Checkpoint>)> {
    let (mut rows, mut checkpoint) = (Vec::new(), None);
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |why: &dyn std::fmt::Display| Error::internal(format!("line {}: {why}", index + 1));
        let value: Value = serde_json::from_str(line).map_err(|error| wrong(&error))?;
        match value.get("kind").and_then(Value::as_str) {
            Some("row") => {
                let line: Line = serde_json::from_value(value).map_err(|error| wrong(&error))?;
                rows.push(line.link().ok_or_else(|| wrong(&"a hash is no hex"))?);
            }
            Some("checkpoint") => {
                checkpoint = Some(serde_json::from_value(value).map_err(|error| wrong(&error))?);
            }
            _ => return Err(wrong(&"is neither a row nor a checkpoint")),
        }
    }
    Ok((rows, checkpoint))
}

impl From<Link> for Line {
    fn from(link: Link) -> Line {
        let Link { entry, prev_hash, hash } = link;
        let Entry { seq, at, actor, action, target, reason, before_state, after_state, request_id } = entry;
        let (prev_hash, hash) = (hex(&prev_hash), hex(&hash));
        Line {
            seq,
            at,
            actor,
            action,
            target,
            reason,
            before: before_state,
            after: after_state,
            request_id,
            prev_hash,
            hash,
        }
    }
}

impl Line {
    fn link(self) -> Option<Link> {
        let Line { seq, at, actor, action, target, reason, before, after, request_id, prev_hash, hash } = self;
        let entry =
            Entry { seq, at, actor, action, target, reason, before_state: before, after_state: after, request_id };
        Some(Link { entry, prev_hash: unhex(&prev_hash)?, hash: unhex(&hash)? })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    if !digits.remainder().is_empty() {
        return None;
    }
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::chain::link;
    use super::super::checkpoint::Signer;
    use super::*;
    use crate::ids::NodeId;
    use crate::secret::Keyring;

    fn proof() -> Vec<String> {
        let mut head = Head::default();
        let mut lines = Vec::new();
        for seq in 1..=5 {
            let entry = Entry {
                seq,
                at: Millis(1_774_708_200_000 + seq),
                actor: String::from("cli"),
                action: String::from("org.update"),
                target: format!("org_{seq}"),
                reason: None,
                before_state: None,
                after_state: Some(String::from("{\"a\": 1}")),
                request_id: None,
            };
            let row = link(head.hash.clone(), entry);
            head = Head { seq, hash: row.hash.clone() };
            if seq > 1 {
                lines.push(tagged("row", &Line::from(row)).unwrap());
            }
        }
        let signer = Signer::of(&Keyring::new([7; 32])).unwrap();
        let signed = signer.sign((5, hex(&head.hash)), Millis(9), NodeId::new(Millis(1))).unwrap();
        lines.push(tagged("checkpoint", &signed).unwrap());
        lines
    }

    #[test]
    fn an_untouched_stretch_is_whole_by_our_key_and_by_its_own_no_more_than_consistent() {
        let ours = Signer::of(&Keyring::new([7; 32])).unwrap().public().unwrap();
        for key in [None, Some(ours)] {
            let found = check(&proof().join("\n"), key).unwrap();
            assert_eq!((found.consistent, found.from, found.to, found.signed), (true, 2, 5, true));
            assert_eq!((found.whole, found.signer_checked), (key.is_some(), key.is_some()));
            assert_eq!(found.key, Some(ours.to_string()));
        }
        let other = Signer::of(&Keyring::new([8; 32])).unwrap().public().unwrap();
        let found = check(&proof().join("\n"), Some(other)).unwrap();
        assert_eq!((found.whole, found.consistent), (false, false));
    }

    #[test]
    fn a_change_a_hole_and_a_missing_end_are_found() {
        let mut changed = proof();
        changed[1] = changed[1].replace("org_3", "org_4");
        let found = check(&changed.join("\n"), None).unwrap();
        assert_eq!((found.consistent, found.first_bad, found.fault), (false, Some(3), Some(Fault::Changed)));
        let mut holed = proof();
        holed.remove(1);
        assert_eq!(check(&holed.join("\n"), None).unwrap().fault, Some(Fault::Missing));
        let mut cut = proof();
        cut.remove(3);
        let found = check(&cut.join("\n"), None).unwrap();
        assert_eq!((found.consistent, found.signed, found.first_bad), (false, false, None));
        let unsigned = &proof()[..4];
        assert!(!check(&unsigned.join("\n"), None).unwrap().consistent);
        assert!(check("{}", None).is_err() && check("", None).is_err());
    }
}
