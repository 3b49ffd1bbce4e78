//! The attempts that reports are made of: the newest of a stretch, kept for half a minute.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::fraud::engine::Features;
use crate::fraud::{Kept, Reason};
use crate::ids::{DecisionId, MessageId};
use crate::sentinel::store::{self, Span};
use crate::terms::Mode;

/// A report is made of what was read at most so long ago.
const SHARED: Duration = Duration::from_secs(30);
/// Stretches that are kept at once.
const KEPT: usize = 8;
/// Attempts of each sort that are looked at: about 700 bytes of memory each.
const MOST: usize = 20_000;
/// Rows of one read.
const PAGE: i64 = 2_000;
/// A code that was not typed after so long never is.
const RIPE: Duration = Duration::from_secs(600);

/// A code that was sent by SMS.
#[derive(Debug, Clone)]
pub struct SentOne {
    /// When.
    pub at: Millis,
    /// What the engine saw of it.
    pub features: Features,
    /// The rules that fired.
    pub reasons: Vec<Reason>,
    /// Whether its code was typed.
    pub typed: bool,
}

impl SentOne {
    /// Whether it is known whether its code is typed.
    pub fn is_ripe(&self, now: Millis) -> bool {
        self.typed || now.since(self.at) >= RIPE
    }
}

/// An attempt that the engine refused.
#[derive(Debug, Clone)]
pub struct RefusedOne {
    /// When.
    pub at: Millis,
    /// What the engine saw of it.
    pub features: Features,
    /// The rules that fired.
    pub reasons: Vec<Reason>,
}

/// A stretch of attempts.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// From here.
    pub since: Millis,
    /// The moment from which on all were read, where there were too many.
    pub cut_at: Option<Millis>,
    /// Newest first.
    pub sent: Vec<SentOne>,
    /// Newest first.
    pub refused: Vec<RefusedOne>,
}

/// What was read lately, by mode and length of the stretch.
#[derive(Default)]
struct Shelf(Mutex<Vec<Read>>);

struct Read {
    of: (Mode, u64),
    at: Millis,
    past: Arc<Past>,
}

impl FromApp for Shelf {
    fn from_app(_app: &App) -> Self {
        Shelf::default()
    }
}

/// The attempts since `since`, read now or a moment ago. Who asks while another reads, waits for it.
pub async fn past_of(app: &App, mode: Mode, since: Millis) -> Result<Arc<Past>> {
    let shelf = app.room::<Shelf>();
    let mut reads = shelf.0.lock().await;
    let now = app.clock.now();
    reads.retain(|read| now >= read.at && now.since(read.at) < SHARED);
    let of = (mode, now.since(since).as_secs());
    if let Some(read) = reads.iter().find(|read| read.of == of) {
        return Ok(Arc::clone(&read.past));
    }
    let past = app.db.read(move |conn| Past::read(conn, Span { from: since, to: now, org_id: None, mode })).await?;
    let past = Arc::new(past);
    if reads.len() >= KEPT {
        reads.remove(0);
    }
    reads.push(Read { of, at: now, past: Arc::clone(&past) });
    Ok(past)
}

#[derive(serde::Deserialize)]
struct Terms {
    #[serde(default)]
    reasons: Vec<Reason>,
    e: Option<Kept>,
}

fn terms_of(text: &str) -> Option<(Features, Vec<Reason>)> {
    let terms: Terms = serde_json::from_str(text).ok()?;
    Some((terms.e?.features(), terms.reasons))
}

fn is_full(rows: usize) -> bool {
    i64::try_from(rows).unwrap_or(PAGE) >= PAGE
}

impl Past {
    fn read(conn: &mut Conn, span: Span) -> Result<Past> {
        let mut past = Past { since: span.from, ..Past::default() };
        let behind = Millis(span.to.0.saturating_add(1));
        let mut before = MessageId::first_at(behind);
        while past.sent.len() < MOST {
            let rows = store::past_sends(conn, span, before, PAGE)?;
            let Some(last) = rows.last() else {
                past.cut_at = None;
                break;
            };
            (before, past.cut_at) = (last.id, Some(last.at));
            past.sent.extend(rows.iter().filter_map(|row| {
                let (features, reasons) = terms_of(&row.terms)?;
                Some(SentOne { at: row.at, features, reasons, typed: row.typed_at.is_some() })
            }));
            if !is_full(rows.len()) {
                past.cut_at = None;
                break;
            }
        }
        let (mut before, mut cut_at) = (DecisionId::first_at(behind), None);
        while past.refused.len() < MOST {
            let rows = store::past_refusals(conn, span, before, PAGE)?;
            let Some((last, _, at)) = rows.last() else {
                cut_at = None;
                break;
            };
            (before, cut_at) = (*last, Some(*at));
            past.refused.extend(rows.iter().filter_map(|(_, terms, at)| {
                let (features, reasons) = terms_of(terms)?;
                Some(RefusedOne { at: *at, features, reasons })
            }));
            if !is_full(rows.len()) {
                cut_at = None;
                break;
            }
        }
        past.cut_at = past.cut_at.max(cut_at);
        Ok(past)
    }
}
