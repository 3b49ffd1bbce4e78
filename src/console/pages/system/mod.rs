//! System and audit: what this installation runs on, what it has to do, its copies, and the way to the audit log and the
//! operators.

pub(super) mod audit;
pub(super) mod operators;

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};
use askama::Template;
use serde_json::json;

use crate::accounts::Duty;
use crate::audit::Change;
use crate::console::cells::Column;
use crate::console::desk::Desk;
use crate::console::facts::facts;
use crate::console::form::Form;
use crate::console::layout::Page;
use crate::console::listing::{Filter, Listing, Place, Saved};
use crate::console::markup::Markup;
use crate::error::Result;
use crate::words::Words;

/// What was checked.
pub(super) static FINDINGS: Listing = Listing {
    name: "findings",
    title: "Checks",
    api: "/v1/admin/system",
    rows: "/findings",
    columns: &[
        Column::status("State", "/state"),
        Column::text("What", "/about"),
        Column::text("Found", "/found"),
        Column::text("What to do", "/hint"),
    ],
    is_paged: false,
    ..Listing::NEW
};

/// Every process on the database.
pub(super) static NODES: Listing = Listing {
    name: "nodes",
    title: "Processes",
    api: "/v1/admin/system",
    rows: "/nodes",
    columns: &[
        Column::code("Id", "/id"),
        Column::text("Role", "/role"),
        Column::time("Started", "/started_at"),
        Column::time("Last seen", "/seen_at"),
    ],
    is_paged: false,
    ..Listing::NEW
};

/// What waits, kind by kind.
pub(super) static QUEUES: Listing = Listing {
    name: "queues",
    title: "Queue of jobs",
    api: "/v1/admin/system",
    rows: "/jobs",
    columns: &[
        Column::code("Kind", "/kind"),
        Column::count("Waiting", "/waiting"),
        Column::count("Due", "/due"),
        Column::count("Given up", "/buried"),
        Column::time("Oldest due since", "/oldest_due_at"),
    ],
    empty: "Nothing is to be done.",
    is_paged: false,
    ..Listing::NEW
};

/// Jobs, one by one.
pub(super) static JOBS: Listing = Listing {
    name: "jobs",
    title: "Jobs",
    api: "/v1/admin/jobs",
    columns: &[
        Column::time("Asked for", "/created_at"),
        Column::code("Kind", "/kind"),
        Column::status("State", "/state"),
        Column::count("Tries", "/attempts"),
        Column::time("Next try", "/run_at"),
        Column::text("Last error", "/last_error"),
        Column::code("Id", "/id").hidden(),
    ],
    filters: &[Filter::text("kind", "Kind"), Filter::choice("state", "State", &["waiting", "due", "buried"])],
    views: &[Saved { label: "Given up", query: "state=buried" }, Saved { label: "Due", query: "state=due" }],
    empty: "No job.",
    ..Listing::NEW
};

/// The configuration as far as it is written.
pub(super) static CONFIG: Listing = Listing {
    name: "configuration",
    title: "Configuration that differs from the defaults",
    api: "/v1/admin/system",
    rows: "/config",
    columns: &[
        Column::code("Key", "/key"),
        Column::code("Value", "/value"),
        Column::code("Default", "/default"),
        Column::code("Written in", "/place"),
    ],
    empty: "Nothing is written: every key has its default. All of them:",
    command: "postern config print",
    is_paged: false,
    ..Listing::NEW
};

/// Copies of the database.
pub(super) static BACKUPS: Listing = Listing {
    name: "backups",
    title: "Backups",
    api: "/v1/admin/system/backups",
    columns: &[
        Column::time("Asked for", "/created_at"),
        Column::status("Status", "/status"),
        Column::code("File", "/file"),
        Column::bytes("Size", "/bytes"),
        Column::code("By", "/author"),
        Column::time("Ended", "/ended_at"),
        Column::text("Fault", "/fault"),
        Column::code("Audit chain's end", "/head").hidden(),
    ],
    empty: "No backup is known. Make one here, or on the machine with",
    command: "postern backup /backups/postern.db",
    ..Listing::NEW
};

/// Makes a copy.
pub(super) static BACK_UP: Form = Form {
    name: "back-up",
    title: "Back up now",
    about: "Copies the embedded database into the directory of backup.directory while it is in use. PostgreSQL has its own tools.",
    api: "/v1/admin/system/backups",
    done: "The backup is asked for; the list says when it is made.",
    duty: Duty::Govern,
    ..Form::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(system).service(bundle);
    audit::configure(routes);
    operators::configure(routes);
}

#[derive(Template)]
#[template(path = "console/system.html")]
struct Ways {
    words: Words,
    may_audit: bool,
    may_govern: bool,
}

const PROCESS: &[Column] = &[
    Column::code("Version", "/version"),
    Column::code("Commit", "/commit"),
    Column::code("Process", "/process/node"),
    Column::text("Role", "/process/role"),
    Column::time("Started", "/process/started_at"),
    Column::duration("Up for", "/process/uptime_ms"),
    Column::status("Redis", "/process/redis"),
    Column::time("Last checkpoint of the audit log", "/checkpoint/at"),
];

const DATABASE: &[Column] = &[
    Column::text("Kind", "/database/kind"),
    Column::code("Version", "/database/version"),
    Column::bytes("Size", "/database/bytes"),
    Column::bytes("Not yet copied back", "/database/log_bytes"),
    Column::code("Newest migration", "/database/migration"),
    Column::text("Pending migrations", "/database/pending"),
    Column::duration("Clock ahead by", "/database/clock_ahead_ms"),
    Column::bytes("Free on the disk", "/disk/free_bytes"),
    Column::bytes("Size of the disk", "/disk/total_bytes"),
    Column::flag("Disk nearly full", "/disk/low"),
    Column::time("Last backup", "/backup/ended_at"),
];

#[get("/system")]
async fn system(desk: Desk) -> Result<HttpResponse> {
    let state = desk.need("/v1/admin/system").await?;
    let ways = Ways { words: desk.words, may_audit: desk.may(Duty::Audit), may_govern: desk.may(Duty::Govern) };
    let place = |prefix| Place { prefix, ..Place::default() };
    let mut body = vec![
        Markup::of(&ways)?,
        facts("", PROCESS, &state, desk.words, desk.now)?,
        facts("Database", DATABASE, &state, desk.words, desk.now)?,
        desk.table(&FINDINGS, place("checks.")).await?,
        desk.table(&BACKUPS, place("backups.")).await?,
    ];
    body.extend(desk.form(&BACK_UP, &[], &json!({}))?);
    body.push(desk.table(&NODES, place("nodes.")).await?);
    body.push(desk.table(&QUEUES, place("queues.")).await?);
    body.push(desk.table(&JOBS, place("jobs.")).await?);
    body.push(desk.table(&CONFIG, place("config.")).await?);
    let lead = desk.words.say("What this installation runs on, and who changed what.").to_owned();
    desk.page(Page { key: "system", title: desk.words.say("System & audit"), lead, body })
}

/// The support bundle as a file; told to the audit log.
#[get("/system/support-bundle")]
async fn bundle(desk: Desk) -> Result<HttpResponse> {
    let bundle = desk.need("/v1/admin/system/support-bundle").await?;
    desk.tell("support_bundle.download", "system", Change::default()).await?;
    let text = serde_json::to_string_pretty(&bundle).map_err(crate::error::Error::internal)?;
    let name = "attachment; filename=\"postern-support-bundle.json\"";
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(text))
}
