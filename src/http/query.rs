//! Query strings, forms and path values, read with the registry's errors.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use super::decode::decode;
use super::tree::{Tree, shown_name};
use crate::error::{Code, Error, Result};

/// A query string as a `T` that denies unknown fields. `T` holds texts, numbers, Booleans, words and options of them.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(pairs(req.query_string()).and_then(|pairs| from_pairs(pairs).map(Query)))
    }
}

/// The `{id}` of the route's path; a text that is no such id is 404 like an id that is nobody's.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<T: FromStr> FromRequest for Id<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(path_part(req, "id").map(Id))
    }
}

/// The value of `{name}` in the route's path.
///
/// # Errors
/// `not_found` where it is no `T`.
pub fn path_part<T: FromStr>(req: &HttpRequest, name: &str) -> Result<T> {
    req.match_info().get(name).and_then(|text| text.parse().ok()).ok_or_else(|| Error::new(Code::NotFound))
}

/// The pairs of a query string or a form (`application/x-www-form-urlencoded`), decoded, in their order.
///
/// # Errors
/// `malformed_request` where the text cannot be decoded or holds U+0000.
pub fn pairs(text: &str) -> Result<Vec<(String, String)>> {
    let malformed =
        || Error::new(Code::MalformedRequest).detail("The query could not be decoded; percent-encode it as UTF-8.");
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text).map_err(|_| malformed())?.into_inner();
    let broken = |text: &String| text.contains(['\0', '\u{fffd}']);
    match pairs.iter().any(|(name, value)| broken(name) || broken(value)) {
        true => Err(malformed()),
        false => Ok(pairs),
    }
}

/// Percent-encoded for a path's segment or a query's value: all but what RFC 3986, section 2.3, leaves free.
pub fn encoded(text: &str) -> String {
    const FREE: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, &FREE).to_string()
}

/// A `T` out of decoded pairs.
///
/// # Errors
/// `validation_failed` that names the parameter.
pub fn from_pairs<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T> {
    let mut map = std::collections::BTreeMap::new();
    for (name, value) in pairs {
        if map.contains_key(&name) {
            return Err(Error::field(shown_name(&name), "is given twice; send it once"));
        }
        map.insert(name, Tree::Loose(value));
    }
    decode(&Tree::Map(map))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde::Deserialize;

    use super::*;
    use crate::ids::{MessageId, OrgId};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        org: Option<OrgId>,
        #[serde(default)]
        dry_run: bool,
        to: Option<String>,
    }

    fn read(query: &str) -> Result<Filter> {
        pairs(query).and_then(from_pairs)
    }

    #[test]
    fn a_query_is_typed() {
        let filter = read("org=org_01h455vb4pex5vsknk084sn02q&dry_run=true&to=%2B14155550123").unwrap();
        assert!(filter.org.is_some() && filter.dry_run);
        assert_eq!(filter.to.as_deref(), Some("+14155550123"));
        assert!(!read("").unwrap().dry_run);
    }

    #[test]
    fn a_bad_query_names_the_parameter() {
        let field = |query: &str| read(query).unwrap_err().fields().clone();
        assert_eq!(field("org=x")["org"], ["is not an id that starts with org_"]);
        assert_eq!(field("dry_run=yes")["dry_run"], ["must be true or false"]);
        assert_eq!(field("to=a&to=b")["to"], ["is given twice; send it once"]);
        assert_eq!(field("page=1")["page"], ["is not a field here; known are org, dry_run, to"]);
    }

    #[test]
    fn what_cannot_be_decoded_is_malformed() {
        for bad in ["to=%ff", "to=%00"] {
            assert_eq!(read(bad).unwrap_err().code(), Code::MalformedRequest, "{bad}");
        }
    }

    #[test]
    fn an_id_of_another_kind_is_not_found() {
        let at = |id: &'static str| TestRequest::default().param("id", id).to_http_request();
        assert!(path_part::<MessageId>(&at("msg_01h455vb4pex5vsknk084sn02q"), "id").is_ok());
        for bad in ["org_01h455vb4pex5vsknk084sn02q", "1 or 1=1", ""] {
            assert_eq!(path_part::<MessageId>(&at(bad), "id").unwrap_err().code(), Code::NotFound, "{bad}");
        }
    }
}
