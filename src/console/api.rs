//! The admin API, called in this process: its routes behind their guard, as over a socket but without one.

use std::rc::Rc;

use actix_http::{Payload, Request};
use actix_service::boxed::{self, BoxService};
use actix_service::{IntoServiceFactory, Service as _, ServiceFactory as _};
use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App as Actix, HttpMessage};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::accounts::{Operator, operator_guard};
use crate::admin;
use crate::app::App;
use crate::console::cells::plain;
use crate::error::{Error, Result};
use crate::http::{RequestId, Settings, frame};

type Service = BoxService<Request, ServiceResponse<BoxBody>, actix_web::Error>;

/// The routes of the admin API, one set a worker thread, made at first use.
#[derive(Default)]
pub(super) struct Api(Rc<OnceCell<Rc<Service>>>);

/// What is asked, and as whom.
pub(super) struct Ask {
    /// The method.
    pub method: Method,
    /// Path and query, encoded.
    pub path: String,
    /// The JSON body, if one is sent.
    pub body: Option<Value>,
    /// The idempotency key, if it is a change.
    pub once: Option<String>,
    /// Who asks.
    pub operator: Operator,
    /// The page's own request: what is told to the audit log.
    pub request: RequestId,
    /// The page's `Host`: where links of an answer lead to.
    pub host: Option<HeaderValue>,
    /// The reader's `Accept-Language`.
    pub language: &'static str,
}

/// What was answered.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The JSON body; null where there is none; one text where it is lines of JSON.
    pub body: Value,
}

impl Answer {
    /// What a problem says to its reader, where this is one.
    pub(super) fn problem(&self) -> Option<String> {
        if self.status.is_success() {
            return None;
        }
        let text = |at: &str| self.body.pointer(at).and_then(Value::as_str).map(String::from);
        // A page has no `field_errors` that the sentence could point to: it says them.
        let members = self.body.get("field_errors").and_then(Value::as_object).into_iter().flatten();
        let named: Vec<String> = members.map(|(member, why)| format!("{member}: {}", plain(why))).collect();
        let said = (!named.is_empty()).then(|| named.join("; "));
        said.or_else(|| text("/detail")).or_else(|| text("/title")).or(Some(String::new()))
    }
}

impl Clone for Api {
    fn clone(&self) -> Self {
        Api(Rc::clone(&self.0))
    }
}

impl Api {
    /// Asks. A refusal is an answer.
    ///
    /// # Errors
    /// `internal` where the routes cannot be made or the answer is no JSON.
    pub(super) async fn ask(&self, app: &Data<App>, settings: &Data<Settings>, ask: Ask) -> Result<Answer> {
        let service = self.0.get_or_try_init(|| routes(app.clone(), settings.clone())).await?;
        let response = match service.call(request(ask)?).await {
            Ok(response) => response.into_parts().1,
            Err(fault) => fault.error_response(),
        };
        let status = response.status();
        let is_lines = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/jsonl");
        let bytes = to_bytes(response.into_body()).await.map_err(|_| Error::internal("an answer without its body"))?;
        let body = match () {
            () if bytes.is_empty() => Value::Null,
            () if is_lines => Value::from(String::from_utf8_lossy(&bytes)),
            () => serde_json::from_slice(&bytes).map_err(Error::internal)?,
        };
        Ok(Answer { status, body })
    }
}

async fn routes(app: Data<App>, settings: Data<Settings>) -> Result<Rc<Service>> {
    let actix = Actix::new()
        .app_data(app)
        .app_data(settings)
        .service(web::scope("/v1/admin").wrap(from_fn(operator_guard)).configure(admin::configure))
        .wrap(from_fn(frame));
    let service = actix.into_factory().new_service(AppConfig::default()).await;
    service
        .map(|service| Rc::new(boxed::service(service)))
        .map_err(|()| Error::internal("the admin routes do not start"))
}

fn request(ask: Ask) -> Result<Request> {
    let body = ask.body.as_ref().map(Value::to_string).unwrap_or_default();
    let mut request = Request::with_payload(Payload::from(Bytes::from(body.clone())));
    let head = request.head_mut();
    head.method = ask.method;
    head.uri = ask.path.parse::<Uri>().map_err(Error::internal)?;
    let headers = head.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(ask.language));
    if let Some(host) = ask.host {
        headers.insert(header::HOST, host);
    }
    if ask.body.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    if let Some(once) = ask.once {
        let value = HeaderValue::from_str(&once).map_err(Error::internal)?;
        headers.insert(HeaderName::from_static("idempotency-key"), value);
    }
    // Only code of this process can put an operator here: the guard lets them pass.
    request.extensions_mut().insert(ask.operator);
    request.extensions_mut().insert(ask.request);
    Ok(request)
}
