//! How many messages of a search stand in which status, by the time they were accepted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::search::Search;
use super::store;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;

/// Most bars: each is one look along the ids of its stretch, all of them together walk it once.
const BARS_MAX: u64 = 48;
/// Widths that people can read off an axis, seconds.
const WIDTHS_S: [u64; 10] = [60, 300, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800];

/// The messages of a search by status.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageHistogram {
    /// The first moment that was looked at.
    #[schema(value_type = String, format = DateTime)]
    pub from: Millis,
    /// The moment behind the last.
    #[schema(value_type = String, format = DateTime)]
    pub to: Millis,
    /// How long each bar is, seconds.
    #[schema(example = 1800)]
    pub step_s: u64,
    /// One for each step, oldest first.
    pub bars: Vec<HistogramBar>,
    /// All of them by status; a status without messages is absent.
    pub totals: BTreeMap<String, i64>,
}

/// Messages accepted in one step of a histogram.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistogramBar {
    /// Its first moment.
    #[schema(value_type = String, format = DateTime)]
    pub at: Millis,
    /// Messages by status; a status without messages is absent.
    pub counts: BTreeMap<String, i64>,
}

/// The histogram of what `search` finds.
pub fn histogram(conn: &mut Conn, search: &Search, carriers: &[String]) -> Result<MessageHistogram> {
    let wanted = store::resolve(conn, search, carriers)?;
    let (mut from, mut to) = (search.from, search.to);
    if let (Some(ids), false) = (wanted.as_ref().and_then(|wanted| wanted.ids.as_ref()), search.is_bounded) {
        let moments = || ids.iter().map(|id| id.moment());
        from = moments().min().unwrap_or(from);
        to = moments().max().map_or(to, |last| last.plus(Duration::from_millis(1)));
    }
    let step = step(to.since(from));
    let mut bars = Vec::new();
    let mut totals = BTreeMap::new();
    let mut at = aligned(from, step);
    while at < to {
        let next = at.plus(step);
        let found = match &wanted {
            Some(wanted) => store::count_between(conn, wanted, (at.max(from), next.min(to)))?,
            None => Vec::new(),
        };
        let counts: BTreeMap<String, i64> = found.into_iter().map(|(status, n)| (status.to_string(), n)).collect();
        for (status, count) in &counts {
            *totals.entry(status.clone()).or_default() += count;
        }
        bars.push(HistogramBar { at, counts });
        at = next;
    }
    Ok(MessageHistogram { from, to, step_s: step.as_secs(), bars, totals })
}

fn step(span: Duration) -> Duration {
    let fits = |width: &u64| span.as_secs().div_ceil(*width) <= BARS_MAX;
    Duration::from_secs(WIDTHS_S.into_iter().find(fits).unwrap_or(172_800))
}

fn aligned(at: Millis, step: Duration) -> Millis {
    let width = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
    Millis(at.0 - at.0.rem_euclid(width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_few_and_begin_at_round_times() {
        for hours in [1, 24, 24 * 31] {
            let span = Duration::from_secs(hours * 3_600);
            assert!(span.as_secs() / step(span).as_secs() <= BARS_MAX, "{hours}");
        }
        assert_eq!(step(Duration::from_secs(86_400)), Duration::from_secs(1_800));
        assert_eq!(aligned(Millis(3_700_000), Duration::from_secs(3_600)), Millis(3_600_000));
    }
}
