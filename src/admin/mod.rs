//! The operators' API under `/v1/admin`: JSON in and out, calls rooms, owns no tables.
//!
//! Each file is a group of routes. A handler's first argument is the `Desk` with the duty it takes: the role is checked
//! there, before the body is looked at.

mod activations;
mod alerts;
mod audit;
mod billing;
mod books;
mod caps;
mod carriers;
mod checkpoints;
mod decisions;
mod desk;
mod docs;
mod erasures;
mod events;
mod fees;
mod fraud;
mod holds;
mod inbound;
mod keys;
mod limits;
mod lists;
mod messages;
mod now;
mod operators;
mod order;
mod orgs;
mod pauses;
mod plans;
mod prices;
mod requests;
mod route_stats;
mod routes;
mod rules;
mod senders;
mod sessions;
mod simulations;
mod system;
mod templates;
mod trials;
mod wallets;
mod webhooks;
mod whatsapp;

pub use docs::AdminDocs;

use actix_web::web::ServiceConfig;

/// The routes, to be put into the scope `/v1/admin` behind the operators' guard.
pub fn configure(routes: &mut ServiceConfig) {
    now::configure(routes);
    alerts::configure(routes);
    orgs::configure(routes);
    keys::configure(routes);
    limits::configure(routes);
    plans::configure(routes);
    fees::configure(routes);
    operators::configure(routes);
    sessions::configure(routes);
    audit::configure(routes);
    checkpoints::configure(routes);
    system::configure(routes);
    // Before `/routes/{id}`, which would take its path.
    route_stats::configure(routes);
    self::routes::configure(routes);
    carriers::configure(routes);
    trials::configure(routes);
    senders::configure(routes);
    templates::configure(routes);
    prices::configure(routes);
    wallets::configure(routes);
    billing::configure(routes);
    books::configure(routes);
    caps::configure(routes);
    lists::configure(routes);
    decisions::configure(routes);
    holds::configure(routes);
    fraud::configure(routes);
    rules::configure(routes);
    simulations::configure(routes);
    pauses::configure(routes);
    inbound::configure(routes);
    messages::configure(routes);
    erasures::configure(routes);
    events::configure(routes);
    requests::configure(routes);
    webhooks::configure(routes);
    whatsapp::configure(routes);
    activations::configure(routes);
}
