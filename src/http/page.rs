//! Lists in pages: `?limit=` and `?cursor=` in, `{data, has_more, next_cursor}` out.
//!
//! A cursor is a position (the last row's id), authenticated together with whose list it is of and with the filters:
//! a cursor that was tampered with, or that belongs to another list, is refused.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::{from_pairs, pairs};
use crate::error::{Error, Result};
use crate::secret::{Keyring, Purpose, same};

/// Rows of a page where the query does not say.
pub const DEFAULT_LIMIT: u32 = 50;

/// Most rows of a page.
pub const MAX_LIMIT: u32 = 200;

/// Bytes of the MAC that are kept: 128 bits.
const TAG_LEN: usize = 16;

/// The paging parameters of a list route.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageParams {
    /// Rows per page, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The query of a list route: its own filters (an `F` that denies unknown fields) and the page that is asked for.
#[derive(Debug)]
pub struct Listing<F> {
    /// The route's filters.
    pub filter: F,
    /// Which page.
    pub page: Ask,
}

/// Which page of which list is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Rows wanted; fetch one more, it tells whether there are more.
    pub limit: u32,
    cursor: Option<String>,
    /// The path and the filters: what else a cursor is bound to.
    list: String,
}

impl<F: DeserializeOwned> FromRequest for Listing<F> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(req))
    }
}

fn read<F: DeserializeOwned>(req: &HttpRequest) -> Result<Listing<F>> {
    let all = pairs(req.query_string())?;
    let is_paging = |pair: &(String, String)| pair.0 == "limit" || pair.0 == "cursor";
    let (paging, mut filters): (Vec<_>, Vec<_>) = all.into_iter().partition(is_paging);
    let params: PageParams = from_pairs(paging)?;
    filters.sort();
    let list = format!("{}?{filters:?}", req.path());
    Ok(Listing {
        filter: from_pairs(filters)?,
        page: Ask { limit: checked(params.limit)?, cursor: params.cursor, list },
    })
}

fn checked(limit: Option<u32>) -> Result<u32> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => Err(Error::field("limit", format!("must be a whole number from 1 to {MAX_LIMIT}"))),
    }
}

impl Ask {
    /// The first page of a list that has no query, e.g. for the command line.
    pub fn first(limit: u32) -> Self {
        Ask { limit, cursor: None, list: String::new() }
    }

    /// Rows to fetch: one more than are shown.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit).saturating_add(1)
    }

    /// The position behind which the page starts; `None` for the first page. `owner` is whose list it is.
    ///
    /// # Errors
    /// `validation_failed` where the cursor is not one of this list.
    pub fn position(&self, keyring: &Keyring, owner: &str) -> Result<Option<String>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let open = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (tag, position) = bytes.split_at_checked(TAG_LEN)?;
            let position = String::from_utf8(position.to_vec()).ok()?;
            same(tag, &self.tag(keyring, owner, &position)).then_some(position)
        };
        match open() {
            Some(position) => Ok(Some(position)),
            None => Err(Error::field("cursor", "is not a cursor of this list; start again without one")),
        }
    }

    /// The page out of at most `fetch()` rows; `position_of` tells a row's place in the list.
    pub fn page<T>(&self, rows: Vec<T>, scope: Scope<'_>, position_of: impl Fn(&T) -> String) -> Page<T> {
        let mut data = rows;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = data.len() > limit;
        data.truncate(limit);
        let last = data.last().filter(|_| has_more);
        let next_cursor = last.map(|row| self.cursor_at(scope, &position_of(row)));
        Page { data, has_more, next_cursor }
    }

    fn cursor_at(&self, scope: Scope<'_>, position: &str) -> String {
        let tag = self.tag(scope.keyring, scope.owner, position);
        URL_SAFE_NO_PAD.encode([tag.as_slice(), position.as_bytes()].concat())
    }

    fn tag(&self, keyring: &Keyring, owner: &str, position: &str) -> [u8; TAG_LEN] {
        let mac = keyring.mac(Purpose::Cursor, &[owner.as_bytes(), self.list.as_bytes(), position.as_bytes()]);
        let mut tag = [0; TAG_LEN];
        tag.iter_mut().zip(mac).for_each(|(slot, byte)| *slot = byte);
        tag
    }
}

/// Whose list a page is cut from.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The server's keys.
    pub keyring: &'a Keyring,
    /// The organization, or any text that names the owner.
    pub owner: &'a str,
}

/// A page of a list, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Give it as `cursor` to get the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The same page with each row shown as a `U`.
    pub fn map<U>(self, show: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(show).collect(), has_more: self.has_more, next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        status: Option<String>,
    }

    fn listing(uri: &str) -> Result<Listing<Filter>> {
        read(&TestRequest::with_uri(uri).to_http_request())
    }

    fn cursor_of(uri: &str, owner: &str) -> String {
        let ring = Keyring::new([7; 32]);
        let page = listing(uri).unwrap().page.page(vec![1, 2, 3], Scope { keyring: &ring, owner }, |n| n.to_string());
        assert_eq!((page.data.as_slice(), page.has_more), (&[1, 2][..], true));
        page.next_cursor.unwrap()
    }

    fn opened(uri: &str, owner: &str) -> Result<Option<String>> {
        listing(uri)?.page.position(&Keyring::new([7; 32]), owner)
    }

    #[test]
    fn a_cursor_continues_its_own_list_only() {
        let cursor = cursor_of("/v1/messages?limit=2&status=sent", "org_a");
        assert_eq!(listing("/x?status=sent").unwrap().filter.status.as_deref(), Some("sent"));
        let next = |path: &str, query: &str, owner| opened(&format!("{path}?cursor={cursor}{query}"), owner);
        assert_eq!(next("/v1/messages", "&status=sent&limit=9", "org_a").unwrap().as_deref(), Some("2"));
        assert!(next("/v1/messages", "&status=sent", "org_b").is_err(), "another owner");
        assert!(next("/v1/messages", "&status=failed", "org_a").is_err(), "another filter");
        assert!(next("/v1/verifications", "&status=sent", "org_a").is_err(), "another list");
    }

    #[test]
    fn a_tampered_cursor_is_refused() {
        let cursor = cursor_of("/v1/messages?limit=2", "org_a");
        let flip = |at: usize| {
            let mut text = cursor.clone().into_bytes();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(text).unwrap()
        };
        for at in 0..cursor.len() - 1 {
            assert!(opened(&format!("/v1/messages?cursor={}", flip(at)), "org_a").is_err(), "{at}");
        }
        for bad in ["", "x", "%20", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(opened(&format!("/v1/messages?cursor={bad}"), "org_a").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_limit_is_1_to_200_and_50_by_default() {
        assert_eq!(listing("/x").unwrap().page.limit, 50);
        assert_eq!(listing("/x?limit=200").unwrap().page.limit, 200);
        for bad in ["0", "201", "1000000000", "99999999999999999999", "-1", "ten", ""] {
            let error = listing(&format!("/x?limit={bad}")).unwrap_err();
            assert!(error.fields().contains_key("limit"), "{bad}");
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let ring = Keyring::new([7; 32]);
        let page = Ask::first(2).page(vec![1, 2], Scope { keyring: &ring, owner: "o" }, |n: &i32| n.to_string());
        assert_eq!((page.data.len(), page.has_more, page.next_cursor), (2, false, None));
    }
}
