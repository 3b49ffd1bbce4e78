//! Whether the process lives, whether it should be sent requests, and its metrics.

use std::net::TcpListener;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App as Actix, HttpResponse, HttpServer, get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, FromApp};
use crate::db::migrate;
use crate::disk::Room;
use crate::error::Error;
use crate::http::reply;

/// Whether the process takes requests: shut before it starts and while it drains.
pub struct Gate(AtomicBool);

impl FromApp for Gate {
    fn from_app(_app: &App) -> Self {
        Gate(AtomicBool::new(false))
    }
}

impl Gate {
    /// The process is up.
    pub fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// The process drains.
    pub fn close(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a probe reads.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `unavailable` with the checks that say why.
    #[schema(example = "ok")]
    status: &'static str,
    /// Each check: `ok` or what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Checks>,
}

/// What readiness rests on.
#[derive(Serialize, ToSchema)]
pub struct Checks {
    /// Whether the process takes requests, or drains.
    #[schema(example = "ok")]
    server: &'static str,
    /// Whether the database answers.
    #[schema(example = "ok")]
    database: &'static str,
    /// Whether the schema is the one this binary wants.
    #[schema(example = "ok")]
    migrations: &'static str,
    /// `low` where less than a tenth of the disk that holds the data, and than 10 GiB, is free; the process is ready all the same.
    #[schema(example = "ok")]
    disk: &'static str,
    /// `degraded` while Redis does not answer and this node holds to its share of the request limits. It takes requests all
    /// the same.
    #[schema(example = "ok")]
    limits: &'static str,
}

/// The probes' part of the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(healthz, readyz))]
pub struct HealthDocs;

/// The public probes.
pub fn configure(routes: &mut ServiceConfig) {
    routes.service(healthz).service(readyz);
}

/// Whether the process lives.
#[utoipa::path(
    tag = "Operations",
    path = "/healthz",
    responses((status = 200, description = "It lives", body = Health)),
    security(()),
)]
#[get("/healthz")]
pub async fn healthz() -> Result<HttpResponse, Error> {
    reply::ok(&Health { status: "ok", checks: None })
}

/// Whether the process should be sent requests.
#[utoipa::path(
    tag = "Operations",
    path = "/readyz",
    responses(
        (status = 200, description = "Ready", body = Health),
        (status = 503, description = "Starting, draining, or without its database", body = Health),
    ),
    security(()),
)]
#[get("/readyz")]
pub async fn readyz(app: Data<App>) -> HttpResponse {
    let pending = app.db.read(migrate::pending).await;
    let checks = Checks {
        server: if app.room::<Gate>().is_open() { "ok" } else { "draining" },
        database: if pending.is_ok() { "ok" } else { "unreachable" },
        migrations: match &pending {
            Ok(list) if list.is_empty() => "ok",
            Ok(_) => "pending",
            Err(_) => "unknown",
        },
        disk: if Room::of_data(&app.config).is_some_and(Room::is_low) { "low" } else { "ok" },
        limits: if app.door.is_degraded() { "degraded" } else { "ok" },
    };
    let ready = [checks.server, checks.database, checks.migrations].iter().all(|check| *check == "ok");
    let health = Health { status: if ready { "ok" } else { "unavailable" }, checks: Some(checks) };
    if ready { HttpResponse::Ok().json(health) } else { HttpResponse::ServiceUnavailable().json(health) }
}

/// The recorder of this process's metrics; made once.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    HANDLE
        .get_or_init(|| {
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix(String::from("_seconds")), SECONDS)
                .and_then(PrometheusBuilder::install_recorder)
                .inspect_err(|fault| tracing::warn!(error = %fault, "metrics are off"))
                .ok()
        })
        .as_ref()
}

/// The door for Prometheus on `listener`, apart from the API.
pub fn metrics_server(app: Data<App>, listener: TcpListener) -> std::io::Result<actix_web::dev::Server> {
    let server = HttpServer::new(move || Actix::new().app_data(app.clone()).service(metrics).configure(configure))
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(listener)?;
    recorder();
    Ok(server.run())
}

#[get("/metrics")]
async fn metrics(_app: Data<App>) -> HttpResponse {
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(web::Bytes::from(text))
}
