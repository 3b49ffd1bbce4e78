//! How many verifications came to a good end: the figure that shows a route, a country or a channel going bad.

use std::time::Duration;

use super::body::SummaryFilter;
use super::store::{self, Counts, Owner, Scope};
use super::view::SummaryView;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::messages::country_of;

const DEFAULT_STRETCH: Duration = Duration::from_secs(30 * 86_400);

/// E.164 has at most 15 digits.
const MAX_PREFIX_DIGITS: usize = 15;

/// What `wanted` asks about. Error: `validation_failed`.
pub fn scope_of(owner: Owner, wanted: SummaryFilter, now: Millis) -> Result<Scope> {
    let country = wanted.country.as_deref().map(country_of).transpose().map_err(|why| Error::field("country", why))?;
    let before = wanted.created_before.unwrap_or(now);
    let after = wanted.created_after.unwrap_or(before.minus(DEFAULT_STRETCH));
    if after >= before {
        return Err(Error::field("created_after", "must be earlier than created_before"));
    }
    let prefix = wanted.prefix.as_deref().map(prefix_of).transpose()?;
    Ok(Scope { owner, between: (after, before), country, prefix, channel: wanted.channel })
}

/// Counts what `scope` asks about, as it is at `now`.
pub fn summarize(conn: &mut Conn, scope: &Scope, now: Millis) -> Result<SummaryView> {
    let counts = store::count(conn, scope, now)?;
    Ok(SummaryView {
        from: scope.between.0,
        to: scope.between.1,
        verifications: counts.started,
        sent: counts.sent,
        approved: counts.approved,
        pending: counts.open,
        conversion_rate: conversion_rate(counts),
    })
}

/// The approved among those that have ended, four places. Those still open are left out: they would make every
/// present moment look like an outage.
fn conversion_rate(counts: Counts) -> Option<f64> {
    let ended = counts.started.saturating_sub(counts.open);
    let parts = (counts.approved.saturating_mul(10_000)).checked_div(ended)?;
    i32::try_from(parts).ok().map(|parts| f64::from(parts) / 10_000.0)
}

/// `+4477`, `4477` or, by way of a query string, ` 4477`.
fn prefix_of(text: &str) -> Result<String> {
    let digits = text.strip_prefix(['+', ' ']).unwrap_or(text);
    let fits = (1..=MAX_PREFIX_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| format!("+{digits}"))
        .ok_or_else(|| Error::field("prefix", "must be the first digits of a number, e.g. +4477"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_those_that_have_ended() {
        let counts = Counts { started: 12, approved: 9, open: 2, sent: 20 };
        assert_eq!(conversion_rate(counts), Some(0.9));
        assert_eq!(conversion_rate(Counts { open: 12, approved: 0, ..counts }), None);
        assert_eq!(conversion_rate(Counts { started: 3, approved: 1, open: 0, sent: 3 }), Some(0.3333));
    }

    #[test]
    fn a_prefix_is_digits_that_cannot_reach_into_the_pattern() {
        for good in ["+4477", "4477", " 4477"] {
            assert_eq!(prefix_of(good).unwrap(), "+4477");
        }
        for bad in ["", "+", "44%", "4_", "++44", "1234567890123456"] {
            assert!(prefix_of(bad).is_err(), "{bad}");
        }
    }
}
