//! What a column of a table shows of a row's JSON, and how it looks.

use serde_json::Value;

use crate::clock::Millis;
use crate::console::told::told;
use crate::http::query::encoded;
use crate::words::Words;

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// As it is.
    Text,
    /// A sentence of the API's, in the reader's language where it is one of those that are known.
    Told,
    /// An id or a technical word, in a typewriter face.
    Code,
    /// A moment: how long ago, and when in UTC.
    Time,
    /// A number, to the right.
    Count,
    /// An amount with its currency, to the right.
    Money,
    /// A share of one as percent.
    Percent,
    /// A time span given in milliseconds.
    Duration,
    /// A number of bytes, in its largest unit.
    Bytes,
    /// Standard deviations from what is usual, to the right; far below zero stands out.
    Score,
    /// A word of a closed set, with a colour that says whether it is well.
    Status,
    /// Yes or no.
    Flag,
}

/// A column: its head, and the JSON pointer of its value in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// The head, in English.
    pub label: &'static str,
    /// The JSON pointer.
    pub at: &'static str,
    /// How the value is shown.
    pub cell: Cell,
    /// JSON pointer of the currency beside an amount.
    pub currency: &'static str,
    /// Where it leads; `{/pointer}` stands for a value of the row.
    pub link: &'static str,
    /// Left out until it is chosen.
    pub hidden: bool,
}

impl Column {
    const fn new(label: &'static str, at: &'static str, cell: Cell) -> Column {
        Column { label, at, cell, currency: "", link: "", hidden: false }
    }

    /// See [`Cell::Text`].
    pub(super) const fn text(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Text)
    }

    /// See [`Cell::Told`].
    pub(super) const fn told(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Told)
    }

    /// See [`Cell::Code`].
    pub(super) const fn code(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Code)
    }

    /// See [`Cell::Time`].
    pub(super) const fn time(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Time)
    }

    /// See [`Cell::Count`].
    pub(super) const fn count(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Count)
    }

    /// See [`Cell::Money`]; `currency` is the pointer of its currency, empty where the amount has it already.
    pub(super) const fn money(label: &'static str, at: &'static str, currency: &'static str) -> Column {
        Column { currency, ..Column::new(label, at, Cell::Money) }
    }

    /// See [`Cell::Percent`].
    pub(super) const fn percent(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Percent)
    }

    /// See [`Cell::Duration`].
    pub(super) const fn duration(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Duration)
    }

    /// See [`Cell::Bytes`].
    pub(super) const fn bytes(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Bytes)
    }

    /// See [`Cell::Score`].
    pub(super) const fn score(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Score)
    }

    /// See [`Cell::Status`].
    pub(super) const fn status(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Status)
    }

    /// See [`Cell::Flag`].
    pub(super) const fn flag(label: &'static str, at: &'static str) -> Column {
        Column::new(label, at, Cell::Flag)
    }

    /// The same, leading to `link`.
    pub(super) const fn to(self, link: &'static str) -> Column {
        Column { link, ..self }
    }

    /// The same, shown only where it is chosen.
    pub(super) const fn hidden(self) -> Column {
        Column { hidden: true, ..self }
    }

    /// The cell of `row`.
    pub(super) fn show(&self, row: &Value, words: Words, now: Millis) -> Shown {
        let value = row.pointer(self.at).filter(|value| !value.is_null());
        let Some(value) = value else { return Shown { text: String::from("–"), class: "none", ..Shown::default() } };
        let text = plain(value);
        let mut shown = match self.cell {
            Cell::Text | Cell::Flag => Shown { text, ..Shown::default() },
            Cell::Told => Shown { text: told(&text, words), ..Shown::default() },
            Cell::Code => Shown { text, class: "code", ..Shown::default() },
            Cell::Time => moment(&text, now),
            Cell::Count | Cell::Money => Shown { text, class: "number", ..Shown::default() },
            Cell::Percent => Shown { text: percent(value), class: "number", ..Shown::default() },
            Cell::Duration => Shown { text: duration(value), class: "number", ..Shown::default() },
            Cell::Bytes => Shown { text: bytes(value), class: "number", ..Shown::default() },
            Cell::Score => Shown { text, class: heat(value), ..Shown::default() },
            Cell::Status => Shown { class: tone(&text), text, is_status: true, ..Shown::default() },
        };
        if self.cell == Cell::Flag {
            let said = if value.as_bool() == Some(true) { words.say("yes") } else { words.say("no") };
            shown.text = String::from(said);
        }
        if self.cell == Cell::Money && !self.currency.is_empty() {
            shown.beside = row.pointer(self.currency).map(plain).unwrap_or_default();
        }
        shown.href = if self.link.is_empty() { None } else { filled(self.link, row) };
        shown
    }

    /// The bare text of `row`, for a sheet.
    pub(super) fn bare(&self, row: &Value) -> String {
        row.pointer(self.at).map(plain).unwrap_or_default()
    }
}

/// A cell, ready for its template.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    /// What stands in it.
    pub text: String,
    /// What stands beside it, quieter.
    pub beside: String,
    /// Its style.
    pub class: &'static str,
    /// The machine's form of a moment.
    pub moment: String,
    /// Whether it is a word with a colour.
    pub is_status: bool,
    /// Where it leads.
    pub href: Option<String>,
}

