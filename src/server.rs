//! The route table and the order of middleware; nothing else.

use std::net::TcpListener;

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App as Actix, HttpServer};

use crate::app::App;
use crate::http::{Settings, Strangers, Witness, frame};
use crate::{
    accounts, activations, admin, billing, broadcasts, callbacks, console, fraud, health, inbound, messages, openapi,
    requests, routing, sentinel, templates, verifications, webhooks, whatsapp,
};

/// Every route: operators and tenants, each behind their own guard, then carriers and whoever reads.
///
/// A request is compared with one route after the other, those with an id in them by a regular expression: what is asked
/// thousands of times a second stands first.
pub fn routes(routes: &mut ServiceConfig) {
    routes
        .configure(health::configure)
        // Public routes below `/v1` and those of operators stand before it: a scope lets nothing through.
        .configure(openapi::configure)
        .configure(activations::configure_catalog)
        .service(web::scope("/v1/admin").wrap(from_fn(accounts::operator_guard)).configure(admin::configure))
        .service(
            web::scope("/v1")
                .wrap(from_fn(accounts::guard))
                .configure(messages::configure)
                .configure(verifications::configure)
                .service(accounts::show_account)
                .configure(activations::configure)
                .configure(broadcasts::configure)
                .configure(billing::configure)
                .configure(fraud::configure)
                .configure(inbound::configure)
                .configure(routing::configure)
                .configure(sentinel::configure)
                .configure(templates::configure)
                .configure(webhooks::configure)
                .configure(whatsapp::configure),
        )
        .service(web::scope("/simcoal").wrap(from_fn(accounts::guard)).configure(messages::configure_coals))
        .configure(billing::configure_hooks)
        .configure(callbacks::configure)
        .configure(activations::configure_classic)
        .configure(console::configure);
}

/// The server of the API on `listener`, to be awaited.
pub fn bind(app: Data<App>, listener: TcpListener) -> std::io::Result<actix_web::dev::Server> {
    let known = app.clone();
    let strangers = Strangers::seen_by(move |client| accounts::stranger_view(&known, client));
    let log = app.room::<requests::RequestLog>();
    let witness = Witness::told(move |seen| requests::note(&log, seen));
    let settings = Settings::from_config(&app.config, app.clock.clone(), strangers).witnessed(witness);
    let settings = Data::new(settings);
    let config = app.config.server.clone();
    let workers = config.workers.count();
    let per_worker = usize::try_from(config.max_connections).unwrap_or(usize::MAX).div_ceil(workers.max(1));
    let factory = move || {
        Actix::new()
            .app_data(app.clone())
            .app_data(settings.clone())
            .configure(routes)
            .default_service(web::to(openapi::no_such_route))
            .wrap(from_fn(frame))
    };
    let server = HttpServer::new(factory)
        .workers(workers)
        .max_connections(per_worker)
        .keep_alive(config.keep_alive)
        .client_request_timeout(config.header_timeout)
        .client_disconnect_timeout(config.header_timeout)
        .shutdown_timeout(config.shutdown_timeout.as_secs())
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
