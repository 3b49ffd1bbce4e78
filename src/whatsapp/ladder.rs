//! The ladders of tiers, as data: how many people a business portfolio may write to first in a moving 24 h. Pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

crate::text_enum! {
    /// Which tiers there are.
    pub enum Ladder as "WhatsappLadder" {
        /// 1,000, 10,000, 100,000, unlimited.
        Tiers = "tiers",
        /// 250, 2,000, 10,000, 100,000, unlimited.
        /// Source: <https://developers.facebook.com/docs/whatsapp/messaging-limits>.
        Meta2026 = "meta2026",
    }
}

/// Unique contacts in a moving 24 h: a number, or no limit. Larger ones sort behind smaller ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactLimit {
    /// This many.
    Limited(u32),
    /// Any number.
    Unlimited,
}

/// A text that is no limit of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number of contacts of at least 1, or unlimited")]
pub struct NotALimit;

/// The tiers of [`Ladder::Tiers`], lowest first.
const TIERS: &[ContactLimit] = &[
    ContactLimit::Limited(1_000),
    ContactLimit::Limited(10_000),
    ContactLimit::Limited(100_000),
    ContactLimit::Unlimited,
];

/// The tiers of [`Ladder::Meta2026`], lowest first.
const META_2026: &[ContactLimit] = &[
    ContactLimit::Limited(250),
    ContactLimit::Limited(2_000),
    ContactLimit::Limited(10_000),
    ContactLimit::Limited(100_000),
    ContactLimit::Unlimited,
];

/// How many times the plan's sending requests (`band.send`) an organization has from each limit on.
const SEND_FACTORS: &[(ContactLimit, i32)] = &[
    (ContactLimit::Limited(1), 1),
    (ContactLimit::Limited(10_000), 2),
    (ContactLimit::Limited(100_000), 5),
    (ContactLimit::Unlimited, 10),
];

impl Ladder {
    /// Its tiers, lowest first.
    pub fn rungs(self) -> &'static [ContactLimit] {
        match self {
            Ladder::Tiers => TIERS,
            Ladder::Meta2026 => META_2026,
        }
    }

    /// The tier that `limit` reaches, from 1; 0 for less than the first.
    pub fn tier_of(self, limit: ContactLimit) -> usize {
        self.rungs().iter().filter(|rung| **rung <= limit).count()
    }

    /// The limit of tier `number`, from 1.
    pub fn tier(self, number: usize) -> Option<ContactLimit> {
        self.rungs().get(number.checked_sub(1)?).copied()
    }

    /// The next tier above `limit`.
    pub fn above(self, limit: ContactLimit) -> Option<ContactLimit> {
        self.rungs().iter().find(|rung| **rung > limit).copied()
    }

    /// The next tier below `limit`.
    pub fn below(self, limit: ContactLimit) -> Option<ContactLimit> {
        self.rungs().iter().rev().find(|rung| **rung < limit).copied()
    }
}

/// The factor of an organization's sending requests under `limit`.
pub fn send_factor(limit: ContactLimit) -> i32 {
    SEND_FACTORS.iter().filter(|(from, _)| *from <= limit).map(|(_, factor)| *factor).max().unwrap_or(1)
}

impl ContactLimit {
    /// As a column: nothing stands for no limit.
    pub fn to_column(self) -> Option<i64> {
        match self {
            ContactLimit::Limited(count) => Some(i64::from(count)),
            ContactLimit::Unlimited => None,
        }
    }

    /// From a column.
    pub fn from_column(column: Option<i64>) -> ContactLimit {
        column.map_or(ContactLimit::Unlimited, |count| ContactLimit::Limited(u32::try_from(count).unwrap_or(1)))
    }

    /// The number, where there is one.
    pub fn count(self) -> Option<u32> {
        match self {
            ContactLimit::Limited(count) => Some(count),
            ContactLimit::Unlimited => None,
        }
    }
}

impl fmt::Display for ContactLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContactLimit::Limited(count) => count.fmt(f),
            ContactLimit::Unlimited => f.write_str(UNLIMITED),
        }
    }
}

const UNLIMITED: &str = "unlimited";

impl FromStr for ContactLimit {
    type Err = NotALimit;

    fn from_str(text: &str) -> Result<Self, NotALimit> {
        match text {
            UNLIMITED => Ok(ContactLimit::Unlimited),
            digits => digits.parse().ok().filter(|count| *count > 0).map(ContactLimit::Limited).ok_or(NotALimit),
        }
    }
}

impl Serialize for ContactLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ContactLimit::Limited(count) => serializer.serialize_u32(*count),
            ContactLimit::Unlimited => serializer.serialize_str(UNLIMITED),
        }
    }
}

