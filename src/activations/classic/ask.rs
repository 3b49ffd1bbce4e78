//! What a client of the text endpoint asks: query and form in one.

use actix_web::HttpRequest;
use actix_web::http::header;

use super::answer::Answer;
use crate::activations::countries::{self, Row};
use crate::activations::store::Name;
use crate::error::{Code, Error, Result};
use crate::http::query::pairs;
use crate::money::Micros;

/// The parameters, in their order: of two of one name the first counts, the query's before the form's.
pub(super) struct Ask(Vec<(String, String)>);

/// Most parameters that are looked at.
const MOST: usize = 64;

impl Ask {
    /// Reads them. A body that is no form is passed over: a client of this protocol says `application/octet-stream` of an
    /// empty one.
    pub(super) fn read(req: &HttpRequest, body: &[u8]) -> Result<Ask> {
        let mut all = pairs(req.query_string())?;
        let kind = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            let text = std::str::from_utf8(body).map_err(|_| Error::new(Code::MalformedRequest))?;
            all.extend(pairs(text)?);
        }
        all.truncate(MOST);
        Ok(Ask(all))
    }

    /// A parameter; one that is empty is not there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// The activation that is asked about.
    pub(super) fn activation(&self) -> Result<Name, Answer> {
        let serial = self.get("id").and_then(|text| text.parse().ok());
        serial.map(Name::Serial).ok_or_else(|| Answer::word("NO_ACTIVATION", 404))
    }

    /// The country that is asked for, if one is.
    pub(super) fn country(&self) -> Result<Option<&'static Row>, Answer> {
        match self.get("country") {
            None | Some("any") => Ok(None),
            Some(id) => match countries::of_id(id) {
                Some(row) => Ok(Some(row)),
                None => Err(Answer::word("BAD_COUNTRY", 400)),
            },
        }
    }

    /// A list of words behind commas, in lower case.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let words = self.get(name).unwrap_or_default().split(',').map(|word| word.trim().to_lowercase());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// A whole number, where there is one.
    pub(super) fn count(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok().filter(|count| *count >= 0)
    }

    /// The most that a number may cost. Clients send what their language makes of a decimal: more than six places are cut.
    pub(super) fn max_price(&self) -> Result<Option<Micros>, Answer> {
        let Some(text) = self.get("maxPrice") else { return Ok(None) };
        let cut = match text.split_once('.') {
            Some((whole, fraction)) => format!("{whole}.{}", fraction.chars().take(6).collect::<String>()),
            None => String::from(text),
        };
        let amount = Micros::parse(&cut).filter(|amount| *amount >= Micros::ZERO);
        amount.map(Some).ok_or_else(|| Answer::word("BAD_DATA", 400))
    }

    /// Prefixes that no number may have, E.164 with the plus.
    pub(super) fn not_prefixes(&self) -> Result<Vec<String>, Answer> {
        let list = self.words("phoneException");
        let is_prefix = |text: &String| (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if list.len() > 20 || !list.iter().all(is_prefix) {
            return Err(Answer::word("WRONG_EXCEPTION_PHONE", 400));
        }
        Ok(list.into_iter().map(|digits| format!("+{digits}")).collect())
    }
}
