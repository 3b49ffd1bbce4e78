//! `pump` and `replay`: what must cost little because anybody can ask for it again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::args::Args;
use crate::drive::{self, Shot};
use crate::nodes::Role;
use crate::requests::{Request, message};
use crate::row::{Row, millis};
use crate::scenarios::accept::messages;
use crate::scenarios::number;
use crate::scene::{Scene, must_be_clean};
use crate::wire::Answer;

/// Numbers that are pumped.
const PUMPED: u64 = 50;
/// Keys that are replayed.
const KEYS: u64 = 1_000;

/// Few numbers again and again.
pub struct Again {
    request: Request,
    count: Arc<AtomicU64>,
    numbers: u64,
    /// As many keys; each its own where absent.
    keys: Option<u64>,
    accepted: Arc<AtomicU64>,
}

impl Shot for Again {
    fn next(&mut self, _due: Instant) -> &[u8] {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        self.request.put(0, PUMP_KEYS + self.keys.map_or(count, |keys| count % keys));
        self.request.put(1, number(count % self.numbers));
        self.request.bytes()
    }

    fn answered(&mut self, answer: Answer<'_>) -> u64 {
        let accepted = u64::from(answer.status == 202);
        self.accepted.fetch_add(accepted, Ordering::Relaxed);
        accepted
    }
}

/// Keys of the honest traffic are its numbers' indexes; these lie far behind.
const PUMP_KEYS: u64 = 500_000_000_000;

/// The flood, for each connection of a drive; it counts what is accepted.
pub fn flood(key: &str, accepted: &Arc<AtomicU64>) -> impl Fn(usize) -> Again + Send + 'static {
    again(key, PUMPED, None, accepted)
}

fn again(
    key: &str,
    numbers: u64,
    keys: Option<u64>,
    accepted: &Arc<AtomicU64>,
) -> impl Fn(usize) -> Again + Send + 'static {
    let (request, count, accepted) = (message(key), Arc::<AtomicU64>::default(), accepted.clone());
    move |_| Again { request: request.clone(), count: count.clone(), numbers, keys, accepted: accepted.clone() }
}

/// A flood to few numbers, and honest traffic before it and beside it.
pub async fn pump(args: &Args) -> anyhow::Result<Vec<Row>> {
    let scene = Scene::open(args, Role::Api, 0).await?;
    scene.numbers.store(PUMPED, Ordering::Relaxed);
    let calm = scene.course(16);
    let (before, _) = scene.measure(&calm, vec![drive::open(calm.clone(), args.honest, messages(&scene))]).await?;
    let course = scene.course(args.connections);
    let honest = drive::Course { connections: 16, ..course.clone() };
    let drives = vec![
        drive::closed(course.clone(), flood(&scene.tenant.key, &Arc::default())),
        drive::open(honest, args.honest, messages(&scene)),
    ];
    let (tallies, costs) = scene.measure(&course, drives).await?;
    let ([calm], [flood, honest]) = (before.as_slice(), tallies.as_slice()) else { return Ok(Vec::new()) };
    let mut row = costs.row(flood.refused.count()).named("pump", args, "429").timed(&flood.refused);
    if args.honest > 0 {
        let (alone, beside) = (millis(calm.good.quantile(0.99)), millis(honest.good.quantile(0.99)));
        row.note(format!("honest {}/s beside: p99 {beside:.2}, alone {alone:.2}, x{:.1}", args.honest, beside / alone));
    }
    must_be_clean(&mut row, flood, &[202, 429]);
    must_be_clean(&mut row, honest, &[202]);
    scene.check_rows(&mut row, calm.accepted + flood.accepted + honest.accepted)?;
    check_three_each(&scene, &mut row)?;
    Ok(vec![row])
}

/// Whether each pumped number was let through three times, as the limit says (the run is shorter than its window).
pub fn check_three_each(scene: &Scene, row: &mut Row) -> anyhow::Result<()> {
    let of_pumped = format!("recipient >= '+{}' AND recipient < '+{}'", number(0), number(PUMPED));
    let three =
        format!("(SELECT recipient FROM messages WHERE {of_pumped} GROUP BY recipient HAVING count(*) = 3) AS t");
    let numbers = scene.stage.database.count(&three, "1 = 1")?;
    let sent = scene.stage.database.count("messages", &of_pumped)?;
    row.must(
        numbers == PUMPED && sent == PUMPED * 3,
        format!("{numbers} of {PUMPED} numbers got exactly three, {sent} messages in all"),
    );
    Ok(())
}

/// Few keys again and again.
pub async fn replay(args: &Args) -> anyhow::Result<Vec<Row>> {
    let scene = Scene::open(args, Role::Api, 0).await?;
    let course = scene.course(args.connections);
    let drive = drive::closed(course.clone(), again(&scene.tenant.key, KEYS, Some(KEYS), &Arc::default()));
    let (tallies, costs) = scene.measure(&course, vec![drive]).await?;
    let Some(tally) = tallies.first() else { return Ok(Vec::new()) };
    let mut row = costs.row(tally.good.count()).named("replay", args, "202").timed(&tally.good);
    must_be_clean(&mut row, tally, &[202]);
    scene.check_rows(&mut row, KEYS)?;
    Ok(vec![row])
}
