//! Money: integer micros with a currency. Checked arithmetic, no floats.

use diesel::sql_types::BigInt;

/// Millionths of a currency unit. All arithmetic is checked; a sum that overflows is `None`.
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
pub struct Micros(pub i64);

impl Micros {
    /// Nothing.
    pub const ZERO: Micros = Micros(0);

    /// The sum, or `None` on overflow.
    pub fn plus(self, other: Micros) -> Option<Micros> {
        self.0.checked_add(other.0).map(Micros)
    }

    /// The difference, or `None` on overflow.
    pub fn minus(self, other: Micros) -> Option<Micros> {
        self.0.checked_sub(other.0).map(Micros)
    }

    /// `count` times this amount, or `None` on overflow.
    pub fn times(self, count: u32) -> Option<Micros> {
        self.0.checked_mul(i64::from(count)).map(Micros)
    }

    /// Reads a plain decimal text with at most six places: `0.0075`, `-12`, `3.5`.
    pub fn parse(text: &str) -> Option<Micros> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) || fraction.len() > 6 {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
        let micros = whole.checked_mul(1_000_000)?.checked_add(fraction)?;
        Some(Micros(if negative { micros.checked_neg()? } else { micros }))
    }
}

impl std::fmt::Display for Micros {
    /// A decimal text with at least two places and no needless zeros: `0.0075`, `12.00`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.0.unsigned_abs();
        let mut fraction = format!("{:06}", amount % 1_000_000);
        while fraction.len() > 2 && fraction.ends_with('0') {
            fraction.pop();
        }
        write!(f, "{sign}{}.{fraction}", amount / 1_000_000)
    }
}

impl<DB> diesel::serialize::ToSql<BigInt, DB> for Micros
where
    DB: diesel::backend::Backend,
    i64: diesel::serialize::ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB> diesel::deserialize::FromSql<BigInt, DB> for Micros
where
    DB: diesel::backend::Backend,
    i64: diesel::deserialize::FromSql<BigInt, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        i64::from_sql(bytes).map(Micros)
    }
}

/// An ISO 4217 code: three capital letters.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars, the default of every price and wallet.
    pub const USD: Currency = Currency(*b"USD");

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("USD")
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not a currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be three capital letters of ISO 4217, e.g. USD")]
pub struct NotACurrency;

impl std::str::FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| NotACurrency)?;
        if bytes.iter().all(u8::is_ascii_uppercase) { Ok(Currency(bytes)) } else { Err(NotACurrency) }
    }
}

crate::text_column!(Currency);

/// An amount as the API shows it: `{"amount":"0.0075","currency":"USD"}`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyView {
    /// A decimal string with at most six places.
    #[schema(example = "0.0075")]
    pub amount: String,
    /// ISO 4217.
    #[schema(example = "USD")]
    pub currency: String,
}

impl MoneyView {
    /// Shows `amount` of `currency`.
    pub fn new(amount: Micros, currency: Currency) -> Self {
        MoneyView { amount: amount.to_string(), currency: currency.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_what_they_show() {
        for (text, micros) in [("0.0075", 7_500), ("12.00", 12_000_000), ("-0.50", -500_000), ("0.000001", 1)] {
            assert_eq!(Micros::parse(text), Some(Micros(micros)));
            assert_eq!(Micros(micros).to_string(), text);
        }
        for bad in ["", "1.", ".5", "1.0000001", "1e3", "+1", "--1", "9999999999999999", "1,5"] {
            assert_eq!(Micros::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn sums_that_overflow_are_nothing() {
        assert_eq!(Micros(i64::MAX).plus(Micros(1)), None);
        assert_eq!(Micros(i64::MAX).times(2), None);
    }
}
