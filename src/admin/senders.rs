//! Sender identities. One is made and removed, never changed: its id is what recipients are shared out by.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts;
use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{done, made};
use crate::app::App;
use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing, Query};
use crate::ids::{OrgId, SenderId};
use crate::messages::{Faults, originator};
use crate::phone::{Country, Phone, mask};
use crate::routing::senders::rules::{SenderRule, is_alphanumeric, rule_of};
use crate::routing::senders::{self, Sender};
use crate::terms::Channel;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(create_sender).service(list_senders).service(show_sender).service(remove_sender);
}

/// Somebody a message may come from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"channel": "sms", "address": "+447400123456", "country": "GB", "carrier": "acme"}))]
pub struct NewSender {
    /// Whose; shared by all where absent.
    org_id: Option<OrgId>,
    /// On this channel.
    channel: Channel,
    /// A number in E.164, a short code, up to 11 letters and digits, or a mail address.
    #[schema(example = "+447400123456")]
    address: String,
    /// Registered for this country only (ISO 3166-1 alpha-2).
    #[schema(value_type = Option<String>, example = "GB")]
    country: Option<Country>,
    /// Known to this carrier only; its name in the configuration.
    #[schema(example = "acme")]
    carrier: Option<String>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// A sender as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SenderView {
    /// Its id.
    id: SenderId,
    /// Whose; null where all share it.
    org_id: Option<OrgId>,
    /// On this channel.
    channel: Channel,
    /// The number, short code, name or mail address.
    #[schema(example = "+447400123456")]
    address: String,
    /// To this country only.
    #[schema(value_type = Option<String>, example = "GB")]
    country: Option<Country>,
    /// By this carrier only.
    #[schema(example = "acme")]
    carrier: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

/// Which senders to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SenderFilter {
    /// Those that this organization may use: its own and the shared ones.
    #[param(value_type = Option<String>)]
    org_id: Option<OrgId>,
}