/// A value as text: a list with commas, an object as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The list at a JSON pointer; empty where there is none.
pub(super) fn rows_at<'a>(value: &'a Value, at: &str) -> &'a [Value] {
    value.pointer(at).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// `link` with `{/pointer}` replaced by the row's value, encoded. `None` where the row lacks one.
pub(super) fn filled(link: &str, row: &Value) -> Option<String> {
    let mut parts = link.split('{');
    let mut done = String::from(parts.next()?);
    for part in parts {
        let (at, rest) = part.split_once('}')?;
        let value = row.pointer(at).filter(|value| !value.is_null())?;
        done.push_str(&encoded(&plain(value)));
        done.push_str(rest);
    }
    Some(done)
}

fn moment(text: &str, now: Millis) -> Shown {
    let Some(at) = Millis::parse_rfc3339(text) else { return Shown { text: text.to_owned(), ..Shown::default() } };
    let stamp = at.rfc3339();
    let (date, time) = stamp.split_once('T').unwrap_or((&stamp, ""));
    let time = time.split('.').next().unwrap_or_default();
    let is_today = now.rfc3339().starts_with(date);
    let absolute = if is_today { String::from(time) } else { format!("{date} {time}") };
    Shown { text: absolute, beside: distance(at, now), class: "time", moment: stamp, ..Shown::default() }
}

/// How far `at` is from `now`, in the largest unit: `5 min`, `+2 h` where it is to come.
fn distance(at: Millis, now: Millis) -> String {
    let (sign, span) = if at > now { ("+", at.since(now)) } else { ("", now.since(at)) };
    format!("{sign}{}", span_text(span.as_millis().try_into().unwrap_or(u64::MAX)))
}

/// A span of milliseconds in its largest unit.
pub(super) fn span_text(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..60_000 => format!("{} s", ms / 1_000),
        60_000..3_600_000 => format!("{} min", ms / 60_000),
        3_600_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

fn duration(value: &Value) -> String {
    value.as_u64().map_or_else(|| plain(value), span_text)
}

/// Bytes in the largest unit of which there is one at least, with a decimal: `1.5 GiB`.
fn bytes(value: &Value) -> String {
    let Some(count) = value.as_u64() else { return plain(value) };
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, shift)| count >> shift > 0);
    unit.map_or_else(
        || format!("{count} B"),
        |(unit, shift)| format!("{}.{} {unit}", count >> shift, ((count >> (shift - 10)) % 1_024) * 10 / 1_024),
    )
}

fn percent(value: &Value) -> String {
    value.as_f64().map_or_else(|| plain(value), |share| format!("{:.1} %", share * 100.0))
}

/// How far below what is usual: three deviations are rarely chance, six never.
fn heat(value: &Value) -> &'static str {
    match value.as_f64() {
        Some(score) if score <= -6.0 => "number hot",
        Some(score) if score <= -3.0 => "number warm",
        _ => "number",
    }
}

/// What a word of a closed set says of how things are; never the colour alone: the word stands beside it.
fn tone(word: &str) -> &'static str {
    match word {
        "active" | "delivered" | "approved" | "sent" | "read" | "verified" | "closed" | "allow" | "connected"
        | "green" | "enabled" | "live" | "ok" | "paid" | "done" | "completed" | "normal" | "on" | "succeeded"
        | "available" | "well" | "accepted" | "made" => "good",
        "failed" | "undelivered" | "rejected" | "suspended" | "revoked" | "open" | "block" | "blocked" | "red"
        | "disabled" | "expired" | "canceled" | "cancelled" | "failing" | "attack" | "banned" | "disconnected"
        | "fail" | "buried" | "changed" | "missing" | "unlinked" | "beyond_end" | "cut_off" | "diverged"
        | "replaced" | "unsigned" | "refused" => "bad",
        "unknown" | "pending" | "past_due" | "half_open" | "yellow" | "paused" | "shadow" | "step_up" | "drained"
        | "draining" | "degraded" | "scheduled" | "unverified" | "flagged" | "restricted" | "trial" | "warn" => "warn",
        _ => "neutral",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_link_is_filled_from_the_row_and_encoded() {
        let row = json!({"id": "org_1", "name": "a/b c", "none": null});
        assert_eq!(
            filled("/console/tenants/{/id}?q={/name}", &row).as_deref(),
            Some("/console/tenants/org_1?q=a%2Fb%20c")
        );
        assert_eq!(filled("/x/{/none}", &row), None);
        assert_eq!(filled("/x", &row).as_deref(), Some("/x"));
    }

    #[test]
    fn a_moment_is_told_from_now_and_in_utc() {
        let at = moment("2026-03-28T14:30:00.000Z", Millis::parse_rfc3339("2026-03-28T14:35:10Z").unwrap_or(Millis(0)));
        assert_eq!((at.text.as_str(), at.beside.as_str()), ("14:30:00", "5 min"));
        let later =
            moment("2026-03-30T14:30:00.000Z", Millis::parse_rfc3339("2026-03-28T14:30:00Z").unwrap_or(Millis(0)));
        assert_eq!((later.text.as_str(), later.beside.as_str()), ("2026-03-30 14:30:00", "+2 d"));
    }
}
