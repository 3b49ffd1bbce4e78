//! `smpp`: accepted means submitted to a message centre, answered by it, and its receipt heeded.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::carrier::Books;
use crate::drive;
use crate::nodes::Role;
use crate::row::{Row, millis};
use crate::scenarios::accept::messages;
use crate::scenarios::dispatch::{check_once, delays, drain};
use crate::scene::{Scene, must_be_clean};
use crate::smsc;

/// Longest wait for the receipts of what was submitted.
const RECEIPTS_WITHIN: Duration = Duration::from_secs(60);

/// An open loop of messages by a carrier that is bound to a centre of this program.
#[expect(clippy::cast_precision_loss, reason = "a rate")]
pub async fn smpp(args: &Args) -> anyhow::Result<Vec<Row>> {
    let rate = args.rate.unwrap_or(1000);
    let room = u64::from(rate) * (args.seconds + args.warm + 2) * 2;
    let books = Books::new(usize::try_from(room)?);
    let centre = smsc::start(books.clone(), Duration::from_millis(args.carrier_ms))?;
    let carrier = format!(
        r#"POSTERN_CARRIERS=[{{ name = "load", kind = "smpp", host = "127.0.0.1", port = {}, tls = "none", system_id = "load", password = "load", window = 100, from = "LOAD" }}]"#,
        centre.port
    );
    let mut bound = args.clone();
    // What is said on the command line goes over it.
    bound.variables.insert(0, carrier);
    let scene = Scene::open_with(&bound, Role::All, books).await?;
    let course = scene.course(args.connections);
    let drive = drive::open(course.clone(), rate, messages(&scene));
    tokio::time::sleep_until(course.from.into()).await;
    let before = (scene.books.taken(), centre.receipts());
    let (tallies, costs) = scene.measure(&course, vec![drive]).await?;
    let taken = scene.books.taken() - before.0;
    let heeded = centre.receipts() - before.1;
    let Some(tally) = tallies.first() else { return Ok(Vec::new()) };
    let drained = drain(&scene, tally.accepted).await;
    let begin = Instant::now();
    while centre.receipts() < scene.books.taken() && begin.elapsed() < RECEIPTS_WITHIN {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut row = costs.row(taken).named(format!("smpp {rate}"), args, "submit").timed(&delays(&scene));
    let seconds = args.measured().as_secs_f64();
    let accepted = tally.units as f64 / seconds;
    row.note(format!("accepted {accepted:.0}/s p99 {:.2}", millis(tally.good.quantile(0.99))));
    row.note(format!("receipts {:.0}/s", heeded as f64 / seconds));
    row.note(format!("drained in {:.0} ms, the last receipt {:.0} ms later", millis(drained), millis(begin.elapsed())));
    must_be_clean(&mut row, tally, &[202]);
    scene.check_rows(&mut row, tally.accepted)?;
    check_once(&scene, &mut row);
    let delivered = scene.stage.database.count("messages", "status = 'delivered'")?;
    row.note(format!("{delivered} of {} receipts matched", scene.numbers.load(Ordering::Relaxed).min(tally.accepted)));
    row.must(
        delivered == tally.accepted,
        format!("{delivered} messages are delivered, {} were accepted", tally.accepted),
    );
    Ok(vec![row])
}