/// Register a sender, for one organization or for all.
///
/// From then on `from` must be one of the senders on that channel, for the organization or, where it is shared, for
/// everybody; and messages without `from` come from one of them.
#[utoipa::path(
    tag = "Admin: senders",
    path = "/v1/admin/senders",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one sender")),
    request_body = NewSender,
    responses((status = 201, description = "Registered", body = SenderView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/senders")]
pub(super) async fn create_sender(desk: Desk<Manage>, app: Data<App>, body: Body<NewSender>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let new = body.value.checked(&app)?;
    order
        .run(move |conn, by| {
            let sender = create(conn, by, new)?;
            made(format!("/v1/admin/senders/{}", sender.id), &view(&sender))
        })
        .await
}

/// List the senders, newest first.
#[utoipa::path(
    tag = "Admin: senders",
    path = "/v1/admin/senders",
    params(SenderFilter, PageParams),
    responses((status = 200, description = "A page", body = Page<SenderView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/senders")]
pub(super) async fn list_senders(desk: Desk<Look>, listing: Listing<SenderFilter>) -> Result<HttpResponse> {
    let org = listing.filter.org_id;
    let read = move |conn: &mut _, before: Option<SenderId>, limit| {
        Ok(senders::list(conn, org, before, limit)?.iter().map(view).collect())
    };
    desk.list(listing.page, read, |sender: &SenderView| sender.id.to_string()).await
}

/// Show a sender.
#[utoipa::path(
    tag = "Admin: senders",
    path = "/v1/admin/senders/{id}",
    params(("id" = SenderId, Path, description = "The sender")),
    responses((status = 200, description = "The sender", body = SenderView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/senders/{id}")]
pub(super) async fn show_sender(desk: Desk<Look>, id: Id<SenderId>) -> Result<HttpResponse> {
    desk.show(move |conn| Ok(view(&senders::find(conn, id.0)?.ok_or_else(|| Error::new(Code::NotFound))?))).await
}

/// Remove a sender. Messages that asked for it and are still waiting go out under its name; no new one does.
#[utoipa::path(
    tag = "Admin: senders",
    path = "/v1/admin/senders/{id}",
    params(
        ("id" = SenderId, Path, description = "The sender"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    responses((status = 200, description = "The sender as it was", body = SenderView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/senders/{id}")]
pub(super) async fn remove_sender(desk: Desk<Manage>, id: Id<SenderId>, why: Query<Why>) -> Result<HttpResponse> {
    let order = desk.bare_order(why.0.reason)?;
    order
        .run(move |conn, by| {
            let sender = senders::find(conn, id.0)?.ok_or_else(|| Error::new(Code::NotFound))?;
            senders::delete(conn, sender.id)?;
            by.tell(conn, "sender.remove", sender.id, Change::removed(&masked(&sender)))?;
            done(&view(&sender))
        })
        .await
}

impl NewSender {
    /// The same with its address in normal form. Error: `validation_failed` with every fault by field.
    fn checked(mut self, app: &App) -> Result<NewSender> {
        let mut faults = Faults::default();
        let address = std::mem::take(&mut self.address);
        let parsed = match self.channel {
            Channel::Sms | Channel::Email => originator(self.channel, address),
            Channel::Whatsapp => {
                Phone::parse(&address, None).map(|phone| String::from(phone.e164())).map_err(|fault| fault.to_string())
            }
        };
        self.address = faults.keep("address", parsed).unwrap_or_default();
        if self.country.is_some_and(|country| !Phone::has_plan(country)) {
            faults.fail::<()>("country", "is no country with a numbering plan; use its ISO 3166 code, e.g. GB");
        }
        let is_name = self.channel == Channel::Sms && is_alphanumeric(&self.address);
        match self.country.and_then(rule_of) {
            Some(rule @ SenderRule::NumbersOnly) if is_name => {
                faults.fail::<()>(
                    "address",
                    format!("must be a number: names are not shown in that country (rule {rule})"),
                );
            }
            _ => {}
        }
        match self.carrier.as_deref().map(|name| app.carriers.find(name)) {
            Some(None) => {
                let why = "names no carrier of the configuration; GET /v1/admin/carriers lists them";
                faults.fail::<()>("carrier", why);
            }
            Some(Some(carrier)) if !carrier.channels().contains(&self.channel) => {
                faults.fail::<()>("carrier", format!("does not carry {}", self.channel));
            }
            _ => {}
        }
        faults.into_error().map_or(Ok(self), Err)
    }
}

fn create(conn: &mut Conn, by: &By, new: NewSender) -> Result<Sender> {
    if let Some(org) = new.org_id {
        accounts::load_org(conn, org).map_err(|fault| match fault.code() {
            Code::NotFound => Error::field("org_id", "names no organization"),
            _ => fault,
        })?;
    }
    let sender = Sender {
        id: SenderId::new(by.now),
        org_id: new.org_id,
        channel: new.channel,
        address: new.address,
        country: new.country,
        carrier: new.carrier,
        created_at: by.now,
    };
    senders::insert(conn, &sender)?;
    by.tell(conn, "sender.create", sender.id, Change::made(&masked(&sender)))?;
    // After the audit log's lock, so that of two that register one address at once the second sees the first.
    for other in senders::of_address(conn, sender.channel, &sender.address)? {
        if other.org_id != sender.org_id {
            return Err(Error::field("address", "belongs to another owner; remove it there first"));
        }
        if other.id != sender.id && (other.country, &other.carrier) == (sender.country, &sender.carrier) {
            return Err(Error::field("address", "is registered like that already"));
        }
    }
    Ok(sender)
}

/// For the audit log, which holds no full number or mail address.
fn masked(sender: &Sender) -> SenderView {
    let is_personal = sender.address.starts_with('+') || sender.address.contains('@');
    let address = if is_personal { mask(&sender.address) } else { sender.address.clone() };
    SenderView { address, ..view(sender) }
}

fn view(sender: &Sender) -> SenderView {
    SenderView {
        id: sender.id,
        org_id: sender.org_id,
        channel: sender.channel,
        address: sender.address.clone(),
        country: sender.country,
        carrier: sender.carrier.clone(),
        created_at: sender.created_at,
    }
}
