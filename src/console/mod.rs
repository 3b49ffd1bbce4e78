//! The operators' console under `/console`: pages rendered here, small local scripts, nothing from another host.
//!
//! **The console is a client of the admin API.** A page asks `/v1/admin/…` in this process as the operator who is signed
//! in: the same routes, roles, audit and idempotency as over a socket (`api`). So the curl beside each table is what the
//! page itself did, and no rule is written twice. It owns no tables.
//!
//! How a page is written (see `pages/tenants.rs`): a table is a static `Listing` – route, columns (JSON pointers into a
//! row), filters (query parameters of the route) – and a change is a static `Form` – method, route, fields (members of
//! the body). Both are named in `pages::LISTINGS` and `pages::FORMS`. A handler takes the `desk::Desk`, puts what they
//! render into `desk::Desk::page`, and adds markup of its own by an askama template that ends in `Markup`.
//! [`contract`] tells what all of them ask of the API; a test holds that against the OpenAPI document.
//!
//! Every text goes through [`crate::words::Words::say`]: the English text is the key of its translations.

mod act;
mod api;
mod assets;
mod cells;
mod chart;
mod contract;
mod desk;
mod export;
mod facts;
mod form;
mod layout;
mod listing;
mod markup;
mod pages;
mod preferences;
mod table;
mod told;
mod views;

pub use contract::{Uses, all_words, contract};
pub use told::SENTENCES;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};

use crate::signin;

/// The routes: files and the pages of the door, then everything that takes a session; the guard knows which is which.
pub fn configure(routes: &mut ServiceConfig) {
    routes.app_data(api::Api::default()).service(
        web::scope("/console")
            .wrap(from_fn(signin::console_guard))
            .wrap(from_fn(signin::headers))
            .configure(assets::configure)
            .configure(signin::configure)
            .configure(preferences::configure)
            .configure(views::configure)
            .configure(act::configure)
            .configure(export::configure)
            .configure(pages::configure),
    );
}
