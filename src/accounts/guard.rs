//! The guards: middleware that lets a request in by its credential and the door limits, before a body is read.
//!
//! Middleware, not an extractor: actix polls extractors together, so a slow look-up would lose to a fast body error.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};

use crate::accounts::caller::{Caller, Standing};
use crate::accounts::directory::Directory;
use crate::accounts::keys::KeyKind;
use crate::accounts::operator::Operator;
use crate::accounts::org::OrgStatus;
use crate::accounts::{credential, door, token};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::rate_view::put_view;
use crate::http::{Who, put_who};
use crate::limits::Rule;

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

/// Lets operators in: token to `Operator`. For `/v1/admin`. A request that has its `Operator` already is one of the
/// console's own, made in this process for an operator who signed in: nobody outside can put one there.
///
/// # Errors
/// What the route answers; a refusal is a response.
pub async fn operator_guard(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match admit_operator(&req).await {
        Ok(operator) => {
            put_who(req.request(), Who::Operator(operator.id));
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
    let caller = found.map_err(|fault| count_stranger(&app, req.request(), fault))?;
    match door::is_activation(req.path()) {
        true => pass(&app, req.request(), caller, &door::activation_rules).await,
        false => {
            pass(&app, req.request(), caller, &|known| door::rules(known, door::band(req.method(), req.path()))).await
        }
    }
}

/// Whose `key` it is that stood in the query or the form of a client of the text endpoint: one of kind `activation`.
/// [`admit_activation_client`] lets it in.
///
/// # Errors
/// 401, or 429 where its address has tried too often.
pub async fn find_activation_client(app: &App, req: &HttpRequest, key: Option<&str>) -> Result<Caller> {
    let found = async {
        let text = key.ok_or_else(|| Error::new(Code::Unauthenticated))?;
        let presented = token::present(text).map_err(|_| Error::new(Code::Unauthenticated))?;
        let caller = app.room::<Directory>().caller(app, &presented).await?;
        match caller.key.kind {
            KeyKind::Activation => Ok(caller),
            KeyKind::Api => Err(Error::new(Code::Unauthenticated)),
        }
    };
    found.await.map_err(|fault| count_stranger(app, req, fault))
}

/// Lets a client of the text endpoint in, as far as its limits and its organization's state go.
///
/// # Errors
/// 429, `organization.suspended`.
pub async fn admit_activation_client(app: &App, req: &HttpRequest, caller: &Caller) -> Result<()> {
    pass(app, req, caller.clone(), &door::activation_rules).await.map(drop)
}

/// The door's limits, and whether the organization may use the platform at all.
async fn pass<const N: usize>(
    app: &App,
    req: &HttpRequest,
    caller: Caller,
    rules: &dyn Fn(&Standing) -> [Rule; N],
) -> Result<Caller> {
    put_who(req, Who::Key { org: caller.org_id(), key: caller.key_id(), mode: caller.mode() });
    let view = app.door.take(caller.org_id().as_str(), &rules(&caller), app.clock.now()).await;
    put_view(req, view);
    if let Some(fault) = door::refusal(&view) {
        return Err(fault);
    }
    match caller.org.status {
        OrgStatus::Active => Ok(caller),
        OrgStatus::Suspended => Err(Error::new(Code::OrganizationSuspended)),
    }
}

async fn admit_operator(req: &ServiceRequest) -> Result<Operator> {
    if let Some(known) = req.extensions().get::<Operator>() {
        return Ok(known.clone());
    }
    let app = app_of(req)?;
    let found = match credential::operator_token(req.headers()) {
        Ok(presented) => app.room::<Directory>().operator(&app, &presented).await,
        Err(fault) => Err(fault),
    };
    found.map_err(|fault| count_stranger(&app, req.request(), fault))
}

/// A request without a good credential counts against its address; past the limit it learns no more than that. A fault
/// of ours counts against nobody.
fn count_stranger(app: &App, req: &HttpRequest, fault: Error) -> Error {
    if fault.code().entry().status != 401 {
        return fault;
    }
    door::count_stranger(app, req).err().unwrap_or(fault)
}

fn app_of(req: &ServiceRequest) -> Result<web::Data<App>> {
    req.app_data::<web::Data<App>>().cloned().ok_or_else(|| Error::internal("the server was started without its app"))
}
