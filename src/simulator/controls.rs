//! Our own routes, below `/_sim`: what Meta, its reviewers and its users do. Only for callers on this machine.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{Error, HttpResponse};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Simulator;
use super::errors::Fault;
use super::webhook::{self, Written};
use super::world::{Delivery, Effect, Planned};
use crate::clock::Millis;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(
        web::scope("/_sim")
            .wrap(from_fn(only_here))
            .route("/state", web::get().to(state))
            .route("/fail", web::post().to(fail))
            .route("/inbound", web::post().to(inbound))
            .route("/quality", web::post().to(quality))
            .route("/capability", web::post().to(capability))
            .route("/template", web::post().to(template))
            .route("/template_quality", web::post().to(template_quality))
            .route("/alert", web::post().to(alert))
            .route("/account_error", web::post().to(account_error))
            .route("/webhook", web::post().to(any_webhook))
            .route("/delivery", web::post().to(delivery))
            .route("/limits", web::post().to(limits))
            .route("/callback", web::post().to(callback))
            .route("/handshake", web::post().to(handshake))
            .route("/flush", web::post().to(flush)),
    );
}

type Sim = Data<Simulator>;

/// Whoever is not on this machine sees nothing here.
async fn only_here(req: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse, Error> {
    let is_here = req.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    if is_here {
        return Ok(next.call(req).await?.map_into_boxed_body());
    }
    Ok(req.into_response(HttpResponse::Forbidden().finish()))
}

async fn state(sim: Sim) -> HttpResponse {
    let world = sim.world();
    HttpResponse::Ok().json(json!({
        "quality": world.quality,
        "limit": world.limit,
        "per_second": world.settings.per_second,
        "delivery": world.delivery,
        "waiting": world.outbox.len(),
        "told": world.told,
        "sent": world.sent,
        "templates": world.templates.iter().map(super::templates::Template::view).collect::<Vec<_>>(),
    }))
}

async fn fail(sim: Sim, body: Bytes) -> HttpResponse {
    with::<Planned>(&body, |planned| {
        sim.world().planned.push_back(planned);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inbound {
    from: String,
    text: String,
    button: Option<String>,
    hidden: Option<bool>,
}

async fn inbound(sim: Sim, body: Bytes) -> HttpResponse {
    with::<Inbound>(&body, |one| {
        let (mut world, now) = (sim.world(), sim.0.clock.now());
        let digits = one.from.trim_start_matches('+');
        world.limits.note_inbound(now);
        let id = format!("wamid.INBOUND{:010}", world.next_id() % 10_000_000_000);
        let user = world.user(digits);
        user.wrote_at = Some(now);
        user.is_hidden = one.hidden.unwrap_or(user.is_hidden);
        let user = user.clone();
        let (text, button) = (one.text.as_str(), one.button.as_deref());
        let written = Written { id: &id, from: digits, user: &user, text, button, at: now };
        let entry = webhook::inbound(&world.settings, &written);
        world.tell(now, entry, Effect::None);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quality {
    /// The number's quality from now on.
    quality: Option<String>,
    /// `UPGRADE`, `DOWNGRADE`, `FLAGGED`, `UNFLAGGED`, `ONBOARDING`, `THROUGHPUT_UPGRADE`.
    event: String,
    /// The limit from now on, e.g. `TIER_10K`.
    limit: Option<String>,
    /// As before February 2026, with `current_limit`.
    #[serde(default)]
    legacy: bool,
}

async fn quality(sim: Sim, body: Bytes) -> HttpResponse {
    with::<Quality>(&body, |one| {
        let (mut world, now) = (sim.world(), sim.0.clock.now());
        let old = world.limit.clone();
        let next = one.limit.unwrap_or_else(|| old.clone());
        world.limit.clone_from(&next);
        if let Some(quality) = one.quality {
            world.quality = quality;
        }
        if one.event == "THROUGHPUT_UPGRADE" {
            world.settings.per_second = 1_000;
        }
        let number = world.settings.display_phone_number.clone();
        let value = match one.legacy {
            true => {
                json!({"display_phone_number": number, "event": one.event, "old_limit": old, "current_limit": next})
            }
            false => json!({"display_phone_number": number, "event": one.event,
                "max_daily_conversations_per_business": next}),
        };
        tell(world, "phone_number_quality_update", value, now);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Capability {
    /// A tier (`TIER_10K`) or a number (2000, -1): Meta writes both.
    limit: Value,
    /// As before 2026, per number.
    #[serde(default)]
    per_phone: bool,
}

async fn capability(sim: Sim, body: Bytes) -> HttpResponse {
    with::<Capability>(&body, |one| {
        let (mut world, now) = (sim.world(), sim.0.clock.now());
        world.limit = one.limit.as_str().map_or_else(|| one.limit.to_string(), String::from);
        let name =
            if one.per_phone { "max_daily_conversation_per_phone" } else { "max_daily_conversations_per_business" };
        let value = json!({ name: one.limit, "max_phone_numbers_per_waba": 25 });
        tell(world, "business_capability_update", value, now);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateEvent {
    name: String,
    language: Option<String>,
    /// `APPROVED`, `REJECTED`, `PAUSED`, `DISABLED`, …
    event: String,
    reason: Option<String>,
}

async fn template(sim: Sim, body: Bytes) -> HttpResponse {
    with::<TemplateEvent>(&body, |one| {
        let (mut world, now) = (sim.world(), sim.0.clock.now());
        let id = find(&world.templates, &one.name, one.language.as_deref())?;
        world.tell_template(id, (&one.event, one.reason.as_deref()), now);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateQuality {
    name: String,
    language: Option<String>,
    quality: String,
}

async fn template_quality(sim: Sim, body: Bytes) -> HttpResponse {
    with::<TemplateQuality>(&body, |one| {
        let (mut world, now) = (sim.world(), sim.0.clock.now());
        let id = find(&world.templates, &one.name, one.language.as_deref())?;
        let Some(template) = world.templates.iter_mut().find(|template| template.id == id) else { return Ok(()) };
        let old = std::mem::replace(&mut template.quality, one.quality.clone());
        let value = json!({
            "previous_quality_score": old,
            "new_quality_score": one.quality,
            "message_template_id": id,
            "message_template_name": template.name,
            "message_template_language": template.language.replace('_', "-"),
        });
        tell(world, "message_template_quality_update", value, now);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alert {
    kind: String,
    severity: Option<String>,
    description: Option<String>,
}

async fn alert(sim: Sim, body: Bytes) -> HttpResponse {
    with::<Alert>(&body, |one| {
        let value = json!({"entity_type": "BUSINESS", "entity_id": "700100200300402", "alert_info": {
            "alert_severity": one.severity.as_deref().unwrap_or("INFORMATIONAL"),
            "alert_status": "NONE",
            "alert_type": one.kind,
            "alert_description": one.description.as_deref().unwrap_or("An alert of the simulator's."),
        }});
        let now = sim.0.clock.now();
        tell(sim.world(), "account_alerts", value, now);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountError {
    code: i64,
}

async fn account_error(sim: Sim, body: Bytes) -> HttpResponse {
    with::<AccountError>(&body, |one| {
        let (mut world, now) = (sim.world(), sim.0.clock.now());
        let entry = webhook::trouble(&world.settings, &Fault::of(one.code));
        world.tell(now, entry, Effect::None);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyWebhook {
    field: String,
    value: Value,
}

async fn any_webhook(sim: Sim, body: Bytes) -> HttpResponse {
    with::<AnyWebhook>(&body, |one| {
        let now = sim.0.clock.now();
        tell(sim.world(), &one.field, one.value, now);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mode {
    mode: Delivery,
}

async fn delivery(sim: Sim, body: Bytes) -> HttpResponse {
    with::<Mode>(&body, |one| {
        sim.world().delivery = one.mode;
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limited {
    pairs: Option<bool>,
    per_second: Option<u32>,
}

async fn limits(sim: Sim, body: Bytes) -> HttpResponse {
    with::<Limited>(&body, |one| {
        let mut world = sim.world();
        world.limits.pairs_off = one.pairs.map_or(world.limits.pairs_off, |on| !on);
        world.settings.per_second = one.per_second.unwrap_or(world.settings.per_second);
        Ok(())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Callback {
    url: Option<String>,
}

async fn callback(sim: Sim, body: Bytes) -> HttpResponse {
    with::<Callback>(&body, |one| {
        sim.world().settings.callback = one.url;
        Ok(())
    })
}

async fn handshake(sim: Sim) -> HttpResponse {
    let ours = sim.shake_hands().await;
    HttpResponse::Ok().json(json!({ "verified": ours }))
}

async fn flush(sim: Sim) -> HttpResponse {
    let told = sim.tell_all().await;
    HttpResponse::Ok().json(told)
}

fn find(templates: &[super::templates::Template], name: &str, language: Option<&str>) -> Result<u64, String> {
    let fits = |one: &&super::templates::Template| one.name == name && language.is_none_or(|own| own == one.language);
    templates.iter().find(fits).map(|one| one.id).ok_or_else(|| String::from("there is no such template"))
}

fn tell(mut world: std::sync::MutexGuard<'_, super::World>, field: &str, value: Value, now: Millis) {
    let entry = webhook::account(&world.settings, field, value, now);
    world.tell(now, entry, Effect::None);
}

/// Reads the body and does `work` with it; 400 says what is wrong.
fn with<T: DeserializeOwned>(body: &[u8], work: impl FnOnce(T) -> Result<(), String>) -> HttpResponse {
    let done = serde_json::from_slice(body).map_err(|fault| fault.to_string()).and_then(work);
    match done {
        Ok(()) => HttpResponse::Ok().json(json!({"ok": true})),
        Err(why) => HttpResponse::BadRequest().json(json!({ "error": why })),
    }
}
