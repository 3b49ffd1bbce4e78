//! `dispatch`: accepted means handed over.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::drive::{self, Course};
use crate::hist::Hist;
use crate::nodes::Role;
use crate::row::{Row, millis};
use crate::scenarios::accept::messages;
use crate::scene::{Scene, must_be_clean};

/// Longest wait for what was accepted to be handed over.
const DRAIN: Duration = Duration::from_secs(60);

/// An open loop of messages, each followed to the carrier.
#[expect(clippy::cast_precision_loss, reason = "a rate")]
pub async fn dispatch(args: &Args) -> anyhow::Result<Vec<Row>> {
    let rate = args.rate.unwrap_or(1000);
    let room = u64::from(rate) * (args.seconds + args.warm + 2) * 2;
    let scene = Scene::open(args, Role::All, usize::try_from(room)?).await?;
    let course = scene.course(args.connections);
    let drive = drive::open(course.clone(), rate, messages(&scene));
    let watching = tokio::spawn(watch(course.clone(), scene.books.clone()));
    tokio::time::sleep_until(course.from.into()).await;
    let before = scene.books.taken();
    let (tallies, costs) = scene.measure(&course, vec![drive]).await?;
    let taken = scene.books.taken() - before;
    let Some(tally) = tallies.first() else { return Ok(Vec::new()) };
    let (oldest, drained) = (watching.await?, drain(&scene, tally.accepted).await);
    let mut row = costs.row(taken).named(format!("dispatch {rate}"), args, "sent").timed(&delays(&scene));
    let accepted = tally.units as f64 / args.measured().as_secs_f64();
    row.note(format!("accepted {accepted:.0}/s p99 {:.2}", millis(tally.good.quantile(0.99))));
    row.note(format!("oldest waited {:.0} ms", millis(oldest)));
    row.note(format!("drained in {:.0} ms", millis(drained)));
    must_be_clean(&mut row, tally, &[202]);
    scene.check_rows(&mut row, tally.accepted)?;
    check_once(&scene, &mut row);
    Ok(vec![row])
}

/// From the moment each message was due to its hand-off.
pub fn delays(scene: &Scene) -> Hist {
    let mut hist = Hist::default();
    (0..scene.numbers.load(Ordering::Relaxed)).filter_map(|index| scene.books.delay(index)).for_each(|it| hist.add(it));
    hist
}

/// Looks again and again for the message that has waited longest; the longest of these.
async fn watch(course: Course, books: std::sync::Arc<crate::carrier::Books>) -> Duration {
    let (mut first, mut longest) = (0, Duration::ZERO);
    while Instant::now() < course.to {
        tokio::time::sleep(Duration::from_millis(50)).await;
        // Numbers are used in order: behind the first that still waits, nothing is older by much.
        while books.is_accepted(first) && books.waits(first).is_none() {
            first += 1;
        }
        longest = longest.max(books.waits(first).unwrap_or_default());
    }
    longest
}

/// Waits until all that was accepted is handed over; how long that took.
pub async fn drain(scene: &Scene, accepted: u64) -> Duration {
    let begin = Instant::now();
    while scene.books.taken() < accepted && begin.elapsed() < DRAIN {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begin.elapsed()
}

/// Whether every accepted message was handed over, once.
pub fn check_once(scene: &Scene, row: &mut Row) {
    let all = 0..scene.numbers.load(Ordering::Relaxed);
    let twice = all.clone().filter(|index| scene.books.times(*index) > 1).count();
    let lost = all.filter(|index| scene.books.is_accepted(*index) && scene.books.times(*index) == 0).count();
    row.must(twice == 0, format!("{twice} messages were handed over more than once"));
    row.must(lost == 0, format!("{lost} messages were never handed over"));
}
