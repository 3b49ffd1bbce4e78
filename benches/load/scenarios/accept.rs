//! `empty`, `accept`, `steady`: how fast messages are recorded.

use crate::args::Args;
use crate::drive::{self, Shot};
use crate::nodes::Role;
use crate::requests::{Request, get};
use crate::row::{Row, millis};
use crate::scenarios::Messages;
use crate::scene::{Scene, must_be_clean};
use std::time::Instant;

/// A request that never changes.
pub struct Same(pub Request);

impl Shot for Same {
    fn next(&mut self, _due: Instant) -> &[u8] {
        self.0.bytes()
    }
}

/// The empty route.
pub async fn empty(args: &Args) -> anyhow::Result<Vec<Row>> {
    let scene = Scene::open(args, Role::Api, 0).await?;
    let course = scene.course(args.connections);
    let key = scene.tenant.key.clone();
    let drive = drive::closed(course.clone(), move |_| Same(get("/healthz", &key)));
    let (tallies, costs) = scene.measure(&course, vec![drive]).await?;
    let Some(tally) = tallies.first() else { return Ok(Vec::new()) };
    let mut row = costs.row(tally.good.count()).named("empty", args, "GET").timed(&tally.good);
    must_be_clean(&mut row, tally, &[200]);
    Ok(vec![row])
}

/// A closed loop of messages.
pub async fn accept(args: &Args) -> anyhow::Result<Vec<Row>> {
    let scene = Scene::open(args, Role::Api, 0).await?;
    let course = scene.course(args.connections);
    let drive = drive::closed(course.clone(), messages(&scene));
    let (tallies, costs) = scene.measure(&course, vec![drive]).await?;
    let Some(tally) = tallies.first() else { return Ok(Vec::new()) };
    let mut row = costs.row(tally.units).named("accept", args, "msg").timed(&tally.good);
    must_be_clean(&mut row, tally, &[202]);
    scene.check_rows(&mut row, tally.accepted)?;
    Ok(vec![row])
}

/// An open loop of messages.
pub async fn steady(args: &Args) -> anyhow::Result<Vec<Row>> {
    let scene = Scene::open(args, Role::Api, 0).await?;
    let rate = args.rate.unwrap_or(200);
    let course = scene.course(args.connections.min(16));
    let drive = drive::open(course.clone(), rate, messages(&scene));
    let (tallies, costs) = scene.measure(&course, vec![drive]).await?;
    let Some(tally) = tallies.first() else { return Ok(Vec::new()) };
    let mut row = costs.row(tally.units).named(format!("steady {rate}"), args, "msg").timed(&tally.good);
    row.note(format!(
        "p99.9 {:.2} max {:.2}; sent late p99 {:.2}",
        millis(tally.good.quantile(0.999)),
        millis(tally.good.max()),
        millis(tally.late.quantile(0.99))
    ));
    must_be_clean(&mut row, tally, &[202]);
    scene.check_rows(&mut row, tally.accepted)?;
    Ok(vec![row])
}

/// Makes messages for each connection of a drive.
pub fn messages(scene: &Scene) -> impl Fn(usize) -> Messages + Send + 'static {
    let (key, numbers, books) = (scene.tenant.key.clone(), scene.numbers.clone(), scene.books.clone());
    move |_| Messages::new(&key, numbers.clone(), books.clone())
}
