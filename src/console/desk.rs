//! The desk of an operator in the console: who is signed in, in which language, and the way to the admin API.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use askama::Template;
use serde_json::Value;

use crate::accounts::{Duty, Operator};
use crate::app::App;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::console::api::{Answer, Api, Ask};
use crate::console::layout::{Layout, Page};
use crate::console::pages::FORMS;
use crate::console::preferences::Preferences;
use crate::console::views::Views;
use crate::error::{Code, Error, Result};
use crate::http::query::pairs;
use crate::http::{RequestId, Settings, base_url, reply};
use crate::signin::{self, Session};
use crate::words::Words;

/// See the module.
pub(super) struct Desk {
    /// The app.
    pub app: Data<App>,
    /// Who is signed in.
    pub operator: Operator,
    /// The page's words.
    pub words: Words,
    /// When the page was asked for.
    pub now: Millis,
    /// The parameters of its address, decoded.
    pub pairs: Vec<(String, String)>,
    session: Session,
    preferences: Preferences,
    views: Views,
    request: RequestId,
    settings: Data<Settings>,
    api: Api,
    path: String,
    back: String,
    base: String,
    host: Option<header::HeaderValue>,
}

impl FromRequest for Desk {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(open(req, payload))
    }
}

fn open(req: &HttpRequest, payload: &mut Payload) -> Result<Desk> {
    let missing = || Error::internal("a page of the console stands outside its guard");
    let operator = Operator::from_request(req, payload).into_inner()?;
    let session = req.extensions().get::<Session>().cloned().ok_or_else(missing)?;
    let app = req.app_data::<Data<App>>().cloned().ok_or_else(missing)?;
    let settings = req.app_data::<Data<Settings>>().cloned().ok_or_else(missing)?;
    let api = req.app_data::<Api>().cloned().ok_or_else(missing)?;
    let request = RequestId::from_request(req, payload).into_inner().map_err(Error::internal)?;
    let preferences = Preferences::of(req);
    Ok(Desk {
        now: app.clock.now(),
        words: Words::of(preferences.language(req.headers())),
        pairs: pairs(req.query_string())?,
        path: req.path().to_owned(),
        back: req.uri().path_and_query().map_or_else(|| req.path().to_owned(), ToString::to_string),
        base: base_url(req),
        host: req.headers().get(header::HOST).cloned(),
        app,
        operator,
        session,
        preferences,
        views: Views::of(req),
        request,
        settings,
        api,
    })
}

impl Desk {
    /// What `path` (with its query) of the admin API answers.
    ///
    /// # Errors
    /// `internal`; a refusal is an answer.
    pub(super) async fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, path, None, None).await
    }

    /// The same for a page that is nothing without it.
    ///
    /// # Errors
    /// `not_found` where the route says so, else what it was refused with.
    pub(super) async fn need(&self, path: &str) -> Result<Value> {
        let answer = self.get(path).await?;
        match answer.problem() {
            None => Ok(answer.body),
            Some(why) => {
                let code = answer.body.get("code").and_then(Value::as_str);
                let code = Code::ALL.iter().find(|one| Some(one.as_str()) == code).copied();
                Err(Error::new(code.unwrap_or(Code::Internal)).detail(why))
            }
        }
    }

    /// Asks for a change, once for the key `once`.
    ///
    /// # Errors
    /// `internal`; a refusal is an answer.
    pub(super) async fn change(&self, method: Method, path: &str, body: Option<Value>, once: &str) -> Result<Answer> {
        self.ask(method, path, body, Some(once.to_owned()).filter(|key| !key.is_empty())).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>, once: Option<String>) -> Result<Answer> {
        let ask = Ask {
            method,
            path: path.to_owned(),
            body,
            once,
            operator: self.operator.clone(),
            request: self.request.clone(),
            host: self.host.clone(),
            language: self.words.language.tag(),
        };
        self.api.ask(&self.app, &self.settings, ask).await
    }

    /// Appends to the audit log what was looked at, where looking is told.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn tell(&self, action: &'static str, target: &str, change: Change) -> Result<()> {
        let by = By {
            actor: Actor::Operator(self.operator.id),
            now: self.now,
            reason: None,
            request_id: Some(self.request.to_string()),
        };
        let target = target.to_owned();
        self.app.db.write(move |conn| by.tell(conn, action, target, change)).await
    }

    /// Whether the operator's role may.
    pub(super) fn may(&self, duty: Duty) -> bool {
        self.operator.role.may(duty)
    }

    /// `live` or `test`: how the switch of the page stands.
    pub(super) fn mode(&self) -> &'static str {
        self.preferences.mode()
    }

    /// The views of tables that the reader keeps.
    pub(super) fn views(&self) -> &Views {
        &self.views
    }

    /// The token that the session's forms carry.
    pub(super) fn csrf(&self) -> &str {
        &self.session.csrf
    }

    /// To the page that asks for the password, and back from there; nothing where it was given a moment ago.
    pub(super) fn ask_for_password(&self) -> Option<HttpResponse> {
        signin::ask_for_password(&self.app, &self.session, &self.back)
    }

    /// The page's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where a form of this page leads back to: its address.
    pub(super) fn back(&self) -> &str {
        &self.back
    }

    /// The same desk for an answer that leads back to `back`, if that is a page of the console.
    pub(super) fn came_from(self, back: &str) -> Desk {
        Desk { back: signin::safe_next(back).to_owned(), ..self }
    }

    /// Where clients reach this server.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The curl that asks `path` as an operator.
    pub(super) fn curl(&self, path: &str) -> String {
        format!("curl -s '{}{path}' -H \"Authorization: Bearer $POSTERN_TOKEN\"", self.base)
    }

    /// A page of the console.
    ///
    /// # Errors
    /// `internal` where it cannot be rendered.
    pub(super) fn page(&self, page: Page<'_>) -> Result<HttpResponse> {
        self.page_with(page, StatusCode::OK)
    }

    /// The same with another status.
    ///
    /// # Errors
    /// See [`Desk::page`].
    pub(super) fn page_with(&self, page: Page<'_>, status: StatusCode) -> Result<HttpResponse> {
        let did = self.pairs.iter().find(|(name, _)| name == "did").map(|(_, value)| value.as_str());
        let did = did.and_then(|did| FORMS.iter().find(|form| form.name == did)).map(|form| self.words.say(form.done));
        let layout =
            Layout::around(page, self.words, &self.operator, &self.session, &self.preferences, self.back(), did);
        let mut response = reply::page(layout.render().map_err(Error::internal)?);
        *response.status_mut() = status;
        response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Accept-Language, Cookie"));
        Ok(response)
    }
}
