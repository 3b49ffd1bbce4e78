//! `GET|POST /stubs/handler_api.php`: the text endpoint of an old protocol, for the clients that are there. Everything
//! stands in the query or in a form, the key as well: its keys are of a kind that can do nothing else, and no query is
//! ever logged.

mod answer;
mod ask;
mod lists;
mod rent;
mod status;

use std::collections::BTreeMap;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use self::answer::Answer;
use self::ask::Ask;
use crate::accounts::{self, Caller, Scope};
use crate::activations::must_be_on;
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::problem::Dialect;
use crate::http::refusals::{OURS, refusals_in};
use crate::http::{MaxBody, Raw};

/// Largest form: an action and a dozen parameters.
const LARGEST: usize = 16 * 1024;

/// The route, at the root: its key is no header.
pub fn configure_classic(routes: &mut ServiceConfig) {
    let endpoint = web::resource("/stubs/handler_api.php").app_data(MaxBody(LARGEST));
    routes.service(endpoint.route(web::get().to(by_get)).route(web::post().to(by_post)));
}

/// The text endpoint for clients of the old protocol: `api_key`, `action` and the action's parameters in the query.
///
/// Answers are one word of plain text with values behind colons, or JSON; docs/activations.md lists them. Keys are of kind
/// `activation`. Refusals come with status 200 and the status they stand for in `X-Activation-Status`, unless key or
/// configuration say `mapped`.
#[utoipa::path(
    get,
    operation_id = "activation_text_endpoint",
    tag = "Activations",
    path = "/stubs/handler_api.php",
    responses(
        (status = 200, description = "The answer", content(
            (String = "text/plain", example = "ACCESS_NUMBER:1001:447400123456"),
            (Object = "application/json", example = json!({"status": "success", "services": [{"code": "ot", "name": "Any other"}]})),
        )),
        TextRefusals,
    ),
    security(()),
)]
pub async fn by_get(app: Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    serve(&app, &req, &[]).await
}

/// The same by POST: parameters in the query, in a form, or some in each; a body of another kind is passed over.
#[utoipa::path(
    post,
    operation_id = "activation_text_endpoint_by_post",
    tag = "Activations",
    path = "/stubs/handler_api.php",
    request_body(content = Option<String>, content_type = "application/x-www-form-urlencoded", description = "Parameters",
        example = "api_key=pst_test_…&action=getBalance"),
    responses(
        (status = 200, description = "The answer", content(
            (String = "text/plain", example = "ACCESS_NUMBER:1001:447400123456"),
            (Object = "application/json", example = json!({"status": "success", "services": [{"code": "ot", "name": "Any other"}]})),
        )),
        TextRefusals,
    ),
    security(()),
)]
pub async fn by_post(app: Data<App>, req: HttpRequest, Raw(body): Raw) -> Result<HttpResponse> {
    serve(&app, &req, &body).await
}

/// What is said where an answer is none; its own status, where statuses are mapped.
struct TextRefusals;

impl IntoResponses for TextRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        const CODES: [Code; 16] = [
            Code::MalformedRequest,
            Code::UnsupportedAction,
            Code::Unauthenticated,
            Code::KeyRevoked,
            Code::KeyExpired,
            Code::InsufficientBalance,
            Code::SubscriptionPastDue,
            Code::PermissionDenied,
            Code::OrganizationSuspended,
            Code::ActivationTooEarly,
            Code::NotFound,
            Code::RequestTimeout,
            Code::IdempotencyMismatch,
            Code::PayloadTooLarge,
            Code::RateLimited,
            Code::QuotaDailyExceeded,
        ];
        refusals_in(Dialect::ActivationText, &[CODES.as_slice(), &OURS].concat())
    }
}

async fn serve(app: &Data<App>, req: &HttpRequest, body: &[u8]) -> Result<HttpResponse> {
    must_be_on(app)?;
    let mut statuses = app.config.numbers.statuses;
    let answered = async {
        let ask = Ask::read(req, body)?;
        let caller = accounts::find_activation_client(app, req, ask.get("api_key")).await?;
        statuses = caller.key.statuses.unwrap_or(statuses);
        accounts::admit_activation_client(app, req, &caller).await?;
        Ok::<Answer, Error>(act(app, &caller, &ask).await)
    };
    let answer = answered.await.unwrap_or_else(Answer::from);
    Ok(answer.into_response(statuses))
}

/// What an action is answered.
async fn act(app: &Data<App>, caller: &Caller, ask: &Ask) -> Answer {
    let done = match ask.get("action") {
        None => Err(Answer::word("BAD_ACTION", 400)),
        Some(action) => match needed(action) {
            None => Err(Answer::from(Error::new(Code::UnsupportedAction))),
            Some(scope) => match caller.require(scope) {
                Ok(()) => run(app, caller, action, ask).await,
                Err(fault) => Err(Answer::from(fault)),
            },
        },
    };
    done.unwrap_or_else(|refusal| refusal)
}

/// What a key must be allowed for an action that there is.
fn needed(action: &str) -> Option<Scope> {
    match action {
        "getNumber" | "getNumberV2" | "setStatus" | "finishActivation" | "cancelActivation" => {
            Some(Scope::ActivationsWrite)
        }
        "getBalance"
        | "getBalanceAndCashBack"
        | "getNumbersStatus"
        | "getStatus"
        | "getStatusV2"
        | "getFullSms"
        | "getActiveActivations"
        | "getHistory"
        | "getAllSms"
        | "getPrices"
        | "getPricesExtended"
        | "getCountries"
        | "getServicesList"
        | "getOperators"
        | "getTopCountriesByService"
        | "getTopCountriesByServiceRank" => Some(Scope::ActivationsRead),
        _ => None,
    }
}

async fn run(app: &Data<App>, caller: &Caller, action: &str, ask: &Ask) -> Result<Answer, Answer> {
    match action {
        "getNumber" => rent::number(app, caller, ask).await,
        "getNumberV2" => rent::number_v2(app, caller, ask).await,
        "setStatus" => status::set(app, caller, ask).await,
        "finishActivation" => status::finish(app, caller, ask).await,
        "cancelActivation" => status::cancel(app, caller, ask).await,
        "getStatus" => status::get(app, caller, ask).await,
        "getStatusV2" => status::get_v2(app, caller, ask).await,
        "getFullSms" => status::full_sms(app, caller, ask).await,
        "getActiveActivations" => status::active(app, caller, ask).await,
        "getHistory" => status::history(app, caller, ask).await,
        "getAllSms" => status::all_sms(app, caller, ask).await,
        "getBalance" | "getBalanceAndCashBack" => lists::balance(app, caller).await,
        "getNumbersStatus" => lists::numbers_status(app, caller, ask).await,
        "getPrices" | "getPricesExtended" => lists::prices(app, caller, ask).await,
        "getCountries" => lists::countries(app, caller).await,
        "getServicesList" => lists::services(app, caller, ask).await,
        "getOperators" => lists::operators(app, caller, ask).await,
        _ => lists::top_countries(app, caller, ask).await,
    }
}
