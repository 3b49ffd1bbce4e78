//! The installation: its state, copies of the database, jobs, the support bundle.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::desk::{Desk, Govern, Look, Unfiltered};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::made;
use crate::app::App;
use crate::error::Result;
use crate::health;
use crate::http::page::{Page, PageParams};
use crate::http::{Listing, OptionalBody, reply};
use crate::jobs::{self, Filter, JobState, JobView};
use crate::system::{self, Backup, Bundle, SystemStatus};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(show_system).service(create_backup).service(list_backups).service(support_bundle).service(list_jobs);
}

/// Show how the installation is: version, process, database, disk, backup, nodes, jobs, configuration, checks.
#[utoipa::path(
    tag = "Admin: system",
    path = "/v1/admin/system",
    responses((status = 200, description = "How it is", body = SystemStatus), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/system")]
pub(super) async fn show_system(_desk: Desk<Look>, app: Data<App>) -> Result<HttpResponse> {
    reply::ok(&system::status(&app).await?)
}

/// Why a backup is made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupOrder {
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Copy the embedded database into the directory of `backup.directory`, mode 0600, while it is in use.
///
/// The worker makes it: look at the list for how it ended. PostgreSQL is copied by its own tools, and refused here.
#[utoipa::path(
    tag = "Admin: system",
    path = "/v1/admin/system/backups",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one backup")),
    request_body = Option<BackupOrder>,
    responses((status = 201, description = "It is asked for", body = Backup), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/system/backups")]
pub(super) async fn create_backup(
    desk: Desk<Govern>,
    app: Data<App>,
    body: OptionalBody<BackupOrder>,
) -> Result<HttpResponse> {
    let config = app.config.clone();
    let order = desk.order(&body.0, body.0.value.reason.clone())?;
    order
        .run(move |conn, by| {
            let asked = system::ask_for_backup(conn, by, &config)?;
            made(String::from("/v1/admin/system/backups"), &asked)
        })
        .await
}

/// List the copies of the database that were made or asked for, newest first: those of `postern backup` as well.
#[utoipa::path(
    tag = "Admin: system",
    path = "/v1/admin/system/backups",
    params(PageParams),
    responses((status = 200, description = "A page", body = Page<Backup>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/system/backups")]
pub(super) async fn list_backups(desk: Desk<Look>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    desk.list(listing.page, system::list_backups, |backup: &Backup| backup.id.to_string()).await
}

/// Make a support bundle: one document with the state of the installation, without secrets, numbers, codes or texts.
#[utoipa::path(
    tag = "Admin: system",
    path = "/v1/admin/system/support-bundle",
    responses((status = 200, description = "The bundle", body = Bundle), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/system/support-bundle")]
pub(super) async fn support_bundle(_desk: Desk<Govern>, app: Data<App>) -> Result<HttpResponse> {
    let metrics = health::recorder().map(PrometheusHandle::render);
    let status = system::status(&app).await?;
    reply::ok(&system::bundle(&app.db, status, metrics).await?)
}

/// Which jobs to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct JobFilter {
    /// Only of this kind.
    kind: Option<String>,
    /// Only those that stand so.
    state: Option<JobState>,
}

/// List jobs: what waits, what is due, and what failed too often. Newest first.
#[utoipa::path(
    tag = "Admin: system",
    path = "/v1/admin/jobs",
    params(JobFilter, PageParams),
    responses((status = 200, description = "A page", body = Page<JobView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/jobs")]
pub(super) async fn list_jobs(desk: Desk<Look>, app: Data<App>, listing: Listing<JobFilter>) -> Result<HttpResponse> {
    let JobFilter { kind, state } = listing.filter;
    let (filter, now) = (Filter { kind, state }, app.clock.now());
    let read = move |conn: &mut _, before, limit| jobs::list(conn, &filter, before, now, limit);
    desk.list(listing.page, read, |job: &JobView| job.id.to_string()).await
}
