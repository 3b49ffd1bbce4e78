//! `kill9`: what was accepted is there after the worst end a process can have, and nobody is sent anything twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::drive;
use crate::nodes::Role;
use crate::requests::get;
use crate::row::{Row, millis};
use crate::scenarios::{Messages, pump};
use crate::scene::Scene;
use crate::wire::Wire;

/// Numbers that a run has room for.
const ROOM: usize = 4_000_000;

/// Both ends in the midst of load: of ever new numbers, and of a flood to few.
pub async fn kill9(args: &Args) -> anyhow::Result<Vec<Row>> {
    Ok(vec![accepting(args).await?, flooded(args).await?])
}

/// Ends the first server in the midst of a flood and goes on: each number is still let through three times in all.
async fn flooded(args: &Args) -> anyhow::Result<Row> {
    let mut scene = Scene::open(args, Role::Api, 0).await?;
    let mut row = Row::default().named("kill9 pump", args, "");
    for end in [true, false] {
        let course = scene.course(args.connections);
        let accepted = Arc::<AtomicU64>::default();
        let drive = drive::closed(course.clone(), pump::flood(&scene.tenant.key, &accepted));
        if !end {
            tokio::time::sleep(Duration::from_secs(1)).await;
        } else {
            // The first are in, the others on their way.
            while accepted.load(Ordering::Relaxed) == 0 && Instant::now() < course.to {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let node = scene.nodes.remove(0);
            let port = node.address.port();
            node.kill()?;
            course.stop.store(true, Ordering::Relaxed);
            let node = scene.stage.start_at(Role::Api, port).await?;
            scene.nodes.insert(0, node);
            row.note(format!(
                "{} of 150 messages were in when it ended",
                scene.stage.database.count("messages", "1 = 1")?
            ));
        }
        course.stop.store(true, Ordering::Relaxed);
        drive::finish(drive)?;
    }
    pump::check_three_each(&scene, &mut row)?;
    Ok(row)
}

/// Ends the first server in the midst of load and starts it again: whatever was accepted is there.
async fn accepting(args: &Args) -> anyhow::Result<Row> {
    let mut scene = Scene::open(args, Role::All, ROOM).await?;
    let course = scene.course(args.connections);
    let (ids, accepted) = std::sync::mpsc::channel();
    let (key, numbers, books) = (scene.tenant.key.clone(), scene.numbers.clone(), scene.books.clone());
    let drive = drive::closed(course.clone(), move |_| {
        Messages::new(&key, numbers.clone(), books.clone()).told_to(ids.clone())
    });
    tokio::time::sleep_until((course.from + args.measured() / 2).into()).await;
    let node = scene.nodes.remove(0);
    let port = node.address.port();
    node.kill()?;
    course.stop.store(true, Ordering::Relaxed);
    let tally = drive::finish(drive)?;
    let node = scene.stage.start_at(Role::All, port).await?;
    let again_in = node.started_in;
    scene.nodes.insert(0, node);
    let accepted: Vec<(u64, String)> = accepted.try_iter().collect();
    let missing = missing(&scene, &accepted).await?;
    let mut row = Row::default().named("kill9", args, "");
    row.note(format!("{} accepted before the end, {} connections cut", accepted.len(), tally.broken));
    row.note(format!("ready again in {:.0} ms", millis(again_in)));
    row.must(missing == 0, format!("{missing} accepted messages are gone"));
    row.must(accepted.len() as u64 == tally.accepted, "an accepted message had no id");
    let handed = settle(&scene).await;
    let all = 0..scene.numbers.load(Ordering::Relaxed);
    let twice = all.clone().filter(|index| scene.books.times(*index) > 1).count();
    let never = all.filter(|index| scene.books.is_accepted(*index) && scene.books.times(*index) == 0).count();
    row.note(format!("{handed} handed over in all, {never} not (in hand at the end: unknown, not sent again)"));
    row.must(twice == 0, format!("{twice} messages were handed over more than once"));
    let waiting = scene.stage.database.count("messages", "status IN ('queued', 'scheduled')")?;
    row.must(waiting == 0, format!("{waiting} messages still wait"));
    Ok(row)
}

/// How many of `accepted` the server does not know.
async fn missing(scene: &Scene, accepted: &[(u64, String)]) -> anyhow::Result<usize> {
    let Some(node) = scene.nodes.first() else { return Ok(accepted.len()) };
    let mut wire = Wire::open(node.address).await?;
    let mut missing = 0;
    for (_, id) in accepted {
        let request = get(&format!("/v1/messages/{id}"), &scene.tenant.key);
        missing += usize::from(wire.call(request.bytes()).await?.status != 200);
    }
    Ok(missing)
}

/// Waits until nothing is handed over any more; how many hand-offs there were.
async fn settle(scene: &Scene) -> u64 {
    let (mut before, mut still) = (scene.books.taken(), 0);
    while still < 4 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = scene.books.taken();
        still = if now == before { still + 1 } else { 0 };
        before = now;
    }
    before
}
