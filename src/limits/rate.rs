//! A rate in the one notation used everywhere: `3/5m`, `60/min`, `10000/day`, or `unlimited`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::clock::{parse_duration, show_duration};

/// At most `limit` in any `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many.
    pub limit: u32,
    /// In which span of time.
    pub window: Duration,
}

/// A second.
const SECOND: Duration = Duration::from_secs(1);
/// A minute.
const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
const HOUR: Duration = Duration::from_secs(3600);
/// A day.
const DAY: Duration = Duration::from_secs(86_400);
/// The longest window a rate may have: what a row or the memory of one node can answer for.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// A text that is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a limit: write a count of at least 1, a slash and a window of 1s to 31d, e.g. 3/5m, 60/min, 10000/day")]
pub struct NotARate;

impl Rate {
    /// `limit` in any `seconds`.
    pub const fn per_secs(limit: u32, seconds: u64) -> Self {
        Rate { limit, window: Duration::from_secs(seconds) }
    }

    /// The window in milliseconds, at least one.
    pub fn window_ms(&self) -> i64 {
        i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX).max(1)
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    /// Reads `<count>/<window>`; the window is a duration or a bare unit (`s`, `sec`, `m`, `min`, `h`, `hour`, `d`, `day`).
    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (count, window) = text.trim().split_once('/').ok_or(NotARate)?;
        if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotARate);
        }
        let limit: u32 = count.parse().map_err(|_| NotARate)?;
        let window = read_window(window).ok_or(NotARate)?;
        if limit == 0 || window < SECOND || window > LONGEST {
            return Err(NotARate);
        }
        Ok(Rate { limit, window })
    }
}

fn read_window(text: &str) -> Option<Duration> {
    match text {
        "s" | "sec" | "second" => Some(SECOND),
        "m" | "min" | "minute" => Some(MINUTE),
        "h" | "hour" => Some(HOUR),
        "d" | "day" => Some(DAY),
        _ => parse_duration(text),
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.window {
            MINUTE => write!(f, "{}/min", self.limit),
            DAY => write!(f, "{}/day", self.limit),
            other => write!(f, "{}/{}", self.limit, show_duration(other)),
        }
    }
}

/// What a policy allows: a rate, or anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Allowance {
    /// No limit; a meter still counts.
    Unlimited,
    /// This much.
    Rate(Rate),
}

impl Allowance {
    /// The rate, where there is one.
    pub const fn rate(self) -> Option<Rate> {
        match self {
            Allowance::Unlimited => None,
            Allowance::Rate(rate) => Some(rate),
        }
    }
}

impl From<Rate> for Allowance {
    fn from(rate: Rate) -> Self {
        Allowance::Rate(rate)
    }
}

impl FromStr for Allowance {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        match text.trim() {
            "unlimited" => Ok(Allowance::Unlimited),
            other => other.parse().map(Allowance::Rate),
        }
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowance::Unlimited => f.write_str("unlimited"),
            Allowance::Rate(rate) => rate.fmt(f),
        }
    }
}

macro_rules! text_in_json {
    ($name:ident, $pattern:literal, $example:literal) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .examples([serde_json::Value::from($example)])
                    .build()
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

text_in_json!(Rate, r"^[0-9]+/[0-9]*[a-z]+$", "3/5m");
text_in_json!(Allowance, r"^(unlimited|[0-9]+/[0-9]*[a-z]+)$", "1000/min");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_reads_back_what_it_shows() {
        for (text, limit, seconds) in [
            ("3/5m", 3, 300),
            ("60/min", 60, 60),
            ("10000/day", 10_000, 86_400),
            ("1000/1h", 1_000, 3_600),
            ("5/1s", 5, 1),
            ("30/10s", 30, 10),
        ] {
            assert_eq!(text.parse(), Ok(Rate::per_secs(limit, seconds)), "{text}");
            assert_eq!(Rate::per_secs(limit, seconds).to_string(), text);
        }
    }

    #[test]
    fn other_spellings_of_a_window_mean_the_same() {
        for (text, same) in
            [("60/60s", "60/min"), ("60/m", "60/min"), ("20/24h", "20/day"), ("9/hour", "9/1h"), ("5/s", "5/1s")]
        {
            assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()), Ok(same.into()), "{text}");
        }
    }

    #[test]
    fn a_rate_that_could_never_pass_or_never_end_is_refused() {
        for bad in [
            "",
            "3",
            "/",
            "3/",
            "/5m",
            "0/min",
            "-1/min",
            "+3/min",
            "3/0s",
            "3/500ms",
            "3/32d",
            "3/5 m",
            "5000000000/min",
            "3/5m/2",
        ] {
            assert_eq!(bad.parse::<Rate>(), Err(NotARate), "{bad}");
        }
    }

    #[test]
    fn unlimited_is_a_word_in_json_too() {
        assert_eq!(serde_json::from_str::<Allowance>("\"unlimited\"").unwrap(), Allowance::Unlimited);
        assert_eq!(serde_json::from_str::<Allowance>("\"3/5m\"").unwrap(), Rate::per_secs(3, 300).into());
        assert_eq!(serde_json::to_string(&Allowance::Unlimited).unwrap(), "\"unlimited\"");
        assert!(serde_json::from_str::<Allowance>("\"none\"").is_err());
    }
}
