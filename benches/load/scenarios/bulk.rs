//! `bulk`: many messages in a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::args::Args;
use crate::drive::{self, Shot};
use crate::nodes::Role;
use crate::requests::{self, Request};
use crate::row::Row;
use crate::scenarios::number;
use crate::scene::{Scene, must_be_clean};
use crate::wire::Answer;

/// Bulks to ever new numbers.
pub struct Bulks {
    request: Request,
    numbers: Arc<AtomicU64>,
    size: usize,
}

impl Bulks {
    /// Bulks of `size`.
    pub fn new(key: &str, size: usize, numbers: Arc<AtomicU64>) -> Bulks {
        Bulks { request: requests::bulk(key, size), numbers, size }
    }
}

impl Shot for Bulks {
    fn next(&mut self, _due: Instant) -> &[u8] {
        let first = self.numbers.fetch_add(self.size as u64, Ordering::Relaxed);
        self.request.put(0, first);
        for (slot, index) in (1..=self.size).zip(first..) {
            self.request.put(slot, number(index));
        }
        self.request.bytes()
    }

    fn answered(&mut self, answer: Answer<'_>) -> u64 {
        let text = std::str::from_utf8(answer.body).unwrap_or_default();
        let accepted =
            text.split_once("\"accepted\":").and_then(|(_, rest)| rest.split([',', '}']).next()?.parse().ok());
        accepted.filter(|_| answer.status == 202).unwrap_or(0)
    }
}

/// A closed loop of bulks, for each size.
pub async fn bulk(args: &Args) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for size in args.bulk.iter().copied() {
        let scene = Scene::open(args, Role::Api, 0).await?;
        // As many messages on their way as with bulks of a hundred: the queue is not what is measured.
        let course = scene.course((args.connections * 100 / size.max(100)).max(1));
        let (key, numbers) = (scene.tenant.key.clone(), scene.numbers.clone());
        let drive = drive::closed(course.clone(), move |_| Bulks::new(&key, size, numbers.clone()));
        let (tallies, costs) = scene.measure(&course, vec![drive]).await?;
        let Some(tally) = tallies.first() else { continue };
        let mut row = costs.row(tally.units).named(format!("bulk {size}"), args, "msg").timed(&tally.good);
        row.note(format!("{} connections; latencies of whole bulks", course.connections));
        must_be_clean(&mut row, tally, &[202]);
        scene.check_rows(&mut row, tally.accepted)?;
        rows.push(row);
    }
    Ok(rows)
}
