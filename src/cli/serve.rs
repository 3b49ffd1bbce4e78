//! `postern serve`: the production form; and the part of it that `work` and `dev` share.

use std::net::SocketAddr;
use std::time::Duration;

use super::{setup_link, show};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, ConfigFaults, Fault, Origin, Role, SeveralNodes, Source, Switch, Wrong};
use crate::ids::NodeId;
use crate::nodes::{ALIVE, Place};
use crate::signin::first_link;
use crate::start::{self, Signals};

/// How to serve.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// What this process does: all, api or worker [env: POSTERN_ROLE]
    #[arg(long)]
    role: Option<Role>,
    /// Address and port of the API [env: POSTERN_BIND]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<SocketAddr>,
}

impl Args {
    /// The source with what the command line says over file and environment.
    pub fn over(&self, source: Source) -> Source {
        let source = match self.role {
            Some(role) => source.with_variable("POSTERN_ROLE", role.as_str()),
            None => source,
        };
        match self.bind {
            Some(bind) => source.with_variable("POSTERN_BIND", &bind.to_string()),
            None => source,
        }
    }
}

/// Runs the command: starts everything, and ends after a signal once requests and hand-offs under way are finished.
pub async fn run(config: Config, _args: Args) -> anyhow::Result<()> {
    // Asked for here as well, so that a key that cannot be used counts as bad configuration.
    config.keyring()?;
    let app = start::wire(config, Clock::System).await?;
    enter(&app).await?;
    let signals = Signals::caught()?;
    let running = start::run(app).await?;
    tracing::info!(
        address = running.address.map(tracing::field::display),
        metrics.address = running.metrics_address.map(tracing::field::display),
        role = %running.app.config.node.role,
        version = env!("CARGO_PKG_VERSION"),
        "postern is up"
    );
    if let Some(address) = running.address {
        show_first_link(&running.app, &base(&running.app, address)).await?;
    }
    running.until_signal(signals).await;
    Ok(())
}

/// Where people reach this process: as configured, else where it listens.
pub fn base(app: &App, address: SocketAddr) -> String {
    app.config.server.public_url.as_ref().map_or_else(|| format!("http://{address}"), ToString::to_string)
}

/// Shows a one-time link to the console while no operator has a password: there is no default one. On standard output, not
/// in the log, which others may read.
pub async fn show_first_link(app: &App, base: &str) -> anyhow::Result<()> {
    if app.config.console.enabled == Switch::Off {
        return Ok(());
    }
    let (ring, now, base) = (app.keyring.clone(), app.clock.now(), String::from(base));
    if let Some(link) = app.db.write(move |conn| first_link(conn, &ring, &base, now)).await? {
        // A terminal that has gone away is no reason to stop serving.
        let _ = show::line(setup_link::told(&link));
    }
    Ok(())
}

/// How often a taken place is asked for again.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Takes this process's place among the nodes. Without Redis, and unless limits are divided, one node alone may serve; the
/// row of one that was killed is waited out.
///
/// # Errors
/// Bad configuration where another node serves; of the database.
pub async fn enter(app: &App) -> anyhow::Result<()> {
    let (node, limits) = (&app.config.node, &app.config.limits);
    let serves = node.role != Role::Worker;
    let alone = serves && node.redis_url.is_none() && limits.several_nodes == SeveralNodes::Refuse;
    let patience = ALIVE + 2 * ASK_EVERY;
    let mut waited = Duration::ZERO;
    loop {
        match app.nodes.enter(&app.db, alone).await? {
            Place::Taken => return Ok(()),
            Place::TakenBy(other) if waited >= patience => return Err(second_node(other).into()),
            Place::TakenBy(other) => {
                if waited.is_zero() {
                    tracing::info!(%other, "another node was seen a moment ago; waiting to see whether it lives");
                }
                tokio::time::sleep(ASK_EVERY).await;
                waited += ASK_EVERY;
            }
        }
    }
}

fn second_node(other: NodeId) -> ConfigFaults {
    let what = format!("is not set, and another node ({other}) serves requests on this database: limits would double");
    let hint = "set POSTERN_REDIS_URL on every node, so that they count together; or several_nodes = \"divide\" under \
                [limits], so that each holds to its share; or stop the other node";
    let origin = Origin::Variable(String::from("POSTERN_REDIS_URL"));
    ConfigFaults(vec![Fault { origin, key: String::from("redis_url"), wrong: Wrong::new(what, hint) }])
}
