//! The people who run the platform: who may what, their sessions and tokens.

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde_json::Value;

use crate::accounts::Duty;
use crate::console::cells::{Column, plain};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::form::{Field, Form, Kind, Reason, Verb};
use crate::console::layout::Page;
use crate::console::listing::{Listing, Place};
use crate::error::Result;
use crate::http::query::encoded;

const ROLES: &[&str] = &["viewer", "support", "operator", "owner", "auditor"];

/// Every operator.
pub(in crate::console::pages) static OPERATORS: Listing = Listing {
    name: "operators",
    title: "Operators",
    api: "/v1/admin/operators",
    columns: &[
        Column::text("Name", "/name").to("/console/system/operators/{/id}"),
        Column::text("Role", "/role"),
        Column::time("Added", "/created_at"),
        Column::time("Disabled since", "/disabled_at"),
        Column::code("Id", "/id").hidden(),
    ],
    actions: &[&INVITE],
    ..Listing::NEW
};

/// Sessions of the console that are open.
pub(in crate::console::pages) static SESSIONS: Listing = Listing {
    name: "sessions",
    title: "Sessions",
    api: "/v1/admin/sessions",
    columns: &[
        Column::code("Operator", "/operator_id").to("/console/system/operators/{/operator_id}"),
        Column::time("Begun", "/created_at"),
        Column::time("Last used", "/seen_at"),
        Column::time("Ends", "/expires_at"),
        Column::code("Address", "/address"),
        Column::text("Browser", "/user_agent"),
        Column::code("Id", "/id").hidden(),
    ],
    actions: &[&END_SESSION],
    empty: "No session is open.",
    ..Listing::NEW
};

/// Tokens of one operator.
pub(in crate::console::pages) static TOKENS: Listing = Listing {
    name: "operator-tokens",
    title: "Tokens",
    api: "/v1/admin/operators/{id}/tokens",
    columns: &[
        Column::code("Begins with", "/prefix"),
        Column::text("May at most", "/role"),
        Column::time("Made", "/created_at"),
        Column::time("Expires", "/expires_at"),
        Column::time("Revoked", "/revoked_at"),
        Column::code("Id", "/id").hidden(),
    ],
    actions: &[&REVOKE_TOKEN],
    empty: "No token: they use the console only.",
    is_paged: false,
    ..Listing::NEW
};

/// Adds an operator.
pub(in crate::console::pages) static NEW_OPERATOR: Form = Form {
    name: "new-operator",
    title: "Add an operator",
    about: "Then make them a link, by which they choose a password.",
    api: "/v1/admin/operators",
    fields: &[Field::must("name", "Name", Kind::Text), Field::must("role", "Role", Kind::Choice(ROLES))],
    then: "/console/system/operators/{/id}",
    done: "The operator is added. Make them a link to sign in by.",
    duty: Duty::Govern,
    takes_proof: true,
    ..Form::NEW
};

/// Makes a link by which somebody chooses a password.
pub(in crate::console::pages) static INVITE: Form = Form {
    name: "invite-operator",
    title: "Make a sign-in link",
    about: "They choose a password by it, their first or another. It works once, for 24 hours; their sessions end.",
    api: "/v1/admin/operators/{/id}/invitations",
    shows: &[Column::code("Link, shown once", "/url"), Column::time("Works until", "/expires_at")],
    done: "The link is made. It is shown this once: hand it over now.",
    only: ("/disabled_at", &[""]),
    duty: Duty::Govern,
    takes_proof: true,
    ..Form::NEW
};

/// Takes the second factor of somebody who lost it away.
pub(in crate::console::pages) static REMOVE_FACTOR: Form = Form {
    name: "remove-second-factor",
    title: "Take away the second factor",
    about: "For somebody who lost it. Make sure that it is they who ask. Their password alone lets them in until they set up another; their sessions end.",
    method: Verb::Delete,
    api: "/v1/admin/operators/{id}/second-factor",
    reason: Reason::Must,
    confirm: "/name",
    done: "The second factor is taken away.",
    only: ("/sign_in/second_factor", &["true"]),
    is_danger: true,
    duty: Duty::Govern,
    takes_proof: true,
    ..Form::NEW
};

/// Changes a name or a role.
pub(in crate::console::pages) static CHANGE_OPERATOR: Form = Form {
    name: "change-operator",
    title: "Change",
    method: Verb::Patch,
    api: "/v1/admin/operators/{id}",
    fields: &[
        Field::must("name", "Name", Kind::Text).now("/name"),
        Field::must("role", "Role", Kind::Choice(ROLES)).now("/role"),
    ],
    done: "The operator is changed.",
    duty: Duty::Govern,
    takes_proof: true,
    ..Form::NEW
};

