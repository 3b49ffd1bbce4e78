//! Operators: who may use this console, their roles, invitations, tokens and sessions.

use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde_json::Value;

use crate::accounts::Duty;
use crate::console::cells::{Column, encoded, plain};
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::form::{Field, Form, Kind, Reason, Verb};
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place};
use crate::error::Result;

/// Everybody who may come in.
pub(super) static OPERATORS: Listing = Listing {
    name: "operators",
    title: "Operators",
    api: "/v1/admin/operators",
    columns: &[
        Column::text("Name", "/name").to("/console/operators/{/id}"),
        Column::text("Role", "/role"),
        Column::time("Added", "/created_at"),
        Column::time("Disabled", "/disabled_at"),
        Column::code("Id", "/id").hidden(),
    ],
    command: "postern operator create Ada --role operator",
    ..Listing::NEW
};

/// Sessions that are open.
pub(super) static SESSIONS: Listing = Listing {
    name: "sessions",
    title: "Sessions",
    api: "/v1/admin/sessions",
    columns: &[
        Column::code("Operator", "/operator_id").to("/console/operators/{/operator_id}"),
        Column::text("Address", "/address"),
        Column::text("Browser", "/user_agent"),
        Column::time("Since", "/created_at"),
        Column::time("Seen", "/seen_at"),
        Column::time("Ends", "/expires_at"),
        Column::code("Id", "/id").hidden(),
    ],
    filters: &[Filter::text("operator_id", "Operator")],
    actions: &[&END_SESSION],
    empty: "Nobody is signed in.",
    ..Listing::NEW
};

/// An operator's tokens.
pub(super) static TOKENS: Listing = Listing {
    name: "operator-tokens",
    title: "Tokens",
    api: "/v1/admin/operators/{id}/tokens",
    columns: &[
        Column::code("Begins with", "/prefix"),
        Column::text("At most", "/role"),
        Column::time("Made", "/created_at"),
        Column::time("Expires", "/expires_at"),
        Column::time("Revoked", "/revoked_at"),
        Column::code("Id", "/id").hidden(),
    ],
    actions: &[&REVOKE_TOKEN],
    empty: "None: this operator does not use the API.",
    is_paged: false,
    ..Listing::NEW
};

const ROLES: &[&str] = &["viewer", "support", "operator", "owner", "auditor"];

/// Adds an operator.
pub(super) static NEW_OPERATOR: Form = Form {
    name: "new-operator",
    title: "Add an operator",
    about: "They come in by an invitation, which you make next.",
    api: "/v1/admin/operators",
    fields: &[Field::must("name", "Name", Kind::Text), Field::must("role", "Role", Kind::Choice(ROLES))],
    then: "/console/operators/{/id}",
    done: "The operator is added. Invite them next.",
    duty: Duty::Govern,
    ..Form::NEW
};

/// Changes name and role.
pub(super) static CHANGE_OPERATOR: Form = Form {
    name: "change-operator",
    title: "Change name or role",
    method: Verb::Patch,
    api: "/v1/admin/operators/{id}",
    fields: &[
        Field::may("name", "Name", Kind::Text).now("/name"),
        Field::may("role", "Role", Kind::Choice(ROLES)).now("/role"),
    ],
    done: "The operator is changed.",
    duty: Duty::Govern,
    ..Form::NEW
};

/// Keeps an operator out, or lets them in again.
pub(super) static DISABLE_OPERATOR: Form = Form {
    name: "disable-operator",
    title: "Keep out or let in",
    about: "Who is kept out has no session and no token that works, until they are let in again.",
    method: Verb::Patch,
    api: "/v1/admin/operators/{id}",
    fields: &[Field::may("disabled", "Keep out", Kind::Flag)],
    done: "The operator is changed.",
    is_danger: true,
    duty: Duty::Govern,
    ..Form::NEW
};

/// Makes a link by which an operator chooses a password.
pub(super) static INVITE: Form = Form {
    name: "invite",
    title: "Invite, or reset the password",
    about: "Makes a link that works once, for 24 hours. Using it ends every session of theirs.",
    api: "/v1/admin/operators/{id}/invitations",
    shows: &[Column::code("Link, shown once", "/url"), Column::time("Until", "/expires_at")],
    done: "The link is made. It is shown this once: hand it over by a way that you trust.",
    duty: Duty::Govern,
    ..Form::NEW
};

