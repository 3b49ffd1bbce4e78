//! A form that was sent: its fields become a request of the admin API, and the answer a page.

use actix_web::http::header;
use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, post};
use serde_json::{Map, Value};

use crate::console::api::Answer;
use crate::console::cells::plain;
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::form::{Field, Form, Kind, Reason, Sent, Verb, after};
use crate::console::layout::Page;
use crate::console::listing::{address, query};
use crate::console::pages::FORMS;
use crate::error::{Code, Error, Result};
use crate::http::Raw;
use crate::http::query::encoded;
use crate::http::query::pairs;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(act);
}

/// Makes the change of the form `name`, once however often it is sent.
#[post("/act/{name}")]
async fn act(desk: Desk, name: Path<String>, body: Raw) -> Result<HttpResponse> {
    let form = FORMS.iter().copied().find(|form| form.name == *name).ok_or_else(|| Error::new(Code::NotFound))?;
    let text = std::str::from_utf8(&body.0).map_err(|_| Error::new(Code::MalformedRequest))?;
    let sent = Sent { values: pairs(text)?, ..Sent::default() };
    let desk = desk.came_from(one(&sent, "back"));
    if let Some(asked) = form.takes_proof.then(|| desk.ask_for_password()).flatten() {
        return Ok(asked);
    }
    if one(&sent, "must") != one(&sent, "typed") {
        let fault = desk.words.say("What you typed is not what was asked for. Nothing was changed.");
        return again(&desk, form, Sent { fault: Some(String::from(fault)), ..sent });
    }
    let body = match body_of(form, &sent) {
        Ok(body) => body,
        Err((field, why)) => return again(&desk, form, Sent { faults: vec![(field, why)], ..sent }),
    };
    let answer = desk
        .change(form.method.method(), &target(form, &sent, &body), sendable(form, body), one(&sent, "once"))
        .await?;
    match answer.problem() {
        Some(problem) => again(&desk, form, refused(sent, &answer, problem)),
        None => done(&desk, form, &answer),
    }
}

fn one<'a>(sent: &'a Sent, name: &str) -> &'a str {
    sent.values.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value.as_str())
}

/// The route with its parts filled, and the query of a change without a body.
fn target(form: &Form, sent: &Sent, body: &Value) -> String {
    let path = sent.values.iter().filter_map(|(name, value)| Some((name.strip_prefix("p.")?, value)));
    let placed = form
        .fields
        .iter()
        .filter(|field| form.places(field))
        .map(|field| (field.name, one(sent, &format!("f.{}", field.name))));
    let all = path.map(|(name, value)| (name, value.as_str())).chain(placed);
    let path =
        all.fold(form.api.to_owned(), |api, (name, value)| api.replace(&format!("{{{name}}}"), &encoded(value.trim())));
    let in_query = form.method == Verb::Delete;
    let fields = body.as_object().filter(|_| in_query).into_iter().flatten();
    let texts: Vec<(String, String)> = fields.map(|(name, value)| (name.clone(), plain(value))).collect();
    let reason = if form.reason == Reason::Query { one(sent, "reason") } else { "" };
    let pairs = texts.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([("reason", reason)]);
    address(&path, &query(pairs))
}

fn sendable(form: &Form, body: Value) -> Option<Value> {
    (form.method != Verb::Delete).then_some(body)
}

/// The body that the fields make. Errors: the field that cannot be read, and why.
fn body_of(form: &Form, sent: &Sent) -> std::result::Result<Value, (String, String)> {
    let mut members = Map::new();
    for field in form.fields.iter().filter(|field| !form.places(field)) {
        let name = format!("f.{}", field.name);
        let values: Vec<&str> =
            sent.values.iter().filter(|(one, _)| *one == name).map(|(_, value)| value.trim()).collect();
        if let Some(value) = value_of(field, &values).map_err(|why| (field.name.to_owned(), why))? {
            if form.is_bare {
                return Ok(value);
            }
            members.insert(field.name.to_owned(), value);
        }
    }
    let reason = one(sent, "reason").trim();
    if matches!(form.reason, Reason::Body | Reason::Must) && !reason.is_empty() {
        members.insert(String::from("reason"), Value::from(reason));
    }
    Ok(Value::Object(members))
}

/// The value of a field; none where it was left empty.
fn value_of(field: &Field, values: &[&str]) -> std::result::Result<Option<Value>, String> {
    let text = values.first().copied().unwrap_or_default();
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty()).map(Value::from).collect::<Vec<_>>();
    let list = |list: Vec<Value>| (!list.is_empty() || field.is_required).then_some(Value::Array(list));
    Ok(match field.kind {
        Kind::Flag => Some(Value::Bool(text == "true")),
        Kind::Choices(_) => list(values.iter().map(|value| Value::from(*value)).collect()),
        Kind::Lines => list(lines()),
        _ if text.is_empty() => None,
        Kind::Number => Some(Value::from(text.parse::<i64>().map_err(|_| String::from("must be a whole number"))?)),
        Kind::Json => Some(serde_json::from_str(text).map_err(|fault| format!("is not JSON: {fault}"))?),
        Kind::Moment => Some(Value::from(if text.len() == 16 { format!("{text}:00Z") } else { text.to_owned() })),
        Kind::Text | Kind::Choice(_) => Some(Value::from(text)),
    })
}

fn refused(sent: Sent, answer: &Answer, problem: String) -> Sent {
    let members = answer.body.get("field_errors").and_then(Value::as_object).into_iter().flatten();
    let faults = members.map(|(member, why)| (member.clone(), plain(why))).collect();
    Sent { fault: Some(problem), faults, ..sent }
}

/// The form again, with what is wrong with it.
fn again(desk: &Desk, form: &'static Form, sent: Sent) -> Result<HttpResponse> {
    let path: Vec<(String, String)> = sent
        .values
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("p.")?.to_owned(), value.clone())))
        .collect();
    let path: Vec<(&str, &str)> = path.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let markup = desk.form_again(form, &path, &sent)?.ok_or_else(|| Error::new(Code::PermissionDenied))?;
    let page = Page { key: "", title: desk.words.say(form.title), lead: String::new(), body: vec![markup] };
    desk.page_with(page, actix_web::http::StatusCode::UNPROCESSABLE_ENTITY)
}

/// The page it came from with a word that it is done, or what is shown of the answer once.
fn done(desk: &Desk, form: &'static Form, answer: &Answer) -> Result<HttpResponse> {
    if !form.shows.is_empty() {
        let shown = facts(form.done, form.shows, &answer.body, desk.words, desk.now)?;
        let page = Page { key: "", title: desk.words.say(form.title), lead: String::new(), body: vec![shown] };
        return desk.page_with(page, actix_web::http::StatusCode::OK);
    }
    let to = after(form, &answer.body).unwrap_or_else(|| desk.back().to_owned());
    let (path, rest) = to.split_once('?').unwrap_or((&to, ""));
    let kept = rest.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("did="));
    let told = format!("did={}", form.name);
    let query = kept.chain([told.as_str()]).collect::<Vec<_>>().join("&");
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, address(path, &query))).finish())
}
