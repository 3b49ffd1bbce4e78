//! `POST /v1/broadcasts`.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::ChangeRefusals;
use super::owner_of;
use crate::accounts::{Caller, Scope, change_once, stored};
use crate::app::App;
use crate::broadcasts::act::{self, NewBroadcast};
use crate::broadcasts::contacts::{ContactBody, from_list};
use crate::broadcasts::store;
use crate::broadcasts::upload::{self, Batch};
use crate::broadcasts::view::BroadcastView;
use crate::broadcasts::words::Said;
use crate::clock::{Millis, Span};
use crate::error::{Error, Result};
use crate::http::Body;
use crate::idempotency::Stored;
use crate::messages::{Bench, NewMessage, TemplateBody};
use crate::terms::{Channel, Kind};

/// Longest name.
const NAME_MAX_CHARS: usize = 200;
/// Most contacts that come with the broadcast itself: one transaction.
const FIRST_MAX: usize = 1_000;

/// A broadcast to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Spring sale", "channel": "sms", "kind": "marketing", "body": "Hi {name}, 20 % off until Sunday.",
    "contacts": [{"to": "+14155550123", "params": {"name": "Ann"}}]
}))]
pub(super) struct NewBroadcastBody {
    /// Your word for it; up to 200 characters.
    name: Option<String>,
    /// How it travels; `sms` by default.
    channel: Option<Channel>,
    /// `marketing` (default) or `transactional`; opt-outs apply to both.
    kind: Option<Kind>,
    /// The text, with `{places}` that each contact's `params` fill; `body` or `template`, one of the two.
    #[schema(example = "Hi {name}, 20 % off until Sunday.")]
    body: Option<String>,
    /// The subject line, for mail with a body; takes places as well.
    subject: Option<String>,
    /// A template; its `params` are for contacts that do not give their own.
    template: Option<TemplateBody>,
    /// What fills places of `body` that a contact gives no value for.
    #[serde(default)]
    params: BTreeMap<String, String>,
    /// The originator, as of a message.
    from: Option<String>,
    /// ISO 3166 country by which national numbers are read.
    #[schema(pattern = "^[A-Za-z]{2}$", example = "US")]
    country: Option<String>,
    /// Each message is worth sending for so long from its turn on: `10s` to `7d`, `24h` by default.
    #[schema(value_type = Option<Span>)]
    ttl: Option<String>,
    /// Your own notes, on each message: at most 20 texts.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// Its first contacts, up to 1,000; the others by `POST /v1/broadcasts/{id}/contacts`.
    #[schema(max_items = 1000)]
    contacts: Option<Vec<ContactBody>>,
}

/// Make a broadcast.
///
/// It is a draft: add contacts, then start or schedule it.
#[utoipa::path(
    operation_id = "create_broadcast",
    tag = "Broadcasts",
    path = "/v1/broadcasts",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one broadcast")),
    request_body = NewBroadcastBody,
    responses((status = 201, description = "The draft", body = BroadcastView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/broadcasts")]
pub(super) async fn create(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    mut body: Body<NewBroadcastBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let contacts = body.value.contacts.take().unwrap_or_default();
    if contacts.len() > FIRST_MAX {
        let why = format!("takes at most {FIRST_MAX} here; add the others by POST /v1/broadcasts/{{id}}/contacts");
        return Err(Error::field("contacts", why));
    }
    let bench = Bench::of(&app).await?;
    let new = checked(&body.value, bench.now)?;
    let (maker, owner) = (caller.clone(), owner_of(&caller));
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        let request_id = by.request_id.clone().unwrap_or_default();
        let row = act::create(conn, &bench.keyring, &maker, &new, (&request_id, by.now))?;
        if !contacts.is_empty() {
            let batch = Batch { given: from_list(contacts), unread: Vec::new(), skip: false };
            let looked = upload::check(&bench, &maker, &row, batch)?;
            upload::put(conn, &bench.keyring, (owner, row.id), &looked.good, looked.duplicates, by.now)?;
        }
        let row = store::load(conn, owner, row.id)?;
        let location = Some(format!("/v1/broadcasts/{}", row.id));
        Ok(Stored { location, ..stored(201, &BroadcastView::of(&row))? })
    })
    .await
}

/// What can be checked before there are contacts: the terms, and the text with every place filled by its own name.
fn checked(body: &NewBroadcastBody, now: Millis) -> Result<NewBroadcast> {
    let (channel, kind) = (body.channel.unwrap_or(Channel::Sms), body.kind.unwrap_or(Kind::Marketing));
    let name = body.name.clone().unwrap_or_default();
    if name.chars().count() > NAME_MAX_CHARS || name.chars().any(char::is_control) {
        return Err(Error::field("name", format!("must be one line of at most {NAME_MAX_CHARS} characters")));
    }
    if kind == Kind::Otp {
        return Err(Error::field("kind", "must be marketing or transactional; codes go one by one"));
    }
    let template = body.template.as_ref();
    let said = Said {
        body: body.body.clone(),
        subject: body.subject.clone(),
        template: template.map(|template| template.name.clone()),
        locale: template.and_then(|template| template.locale.clone()),
        params: template.map_or_else(|| body.params.clone(), |template| template.params.clone()),
        from: body.from.clone(),
        country: body.country.clone(),
        ttl: body.ttl.clone(),
        metadata: body.metadata.clone(),
    };
    if template.is_some() && !body.params.is_empty() {
        return Err(Error::field("params", "belong to body; a template has its own"));
    }
    let somebody = if channel == Channel::Email { "somebody@example.com" } else { "+447400123456" };
    NewMessage::parse(said.sample(somebody, (channel, kind))?, None, now)?;
    Ok(NewBroadcast { name, channel, kind, said })
}