/// Shuts somebody out.
pub(in crate::console::pages) static DISABLE: Form = Form {
    name: "disable-operator",
    title: "Disable",
    about: "Their sessions end and their tokens are refused, until they are let in again.",
    method: Verb::Patch,
    api: "/v1/admin/operators/{id}",
    fields: &[Field::must("disabled", "They may do nothing from now on", Kind::Flag)],
    confirm: "/name",
    done: "The operator is disabled.",
    only: ("/disabled_at", &[""]),
    is_danger: true,
    duty: Duty::Govern,
    ..Form::NEW
};

/// Lets somebody in again.
pub(in crate::console::pages) static ENABLE: Form = Form {
    name: "enable-operator",
    title: "Let them in again",
    method: Verb::Patch,
    api: "/v1/admin/operators/{id}",
    fields: &[Field::may("disabled", "Keep them out", Kind::Flag)],
    done: "The operator may come in again.",
    duty: Duty::Govern,
    takes_proof: true,
    ..Form::NEW
};

/// Ends a session.
pub(in crate::console::pages) static END_SESSION: Form = Form {
    name: "end-session",
    title: "End",
    method: Verb::Delete,
    api: "/v1/admin/sessions/{/id}",
    reason: Reason::Query,
    done: "The session is ended.",
    is_danger: true,
    duty: Duty::Look,
    ..Form::NEW
};

/// Makes a token.
pub(in crate::console::pages) static NEW_TOKEN: Form = Form {
    name: "new-operator-token",
    title: "Make a token",
    about: "For scripts against the admin API. One's own for everybody; anybody's for owners.",
    api: "/v1/admin/operators/{id}/tokens",
    fields: &[
        Field::may("role", "May at most", Kind::Choice(ROLES)),
        Field::may("expires_at", "Expires", Kind::Moment).help("UTC; never where empty."),
    ],
    shows: &[Column::code("Token, shown once", "/secret"), Column::time("Expires", "/expires_at")],
    done: "The token is made. It is shown this once: keep it now.",
    duty: Duty::Look,
    takes_proof: true,
    ..Form::NEW
};

/// Ends a token. Here by owners; everybody ends their own on the page of their account.
pub(in crate::console::pages) static REVOKE_TOKEN: Form = Form {
    name: "revoke-operator-token",
    title: "Revoke",
    method: Verb::Delete,
    api: "/v1/admin/operators/{/operator_id}/tokens/{/id}",
    only: ("/revoked_at", &[""]),
    reason: Reason::Query,
    done: "The token is revoked.",
    is_danger: true,
    duty: Duty::Govern,
    ..Form::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(operators).service(operator);
}

#[get("/system/operators")]
async fn operators(desk: Desk) -> Result<HttpResponse> {
    let mut body = vec![desk.table(&OPERATORS, Place::default()).await?];
    body.extend(desk.form(&NEW_OPERATOR, &[], &Value::Null)?);
    body.push(desk.table(&SESSIONS, Place { prefix: "sessions.", ..Place::default() }).await?);
    let lead = desk.words.say("Who may use the console and the admin API, and in which role.").to_owned();
    desk.page(Page { key: "system", title: desk.words.say("Operators"), lead, body })
}

const FACTS: &[Column] = &[
    Column::code("Id", "/id"),
    Column::text("Role", "/role"),
    Column::time("Added", "/created_at"),
    Column::time("Disabled since", "/disabled_at"),
    Column::flag("Has a password", "/sign_in/password"),
    Column::flag("Has a second factor", "/sign_in/second_factor"),
    Column::count("Recovery codes left", "/sign_in/recovery_codes"),
    Column::time("Last seen", "/sign_in/seen_at"),
];

#[get("/system/operators/{id}")]
async fn operator(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let operator = desk.need(&format!("/v1/admin/operators/{}", encoded(&id))).await?;
    let at: &[(&str, &str)] = &[("id", id.as_str())];
    let fixed: &[(&str, &str)] = &[("operator_id", id.as_str())];
    let is_mine = desk.operator.id.to_string() == *id;
    let mut body = vec![facts("", FACTS, &operator, desk.words, desk.now)?];
    body.extend(desk.row_form(&INVITE, at, "", &operator)?);
    body.extend(desk.form(&CHANGE_OPERATOR, at, &operator)?);
    body.extend(desk.form(&DISABLE, at, &operator)?);
    if !is_mine {
        body.extend(desk.form(&REMOVE_FACTOR, at, &operator)?);
    }
    if operator.get("disabled_at").is_some_and(Value::is_string) {
        body.extend(desk.form(&ENABLE, at, &Value::Null)?);
    }
    body.push(desk.table(&TOKENS, Place { path: at, prefix: "tokens.", ..Place::default() }).await?);
    if is_mine || desk.may(Duty::Govern) {
        body.extend(desk.form(&NEW_TOKEN, at, &Value::Null)?);
        body.push(desk.table(&SESSIONS, Place { fixed, prefix: "sessions.", ..Place::default() }).await?);
    }
    let title = operator.pointer("/name").map(plain).unwrap_or_default();
    desk.page(Page { key: "system", title: &title, lead: String::new(), body })
}
