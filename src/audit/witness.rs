//! A walk along the chain compared with checkpoints, pure.

use serde::Serialize;

use super::chain::Head;
use super::checkpoint::{Checkpoint, PublicKey};
use crate::clock::Millis;
use crate::ids::CheckpointId;
use crate::secret::hex;

crate::text_enum! {
    /// What a checkpoint shows to be wrong with the chain.
    pub enum CheckpointFault {
        /// The chain ends before the checkpoint: its tail was cut, or an older copy of the database was put back.
        CutOff = "cut_off",
        /// The chain agrees with earlier checkpoints and not with this one: an older copy was put back and written on, or
        /// every row from some place on was written anew.
        Diverged = "diverged",
        /// The chain agrees with no checkpoint: the log was replaced as a whole.
        Replaced = "replaced",
        /// The checkpoint is not signed by the key: it was changed, or is another installation's.
        Unsigned = "unsigned",
    }
}

/// What the comparison with checkpoints found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AuditCheckpointVerdict)]
pub struct Covered {
    /// How many checkpoints were compared and agree.
    pub agreeing: u64,
    /// The place of the last row that a checkpoint vouches for.
    pub up_to: Option<i64>,
    /// What is wrong, if anything is.
    pub fault: Option<CheckpointFault>,
    /// The first checkpoint that says so.
    pub checkpoint: Option<CheckpointId>,
    /// The place it names.
    pub seq: Option<i64>,
    /// When it was made: the log was still right then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Millis>,
}

/// Checkpoints on their way along a walk.
#[derive(Debug, Clone)]
pub struct Witness {
    /// Those to come, the next one last.
    ahead: Vec<Checkpoint>,
    unsigned: Option<Checkpoint>,
    found: Covered,
}

impl Witness {
    /// What `checkpoints` say; only those count that are signed by `key`.
    pub fn new(checkpoints: Vec<Checkpoint>, key: &PublicKey) -> Witness {
        let (mut ahead, strange): (Vec<_>, Vec<_>) =
            checkpoints.into_iter().partition(|checkpoint| checkpoint.is_signed_by(key));
        ahead.sort_by_key(|checkpoint| (std::cmp::Reverse(checkpoint.seq), std::cmp::Reverse(checkpoint.id)));
        let found = Covered { agreeing: 0, up_to: None, fault: None, checkpoint: None, seq: None, at: None };
        Witness { ahead, unsigned: strange.into_iter().next(), found }
    }

    /// The walk stands at `head`, whose rows are linked.
    pub(super) fn pass(&mut self, head: &Head) {
        while let Some(next) = self.ahead.last().filter(|next| next.seq <= head.seq) {
            let agrees = next.seq == head.seq && next.hash == hex(&head.hash);
            let next = self.ahead.pop();
            if agrees {
                self.found.agreeing += 1;
                self.found.up_to = Some(head.seq);
            } else if let Some(next) = next {
                let fault = if self.found.up_to.is_some_and(|seq| seq > 0) {
                    CheckpointFault::Diverged
                } else {
                    CheckpointFault::Replaced
                };
                self.note(fault, &next);
            }
        }
    }

    /// The walk is over; `whole` where the chain itself has no fault.
    pub(super) fn finish(mut self, whole: bool) -> Covered {
        if whole && let Some(next) = self.ahead.pop() {
            self.note(CheckpointFault::CutOff, &next);
        }
        if let Some(strange) = self.unsigned.take() {
            self.note(CheckpointFault::Unsigned, &strange);
        }
        self.found
    }

    /// The first fault stands.
    fn note(&mut self, fault: CheckpointFault, by: &Checkpoint) {
        if self.found.fault.is_none() {
            let found = &mut self.found;
            (found.fault, found.checkpoint) = (Some(fault), Some(by.id));
            (found.seq, found.at) = (Some(by.seq), Some(by.at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Signer;
    use super::*;
    use crate::ids::NodeId;
    use crate::secret::Keyring;

    fn head(seq: i64, chain: u8) -> Head {
        let hash = if seq == 0 { Vec::new() } else { vec![chain, u8::try_from(seq).unwrap()] };
        Head { seq, hash }
    }

    fn found(points: &[(i64, u8, u8)], walked: i64, whole: bool) -> Covered {
        let signed = points.iter().map(|(seq, chain, key)| {
            let signer = Signer::of(&Keyring::new([*key; 32])).unwrap();
            let at = head(*seq, *chain);
            signer.sign((*seq, hex(&at.hash)), Millis(1_000 + seq), NodeId::new(Millis(1))).unwrap()
        });
        let key = Signer::of(&Keyring::new([7; 32])).unwrap().public().unwrap();
        let mut witness = Witness::new(signed.collect(), &key);
        (0..=walked).for_each(|seq| witness.pass(&head(seq, 1)));
        witness.finish(whole)
    }

    #[test]
    fn a_chain_that_goes_on_agrees_with_all_of_them() {
        let all = found(&[(4, 1, 7), (0, 1, 7), (2, 1, 7)], 6, true);
        assert_eq!((all.agreeing, all.up_to, all.fault), (3, Some(4), None));
        assert_eq!(found(&[], 3, true).fault, None);
    }

    #[test]
    fn each_fault_has_its_name_and_the_first_checkpoint_that_shows_it() {
        let cases = [
            (found(&[(2, 1, 7), (5, 1, 7), (6, 1, 7)], 4, true), CheckpointFault::CutOff, 5),
            (found(&[(2, 1, 7), (3, 9, 7), (4, 9, 7)], 4, true), CheckpointFault::Diverged, 3),
            (found(&[(0, 1, 7), (2, 9, 7)], 4, true), CheckpointFault::Replaced, 2),
            (found(&[(2, 1, 7), (3, 1, 8)], 4, true), CheckpointFault::Unsigned, 3),
        ];
        for (covered, fault, seq) in cases {
            assert_eq!((covered.fault, covered.seq, covered.at), (Some(fault), Some(seq), Some(Millis(1_000 + seq))));
        }
    }

    #[test]
    fn a_walk_that_a_bad_row_ended_says_nothing_of_what_lies_behind_it() {
        assert_eq!(found(&[(2, 1, 7), (5, 1, 7)], 3, false).fault, None);
    }
}