/// A tier as a request names it: `1`, `2`, … of its ladder, a rung's number of contacts, or `unlimited`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierName(String);

impl TierName {
    /// The limit it means on `ladder`; the error completes "`tier` …".
    pub fn on(&self, ladder: Ladder) -> Result<ContactLimit, String> {
        let rungs = ladder.rungs();
        let numbered = self.0.parse::<usize>().ok().and_then(|number| ladder.tier(number));
        let named = self.0.parse::<ContactLimit>().ok().filter(|limit| rungs.contains(limit));
        numbered.or(named).ok_or_else(|| {
            let shown: Vec<String> = rungs.iter().map(ToString::to_string).collect();
            format!("must be 1 to {} or one of {} on the ladder {ladder}", rungs.len(), shown.join(", "))
        })
    }
}

impl<'de> Deserialize<'de> for TierName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl serde::de::Visitor<'_> for Word {
            type Value = TierName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a tier's number, its number of contacts, or \"unlimited\"")
            }

            fn visit_u64<E>(self, number: u64) -> Result<TierName, E> {
                Ok(TierName(number.to_string()))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TierName, E> {
                Ok(TierName(text.chars().take(20).collect()))
            }
        }
        deserializer.deserialize_any(Word)
    }
}

impl utoipa::PartialSchema for TierName {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        number_or_word(
            serde_json::json!(2),
            "A tier's number on its ladder, from 1; a rung's number of contacts; or `unlimited`.",
        )
    }
}

impl utoipa::ToSchema for TierName {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("WhatsappTier")
    }
}

impl utoipa::PartialSchema for ContactLimit {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        number_or_word(serde_json::json!(10_000), "A number of contacts, or `unlimited`.")
    }
}

impl utoipa::ToSchema for ContactLimit {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("WhatsappContactLimit")
    }
}

fn number_or_word(example: serde_json::Value, about: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
    let shape = OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)))
        .item(ObjectBuilder::new().schema_type(Type::String))
        .description(Some(about))
        .examples([example])
        .build();
    utoipa::openapi::RefOr::T(utoipa::openapi::schema::Schema::OneOf(shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_has_a_number_and_a_limit_and_neighbours() {
        let limited = ContactLimit::Limited;
        assert_eq!(Ladder::Tiers.tier(2), Some(limited(10_000)));
        assert_eq!(Ladder::Tiers.tier(0), None);
        assert_eq!(Ladder::Meta2026.tier_of(limited(2_000)), 2);
        assert_eq!(Ladder::Meta2026.tier_of(limited(50)), 0, "Meta has given less than its first tier");
        assert_eq!(Ladder::Tiers.tier_of(limited(2_000)), 1);
        assert_eq!(Ladder::Meta2026.above(limited(250)), Some(limited(2_000)));
        assert_eq!(Ladder::Tiers.above(limited(100_000)), Some(ContactLimit::Unlimited));
        assert_eq!(Ladder::Tiers.above(ContactLimit::Unlimited), None);
        assert_eq!(Ladder::Tiers.below(ContactLimit::Unlimited), Some(limited(100_000)));
        assert_eq!(Ladder::Tiers.below(limited(1_000)), None);
    }

    #[test]
    fn a_tier_is_named_by_number_by_contacts_or_as_unlimited() {
        let named = |text: &str, ladder| serde_json::from_str::<TierName>(text).unwrap().on(ladder);
        assert_eq!(named("2", Ladder::Tiers), Ok(ContactLimit::Limited(10_000)));
        assert_eq!(named("\"2\"", Ladder::Meta2026), Ok(ContactLimit::Limited(2_000)));
        assert_eq!(named("100000", Ladder::Tiers), Ok(ContactLimit::Limited(100_000)));
        assert_eq!(named("\"unlimited\"", Ladder::Meta2026), Ok(ContactLimit::Unlimited));
        for wrong in ["0", "5", "2000", "\"many\""] {
            assert!(named(wrong, Ladder::Tiers).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<TierName>("-1").is_err());
    }

    #[test]
    fn a_higher_tier_has_more_sending_requests() {
        let of = |limit| send_factor(limit);
        let limited = ContactLimit::Limited;
        assert_eq!((of(limited(50)), of(limited(1_000)), of(limited(10_000))), (1, 1, 2));
        assert_eq!((of(limited(100_000)), of(ContactLimit::Unlimited)), (5, 10));
    }

    #[test]
    fn a_limit_reads_back_from_its_column() {
        for limit in [ContactLimit::Limited(250), ContactLimit::Unlimited] {
            assert_eq!(ContactLimit::from_column(limit.to_column()), limit);
        }
    }
}
