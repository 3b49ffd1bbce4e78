//! Entries that hold for everybody, and those of one organization.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, delete, get, post};
use serde::Deserialize;

use crate::accounts;
use crate::admin::desk::{Desk, Look, Manage};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{gone, made};
use crate::error::Result;
use crate::fraud::{self, ListEntryView, ListOwner, NewListEntry};
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing, Query};
use crate::ids::{ListId, OrgId};
use crate::terms::Mode;

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_list_entries).service(add_platform_entry).service(remove_platform_entry);
}

/// Whose entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    /// Of this organization; those that hold for everybody where absent.
    org_id: Option<OrgId>,
    /// For its live messages where absent, or its test ones.
    mode: Option<Mode>,
}

/// Whose entry to remove, and why.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct WhoseAndWhy {
    /// Of this organization; of those that hold for everybody where absent.
    org_id: Option<OrgId>,
    /// For its live messages where absent, or its test ones.
    mode: Option<Mode>,
    /// Why, for the audit log.
    #[param(max_length = 500)]
    reason: Option<String>,
}

fn owner(org_id: Option<OrgId>, mode: Option<Mode>) -> ListOwner {
    org_id.map(|org| (org, mode.unwrap_or(Mode::Live)))
}

/// List the entries of numbers, prefixes, networks and devices, newest first.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/lists",
    params(Whose, PageParams),
    responses((status = 200, description = "A page of entries", body = Page<ListEntryView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/fraud/lists")]
pub(super) async fn list_list_entries(desk: Desk<Look>, listing: Listing<Whose>) -> Result<HttpResponse> {
    let owner = owner(listing.filter.org_id, listing.filter.mode);
    let read = move |conn: &mut crate::db::Conn, before, limit| {
        let rows = fraud::list_entries(conn, owner, before, limit)?;
        Ok(rows.into_iter().map(ListEntryView::from).collect())
    };
    desk.list(listing.page, read, |view: &ListEntryView| view.id.to_string()).await
}

/// Add an entry that holds for everybody, or (with `org_id`) for one organization.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/lists",
    params(Whose, ("Idempotency-Key" = Option<String>, Header, description = "One key, one entry")),
    request_body = NewListEntry,
    responses((status = 201, description = "The entry", body = ListEntryView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/fraud/lists")]
pub(super) async fn add_platform_entry(
    desk: Desk<Manage>,
    whose: Query<Whose>,
    body: Body<NewListEntry>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, Some(body.value.reason.clone()))?;
    let (owner, new) = (owner(whose.0.org_id, whose.0.mode), body.value);
    order
        .run(move |conn, by| {
            owner.map_or(Ok(()), |(org, _)| accounts::load_org(conn, org).map(drop))?;
            let entry = fraud::add_entry(conn, by, owner, new)?;
            made(String::from("/v1/admin/fraud/lists"), &entry)
        })
        .await
}

/// Remove an entry.
#[utoipa::path(
    tag = "Admin: fraud",
    path = "/v1/admin/fraud/lists/{id}",
    params(
        ("id" = ListId, Path, description = "The entry"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        WhoseAndWhy,
    ),
    responses((status = 204, description = "Removed"), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/fraud/lists/{id}")]
pub(super) async fn remove_platform_entry(
    desk: Desk<Manage>,
    id: Id<ListId>,
    query: Query<WhoseAndWhy>,
) -> Result<HttpResponse> {
    let WhoseAndWhy { org_id, mode, reason } = query.0;
    let owner = owner(org_id, mode);
    let order = desk.bare_order(reason)?;
    order.run(move |conn, by| fraud::remove_entry(conn, by, owner, id.0).map(|()| gone())).await
}
