//! Templates: made, changed, deleted, handed in.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, patch, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::ChangeRefusals;
use super::view;
use crate::accounts::{Caller, Scope, change_once, stored, stored_nothing};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{Body, Id, NoMembers, OptionalBody};
use crate::idempotency::Stored;
use crate::ids::TemplateId;
use crate::providers::{CodeButton, TemplateCategory};
use crate::templates::change::{self, NewTemplate, Patch, name_fault};
use crate::templates::forget_templates;
use crate::templates::locale::written;
use crate::templates::submit::reviewer_of;
use crate::templates::view::TemplateView;
use crate::templates::words::Words;
use crate::terms::Channel;

/// A template to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "login", "channel": "sms", "locale": "en", "category": "authentication",
    "body": "{{code}} is your {{app}} code."}))]
pub(super) struct TemplateDraft {
    /// By what messages name it: a-z, 0-9 and _. Under the name of a built-in text it stands in for that one.
    #[schema(example = "login", max_length = 60, pattern = "^[a-z0-9_]{1,60}$")]
    name: String,
    /// On this channel; `sms` by default.
    channel: Option<Channel>,
    /// In this language (BCP 47); the organization's own by default.
    #[schema(example = "pt-BR")]
    locale: Option<String>,
    /// What for; `authentication` by default, whose text must have `{{code}}` once.
    category: Option<TemplateCategory>,
    /// The text. `{{code}}`, `{{app}}` and `{{minutes}}` are known; others need an example. On WhatsApp a code has no text
    /// of yours.
    #[schema(example = "{{code}} is your {{app}} code.")]
    body: Option<String>,
    /// The subject, for mail.
    subject: Option<String>,
    /// The small line below, on WhatsApp.
    footer: Option<String>,
    /// An example for each further placeholder.
    examples: Option<BTreeMap<String, String>>,
    /// How a code is taken over on WhatsApp; `copy_code` by default.
    button: Option<CodeButton>,
    /// Whether WhatsApp's text says not to share the code.
    security_recommendation: Option<bool>,
    /// For how many minutes WhatsApp's text says that the code is good.
    #[schema(minimum = 1, maximum = 90)]
    expiry_minutes: Option<u8>,
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    _idempotency_key: Option<String>,
}

/// What to change of a template's words; what is absent stays, and an empty text takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"body": "Your {{app}} code is {{code}}."}))]
pub(super) struct TemplateChange {
    /// The text.
    body: Option<String>,
    /// The subject, for mail.
    subject: Option<String>,
    /// The small line below, on WhatsApp.
    footer: Option<String>,
    /// An example for each further placeholder.
    examples: Option<BTreeMap<String, String>>,
    /// How a code is taken over on WhatsApp.
    button: Option<CodeButton>,
    /// Whether WhatsApp's text says not to share the code.
    security_recommendation: Option<bool>,
    /// For how many minutes WhatsApp's text says that the code is good.
    #[schema(minimum = 1, maximum = 90)]
    expiry_minutes: Option<u8>,
    /// The idempotency key, where no header carries it.
    #[serde(rename = "idempotency_key")]
    _idempotency_key: Option<String>,
}

