//! A calendar month in UTC: what an invoice is for.

use crate::clock::Millis;

/// A month, shown as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that `at` lies in.
    pub fn of(at: Millis) -> Month {
        let date = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).date();
        Month { year: date.year(), month: date.month() }
    }

    /// The month before.
    #[must_use]
    pub fn before(self) -> Month {
        Month::of(Millis(self.start().0.saturating_sub(1)))
    }

    /// Its first moment.
    pub fn start(self) -> Millis {
        let first = jiff::civil::Date::new(self.year, self.month, 1)
            .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).map(|at| at.timestamp().as_millisecond()));
        Millis(first.unwrap_or_default())
    }

    /// The first moment after it.
    pub fn end(self) -> Millis {
        let next = match self.month {
            12 => Month { year: self.year.saturating_add(1), month: 1 },
            month => Month { month: month.saturating_add(1), ..self },
        };
        next.start()
    }
}

/// The date of `at` (UTC), as `2026-11-30`.
pub fn date_of(at: Millis) -> String {
    at.rfc3339().chars().take(10).collect()
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A text that is no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a month, e.g. 2026-11")]
pub struct NotAMonth;

impl std::str::FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Month, NotAMonth> {
        let (year, month) = text.split_once('-').filter(|_| text.len() == 7).ok_or(NotAMonth)?;
        let month = Month { year: year.parse().map_err(|_| NotAMonth)?, month: month.parse().map_err(|_| NotAMonth)? };
        let good = (1970..=9000).contains(&month.year) && (1..=12).contains(&month.month);
        good.then_some(month).filter(|month| month.to_string() == text).ok_or(NotAMonth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_runs_from_its_first_moment_to_the_next_ones() {
        let at = |text: &str| Millis::parse_rfc3339(text).unwrap();
        let december: Month = "2026-12".parse().unwrap();
        assert_eq!(Month::of(at("2026-12-31T23:59:59.999Z")), december);
        assert_eq!(december.start(), at("2026-12-01T00:00:00Z"));
        assert_eq!((december.end(), december.before().to_string()), (at("2027-01-01T00:00:00Z"), "2026-11".into()));
        for bad in ["", "2026-13", "2026-1", "2026-00", "26-11", "2026-11-01", "+026-11"] {
            assert_eq!(bad.parse::<Month>(), Err(NotAMonth), "{bad}");
        }
    }
}
