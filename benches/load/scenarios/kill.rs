//! `kill9`: what was accepted is there after the worst end a process can have, and nobody is sent anything twice.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::args::Args;
use crate::drive;
use crate::nodes::Role;
use crate::requests::get;
use crate::row::{Row, millis};
use crate::scenarios::Messages;
use crate::scene::Scene;
use crate::wire::Wire;

/// Numbers that a run has room for.
const ROOM: usize = 4_000_000;

/// Ends the first server in the midst of load and starts it again.
pub async fn kill9(args: &Args) -> anyhow::Result<Vec<Row>> {
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
    Ok(vec![row])
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