/// Makes a token.
pub(super) static NEW_TOKEN: Form = Form {
    name: "new-operator-token",
    title: "Make a token",
    api: "/v1/admin/operators/{id}/tokens",
    fields: &[
        Field::may("role", "At most", Kind::Choice(ROLES)).help("As much as the operator may where empty."),
        Field::may("expires_at", "Expires", Kind::Moment).help("UTC; never where empty."),
    ],
    shows: &[Column::code("Token, shown once", "/secret"), Column::time("Expires", "/expires_at")],
    done: "The token is made. It is shown this once: keep it now.",
    duty: Duty::Govern,
    ..Form::NEW
};

/// Revokes a token.
pub(super) static REVOKE_TOKEN: Form = Form {
    name: "revoke-operator-token",
    title: "Revoke",
    method: Verb::Delete,
    api: "/v1/admin/operators/{/operator_id}/tokens/{/id}",
    reason: Reason::Query,
    done: "The token is revoked.",
    is_danger: true,
    duty: Duty::Govern,
    ..Form::NEW
};

/// Ends a session.
pub(super) static END_SESSION: Form = Form {
    name: "end-session",
    title: "End",
    method: Verb::Delete,
    api: "/v1/admin/sessions/{/id}",
    reason: Reason::Query,
    done: "The session has ended.",
    is_danger: true,
    duty: Duty::Look,
    ..Form::NEW
};

const FACTS: &[Column] = &[
    Column::code("Id", "/id"),
    Column::text("Role", "/role"),
    Column::time("Added", "/created_at"),
    Column::time("Disabled", "/disabled_at"),
    Column::flag("Has a password", "/sign_in/password"),
    Column::flag("Has a second factor", "/sign_in/second_factor"),
    Column::count("Recovery codes left", "/sign_in/recovery_codes"),
    Column::time("Seen at the console", "/sign_in/seen_at"),
];

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(operators).service(operator);
}

#[get("/operators")]
async fn operators(desk: Desk) -> Result<HttpResponse> {
    let list = desk.table(&OPERATORS, Place::default()).await?;
    let new = desk.form(&NEW_OPERATOR, &[], &Value::Null)?;
    let sessions = desk.table(&SESSIONS, Place { prefix: "sessions.", ..Place::default() }).await?;
    let lead = desk.words.say("Who may use this console and its API, and who is signed in.").to_owned();
    let body = [Some(list), new, Some(sessions)].into_iter().flatten().collect();
    desk.page(Page { key: "system", title: desk.words.say("Operators"), lead, body })
}

#[get("/operators/{id}")]
async fn operator(desk: Desk, id: Path<String>) -> Result<HttpResponse> {
    let id = id.into_inner();
    let at: &[(&str, &str)] = &[("id", &id)];
    let thing = desk.need(&format!("/v1/admin/operators/{}", encoded(&id))).await?;
    let mut body = vec![facts("Operator", FACTS, &thing, desk.words, desk.now)?];
    body.extend(desk.form(&INVITE, at, &thing)?);
    body.extend(desk.form(&CHANGE_OPERATOR, at, &thing)?);
    body.extend(desk.form(&DISABLE_OPERATOR, at, &thing)?);
    body.push(desk.table(&TOKENS, Place { path: at, prefix: "tokens.", ..Place::default() }).await?);
    body.extend(desk.form(&NEW_TOKEN, at, &thing)?);
    // Of others they are an owner's matter.
    if desk.may(Duty::Govern) || desk.operator.id.as_str() == id {
        let fixed: &[(&str, &str)] = &[("operator_id", &id)];
        body.push(desk.table(&SESSIONS, Place { fixed, prefix: "sessions.", ..Place::default() }).await?);
    }
    let title = thing.pointer("/name").map(plain).unwrap_or_default();
    desk.page(Page { key: "system", title: &title, lead: String::new(), body })
}
