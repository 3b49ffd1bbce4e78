//! Tenants: the organizations and their plans.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};
use serde_json::Value;

use crate::console::cells::Column;
use crate::console::desk::Desk;
use crate::console::form::{Field, Form, Kind};
use crate::console::layout::Page;
use crate::console::listing::{Listing, Place};
use crate::error::Result;

/// Every organization.
pub(super) static ORGS: Listing = Listing {
    name: "organizations",
    title: "Organizations",
    api: "/v1/admin/orgs",
    columns: &[
        Column::text("Name", "/name").to("/console/tenants/{/id}"),
        Column::code("Id", "/id").hidden(),
        Column::status("Status", "/status"),
        Column::text("Plan", "/plan"),
        Column::status("Subscription", "/subscription_status"),
        Column::status("Business", "/kyb_status"),
        Column::text("Country", "/country"),
        Column::text("May send to", "/countries"),
        Column::text("Protection", "/protection"),
        Column::time("Made", "/created_at"),
        Column::time("Changed", "/updated_at").hidden(),
    ],
    empty: "No organization yet. Make the first one here, or with",
    command: "postern org create --name ACME --country GB",
    ..Listing::NEW
};

/// What each plan allows.
pub(super) static PLANS: Listing = Listing {
    name: "plans",
    title: "Plans",
    api: "/v1/admin/plans",
    columns: &[
        Column::text("Plan", "/name"),
        Column::text("Policies", "/policies"),
        Column::time("Changed", "/updated_at"),
    ],
    is_paged: false,
    ..Listing::NEW
};

pub(super) const PLAN_NAMES: &[&str] = &["free", "pro", "enterprise"];
pub(super) const PROTECTION: &[&str] = &["off", "monitor", "standard", "strict"];
pub(super) const KYB: &[&str] = &["unverified", "pending", "verified"];

/// Makes an organization.
pub(super) static NEW_ORG: Form = Form {
    name: "new-organization",
    title: "Make an organization",
    api: "/v1/admin/orgs",
    fields: &[
        Field::must("name", "Name", Kind::Text),
        Field::must("country", "Country", Kind::Text).help("ISO 3166-1 alpha-2, for example GB."),
        Field::may("plan", "Plan", Kind::Choice(PLAN_NAMES)),
        Field::may("countries", "May send to", Kind::Lines)
            .help("A country a line, or * for every one; its own country where empty."),
        Field::may("kyb_status", "Business", Kind::Choice(KYB)),
        Field::may("protection", "Protection", Kind::Choice(PROTECTION)),
    ],
    then: "/console/tenants/{/id}",
    done: "The organization is made. Give it a key next.",
    ..Form::NEW
};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(tenants);
}

#[get("/tenants")]
async fn tenants(desk: Desk) -> Result<HttpResponse> {
    let orgs = desk.table(&ORGS, Place::default()).await?;
    let plans = desk.table(&PLANS, Place { prefix: "plans.", ..Place::default() }).await?;
    let new = desk.form(&NEW_ORG, &[], &Value::Null)?;
    let lead = desk.words.say("Who sends through you, what they may do, and what they have left.").to_owned();
    let body = [Some(orgs), new, Some(plans)].into_iter().flatten().collect();
    desk.page(Page { key: "tenants", title: desk.words.say("Tenants & keys"), lead, body })
}
