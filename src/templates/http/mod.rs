//! `/v1/templates`: shapes in, one call, shapes out.

mod change;
mod docs;
mod read;

pub use docs::TemplateDocs;

use actix_web::web::ServiceConfig;

use super::store::Whole;
use super::view::TemplateView;
use crate::accounts::Org;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::wallet;

/// The routes, to be put into the scope `/v1` behind the callers' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(change::create)
        .service(read::list)
        .service(read::show)
        .service(change::update)
        .service(change::delete)
        .service(change::submit);
}

fn view(conn: &mut Conn, whole: &Whole, org: &Org, now: Millis) -> Result<TemplateView> {
    TemplateView::of(whole, &org.name, (&wallet::load_prices(conn)?, now))
}
