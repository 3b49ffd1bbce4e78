//! Messages from people that no organization sees, since nobody registered the originator they were sent to.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get};

use crate::admin::desk::{Desk, Look, Unfiltered};
use crate::admin::docs::ReadRefusals;
use crate::error::Result;
use crate::http::Listing;
use crate::http::page::{Page, PageParams};
use crate::inbound::{self, UnownedView};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_unowned_inbound);
}

/// List the messages that people sent to an originator that no sender is registered for, newest first.
///
/// No organization sees them, and their STOP holds for all. Register the originator at `/v1/admin/senders`.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/inbound",
    params(PageParams),
    responses((status = 200, description = "A page of inbound messages", body = Page<UnownedView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/inbound")]
pub(super) async fn list_unowned_inbound(desk: Desk<Look>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    desk.list(listing.page, inbound::list_unowned, |view: &UnownedView| view.id.to_string()).await
}
