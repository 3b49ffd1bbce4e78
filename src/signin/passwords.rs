//! Passwords: what one must be, and argon2id in two lanes.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::app::{App, FromApp};
use crate::error::{Code, Error, Result};
use crate::secret::{Secret, fill_random};

/// Shortest and longest password, characters; nothing else about its letters is asked.
/// Source: NIST SP 800-63B-4, section 3.1.1.2.
const MIN_CHARS: usize = 12;
const MAX_CHARS: usize = 256;

/// Memory in KiB, passes, lanes.
/// Source: <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// How many are computed at once in a lane: each takes 19 MiB, so that guesses cannot eat the memory.
const AT_ONCE: usize = 1;

/// How many wait in a lane at most; whoever comes then is told to come again.
const WAITING: usize = 32;

/// Parts of passwords that guessers try first and that are long enough to pass otherwise, in lower case.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "123456789",
    "987654321",
    "qwertyuiop",
    "1q2w3e4r",
    "letmein",
    "iloveyou",
    "administrator",
    "welcome1",
    "changeme",
    "trustno1",
    "postern",
    "abcdefgh",
    "adminadmin",
    "secretsecret",
    "111111",
    "000000",
];

/// Whether an operator of this name may have this password. Error: `validation_failed` on `password`, with the reason.
pub(super) fn check(password: &Secret<String>, name: &str) -> Result<()> {
    let text = password.expose();
    let chars = text.chars().count();
    if !(MIN_CHARS..=MAX_CHARS).contains(&chars) {
        return Err(Error::field("password", format!("must have {MIN_CHARS} to {MAX_CHARS} characters")));
    }
    let (lower, name) = (text.to_lowercase(), name.to_lowercase());
    if name.chars().count() >= 3 && lower.contains(&name) {
        return Err(Error::field("password", "must not hold the operator's name"));
    }
    // What is left without the part that everybody tries must still be worth a guess.
    let is_common = COMMON.iter().any(|common| lower.contains(common) && chars.saturating_sub(common.len()) < 8);
    let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
    if is_common || distinct.len() < 5 {
        return Err(Error::field("password", "is among those that guessers try first; take another"));
    }
    Ok(())
}

/// Where a password waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// For who has been let in before: from a known device, in a session, by a link.
    Known,
    /// For everybody else. However many guess here, nobody in the other lane waits for them.
    Stranger,
}

/// Computes passwords' hashes on threads of their own; on the shelf of the app.
pub(super) struct Hasher {
    known: Places,
    strangers: Places,
}

/// The places of a lane: those where a hash is computed, and those besides where one waits for that.
struct Places {
    working: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

impl Places {
    fn new() -> Places {
        Places { working: Arc::new(Semaphore::new(AT_ONCE)), all: Arc::new(Semaphore::new(AT_ONCE + WAITING)) }
    }
}

impl FromApp for Hasher {
    fn from_app(_: &App) -> Hasher {
        Hasher::new()
    }
}

impl Hasher {
    fn new() -> Hasher {
        Hasher { known: Places::new(), strangers: Places::new() }
    }

    /// The password as it is stored: a PHC string. Error: `overloaded`.
    pub(super) async fn hash(&self, password: Secret<String>) -> Result<String> {
        self.run(Lane::Known, move || {
            let mut noise = [0; 16];
            fill_random(&mut noise);
            let salt = SaltString::encode_b64(&noise).map_err(Error::internal)?;
            let hash = engine()?.hash_password(password.expose().as_bytes(), &salt).map_err(Error::internal)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether it is the password that is stored; one that is not there takes as long to say no. Error: `overloaded`.
    pub(super) async fn fits(&self, lane: Lane, password: Secret<String>, stored: Option<String>) -> Result<bool> {
        self.run(lane, move || {
            let known = stored.is_some();
            let text = stored.unwrap_or_else(|| String::from(NOBODYS));
            let hash = PasswordHash::new(&text).map_err(Error::internal)?;
            let too_long = password.expose().chars().count() > MAX_CHARS;
            let fits = engine()?.verify_password(password.expose().as_bytes(), &hash).is_ok();
            Ok(fits && known && !too_long)
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, lane: Lane, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let places = match lane {
            Lane::Known => &self.known,
            Lane::Stranger => &self.strangers,
        };
        let place = Arc::clone(&places.all).try_acquire_owned().map_err(|_| Error::new(Code::Overloaded))?;
        let turn = Arc::clone(&places.working).acquire_owned().await.map_err(Error::internal)?;
        // Given back by the thread: whoever hangs up frees no place that is still worked at.
        let work = move || {
            let _held = (place, turn);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

/// The hash of nobody's password, at the same cost.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn engine() -> Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn length_counts_and_the_commonest_are_refused() {
        for good in ["correct horse battery", "zwölf zeichen", "my password is a long sentence", "Xk2!mq9Vb7@p"] {
            assert!(check(&secret(good), "Ada").is_ok(), "{good}");
        }
        for bad in [
            "short",
            "elevenchars",
            "Password1234",
            "qwertyuiop12",
            "aaaaaaaaaaaaaa",
            "121212121212",
            "Ada Lovelace 1815",
        ] {
            assert!(check(&secret(bad), "Ada").is_err(), "{bad}");
        }
        assert!(check(&secret(&"å".repeat(257)), "Ada").is_err());
    }

    #[actix_web::test]
    async fn a_hash_is_argon2id_and_fits_its_password_only() {
        let hasher = Hasher::new();
        let stored = hasher.hash(secret("correct horse battery")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(hasher.fits(Lane::Stranger, secret("correct horse battery"), Some(stored.clone())).await.unwrap());
        assert!(!hasher.fits(Lane::Stranger, secret("correct horse batterz"), Some(stored)).await.unwrap());
        assert!(!hasher.fits(Lane::Stranger, secret("correct horse battery"), None).await.unwrap());
    }

    #[actix_web::test]
    async fn however_many_strangers_guess_the_known_wait_for_none_of_them() {
        let hasher = Hasher::new();
        let busy = Arc::clone(&hasher.strangers.working).acquire_owned().await.unwrap();
        let waiting: Vec<_> =
            (0..=WAITING).map(|_| Arc::clone(&hasher.strangers.all).try_acquire_owned().unwrap()).collect();
        let guess = |lane| hasher.fits(lane, secret("correct horse battery"), None);
        assert_eq!(guess(Lane::Stranger).await.unwrap_err().code(), Code::Overloaded);
        assert!(!guess(Lane::Known).await.unwrap());
        drop((busy, waiting));
        assert!(!guess(Lane::Stranger).await.unwrap());
    }
}
