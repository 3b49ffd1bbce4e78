//! Answers that hold a secret, kept for their replay: sealed, so that the database never holds a secret in the clear.

use super::{Answer, Stored};
use crate::error::{Error, Result};
use crate::secret::{Keyring, Purpose};

/// Shuts an answer before it is kept and opens it before it is given.
#[derive(Clone)]
pub struct Seal {
    ring: Keyring,
    owner: String,
}

impl Seal {
    /// For answers to `owner`, an organization or an operator: under another owner they do not open.
    pub fn new(ring: &Keyring, owner: impl Into<String>) -> Seal {
        Seal { ring: ring.clone(), owner: owner.into() }
    }

    /// The answer as it is kept: status and place as they are, the body sealed.
    pub fn shut(&self, stored: Stored) -> Stored {
        let body = self.ring.seal(Purpose::Reply, self.owner.as_bytes(), &stored.body);
        Stored { body, ..stored }
    }

    /// The answer as it is given. Error: `internal` where it was sealed for another owner or under another secret key.
    pub fn open(&self, answer: Answer) -> Result<Answer> {
        let body = self
            .ring
            .open(Purpose::Reply, self.owner.as_bytes(), &answer.stored.body)
            .ok_or_else(|| Error::internal("a sealed answer does not open; was the secret key changed?"))?;
        Ok(Answer { stored: Stored { body, ..answer.stored }, ..answer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_answer_shows_nothing_and_opens_for_its_owner_alone() {
        let ring = Keyring::new([7; 32]);
        let seal = Seal::new(&ring, "org_1");
        let plain = Stored { status: 201, body: b"whsec_secret".to_vec(), location: Some(String::from("/x")) };
        let kept = seal.shut(plain.clone());
        assert!(!kept.body.windows(6).any(|part| part == b"secret"));
        assert_eq!((kept.status, &kept.location), (201, &plain.location));
        let answer = Answer { stored: kept, replayed: true };
        assert_eq!(seal.open(answer.clone()).unwrap(), Answer { stored: plain, replayed: true });
        assert!(Seal::new(&ring, "org_2").open(answer.clone()).is_err());
        let cut = Stored { body: answer.stored.body.iter().skip(1).copied().collect(), ..answer.stored };
        assert!(seal.open(Answer { stored: cut, replayed: true }).is_err());
    }
}
