//! Tells this process's deliverers that something was emitted. An emit happens inside a transaction, before its commit
//! and without the app in hand: so the bell is the process's, and who hears it keeps looking for a moment.

use std::sync::atomic::{AtomicU64, Ordering};

static RUNG: AtomicU64 = AtomicU64::new(0);

/// Something was emitted, and will be there once its transaction is committed.
pub(super) fn ring() {
    RUNG.fetch_add(1, Ordering::Relaxed);
}

/// How often the bell has rung.
pub(super) fn count() -> u64 {
    RUNG.load(Ordering::Relaxed)
}
