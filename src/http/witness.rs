//! What is told of a request once it is answered: for the request log, which is a room that the ground does not know.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpMessage, HttpRequest};

use super::fault::code_of;
use super::request_id::RequestId;
use crate::clock::Millis;
use crate::error::{Code, Error};
use crate::ids::{DecisionId, KeyId, OperatorId, OrgId};
use crate::limits::Policy;
use crate::terms::Mode;

/// Who sent a request, as far as a guard knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// A tenant's key.
    Key {
        /// Its organization.
        org: OrgId,
        /// The key.
        key: KeyId,
        /// Live or test.
        mode: Mode,
    },
    /// An operator.
    Operator(OperatorId),
}

/// Notes who sent `req`, as soon as a guard knows it: also where it then refuses.
pub fn put_who(req: &HttpRequest, who: Who) {
    if let Some(name) = req.extensions().get::<Name>() {
        name.0.set(Some(who));
    }
}

/// Where it is noted. The frame keeps a hold on it, like on the slate of the limits.
#[derive(Clone, Default)]
pub(super) struct Name(Rc<Cell<Option<Who>>>);

impl Name {
    /// A fresh one in the extensions of `req`.
    pub(super) fn put_into(req: &impl HttpMessage) -> Self {
        let name = Name::default();
        req.extensions_mut().insert(name.clone());
        name
    }

    pub(super) fn who(&self) -> Option<Who> {
        self.0.get()
    }
}

/// A request and how it was answered.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Its id and its client's own.
    pub id: &'a RequestId,
    /// When it came.
    pub at: Millis,
    /// Its method, a word of a closed set.
    pub method: &'static str,
    /// Its path as it came: it may hold a number, so that it is to be looked at and never kept. Empty where the request
    /// is gone.
    pub path: &'a str,
    /// The pattern of its route; `none` where there is no such route.
    pub route: &'a str,
    /// Who sent it.
    pub who: Option<Who>,
    /// Where from.
    pub client: IpAddr,
    /// How it was answered.
    pub end: End<'a>,
    /// How long that took.
    pub took: Duration,
}

/// How a request was answered.
#[derive(Debug)]
pub struct End<'a> {
    /// The status; the one meant, where a dialect answers everything with 200.
    pub status: u16,
    /// The error's code, where it is one.
    pub code: Option<Code>,
    /// The limit that refused it.
    pub policy: Option<Policy>,
    /// The decision that refused it.
    pub decision: Option<DecisionId>,
    /// Where the thing it made can be read.
    pub location: Option<&'a str>,
    /// Whether the answer says that its route will go (RFC 9745).
    pub is_deprecated: bool,
}

impl<'a> End<'a> {
    pub(super) fn of(status: StatusCode, headers: &'a HeaderMap, error: Option<&Error>) -> End<'a> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let meant = text(MEANT).and_then(|text| text.parse().ok()).unwrap_or(status);
        let is_error = meant.is_client_error() || meant.is_server_error();
        End {
            status: meant.as_u16(),
            code: error.map(Error::code).or_else(|| is_error.then(|| code_of(meant))),
            policy: None,
            decision: error.and_then(Error::decision_id),
            location: text(header::LOCATION.as_str()),
            is_deprecated: headers.contains_key("deprecation"),
        }
    }
}

/// The status that the text endpoint means where it answers 200.
const MEANT: &str = "x-activation-status";

/// Who is told of every request of the API.
#[derive(Clone)]
pub struct Witness(Arc<dyn Fn(&Seen<'_>) + Send + Sync>);

impl Witness {
    /// Tells `hear`, on the thread that serves: it must be quick.
    pub fn told(hear: impl Fn(&Seen<'_>) + Send + Sync + 'static) -> Witness {
        Witness(Arc::new(hear))
    }

    pub(super) fn tell(&self, seen: &Seen<'_>) {
        (self.0)(seen);
    }
}

impl Default for Witness {
    fn default() -> Witness {
        Witness::told(|_| {})
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Witness")
    }
}

/// Whether a path is of the API: what probes, readers of the reference and browsers ask for is nobody's call.
pub(super) fn is_api(path: &str) -> bool {
    let under = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ["/v1", "/simcoal", "/hooks", "/stubs"].into_iter().any(under)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_api_is_told_of() {
        assert!(
            ["/v1/messages", "/v1/admin/orgs", "/simcoal/send", "/hooks/acme/status", "/stubs/x"].map(is_api)
                == [true; 5]
        );
        assert!(["/console/requests", "/healthz", "/docs/errors", "/v10", "/"].map(is_api) == [false; 5]);
    }
}
