//! Who a credential belongs to: looked up once, remembered for less than a second, forgotten at once where this process
//! changes anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use crate::accounts::caller::{Caller, standing};
use crate::accounts::operator::{Operator, Via};
use crate::accounts::store;
use crate::accounts::token::Presented;
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};

/// The directory of credentials, on the shelf of the app.
pub struct Directory {
    keys: Book<Caller>,
    tokens: Book<Operator>,
}

impl FromApp for Directory {
    fn from_app(_: &App) -> Self {
        Directory { keys: Book::new(), tokens: Book::new() }
    }
}

impl Directory {
    /// The caller whose key was presented. Errors: `unauthenticated`, `key_revoked`, `key_expired`, and 503 where the
    /// database does not answer: an outage is not a wrong key.
    pub(super) async fn caller(&self, app: &App, presented: &Presented) -> Result<Caller> {
        let now = app.clock.now();
        let fresh = |caller: &Caller| caller.valid_until.is_none_or(|at| at > now);
        let found = self.keys.find(app, presented, fresh, load_caller).await?;
        admitted(found, presented, now)
    }

    /// The operator whose token was presented. Errors: as for a key.
    pub(super) async fn operator(&self, app: &App, presented: &Presented) -> Result<Operator> {
        let found = self.tokens.find(app, presented, |_| true, load_operator).await?;
        admitted(found, presented, app.clock.now())
    }

    /// Forgets everything: called after each change to an organization, key, plan, override or operator.
    pub fn forget(&self) {
        self.keys.forget();
        self.tokens.forget();
    }
}

/// How long a look-up is believed, so that a change made by another process acts within a second.
const BELIEVED: Duration = Duration::from_millis(700);

/// A look-up that took longer than this is not kept: what it read may be old already.
const SLOW: Duration = Duration::from_millis(200);

/// Most credentials remembered.
const MOST: u64 = 100_000;

/// What is known of a public part: whose it is, the hash that proves it, and when it ends.
struct Known<T> {
    whose: T,
    hash: Vec<u8>,
    expires_at: Option<Millis>,
    revoked_at: Option<Millis>,
}

type Entry<T> = Option<Arc<Known<T>>>;
type Load<T> = fn(&mut Conn, &str, Millis) -> Result<Option<Known<T>>>;

struct Book<T> {
    cache: Cache<String, Entry<T>>,
    edition: AtomicU64,
}

impl<T: Send + Sync + 'static> Book<T> {
    fn new() -> Self {
        let cache = Cache::builder().max_capacity(MOST).time_to_live(BELIEVED).build();
        Book { cache, edition: AtomicU64::new(0) }
    }

    async fn find(
        &self,
        app: &App,
        presented: &Presented,
        fresh: impl Fn(&T) -> bool,
        load: Load<T>,
    ) -> Result<Entry<T>> {
        if let Some(entry) = self.cache.get(&presented.prefix)
            && entry.as_ref().is_none_or(|known| fresh(&known.whose))
        {
            return Ok(entry);
        }
        let edition = self.edition.load(Ordering::SeqCst);
        let (started, now) = (Instant::now(), app.clock.now());
        let prefix = presented.prefix.clone();
        let entry = app.db.read(move |conn| load(conn, &prefix, now)).await?.map(Arc::new);
        if started.elapsed() < SLOW {
            self.keep(&presented.prefix, &entry, edition);
        }
        Ok(entry)
    }

    /// Keeps what was read unless something was changed meanwhile; looks again afterwards, since the change may come
    /// between the look and the insert.
    fn keep(&self, prefix: &str, entry: &Entry<T>, edition: u64) {
        if self.edition.load(Ordering::SeqCst) != edition {
            return;
        }
        self.cache.insert(String::from(prefix), entry.clone());
        if self.edition.load(Ordering::SeqCst) != edition {
            self.cache.invalidate(prefix);
        }
    }

    fn forget(&self) {
        self.edition.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate_all();
    }
}

/// Only who proves the whole credential learns what became of it.
fn admitted<T: Clone>(entry: Entry<T>, presented: &Presented, now: Millis) -> Result<T> {
    let known = entry.filter(|known| presented.fits(&known.hash)).ok_or_else(unknown)?;
    if known.revoked_at.is_some() {
        return Err(Error::new(Code::KeyRevoked));
    }
    if known.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::new(Code::KeyExpired));
    }
    Ok(known.whose.clone())
}

fn unknown() -> Error {
    Error::new(Code::Unauthenticated)
        .detail("The key is well-formed but unknown here; check that it belongs to this server.")
}

fn load_caller(conn: &mut Conn, prefix: &str, now: Millis) -> Result<Option<Known<Caller>>> {
    let Some(stored) = store::keys::find_by_prefix(conn, prefix)? else { return Ok(None) };
    let (expires_at, revoked_at) = (stored.view.expires_at, stored.view.revoked_at);
    let whose = Caller::new(standing(conn, stored.view, now)?);
    Ok(Some(Known { whose, hash: stored.hash, expires_at, revoked_at }))
}

fn load_operator(conn: &mut Conn, prefix: &str, _: Millis) -> Result<Option<Known<Operator>>> {
    let stored = store::operators::find_token(conn, prefix)?;
    Ok(stored.map(|stored| Known {
        hash: stored.hash,
        expires_at: stored.view.expires_at,
        revoked_at: stored.view.revoked_at.or(stored.operator.disabled_at),
        whose: Operator {
            id: stored.operator.id,
            via: Via::Token(stored.view.id),
            name: stored.operator.name,
            role: stored.view.role.map_or(stored.operator.role, |role| role.lesser(stored.operator.role)),
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::token::{Holder, mint, present};

    fn known(hash: &[u8], expires_at: Option<i64>, revoked_at: Option<i64>) -> Entry<&'static str> {
        let (expires_at, revoked_at) = (expires_at.map(Millis), revoked_at.map(Millis));
        Some(Arc::new(Known { whose: "somebody", hash: hash.to_vec(), expires_at, revoked_at }))
    }

    #[test]
    fn only_the_whole_credential_is_told_what_became_of_it() {
        let minted = mint(Holder::Live);
        let presented = present(minted.text.expose()).unwrap();
        let code = |entry| admitted(entry, &presented, Millis(1_000)).map_err(|fault| fault.code());
        assert_eq!(code(known(&minted.hash, None, None)), Ok("somebody"));
        assert_eq!(code(known(&minted.hash, Some(1_001), None)), Ok("somebody"));
        assert_eq!(code(known(&minted.hash, Some(1_000), None)), Err(Code::KeyExpired));
        assert_eq!(code(known(&minted.hash, Some(1), Some(1))), Err(Code::KeyRevoked));
        assert_eq!(code(known(&[0; 32], Some(1), Some(1))), Err(Code::Unauthenticated));
        assert_eq!(code(None), Err(Code::Unauthenticated));
    }

    #[test]
    fn a_change_made_by_another_process_acts_within_a_second() {
        assert!(BELIEVED + SLOW < Duration::from_secs(1));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let book: Book<&str> = Book::new();
        let edition = book.edition.load(Ordering::SeqCst);
        book.forget();
        book.keep("pst_live_x", &known(&[0; 32], None, None), edition);
        assert!(book.cache.get("pst_live_x").is_none());
        book.keep("pst_live_x", &known(&[0; 32], None, None), edition + 1);
        assert!(book.cache.get("pst_live_x").is_some());
    }
}
