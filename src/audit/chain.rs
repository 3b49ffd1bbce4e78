//! The chain of hashes, pure: what a row's hash covers, and how a walk along the rows finds the first bad one.

use sha2::{Digest, Sha256};

use crate::clock::Millis;

/// What a row says: everything its hash covers besides the hash before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Place in the chain, from 1.
    pub seq: i64,
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: String,
    /// Why.
    pub reason: Option<String>,
    /// JSON text, hashed as stored.
    pub before_state: Option<String>,
    /// JSON text, hashed as stored.
    pub after_state: Option<String>,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

/// A row: what it says, the hash before it, its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub entry: Entry,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
}

/// Where the chain ends: the last row's place and hash. An empty chain is 0 and no bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub seq: i64,
    pub hash: Vec<u8>,
}

crate::text_enum! {
    /// What is wrong with a row of the audit log.
    pub enum Fault {
        /// The row does not hash to what it holds: it was changed.
        Changed = "changed",
        /// The row does not follow the one before it: a row was inserted, moved or replaced.
        Unlinked = "unlinked",
        /// A row is missing at this place.
        Missing = "missing",
        /// The row lies beyond the chain's recorded end.
        BeyondEnd = "beyond_end",
    }
}

/// Binds `entry` to the hash before it.
pub(super) fn link(prev_hash: Vec<u8>, entry: Entry) -> Link {
    let hash = hash_of(&prev_hash, &entry);
    Link { entry, prev_hash, hash }
}

/// Checks the row that follows `head`. Answers the head behind it, or the place of the first bad row and why.
pub(super) fn step(head: &Head, row: &Link) -> Result<Head, (i64, Fault)> {
    let expected = head.seq.saturating_add(1);
    let seq = row.entry.seq;
    if seq > expected {
        return Err((expected, Fault::Missing));
    }
    if hash_of(&row.prev_hash, &row.entry) != row.hash.as_slice() {
        return Err((seq, Fault::Changed));
    }
    if seq != expected || row.prev_hash != head.hash {
        return Err((seq, Fault::Unlinked));
    }
    Ok(Head { seq, hash: row.hash.clone() })
}

/// Checks the recorded end against where the walk ended.
pub(super) fn finish(walked: &Head, recorded: &Head) -> Result<(), (i64, Fault)> {
    if walked.seq < recorded.seq {
        return Err((walked.seq.saturating_add(1), Fault::Missing));
    }
    if walked.seq > recorded.seq {
        return Err((recorded.seq.saturating_add(1), Fault::BeyondEnd));
    }
    if walked.hash != recorded.hash {
        return Err((walked.seq, Fault::Changed));
    }
    Ok(())
}

/// SHA-256 over the hash before and every field. Each field is length-prefixed and an absent one is told from an empty
/// one, so that no two rows share their bytes.
fn hash_of(prev_hash: &[u8], entry: &Entry) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(b"postern/audit/1");
    absorb(&mut hasher, Some(prev_hash));
    hasher.update(entry.seq.to_be_bytes());
    hasher.update(entry.at.0.to_be_bytes());
    let texts = [
        Some(&entry.actor),
        Some(&entry.action),
        Some(&entry.target),
        entry.reason.as_ref(),
        entry.before_state.as_ref(),
        entry.after_state.as_ref(),
        entry.request_id.as_ref(),
    ];
    for text in texts {
        absorb(&mut hasher, text.map(String::as_bytes));
    }
    hasher.finalize().to_vec()
}

fn absorb(hasher: &mut Sha256, field: Option<&[u8]>) {
    match field {
        None => hasher.update([0]),
        Some(bytes) => {
            hasher.update([1]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: i64) -> Entry {
        Entry {
            seq,
            at: Millis(1_000 + seq),
            actor: String::from("cli"),
            action: String::from("org.create"),
            target: format!("org_{seq}"),
            reason: None,
            before_state: None,
            after_state: Some(String::from("{}")),
            request_id: None,
        }
    }

    fn chain_of(count: i64) -> (Vec<Link>, Head) {
        let mut head = Head::default();
        let mut rows = Vec::new();
        for seq in 1..=count {
            let row = link(head.hash.clone(), entry(seq));
            head = Head { seq, hash: row.hash.clone() };
            rows.push(row);
        }
        (rows, head)
    }

    fn walk(rows: &[Link], recorded: &Head) -> Result<(), (i64, Fault)> {
        let mut head = Head::default();
        for row in rows {
            head = step(&head, row)?;
        }
        finish(&head, recorded)
    }

    #[test]
    fn an_untouched_chain_is_whole() {
        let (rows, head) = chain_of(5);
        assert_eq!(walk(&rows, &head), Ok(()));
        assert_eq!(walk(&[], &Head::default()), Ok(()));
    }

    #[test]
    fn a_change_to_any_field_is_found_at_its_row() {
        let tampers: [fn(&mut Link); 9] = [
            |row| row.entry.at = Millis(row.entry.at.0 + 1),
            |row| row.entry.actor.push('x'),
            |row| row.entry.action.push('x'),
            |row| row.entry.target.push('x'),
            |row| row.entry.reason = Some(String::new()),
            |row| row.entry.before_state = Some(String::from("{}")),
            |row| row.entry.after_state = None,
            |row| row.entry.request_id = Some(String::from("r")),
            |row| row.hash[0] ^= 1,
        ];
        for tamper in tampers {
            let (mut rows, head) = chain_of(5);
            tamper(&mut rows[2]);
            assert_eq!(walk(&rows, &head), Err((3, Fault::Changed)));
        }
    }

    #[test]
    fn a_row_that_was_changed_and_hashed_again_breaks_the_next_link() {
        let (mut rows, head) = chain_of(5);
        let mut forged = entry(3);
        forged.actor = String::from("somebody else");
        rows[2] = link(rows[1].hash.clone(), forged);
        assert_eq!(walk(&rows, &head), Err((4, Fault::Unlinked)));
    }

    #[test]
    fn a_removed_row_is_missed() {
        let (mut rows, head) = chain_of(5);
        rows.remove(1);
        assert_eq!(walk(&rows, &head), Err((2, Fault::Missing)));
    }

    #[test]
    fn a_cut_tail_is_missed_while_the_recorded_end_stands() {
        let (mut rows, head) = chain_of(5);
        rows.truncate(3);
        assert_eq!(walk(&rows, &head), Err((4, Fault::Missing)));
    }

    #[test]
    fn a_row_added_behind_the_end_is_found() {
        let (mut rows, head) = chain_of(5);
        rows.push(link(head.hash.clone(), entry(6)));
        assert_eq!(walk(&rows, &head), Err((6, Fault::BeyondEnd)));
    }

    #[test]
    fn two_rows_that_changed_places_are_found_at_the_first() {
        let (mut rows, head) = chain_of(5);
        let (second, third) = (rows[1].entry.clone(), rows[2].entry.clone());
        rows[1].entry = Entry { seq: 2, ..third };
        rows[2].entry = Entry { seq: 3, ..second };
        assert_eq!(walk(&rows, &head), Err((2, Fault::Changed)));
    }
}
