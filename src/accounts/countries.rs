//! Where an organization may send to.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::phone::Country;

/// A set of countries. In JSON `["*"]` or a list of ISO 3166-1 alpha-2 codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Countries {
    /// Every country.
    Every,
    /// These, sorted and each once.
    Only(Vec<Country>),
}

impl Countries {
    /// Whether `country` is in the set.
    pub fn allow(&self, country: Country) -> bool {
        match self {
            Countries::Every => true,
            Countries::Only(list) => list.contains(&country),
        }
    }

    /// Reads the words of a request or a column; the fault completes "`countries` …".
    pub fn parse<T: AsRef<str>>(words: &[T]) -> Result<Countries, &'static str> {
        if words.iter().any(|word| word.as_ref() == EVERY) {
            return if words.len() == 1 { Ok(Countries::Every) } else { Err("takes \"*\" alone, not beside others") };
        }
        let read = |word: &T| word.as_ref().parse::<Country>().map_err(|_| NOT_A_LIST);
        let mut list = words.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        list.sort_unstable();
        list.dedup();
        Ok(Countries::Only(list))
    }

    /// The words, as shown and stored.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Countries::Every => vec![EVERY],
            Countries::Only(list) => list.iter().map(Country::as_str).collect(),
        }
    }
}

const EVERY: &str = "*";
const NOT_A_LIST: &str = "must list two-letter ISO 3166 country codes, e.g. [\"GB\",\"IE\"], or be [\"*\"]";

impl Serialize for Countries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Countries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        Countries::parse(&words).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Countries {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let item = utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(r"^(\*|[A-Za-z]{2})$"));
        utoipa::openapi::ArrayBuilder::new().items(item).examples([serde_json::json!(["GB", "IE"])]).build().into()
    }
}

impl utoipa::ToSchema for Countries {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_allows_its_own_and_reads_back() {
        let set = Countries::parse(&["ie", "GB", "GB"]).unwrap();
        assert!(set.allow("GB".parse().unwrap()) && !set.allow("US".parse().unwrap()));
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["GB","IE"]"#);
        assert_eq!(serde_json::from_str::<Countries>(r#"["GB","IE"]"#).unwrap(), set);
        assert!(Countries::parse(&["*"]).unwrap().allow("US".parse().unwrap()));
    }

    #[test]
    fn what_is_no_set_of_countries_is_refused() {
        for bad in [vec!["*", "GB"], vec!["GBR"], vec![""], vec!["G1"]] {
            assert!(Countries::parse(&bad).is_err(), "{bad:?}");
        }
    }
}
