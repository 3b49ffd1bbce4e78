//! A stand-in for Meta's WhatsApp Cloud API, for development and tests: it takes messages and templates in Meta's wire
//! format, holds Postern to Meta's limits, and calls back as Meta does, signed. Everything is in memory, nothing leaves
//! the machine. `docs/simulator.md` tells how to use it.
//!
//! Reading order: `settings`, `world` (what it knows), `send` (a message), `fate` (what becomes of it), `templates`,
//! `limits`, `errors`, `webhook` (what it tells), `post` (the telling), `graph` (Meta's routes), `controls` (ours).
//!
//! Source of the formats: <https://developers.facebook.com/docs/whatsapp/cloud-api/reference>.

mod controls;
mod errors;
mod fate;
mod graph;
mod limits;
mod post;
mod send;
mod settings;
mod templates;
mod webhook;
mod world;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App as Actix, HttpServer};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::http::outbound::{Bounds, carrier_client};

pub use settings::{Pace, Settings};
use world::World;

/// How often webhooks that are due are looked for.
const STEP: Duration = Duration::from_millis(50);

/// The simulator, shared by its doors.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    world: Mutex<World>,
    clock: Clock,
    client: reqwest::Client,
}

impl Simulator {
    /// A new world, as `settings` describe it.
    ///
    /// # Errors
    /// `internal` where TLS cannot be set up.
    pub fn new(settings: Settings, clock: Clock) -> Result<Simulator> {
        let world = Mutex::new(World::new(settings));
        Ok(Simulator(Arc::new(Inner { world, clock, client: carrier_client(Bounds::default())? })))
    }

    /// Its doors on `listener`, to be awaited.
    pub fn serve(&self, listener: TcpListener) -> std::io::Result<Server> {
        let data = Data::new(self.clone());
        let factory =
            move || Actix::new().app_data(data.clone()).configure(controls::configure).configure(graph::configure);
        Ok(HttpServer::new(factory).workers(1).disable_signals().listen(listener)?.run())
    }

    /// Opens its doors on `listener` and tells what is due until `stop` says true or its sender is gone.
    ///
    /// # Errors
    /// `internal` where it cannot listen.
    pub fn spawn(&self, listener: TcpListener, mut stop: watch::Receiver<bool>) -> Result<()> {
        let server = self.serve(listener).map_err(Error::internal)?;
        let (handle, own) = (server.handle(), self.clone());
        tokio::spawn(server);
        tokio::spawn(async move {
            while !*stop.borrow() {
                own.tell_due().await;
                if let Ok(Err(_)) = tokio::time::timeout(STEP, stop.changed()).await {
                    break;
                }
            }
            handle.stop(true).await;
        });
        Ok(())
    }

    /// Where webhooks go from now on.
    pub fn call_back_to(&self, url: String) {
        self.world().settings.callback = Some(url);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
