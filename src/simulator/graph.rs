//! Meta's routes.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::Simulator;
use super::errors::Fault;
use crate::secret::same;

/// A template's message and more: what Meta would take.
const LARGEST: usize = 256 * 1024;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .app_data(web::PayloadConfig::new(LARGEST))
        .route("/{version}/{id}/messages", web::post().to(send))
        .service(
            web::resource("/{version}/{id}/message_templates")
                .route(web::post().to(make_template))
                .route(web::get().to(list_templates))
                .route(web::delete().to(delete_templates)),
        )
        .route("/{version}/{id}/subscribed_apps", web::post().to(subscribe))
        .service(
            web::resource("/{version}/{id}").route(web::get().to(show_number)).route(web::post().to(edit_template)),
        )
        .default_service(web::to(|| async { answer(Err(no_such_object("this path"))) }));
}

type Sim = Data<Simulator>;
/// The API's version and the id of a thing.
type Of = Path<(String, String)>;

async fn send(sim: Sim, req: HttpRequest, of: Of, body: Bytes) -> HttpResponse {
    let (version, id) = of.into_inner();
    answer(sim.allow(&req, &[&id], |settings| &settings.phone_number_id).and_then(|()| {
        let now = sim.0.clock.now();
        sim.world().send(&version, &json_of(&body)?, now)
    }))
}

async fn show_number(sim: Sim, req: HttpRequest, of: Of, query: web::Query<Fields>) -> HttpResponse {
    let (_, id) = of.into_inner();
    answer(sim.allow(&req, &[&id], |settings| &settings.phone_number_id).map(|()| {
        let world = sim.world();
        let level = if world.settings.per_second > 80 { "HIGH" } else { "STANDARD" };
        let whole = json!({
            "id": id,
            "display_phone_number": world.settings.display_phone_number,
            "verified_name": "Postern's simulator",
            "quality_rating": world.quality,
            "whatsapp_business_manager_messaging_limit": world.limit,
            "throughput": {"level": level},
            "status": "CONNECTED",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
        });
        query.of(whole)
    }))
}

async fn make_template(sim: Sim, req: HttpRequest, of: Of, body: Bytes) -> HttpResponse {
    answer(sim.allow(&req, &[&of.1], |settings| &settings.waba_id).and_then(|()| {
        let now = sim.0.clock.now();
        sim.world().make_template(&json_of(&body)?, now)
    }))
}

async fn list_templates(sim: Sim, req: HttpRequest, of: Of, query: web::Query<Fields>) -> HttpResponse {
    let allowed = sim.allow(&req, &[&of.1], |settings| &settings.waba_id);
    answer(allowed.map(|()| sim.world().list_templates(query.name.as_deref())))
}

async fn delete_templates(sim: Sim, req: HttpRequest, of: Of, query: web::Query<Fields>) -> HttpResponse {
    answer(sim.allow(&req, &[&of.1], |settings| &settings.waba_id).and_then(|()| {
        let name = query.name.as_deref().ok_or_else(|| Fault::because(100, "The parameter name is required."))?;
        sim.world().delete_templates(name)
    }))
}

async fn edit_template(sim: Sim, req: HttpRequest, of: Of, body: Bytes) -> HttpResponse {
    answer(sim.allow(&req, &[], |settings| &settings.waba_id).and_then(|()| {
        let id = of.1.parse::<u64>().map_err(|_| no_such_object(&of.1))?;
        let now = sim.0.clock.now();
        sim.world().edit_template(id, &json_of(&body)?, now)
    }))
}

async fn subscribe(sim: Sim, req: HttpRequest, of: Of) -> HttpResponse {
    answer(sim.allow(&req, &[&of.1], |settings| &settings.waba_id).map(|()| json!({"success": true})))
}

/// What queries may hold.
#[derive(Debug, serde::Deserialize)]
struct Fields {
    fields: Option<String>,
    name: Option<String>,
}

impl Fields {
    /// The members of `whole` that are asked for, and its id.
    fn of(&self, whole: Value) -> Value {
        let Some(fields) = &self.fields else { return whole };
        let wanted = |name: &str| name == "id" || fields.split(',').any(|field| field.trim() == name);
        match whole {
            Value::Object(all) => all.into_iter().filter(|(name, _)| wanted(name)).collect(),
            other => other,
        }
    }
}

impl Simulator {
    /// Whether a call carries the token and, where it is about `ids`, is about the one that `own` names.
    fn allow(&self, req: &HttpRequest, ids: &[&str], own: fn(&super::Settings) -> &String) -> Result<(), Fault> {
        let header = req.headers().get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
        let world = self.world();
        if !same(token.as_bytes(), world.settings.access_token.as_bytes()) {
            return Err(Fault::of(190));
        }
        match ids.iter().find(|id| **id != own(&world.settings)) {
            Some(other) => Err(no_such_object(other)),
            None => Ok(()),
        }
    }
}

fn no_such_object(id: &str) -> Fault {
    let details = format!("Unsupported request. Object with ID '{id}' does not exist, or the token cannot see it.");
    Fault::because(100, details)
}

fn json_of(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|_| Fault::because(100, "The body is no JSON."))
}

fn answer(result: Result<Value, Fault>) -> HttpResponse {
    match result {
        Ok(body) => HttpResponse::Ok().json(body),
        Err(fault) => {
            let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST);
            HttpResponse::build(status).json(fault.answer())
        }
    }
}
