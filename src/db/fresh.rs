//! What every request looks at and few ever change: read from the database once in a while and kept in memory. At most
//! 800 ms old, so that a change acts within a second on every process, and at once on the one that made it.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

const FOR: Duration = Duration::from_millis(800);

/// A value and since when it is known; never where it was changed here.
#[derive(Debug)]
pub struct Fresh<T>(RwLock<Option<(Option<Instant>, T)>>);

impl<T> Default for Fresh<T> {
    fn default() -> Self {
        Fresh(RwLock::default())
    }
}

impl<T: Clone> Fresh<T> {
    /// The value, where it is fresh; else the one before, if any.
    pub fn get(&self) -> Result<T, Option<T>> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Some((Some(at), value)) if at.elapsed() < FOR => Ok(value.clone()),
            known => Err(known.as_ref().map(|(_, value)| value.clone())),
        }
    }

    /// Keeps a value whose reading began at `at`.
    pub fn put(&self, at: Instant, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((Some(at), value));
    }

    /// Makes it old: somebody changed it.
    pub fn forget(&self) {
        if let Some((at, _)) = self.0.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_fresh_for_a_moment_and_old_at_once_where_it_was_changed() {
        let fresh = Fresh::default();
        assert_eq!(fresh.get(), Err(None));
        fresh.put(Instant::now(), 1);
        assert_eq!(fresh.get(), Ok(1));
        fresh.forget();
        assert_eq!(fresh.get(), Err(Some(1)));
        if let Some(before) = Instant::now().checked_sub(FOR) {
            fresh.put(before, 2);
            assert_eq!(fresh.get(), Err(Some(2)));
        }
    }
}
