//! Waking the workers of other processes: NOTIFY on PostgreSQL. Polling is the safety net, this only makes it quick.
//!
//! Never inside a transaction that others wait for: PostgreSQL lets those that notify commit one after the other.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::r2d2::ManageConnection;

use crate::db::Conn;
use crate::db::conn::Opener;
use crate::error::{Error, Result};

/// How often the listener looks at its socket: a system call, nothing that PostgreSQL sees.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Until the next try where the connection is lost.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Rings: something is due.
pub(super) fn ring(conn: &mut Conn) -> Result<()> {
    if let Conn::Pg(c) = conn {
        diesel::sql_query("NOTIFY postern_work").execute(c)?;
    }
    Ok(())
}

/// Calls `heard` at each ring, on a thread of its own that ends with the last handle on `life`.
pub(super) fn listen(opener: Opener, life: &Arc<()>, heard: impl Fn() + Send + 'static) -> Result<()> {
    let life = Arc::downgrade(life);
    let work = move || {
        while life.strong_count() > 0 {
            if let Err(fault) = hear(&opener, &life, &heard) {
                tracing::debug!(error = %fault, "the bell is not heard for a moment");
            }
            thread::sleep(AGAIN_AFTER);
        }
    };
    thread::Builder::new().name(String::from("db-bell")).spawn(work).map_err(Error::internal)?;
    Ok(())
}

fn hear(opener: &Opener, life: &Weak<()>, heard: &impl Fn()) -> Result<(), String> {
    let mut conn = opener.connect().map_err(|fault| fault.to_string())?;
    let Conn::Pg(c) = &mut conn else { return Ok(()) };
    c.batch_execute("LISTEN postern_work").map_err(|fault| fault.to_string())?;
    // What was rung while nobody listened.
    heard();
    while life.strong_count() > 0 {
        thread::sleep(LOOK_EVERY);
        let mut rung = false;
        for notice in c.notifications_iter() {
            rung |= notice.map_err(|fault| fault.to_string()).map(|_| true)?;
        }
        if rung {
            heard();
        }
    }
    Ok(())
}
