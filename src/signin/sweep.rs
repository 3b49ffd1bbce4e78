//! What the door keeps for a while only.

use std::time::Duration;

use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::config::Console;
use crate::db::Conn;
use crate::error::Result;
use crate::signin::guesses::WINDOW;
use crate::signin::store;

/// How long a link is kept after its end, so that it says what became of it for a while.
const LINKS_KEPT: Duration = Duration::from_secs(7 * 86_400);

/// Drops up to `limit` rows of each kind that nobody needs any more; how many went. Refused guesses that no judged one
/// has told the audit log of are told here.
pub fn purge_signin(conn: &mut Conn, console: &Console, now: Millis, limit: i64) -> Result<usize> {
    let sessions = store::sessions::purge(conn, now.minus(console.session_max), limit)?;
    let links = store::links::purge(conn, now.minus(LINKS_KEPT), limit)?;
    let (guesses, refused) = store::guesses::purge(conn, now.minus(WINDOW), limit)?;
    if refused > 0 {
        let by = By::local(Actor::System, now);
        by.tell(conn, "signin.refused", "unknown", Change::made(&serde_json::json!({"refused": refused})))?;
    }
    Ok(sessions + links + guesses)
}
