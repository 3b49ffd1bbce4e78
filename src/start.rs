//! Starting and stopping: the wiring of a process, its doors and its worker, and the drain on a signal.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::accounts;
use crate::app::{App, Ground};
use crate::clock::Clock;
use crate::config::{Config, Listen, Role};
use crate::db::{Db, Settings, migrate};
use crate::error::{Error, Result};
use crate::health::{self, Gate};
use crate::limits;
use crate::{nodes, overview, phone, providers, server, webhooks, worker};

/// How long the last writes of a process that stops may take.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A process that runs.
pub struct Running {
    /// The application.
    pub app: Data<App>,
    /// Where the API listens; none in a worker.
    pub address: Option<SocketAddr>,
    /// Where metrics are read, if anywhere.
    pub metrics_address: Option<SocketAddr>,
    servers: Vec<(ServerHandle, JoinHandle<std::io::Result<()>>)>,
    worker: Option<JoinHandle<()>>,
    upkeep: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

/// Wires the ground over the database, brought up to date, and takes back the door windows that outlive a restart.
pub async fn wire(config: Config, clock: Clock) -> Result<Data<App>> {
    let db = database(&config, &clock).await?;
    let keyring = config.keyring().map_err(Error::internal)?;
    let carriers = providers::carriers(&config, &db, &clock)?;
    let app = Data::new(App::new(Ground { config, clock, db, keyring, carriers })?);
    app.door.connect().await;
    app.door.restore(app.db.read(limits::store::load).await?);
    Ok(app)
}

/// The database, brought up to date: its directory, migrations, plans and the configured first owner.
pub async fn database(config: &Config, clock: &Clock) -> Result<Db> {
    config.make_data_dir().map_err(Error::internal)?;
    let settings = Settings::of(config);
    let to_migrate = settings.clone();
    tokio::task::spawn_blocking(move || migrate::run(&to_migrate)).await.map_err(Error::internal)??;
    let db = Db::open(&settings, clock.clone())?;
    let (now, owner) = (clock.now(), config.node.operator_token.clone());
    db.write_patiently(move |conn| {
        accounts::seed(conn, now)?;
        owner.map_or(Ok(()), |token| accounts::ensure_first_owner(conn, now, &token))
    })
    .await?;
    Ok(db)
}

/// Opens the doors and starts the worker, as the configured role wants.
pub async fn run(app: Data<App>) -> Result<Running> {
    let (stop, stopping) = watch::channel(false);
    let role = app.config.node.role;
    let mut servers = Vec::new();
    let (mut address, mut metrics_address) = (None, None);
    if let Listen::At(bind) = app.config.metrics.bind {
        let listener = listen(bind)?;
        metrics_address = listener.local_addr().ok();
        servers.push(spawn(health::metrics_server(app.clone(), listener).map_err(Error::internal)?));
    }
    if role != Role::Worker {
        let listener = listen(app.config.server.bind)?;
        address = listener.local_addr().ok();
        servers.push(spawn(server::bind(app.clone(), listener).map_err(Error::internal)?));
    }
    let upkeep = tokio::spawn(keep_up(app.clone(), stopping.clone()));
    let worker = (role != Role::Api).then(|| tokio::spawn(worker::run(app.clone(), stopping.clone())));
    if role == Role::Api {
        let app = app.clone();
        tokio::spawn(async move { worker::ring_others(&app, stopping).await });
    }
    app.room::<Gate>().open();
    tokio::task::spawn_blocking(phone::warm_up);
    Ok(Running { app, address, metrics_address, servers, worker, upkeep, stop })
}

impl Running {
    /// Serves until SIGTERM or SIGINT, then drains; a second signal ends the process at once.
    pub async fn until_signal(self, mut signals: Signals) {
        signals.next().await;
        tracing::info!("stopping: no new connections after the drain delay; a second signal stops at once");
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(1);
        });
        self.stop().await;
    }

    /// Drains: not ready at once, the door open for the drain delay, then requests and hand-offs under way are finished.
    pub async fn stop(self) {
        let config = &self.app.config.server;
        self.app.room::<Gate>().close();
        tokio::time::sleep(config.drain_delay).await;
        webhooks::release_listeners(&self.app);
        overview::end_tails(&self.app);
        for (handle, _) in &self.servers {
            handle.stop(true).await;
        }
        for (_, task) in self.servers {
            let _ = task.await;
        }
        // Nobody listens any more where everything has ended by itself.
        let _ = self.stop.send(true);
        if let Some(worker) = self.worker {
            let grace = config.shutdown_timeout.max(Duration::from_millis(100));
            if tokio::time::timeout(grace, worker).await.is_err() {
                tracing::warn!("hand-offs were still under way at the end of the shutdown time; their leases will end");
            }
        }
        if tokio::time::timeout(LAST_WORDS, self.upkeep).await.is_err() {
            tracing::warn!("the last state of the door could not be written: the database does not answer");
        }
    }
}

/// What every process does beside its role: it says that it lives and writes down its refusals, and one that serves
/// keeps its door.
async fn keep_up(app: Data<App>, stop: watch::Receiver<bool>) {
    let door = async {
        if app.config.node.role != Role::Worker {
            worker::keep_door(&app, stop.clone()).await;
        }
    };
    tokio::join!(
        door,
        worker::keep_refusals(&app, stop.clone()),
        worker::keep_requests(&app, stop.clone()),
        worker::keep_engine(&app, stop.clone()),
        nodes::run(&app.nodes, &app.db, stop.clone())
    );
}

fn spawn(server: actix_web::dev::Server) -> (ServerHandle, JoinHandle<std::io::Result<()>>) {
    (server.handle(), tokio::spawn(server))
}

fn listen(bind: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(bind)
        .map_err(|fault| Error::internal(format!("cannot listen on {bind}: {fault}; is another process there?")))
}

/// SIGTERM and SIGINT, caught from the moment this is made.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them from now on: before the doors open, so that a process that is ready never dies of its first signal.
    pub fn caught() -> Result<Signals> {
        let catch = |kind| signal(kind).map_err(Error::internal);
        Ok(Signals { terminate: catch(SignalKind::terminate())?, interrupt: catch(SignalKind::interrupt())? })
    }

    /// Waits for the next of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
