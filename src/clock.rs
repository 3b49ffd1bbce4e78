//! Time: `Millis`, durations as the API writes them, and the only caller of the system clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use diesel::sql_types::BigInt;

/// A moment: milliseconds since the Unix epoch, UTC. Stored as BigInt, shown as RFC 3339 with `Z` and milliseconds.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = BigInt)]
pub struct Millis(pub i64);

impl Millis {
    /// This moment moved by `by`; saturates at the ends of time.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Millis(self.0.saturating_add(millis_of(by)))
    }

    /// This moment moved back by `by`; saturates.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Millis(self.0.saturating_sub(millis_of(by)))
    }

    /// How long after `earlier` this moment is; zero where it is not later.
    pub fn since(self, earlier: Millis) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole Unix seconds, rounded up (a reset is never announced too early).
    pub fn as_secs_up(self) -> i64 {
        self.0.saturating_add(999).div_euclid(1000)
    }

    /// The next UTC midnight strictly after this moment.
    #[must_use]
    pub fn next_utc_midnight(self) -> Self {
        const DAY_MS: i64 = 86_400_000;
        Millis(self.0.div_euclid(DAY_MS).saturating_add(1).saturating_mul(DAY_MS))
    }

    /// RFC 3339 in UTC with milliseconds, e.g. `2026-03-28T14:30:00.000Z`.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => format!("{at:.3}"),
            Err(_) => String::from("9999-12-31T23:59:59.999Z"),
        }
    }

    /// Reads an RFC 3339 moment with any offset. `None` where the text is not one.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(Millis(at.as_millisecond()))
    }
}

impl serde::Serialize for Millis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> serde::Deserialize<'de> for Millis {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Millis::parse_rfc3339(&text).ok_or_else(|| serde::de::Error::custom(NOT_A_MOMENT))
    }
}

const NOT_A_MOMENT: &str = "must be an RFC 3339 timestamp, e.g. 2026-12-01T08:00:00Z";

impl<DB> diesel::serialize::ToSql<BigInt, DB> for Millis
where
    DB: diesel::backend::Backend,
    i64: diesel::serialize::ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> diesel::deserialize::FromSql<BigInt, DB> for Millis
where
    DB: diesel::backend::Backend,
    i64: diesel::deserialize::FromSql<BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        i64::from_sql(bytes).map(Millis)
    }
}

/// Where `now` comes from: the system, or a hand that sets it (tests).
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Set by hand; every clone sees the same moment.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until it is moved.
    pub fn manual(at: Millis) -> Self {
        Clock::Manual(Arc::new(AtomicI64::new(at.0)))
    }

    /// The present moment.
    pub fn now(&self) -> Millis {
        match self {
            Clock::System => system_now(),
            Clock::Manual(at) => Millis(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock to `at`; a system clock stays what it is.
    pub fn set(&self, at: Millis) {
        if let Clock::Manual(cell) = self {
            cell.store(at.0, Ordering::SeqCst);
        }
    }

    /// Moves a manual clock forward.
    pub fn advance(&self, by: Duration) {
        if let Clock::Manual(cell) = self {
            cell.fetch_add(millis_of(by), Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system time")]
fn system_now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Millis(millis_of(since))
}

/// A duration in whole milliseconds; the most there are where it is longer.
pub fn whole_ms(by: Duration) -> u64 {
    u64::try_from(by.as_millis()).unwrap_or(u64::MAX)
}

fn millis_of(by: Duration) -> i64 {
    i64::try_from(by.as_millis()).unwrap_or(i64::MAX)
}

/// Reads a duration as the API writes it: a whole number and one unit, `90s`, `10m`, `24h`, `7d`, `250ms`.
/// `None` where the text is anything else or overflows.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(split)?;
    let number: u64 = digits.parse().ok()?;
    let millis = match unit {
        "ms" => number,
        "s" => number.checked_mul(1000)?,
        "m" => number.checked_mul(60_000)?,
        "h" => number.checked_mul(3_600_000)?,
        "d" => number.checked_mul(86_400_000)?,
        _ => return None,
    };
    Some(Duration::from_millis(millis))
}

/// Shows a duration in the largest unit that divides it: `90s`, `10m`, `24h`.
pub fn show_duration(span: Duration) -> String {
    let ms = span.as_millis();
    match ms {
        0 => String::from("0s"),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

/// A duration as JSON shows it (`"90s"`, `"10m"`) and, by way of `i64`, as a column of milliseconds holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

impl serde::Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show_duration(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        parse_duration(&text).map(Span).ok_or_else(|| {
            serde::de::Error::custom("must be a duration: a whole number and a unit, e.g. 90s, 10m, 24h")
        })
    }
}

impl utoipa::PartialSchema for Span {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[0-9]{1,12}(ms|s|m|h|d)$"))
            .examples([serde_json::Value::from("10m")])
            .build()
            .into()
    }
}

impl utoipa::ToSchema for Span {}

impl From<Span> for i64 {
    fn from(span: Span) -> i64 {
        millis_of(span.0)
    }
}

impl From<i64> for Span {
    /// Columns hold milliseconds; a negative one counts as none.
    fn from(millis: i64) -> Span {
        Span(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_what_it_shows() {
        let at = Millis(1_774_708_200_123);
        assert_eq!(at.rfc3339(), "2026-03-28T14:30:00.123Z");
        assert_eq!(Millis::parse_rfc3339(&at.rfc3339()), Some(at));
        assert_eq!(Millis::parse_rfc3339("2026-03-28T15:30:00.123+01:00"), Some(at));
        assert_eq!(Millis::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!(parse_duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("10m"), Some(Duration::from_secs(600)));
        for bad in ["", "10", "m", "-1s", "1.5h", "10 m", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(show_duration(Duration::from_secs(90)), "90s");
        assert_eq!(show_duration(Duration::from_secs(86_400)), "24h");
    }

    #[test]
    fn midnight_is_strictly_later() {
        assert_eq!(Millis(0).next_utc_midnight(), Millis(86_400_000));
        assert_eq!(Millis(86_399_999).next_utc_midnight(), Millis(86_400_000));
    }
}
