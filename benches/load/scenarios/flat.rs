//! `flat`: accept, check, list and purge among few old messages and among many.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::args::Args;
use crate::drive;
use crate::drive::Shot;
use crate::fill::Filler;
use crate::nodes::Role;
use crate::requests::{get, member};
use crate::row::{Row, millis};
use crate::scenarios::Messages;
use crate::scenarios::accept::{Same, messages};
use crate::scenarios::verify::{self, Verifier};
use crate::scene::{Scene, must_be_clean};
use crate::wire::Wire;

/// Messages of a purge that is measured.
const OVERDUE: u64 = 20_000;

/// For each size: fill, then measure.
pub async fn flat(args: &Args) -> anyhow::Result<Vec<Row>> {
    let mut scene = Scene::open(args, Role::All, 16).await?;
    let tenant = scene.tenant.clone();
    models(&scene).await?;
    let mut filler = Filler::new(scene.stage.database.connect()?, &tenant);
    let mut rows = Vec::new();
    for size in &args.rows {
        let port = scene.close()?;
        let begin = Instant::now();
        filler.fill(*size).await?;
        eprintln!("load: {size} old messages after {:.0} s", begin.elapsed().as_secs_f64());
        scene.reopen(Role::All, port).await?;
        rows.push(verify::drive(args, &scene, &format!("verify @{size}")).await?);
        let port = scene.close()?;
        scene.reopen(Role::Api, port).await?;
        rows.push(accept(args, &scene, *size).await?);
        rows.push(list(args, &scene, *size).await?);
        let port = scene.close()?;
        filler.forget_waiting()?;
        filler.overdue(OVERDUE).await?;
        rows.push(purge(args, &mut scene, &mut filler, (port, *size)).await?);
    }
    Ok(rows)
}

/// A message that was handed over and a verification that was approved, to be copied.
async fn models(scene: &Scene) -> anyhow::Result<()> {
    let node = scene.nodes.first().context("there must be a node")?;
    let mut wire = Wire::open(node.address).await?;
    let mut messages = Messages::new(&scene.tenant.key, scene.numbers.clone(), scene.books.clone());
    let answer = wire.call(messages.next(Instant::now())).await?;
    let id = String::from(member(answer.body, "id").context("the message was not accepted")?);
    Verifier::new(scene).verify(&mut wire).await?;
    for _ in 0..200 {
        let answer = wire.call(get(&format!("/v1/messages/{id}"), &scene.tenant.key).bytes()).await?;
        if member(answer.body, "status") == Some("sent") {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the message was not handed over within 4 s")
}

async fn accept(args: &Args, scene: &Scene, size: u64) -> anyhow::Result<Row> {
    let course = scene.course(args.connections);
    let (tallies, costs) = scene.measure(&course, vec![drive::closed(course.clone(), messages(scene))]).await?;
    let tally = tallies.first().context("a drive")?;
    let mut row = costs.row(tally.units).named(format!("accept @{size}"), args, "msg").timed(&tally.good);
    must_be_clean(&mut row, tally, &[202]);
    Ok(row)
}

async fn list(args: &Args, scene: &Scene, size: u64) -> anyhow::Result<Row> {
    let (course, key) = (scene.course(args.connections), scene.tenant.key.clone());
    let drive = drive::closed(course.clone(), move |_| Same(get("/v1/messages?limit=50", &key)));
    let (tallies, costs) = scene.measure(&course, vec![drive]).await?;
    let tally = tallies.first().context("a drive")?;
    let mut row = costs.row(tally.good.count()).named(format!("list @{size}"), args, "page").timed(&tally.good);
    must_be_clean(&mut row, tally, &[200]);
    Ok(row)
}

/// The sweep of a start drops what is overdue.
#[expect(clippy::cast_precision_loss, reason = "a rate")]
async fn purge(args: &Args, scene: &mut Scene, filler: &mut Filler<'_>, at: (u16, u64)) -> anyhow::Result<Row> {
    ensure!(filler.is_overdue()?, "nothing is overdue");
    scene.reopen(Role::All, at.0).await?;
    let begin = Instant::now();
    while filler.is_overdue()? && begin.elapsed() < Duration::from_secs(120) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = begin.elapsed();
    let mut row = Row { rate: OVERDUE as f64 / took.as_secs_f64(), ..Row::default() };
    row = row.named(format!("purge @{}", at.1), args, "msg");
    row.note(format!("{OVERDUE} in {:.0} ms", millis(took)));
    row.must(!filler.is_overdue()?, "messages beyond their retention are still there");
    Ok(row)
}
