//! `verify`: a code is sent, read at the carrier and checked.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::args::Args;
use crate::carrier::Books;
use crate::drive::{self, Course, Tally};
use crate::hist::Hist;
use crate::nodes::Role;
use crate::requests::{self, Request, check};
use crate::row::{Row, millis};
use crate::scenarios::number;
use crate::scene::{Scene, must_be_clean};
use crate::wire::Wire;

/// One who verifies numbers.
pub struct Verifier {
    start: Request,
    key: String,
    numbers: Arc<AtomicU64>,
    books: Arc<Books>,
}

/// How long the parts of a verification took.
pub struct Took {
    /// The request that starts it.
    pub start: Duration,
    /// From its answer to the code at the carrier.
    pub code: Duration,
    /// The request that checks the code.
    pub check: Duration,
}

/// What a lane of verifications came to.
#[derive(Default)]
pub struct Verified {
    /// The starts.
    pub starts: Tally,
    /// The checks.
    pub checks: Tally,
    /// Waits for codes.
    pub codes: Hist,
}

impl Verifier {
    /// With a tenant's key.
    pub fn new(scene: &Scene) -> Verifier {
        Verifier::of(&scene.tenant.key, &scene.numbers, &scene.books)
    }

    /// The same of its parts.
    pub fn of(key: &str, numbers: &Arc<AtomicU64>, books: &Arc<Books>) -> Verifier {
        let (numbers, books) = (numbers.clone(), books.clone());
        Verifier { start: requests::start(key), key: String::from(key), numbers, books }
    }

    /// Verifies a number that was never used before. Anything but success is a fault.
    pub async fn verify(&mut self, wire: &mut Wire) -> anyhow::Result<Took> {
        let index = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.start.put(0, number(index));
        let text = self.books.text_to(index);
        let begin = Instant::now();
        let answer = wire.call(self.start.bytes()).await?;
        ensure!(
            answer.status == 201,
            "a start was answered {}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        let started = Instant::now();
        let text = tokio::time::timeout(Duration::from_secs(10), text).await.context("no code came within 10 s")??;
        let came = Instant::now();
        let code = code_in(&text).context("a text without a code")?;
        let answer = wire.call(check(&self.key, number(index), code).bytes()).await?;
        let valid = String::from_utf8_lossy(answer.body).contains("\"valid\":true");
        ensure!(answer.status == 200 && valid, "a check was answered {}", String::from_utf8_lossy(answer.body));
        Ok(Took { start: started - begin, code: came - started, check: came.elapsed() })
    }
}

impl Verified {
    fn merge(&mut self, other: &Verified) {
        self.starts.merge(&other.starts);
        self.checks.merge(&other.checks);
        self.codes.merge(&other.codes);
    }
}

/// A closed loop of verifications.
pub async fn verify(args: &Args) -> anyhow::Result<Vec<Row>> {
    let scene = Scene::open(args, Role::All, 0).await?;
    drive(args, &scene, "verify").await.map(|row| vec![row])
}

/// The same on a scene that is set.
pub async fn drive(args: &Args, scene: &Scene, name: &str) -> anyhow::Result<Row> {
    let course = scene.course(args.connections);
    let (key, numbers, books) = (scene.tenant.key.clone(), scene.numbers.clone(), scene.books.clone());
    let drive = drive::lanes(
        course.clone(),
        move |course, index| lane(course, index, Verifier::of(&key, &numbers, &books)),
        |all: &mut Verified, one| all.merge(&one),
    );
    let (done, costs) = scene.measure(&course, vec![drive]).await?;
    let all = done.into_iter().next().unwrap_or_default();
    let mut row = costs.row(all.checks.good.count()).named(name, args, "vrf").timed(&all.starts.good);
    let of = |hist: &Hist| format!("p50 {:.2} p99 {:.2}", millis(hist.quantile(0.5)), millis(hist.quantile(0.99)));
    row.note(format!("check {}; code at the carrier {}", of(&all.checks.good), of(&all.codes)));
    must_be_clean(&mut row, &all.starts, &[201]);
    Ok(row)
}

async fn lane(course: Rc<Course>, index: usize, mut verifier: Verifier) -> anyhow::Result<Verified> {
    let mut wire = Wire::open(course.node(index)?).await?;
    let mut done = Verified::default();
    while !course.is_over() {
        let took = verifier.verify(&mut wire).await?;
        let now = Instant::now();
        done.starts.note(&course, 201, 1, took.start, now);
        done.checks.note(&course, 200, 1, took.check, now);
        done.codes.add(took.code);
    }
    Ok(done)
}

/// The six digits in a text.
fn code_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6)
}