/// Make a template: a draft of one text, for a channel and a language.
///
/// The answer shows it filled with its examples: on SMS its parts, each character that forces UCS-2, and its price by
/// country. It sends once it was submitted and approved.
#[utoipa::path(
    operation_id = "create_template",
    tag = "Templates",
    path = "/v1/templates",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one template")),
    request_body = TemplateDraft,
    responses((status = 201, description = "The template", body = TemplateView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/templates")]
pub(super) async fn create(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<TemplateDraft>,
) -> Result<HttpResponse> {
    caller.require(Scope::TemplatesWrite)?;
    let wanted = &body.value;
    if let Some(why) = name_fault(&wanted.name) {
        return Err(Error::field("name", why));
    }
    let new = NewTemplate {
        name: wanted.name.clone(),
        channel: wanted.channel.unwrap_or(Channel::Sms),
        locale: written("locale", wanted.locale.as_deref().unwrap_or(&caller.org.locale))?,
        category: wanted.category.unwrap_or(TemplateCategory::Authentication),
        words: Words {
            subject: wanted.subject.clone(),
            body: wanted.body.clone(),
            footer: wanted.footer.clone(),
            examples: wanted.examples.clone().unwrap_or_default(),
            button: wanted.button.clone(),
            security_recommendation: wanted.security_recommendation.unwrap_or(false),
            expiry_minutes: wanted.expiry_minutes,
        },
    };
    let (owner, org) = ((caller.org_id(), caller.mode()), caller.org.clone());
    let answer = change_once(&app, &caller, (&req, &body), move |conn, by| {
        let whole = change::create(conn, owner, new, by.now)?;
        let location = Some(format!("/v1/templates/{}", whole.row.id));
        Ok(Stored { location, ..stored(201, &view(conn, &whole, &org, by.now)?)? })
    });
    let answer = answer.await?;
    forget_templates(&app);
    Ok(answer)
}

/// Change a template's words.
///
/// A draft or a rejected version is changed itself. Of an approved one a new version begins as a draft, which needs a
/// review of its own; until that is approved the old one goes on sending.
#[utoipa::path(
    operation_id = "update_template",
    tag = "Templates",
    path = "/v1/templates/{id}",
    params(
        ("id" = TemplateId, Path, description = "The template"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = TemplateChange,
    responses((status = 200, description = "The template", body = TemplateView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[patch("/templates/{id}")]
pub(super) async fn update(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<TemplateId>,
    body: Body<TemplateChange>,
) -> Result<HttpResponse> {
    caller.require(Scope::TemplatesWrite)?;
    let wanted = &body.value;
    let patch = Patch {
        subject: wanted.subject.clone(),
        body: wanted.body.clone(),
        footer: wanted.footer.clone(),
        examples: wanted.examples.clone(),
        button: wanted.button.clone(),
        security_recommendation: wanted.security_recommendation,
        expiry_minutes: wanted.expiry_minutes,
    };
    let (owner, org) = ((caller.org_id(), caller.mode()), caller.org.clone());
    let answer = change_once(&app, &caller, (&req, &body), move |conn, by| {
        let whole = change::update(conn, owner, id.0, patch, by.now)?;
        stored(200, &view(conn, &whole, &org, by.now)?)
    });
    let answer = answer.await?;
    forget_templates(&app);
    Ok(answer)
}

/// Delete a template with all its versions. Messages that it was chosen for go out with its words.
#[utoipa::path(
    operation_id = "delete_template",
    tag = "Templates",
    path = "/v1/templates/{id}",
    params(
        ("id" = TemplateId, Path, description = "The template"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    responses((status = 204, description = "Deleted"), ChangeRefusals),
    security(("api_key" = [])),
)]
#[delete("/templates/{id}")]
pub(super) async fn delete(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<TemplateId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    caller.require(Scope::TemplatesWrite)?;
    let owner = (caller.org_id(), caller.mode());
    let answer = change_once(&app, &caller, (&req, &body.0), move |conn, _| {
        change::remove(conn, owner, id.0).map(|()| stored_nothing())
    });
    let answer = answer.await?;
    forget_templates(&app);
    Ok(answer)
}

/// Hand the latest version of a template in for review.
///
/// A WhatsApp template goes to Meta, where a carrier with a business account is configured; it is pending until Meta has
/// decided. Everything else waits for an operator. With a test key it is approved at once.
#[utoipa::path(
    operation_id = "submit_template",
    tag = "Templates",
    path = "/v1/templates/{id}/submit",
    params(
        ("id" = TemplateId, Path, description = "The template"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one submission"),
    ),
    request_body = Option<NoMembers>,
    responses((status = 200, description = "The template", body = TemplateView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/templates/{id}/submit")]
pub(super) async fn submit(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<TemplateId>,
    body: OptionalBody<NoMembers>,
) -> Result<HttpResponse> {
    caller.require(Scope::TemplatesWrite)?;
    let (owner, org, carriers) = ((caller.org_id(), caller.mode()), caller.org.clone(), app.carriers.clone());
    let answer = change_once(&app, &caller, (&req, &body.0), move |conn, by| {
        let reviewer = |conn: &mut _, row: &_| reviewer_of(conn, &carriers, row);
        let whole = change::submit(conn, owner, id.0, reviewer, by.now)?;
        stored(200, &view(conn, &whole, &org, by.now)?)
    });
    let answer = answer.await?;
    forget_templates(&app);
    Ok(answer)
}
