//! The guards: middleware that lets a request in by its credential and the door limits, before a body is read.
//!
//! Middleware, not an extractor: actix polls extractors together, so a slow look-up would lose to a fast body error.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};

use crate::accounts::caller::Caller;
use crate::accounts::directory::Directory;
use crate::accounts::operator::Operator;
use crate::accounts::org::OrgStatus;
use crate::accounts::{credential, door};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::rate_view::put_view;

/// Lets tenants in: key to `Caller`, then every door limit in one step. For `/v1` (but `/v1/admin`) and `/simcoal`.
///
/// # Errors
/// What the route answers; a refusal is a response.
pub async fn guard(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match admit_caller(&req).await {
        Ok(caller) => {
            req.extensions_mut().insert(caller);
            Ok(next.call(req).await?.map_into_boxed_body())
        }
        Err(fault) => Ok(req.error_response(fault)),
    }
}

/// Lets operators in: token to `Operator`. For `/v1/admin`.
///
/// # Errors
/// What the route answers; a refusal is a response.
pub async fn operator_guard(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match admit_operator(&req).await {
        Ok(operator) => {
            req.extensions_mut().insert(operator);
            Ok(next.call(req).await?.map_into_boxed_body())
        }
        Err(fault) => Ok(req.error_response(fault)),
    }
}

async fn admit_caller(req: &ServiceRequest) -> Result<Caller> {
    let app = app_of(req)?;
    let found = match credential::api_key(req.headers()) {
        Ok(presented) => app.room::<Directory>().caller(&app, &presented).await,
        Err(fault) => Err(fault),
    };
    let caller = found.map_err(|fault| count_stranger(&app, req, fault))?;
    let rules = door::rules(&caller, door::band(req.method(), req.path()));
    let view = app.door.take(caller.org_id().as_str(), &rules, app.clock.now()).await;
    put_view(req.request(), view);
    if let Some(fault) = door::refusal(&view) {
        return Err(fault);
    }
    match caller.org.status {
        OrgStatus::Active => Ok(caller),
        OrgStatus::Suspended => Err(Error::new(Code::OrganizationSuspended)),
    }
}

async fn admit_operator(req: &ServiceRequest) -> Result<Operator> {
    let app = app_of(req)?;
    let found = match credential::operator_token(req.headers()) {
        Ok(presented) => app.room::<Directory>().operator(&app, &presented).await,
        Err(fault) => Err(fault),
    };
    found.map_err(|fault| count_stranger(&app, req, fault))
}

/// A request without a good credential counts against its address; past the limit it learns no more than that. A fault
/// of ours counts against nobody.
fn count_stranger(app: &App, req: &ServiceRequest, fault: Error) -> Error {
    if fault.code().entry().status != 401 {
        return fault;
    }
    door::count_stranger(app, req.request()).err().unwrap_or(fault)
}

fn app_of(req: &ServiceRequest) -> Result<web::Data<App>> {
    req.app_data::<web::Data<App>>().cloned().ok_or_else(|| Error::internal("the server was started without its app"))
}
