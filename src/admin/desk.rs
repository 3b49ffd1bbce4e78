//! The desk an operator works at: app, operator and request, with the role checked for the work at hand.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use crate::accounts::{Duty, Operator};
use crate::admin::order::Order;
use crate::app::App;
use crate::clock::Millis;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::idempotency_key::{IdempotencyKey, fingerprint};
use crate::http::page::{Ask, Scope};
use crate::http::{Body, RequestId, base_url, reply};
use crate::secret::Keyring;

/// A duty as a type, so that a handler's signature says who may call it.
pub(super) trait Work {
    /// The duty.
    const DUTY: Duty;
}

macro_rules! works {
    ($($(#[$meta:meta])* $name:ident = $duty:expr;)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub(super) struct $name;

        impl Work for $name {
            const DUTY: Duty = $duty;
        }
    )+};
}

works! {
    /// Every role may.
    Look = Duty::Look;
    /// Those who help with single messages and numbers may: support, operators and owners.
    Support = Duty::Support;
    /// Operators and owners may.
    Manage = Duty::Manage;
    /// Owners may.
    Govern = Duty::Govern;
    /// Owners and auditors may.
    Audit = Duty::Audit;
}

/// App, operator and request, for an operator who may do `W`. Errors: `permission_denied`, at once: put it first among
/// a handler's arguments, and nobody learns more about a route than they may use.
pub(super) struct Desk<W> {
    app: web::Data<App>,
    operator: Operator,
    request_id: RequestId,
    req: HttpRequest,
    work: PhantomData<W>,
}

impl<W: Work> FromRequest for Desk<W> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(open(req, payload))
    }
}

fn open<W: Work>(req: &HttpRequest, payload: &mut Payload) -> Result<Desk<W>> {
    let operator = Operator::from_request(req, payload).into_inner()?;
    operator.require(W::DUTY)?;
    let app = req.app_data::<web::Data<App>>().cloned().ok_or_else(|| Error::internal("no app beside the routes"))?;
    let request_id = RequestId::from_request(req, payload).into_inner().map_err(Error::internal)?;
    Ok(Desk { app, operator, request_id, req: req.clone(), work: PhantomData })
}

impl<W> Desk<W> {
    /// Whether the operator may do `duty` besides.
    pub(super) fn may(&self, duty: Duty) -> bool {
        self.operator.role.may(duty)
    }

    /// The id of the request.
    pub(super) fn request_id(&self) -> String {
        self.request_id.to_string()
    }

    /// Who sits here.
    pub(super) fn operator(&self) -> &Operator {
        &self.operator
    }

    /// The configuration.
    pub(super) fn config(&self) -> &Config {
        &self.app.config
    }

    /// The server's keys.
    pub(super) fn keyring(&self) -> &Keyring {
        &self.app.keyring
    }

    /// The present moment.
    pub(super) fn now(&self) -> Millis {
        self.app.clock.now()
    }

    /// Where this server is reached, without a slash at the end.
    pub(super) fn base(&self) -> String {
        base_url(&self.req)
    }

    /// Reads and answers 200.
    pub(super) async fn show<T, F>(&self, read: F) -> Result<HttpResponse>
    where
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        T: Serialize + Send + 'static,
    {
        reply::ok(&self.app.db.read(read).await?)
    }

    /// Reads a page and answers it. `read` takes the position to start behind and how many rows to fetch;
    /// `position_of` tells a row's own.
    pub(super) async fn list<T, P, F>(&self, ask: Ask, read: F, position_of: fn(&T) -> String) -> Result<HttpResponse>
    where
        F: FnOnce(&mut Conn, Option<P>, i64) -> Result<Vec<T>> + Send + 'static,
        T: Serialize + Send + 'static,
        P: FromStr + Send + 'static,
    {
        let position = ask.position(&self.app.keyring, OWNER)?;
        let after =
            position.map(|text| text.parse::<P>().map_err(|_| Error::internal("a cursor of ours without sense")));
        let (after, fetch) = (after.transpose()?, ask.fetch());
        let rows = self.app.db.read(move |conn| read(conn, after, fetch)).await?;
        reply::ok(&ask.page(rows, Scope { keyring: &self.app.keyring, owner: OWNER }, position_of))
    }

    /// An order to change something, by a request with a body.
    pub(super) fn order<T>(&self, body: &Body<T>, reason: Option<String>) -> Result<Order> {
        let fingerprint = body.fingerprint(&self.req);
        self.order_of(reason, body.key.as_ref().map(|key| (key, fingerprint)))
    }

    /// An order by a request without a body; why is in its query.
    pub(super) fn bare_order(&self, reason: Option<String>) -> Result<Order> {
        let key = IdempotencyKey::find(&self.req, None)?;
        self.order_of(reason, key.as_ref().map(|key| (key, fingerprint(&self.req, None))))
    }

    fn order_of(&self, reason: Option<String>, key: Option<(&IdempotencyKey, [u8; 32])>) -> Result<Order> {
        Order::new(self.app.clone(), self.operator.id, self.request_id.to_string(), reason)
            .map(|order| key.into_iter().fold(order, |order, (key, print)| order.once(key.as_str(), print)))
    }
}

/// Cursors of operators' lists belong to no organization.
const OWNER: &str = "operators";

/// A list without filters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfiltered {}

/// The query of a change that has no body.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// Why, for the audit log; names no phone number and no mail address.
    #[param(max_length = 500)]
    pub reason: Option<String>,
}
