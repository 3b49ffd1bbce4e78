//! The extractors that hand a route what the guards found.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::accounts::caller::Caller;
use crate::accounts::operator::Operator;
use crate::error::{Error, Result};

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Caller>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(found(req))
    }
}

impl FromRequest for Operator {
    type Error = Error;
    type Future = Ready<Result<Operator>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(found(req))
    }
}

/// A route that asks for a caller must stand behind a guard: anything else is our fault, not the client's.
fn found<T: Clone + 'static>(req: &HttpRequest) -> Result<T> {
    req.extensions().get::<T>().cloned().ok_or_else(|| Error::internal("a route stands outside its guard"))
}
