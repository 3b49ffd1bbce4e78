//! The job that moves the tiers which Postern manages, and shows how full all of them are.

use std::time::Duration;

use super::change::{locked, set_tier};
use super::numbers::Portfolio;
use super::standing::{LOOKED_AT, Manager, NumberStatus, Quality, Standing, Step, next_step};
use super::store;
use crate::accounts::Directory;
use crate::app::App;
use crate::audit::{Actor, By};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::terms::Mode;

/// How often tiers are looked at: Meta says six hours, nobody minds less.
pub const REVIEW_EVERY: Duration = Duration::from_secs(600);

/// How long a user id is remembered after it was last seen.
const PEOPLE_KEPT: Duration = Duration::from_secs(90 * 86_400);

/// Looks at every portfolio once; how many tiers moved. Tests call this by hand.
pub async fn review_tiers(app: &App) -> Result<usize> {
    let portfolios = app.db.read(store::load_portfolios).await?;
    let mut moved = 0;
    for Portfolio { name, managed_by, .. } in portfolios {
        let (clock, shown) = (app.clock.clone(), name.clone());
        let used = app.db.read(move |conn| store::used_now(conn, &(shown, Mode::Live), clock.now())).await?;
        // Counts stay far below 2^52.
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        metrics::gauge!("postern_whatsapp_contacts", "portfolio" => name.clone()).set(f64::from(used));
        if managed_by == Manager::Postern {
            let clock = app.clock.clone();
            let work = move |conn: &mut Conn| {
                let now = crate::db::now(conn, &clock)?;
                review(conn, &name, now)
            };
            moved += usize::from(app.db.write(work).await?);
        }
    }
    if moved > 0 {
        app.room::<Directory>().forget();
    }
    Ok(moved)
}

/// One portfolio, held: whether its tier moved.
fn review(conn: &mut Conn, name: &str, now: Millis) -> Result<bool> {
    let before = locked(conn, name)?;
    if before.managed_by != Manager::Postern {
        return Ok(false);
    }
    let mut numbers = store::numbers_in(conn, name)?;
    numbers.retain(|number| number.status == NumberStatus::Connected);
    let red = numbers.iter().filter(|number| number.quality == Quality::Red).map(|number| number.quality_since);
    let standing = Standing {
        ladder: before.ladder,
        limit: before.limit,
        since: before.tier_since,
        quality: numbers.iter().map(|number| number.quality).max(),
        red_since: red.min(),
        used: store::count_since(conn, name, before.tier_since.max(now.minus(LOOKED_AT)))?,
    };
    let (limit, why) = match next_step(&standing, now) {
        Step::Stay => return Ok(false),
        Step::Up(limit) => (limit, "half of the limit was used in seven days, at green"),
        Step::Down(limit) => (limit, "a number was red for seven days"),
    };
    let by = By { reason: Some(String::from(why)), ..By::local(Actor::System, now) };
    set_tier(conn, &by, &before, before.clone(), limit, why)
}

/// Drops contacts that no rule looks at any more, and user ids long unseen: up to `limit` of each kind.
pub fn purge_whatsapp(conn: &mut Conn, now: Millis, limit: i64) -> Result<usize> {
    let mut gone = store::purge_people(conn, now.minus(PEOPLE_KEPT), limit)?;
    for key in store::portfolios_in_use(conn)? {
        gone += store::purge_contacts(conn, &key, now.minus(LOOKED_AT), limit)?;
    }
    Ok(gone)
}
